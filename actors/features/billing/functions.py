"""What can be asked about plans and invoices, as functions of the tenant ``system``, and their clockwork.

Decides who may: administrators everything, owners of a tenant their own plan. Called by
``actors.tenant.operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog

from actors.features.auth.accounts import realm_of
from actors.features.auth.store import Store
from actors.features.billing import collecting, invoices, looking, papers, subscriptions
from actors.features.billing.plans import PlanFile, put_in_force
from actors.features.platform.events import note
from actors.features.platform.rights import (
    Request,
    answer,
    hands,
    invalid,
    request_of,
    require_admin,
    require_owner,
    who_of,
)
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE_ROLE, Principal

log = structlog.get_logger("billing")


def _store(request: Request) -> Store:
    return realm_of(request.generation).store


def _file(request: Request) -> PlanFile:
    if request.platform.plans is None:
        raise ProblemError("billing.closed", "this process has no plans")
    return request.platform.plans.file


def _day(request: Request) -> date:
    return request.platform.now().astimezone(UTC).date()


async def enforce(generation: Generation) -> None:
    """Put what plans and subscriptions say now in force in this process."""
    platform = hands(generation)
    if platform.usage is not None:
        await put_in_force(platform.database, platform.usage)


async def set_plan(request: Request) -> dict[str, Any]:
    """Give a tenant a plan, from now on; ``{tenant, plan}``. For administrators and the tenant's owner."""
    slug, name = request.text("tenant", required=True), request.text("plan", required=True)
    await require_owner(request, slug)
    file, today = _file(request), _day(request)
    made = await _store(request).transaction(
        lambda session: subscriptions.set_plan(session, file, slug, name, today)
    )
    await enforce(request.generation)
    await note(request.generation, "plan.changed", slug, request.who, plan=name)
    await collecting.collect(request.generation)
    return made


async def preview_plan(request: Request) -> dict[str, Any]:
    """Say what ``set_plan`` would charge today, and change nothing; ``{tenant, plan}``."""
    slug, name = request.text("tenant", required=True), request.text("plan", required=True)
    await require_owner(request, slug)
    return await looking.preview(_store(request), _file(request), slug, name, _day(request))


async def cancel_plan(request: Request) -> dict[str, Any]:
    """End a tenant's plan with its period; ``{tenant, now}``: at once, for administrators."""
    slug, now = request.text("tenant", required=True), request.flag("now", default=False)
    if now:
        require_admin(request)
    await require_owner(request, slug)
    made = await _store(request).transaction(lambda session: subscriptions.cancel(session, slug, now=now))
    await enforce(request.generation)
    await note(request.generation, "plan.cancelled", slug, request.who)
    return made


async def issue_invoice(request: Request) -> dict[str, Any]:
    """Issue an invoice of what waits for a tenant's next one; ``{tenant}``."""
    require_admin(request)
    slug, file, today = request.text("tenant", required=True), _file(request), _day(request)
    key = await _store(request).transaction(
        lambda session: subscriptions.issue_waiting(session, file, slug, today)
    )
    await collecting.collect(request.generation)
    return {"invoice": None if key is None else await _shown(request, key)}


async def run_billing(request: Request) -> dict[str, Any]:
    """Bill every period that is over; ``{tenant}`` for one only."""
    require_admin(request)
    return await bill(request.generation, request.text("tenant"))


async def settle_invoice(request: Request) -> dict[str, Any]:
    """Note that an invoice is paid; ``{invoice, reference}``."""
    require_admin(request)
    number, reference = request.text("invoice", required=True), request.text("reference")
    await _store(request).transaction(lambda session: invoices.settle(session, number, reference))
    return await _noted(request, "invoice.paid", number)


async def void_invoice(request: Request) -> dict[str, Any]:
    """Take back an invoice nobody paid; ``{invoice, reason}``."""
    require_admin(request)
    number, reason = request.text("invoice", required=True), request.text("reason")
    await _store(request).transaction(lambda session: invoices.void(session, number, reason))
    return await _noted(request, "invoice.void", number)


async def credit_invoice(request: Request) -> dict[str, Any]:
    """Write a credit note; ``{invoice, amount, reason}``, without ``amount`` about all that is left."""
    require_admin(request)
    number, reason = request.text("invoice", required=True), request.text("reason")
    amount, file, today = _amount(request), _file(request), _day(request)
    made = await _store(request).transaction(
        lambda session: invoices.credit(session, file, number, amount, reason, today)
    )
    await collecting.refund(request.generation)
    return await _noted(request, "invoice.credited", str(made["number"]))


async def tenant_usage(request: Request) -> dict[str, Any]:
    """Say what a tenant used of its plan; ``{tenant}``, for administrators and its owner."""
    slug = request.text("tenant", required=True)
    await require_owner(request, slug)
    usage = request.platform.usage.of(slug) if request.platform.usage is not None else None
    rows = await _store(request).rows(
        "SELECT r.metric, sum(r.value) AS total, max(r.value) AS most FROM {ns}.usage_records r "
        "JOIN {ns}.tenants t ON t.id = r.tenant_id WHERE t.slug = $1 "
        "AND r.day >= date_trunc('month', $2::date) "
        "GROUP BY r.metric ORDER BY r.metric",
        slug,
        _day(request),
    )
    gauges = {"rows", "storage_bytes", "active_users"}
    limits = usage.quota.limits if usage is not None else None
    return {
        "tenant": slug,
        "plan": limits.plan if limits is not None else None,
        "month": {row["metric"]: int(row["most" if row["metric"] in gauges else "total"]) for row in rows},
        "quotas": looking.quotas(usage),
    }


async def quota_usage(request: Request) -> list[dict[str, Any]]:
    """Say what tenants with a plan used of their quotas, who is nearest first; ``{near}``: only who is."""
    require_admin(request)
    return looking.everybody(request.platform.usage, near=request.flag("near", default=False))


FUNCTIONS: Mapping[str, Callable[[Request], Awaitable[Any]]] = {
    "set_plan": set_plan,
    "preview_plan": preview_plan,
    "cancel_plan": cancel_plan,
    "issue_invoice": issue_invoice,
    "run_billing": run_billing,
    "settle_invoice": settle_invoice,
    "void_invoice": void_invoice,
    "credit_invoice": credit_invoice,
    "tenant_usage": tenant_usage,
    "quota_usage": quota_usage,
}


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Call one of ``FUNCTIONS``."""
    return answer(await FUNCTIONS[call.entity](request_of(generation, call, principal)))


async def bill(generation: Generation, only: str = "") -> dict[str, Any]:
    """Bill every period that is over, each in a transaction of its own; one that fails stops no other."""
    platform, store = hands(generation), realm_of(generation).store
    if platform.plans is None:
        return {"invoices": [], "failed": []}
    file, today = platform.plans.file, platform.now().astimezone(UTC).date()
    made: list[str] = []
    failed: list[str] = []
    for slug in await store.transaction(lambda session: subscriptions.due(session, today), reads=True):
        if only not in {"", slug}:
            continue
        try:
            made += await _close(store, file, slug, today)
        except ProblemError as error:
            log.warning("billing.behind", tenant=slug, reason=error.message)
            failed.append(slug)
    await store.transaction(lambda session: invoices.mark_overdue(session, today))
    await enforce(generation)
    await collecting.collect(generation)
    return {"invoices": made, "failed": failed}


async def _close(store: Store, file: PlanFile, slug: str, today: date) -> list[str]:
    return await store.transaction(lambda session: subscriptions.close_periods(session, file, slug, today))


async def run(generation: Generation, call: Call, principal: Principal) -> Result:
    """Bill on the clock; by the platform's own hand only."""
    del call
    _require_platform(principal)
    return answer(await bill(generation))


async def warned(generation: Generation, call: Call, principal: Principal) -> Result:
    """Note that a tenant's quota is nearly, or wholly, used; by the platform's own hand only."""
    _require_platform(principal)
    said = dict(request_of(generation, call, principal).arguments)
    slug = str(said.pop("tenant", ""))
    type_ = "quota.reached" if said["used"] >= said["limit"] else "quota.near"
    await note(generation, type_, slug, who_of(call, principal), **said)
    return Result(204)


async def paper(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return an invoice as PDF or CSV, to whoever may read its row."""
    return await papers.paper(generation, call, principal)


INVOICES = "invoices"
"""The entity whose rows have papers."""

OPERATIONS: Mapping[str, Any] = {
    "billing.run": run,
    "billing.warned": warned,
    "billing.paper": paper,
    "billing.webhook": collecting.webhook,
}


async def _shown(request: Request, number: str) -> dict[str, Any]:
    found = await _store(request).transaction(lambda session: invoices.find(session, number), reads=True)
    hidden = {"seller", "customer"}
    return {key: value for key, value in found.items() if key not in hidden}


async def _noted(request: Request, type_: str, number: str) -> dict[str, Any]:
    shown = await _shown(request, number)
    await note(request.generation, type_, str(shown["slug"]), request.who, invoice=shown["number"])
    return shown


def _amount(request: Request) -> Decimal | None:
    value = request.arguments.get("amount")
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0 or amount > Decimal(10) ** 12:
        raise invalid("amount", "a number above 0")
    return amount


def _require_platform(principal: Principal) -> None:
    if SERVICE_ROLE not in principal.roles:
        raise ProblemError("PGRST125", "there is nothing at this path")
