"""Which plan a tenant has: starting, changing and ending it, and what each period owes.

Decides what is charged when: a period's price in advance, what was used beyond the plan at its end, the
difference of a change at once as lines of the next invoice. A trial is free and given once. Each step is one
transaction over the subscription's locked row, so that no period is charged twice, whoever asks and however
often. Called by ``functions`` and, on the clock, through ``billing.run``.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson

from actors.features.auth.store import Session
from actors.features.billing import money
from actors.features.billing.invoices import issue, keep_line, waiting_lines
from actors.features.billing.money import Line, Period
from actors.features.billing.plans import METERED, PlanFile
from actors.messages import ProblemError
from actors.tenant.identifiers import new_key

_SUBSCRIPTION = """
SELECT s.*, t.slug, p.name AS plan, p.title AS plan_title, p.price, p.currency,
  coalesce(p.overage, '{{}}')::text AS plan_overage, p.max_requests, p.max_rows, p.max_storage, p.max_users
FROM {ns}.subscriptions s JOIN {ns}.tenants t ON t.id = s.tenant_id JOIN {ns}.plans p ON p.id = s.plan_id
WHERE t.slug = $1 FOR UPDATE OF s
""".replace("{{}}", "{}")
_INSERT = """
INSERT INTO {ns}.subscriptions (id, tenant_id, plan_id, status, period_start, period_end, metered_from,
  trial_end, anchor, provider, cancel_at_end)
VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $5, $7, $8, 'manual', false)
"""
_USAGE = """
SELECT day, value FROM {ns}.usage_records WHERE tenant_id = $1 AND metric = $2 AND day >= $3 AND day < $4
"""
_MOST_PERIODS = 36
"""Periods one call closes at most: an installation that slept for years catches up in several."""


async def set_plan(session: Session, file: PlanFile, slug: str, name: str, today: date) -> dict[str, Any]:
    """Give a tenant a plan; returns what it has now.

    Raises:
        ProblemError: billing.unknown_plan, tenant.not_found.
    """
    plan = await session.row("SELECT * FROM {ns}.plans WHERE name = $1 AND retired IS NOT TRUE", name)
    if plan is None:
        raise ProblemError("billing.unknown_plan", f"there is no plan '{name[:60]}'")
    tenant = await session.row("SELECT id FROM {ns}.tenants WHERE slug = $1 FOR UPDATE", slug)
    if tenant is None:
        raise ProblemError("tenant.not_found", "there is no such tenant")
    if await session.row(_SUBSCRIPTION, slug) is None:
        await _begin(session, file, tenant["id"], slug, dict(plan), today)
    else:
        await close_periods(session, file, slug, today)
        await _change(session, await subscription_of(session, slug), dict(plan), today)
    found = await subscription_of(session, slug)
    return {
        "tenant": slug, "plan": found["plan"], "status": found["status"],
        "period_start": found["period_start"], "period_end": found["period_end"],
    }  # fmt: skip


async def subscription_of(session: Session, slug: str) -> Mapping[str, Any]:
    """Return a tenant's subscription with its plan, locked.

    Raises:
        ProblemError: billing.no_subscription.
    """
    row = await session.row(_SUBSCRIPTION, slug)
    if row is None:
        raise ProblemError("billing.no_subscription", f"'{slug}' has no plan")
    return dict(row)


async def _begin(
    session: Session, file: PlanFile, tenant: object, slug: str, plan: Mapping[str, Any], today: date
) -> None:
    trial = plan["trial_days"] or 0
    end = today + timedelta(days=trial) if trial else money.month_after(today, today.day)
    anchor = end.day if trial else today.day
    status = "trialing" if trial else "active"
    await session.run(
        _INSERT, new_key(), tenant, plan["id"], status, today, end, end if trial else None, anchor
    )
    if not trial:
        line = money.base_line(plan["title"], plan["price"], Period(today, end), plan["currency"])
        await issue(session, file, await subscription_of(session, slug), [line], today)


async def _change(session: Session, current: Mapping[str, Any], plan: Mapping[str, Any], today: date) -> None:
    if current["plan_id"] == plan["id"] and not current["cancel_at_end"]:
        return
    if current["status"] in {"active", "past_due"}:
        period = Period(current["period_start"], current["period_end"])
        lines = [
            *await _beyond(session, current, Period(current["metered_from"], today)),
            *money.proration(
                (current["plan_title"], current["price"]),
                (plan["title"], plan["price"]),
                period,
                today,
                plan["currency"],
            ),
        ]
        for line in lines:
            await keep_line(session, current["tenant_id"], line, plan["currency"])
    await session.run(
        "UPDATE {ns}.subscriptions SET plan_id = $2, cancel_at_end = false, metered_from = "
        "greatest($3::date, metered_from), "
        "status = CASE status WHEN 'cancelled' THEN 'active' ELSE status END, "
        "updated_at = now() WHERE id = $1",
        current["id"],
        plan["id"],
        today,
    )


async def cancel(session: Session, slug: str, *, now: bool) -> dict[str, Any]:
    """End a plan: with its period, or now and without a trace, limits included."""
    current = await subscription_of(session, slug)
    if now:
        await session.run("DELETE FROM {ns}.subscriptions WHERE id = $1", current["id"])
        return {"tenant": slug, "plan": None}
    await session.run(
        "UPDATE {ns}.subscriptions SET cancel_at_end = true, updated_at = now() WHERE id = $1", current["id"]
    )
    return {"tenant": slug, "plan": current["plan"], "ends_on": current["period_end"]}


async def due(session: Session, today: date) -> list[str]:
    """Return tenants whose period is over."""
    rows = await session.rows(
        "SELECT t.slug FROM {ns}.subscriptions s JOIN {ns}.tenants t ON t.id = s.tenant_id "
        "WHERE s.period_end <= $1 AND s.status <> 'cancelled' ORDER BY s.period_end, t.slug LIMIT 10000",
        today,
    )
    return [row["slug"] for row in rows]


async def close_periods(session: Session, file: PlanFile, slug: str, today: date) -> list[str]:
    """Bill every period of a tenant that is over; returns the new invoices' keys."""
    made: list[str] = []
    for _ in range(_MOST_PERIODS):
        current = await subscription_of(session, slug)
        if current["period_end"] > today or current["status"] == "cancelled":
            break
        key = await _close(session, file, current)
        if key:
            made.append(key)
    return made


async def _close(session: Session, file: PlanFile, current: Mapping[str, Any]) -> str | None:
    end = current["period_end"]
    following = Period(end, money.month_after(end, current["anchor"] or end.day))
    lines: list[Line] = []
    if current["status"] != "trialing":
        lines += await _beyond(session, current, Period(current["metered_from"], end))
    status = "past_due" if current["status"] == "past_due" else "active"
    plan = {"id": current["plan_id"], "title": current["plan_title"], "price": current["price"]}
    if current["cancel_at_end"]:
        default = await session.row("SELECT id, title, price FROM {ns}.plans WHERE name = $1", file.default)
        if default is None or default["id"] == current["plan_id"]:
            status = "cancelled"
        else:
            plan = dict(default)
    if status != "cancelled":
        lines.append(money.base_line(plan["title"], plan["price"], following, current["currency"]))
    await session.run(
        "UPDATE {ns}.subscriptions SET plan_id = $2, status = $3, period_start = $4, period_end = $5, "
        "metered_from = $4, cancel_at_end = false, updated_at = now() WHERE id = $1",
        current["id"],
        plan["id"],
        status,
        following.start,
        following.end,
    )
    return await issue(session, file, current, [line for line in lines if line.amount], end)


async def _beyond(session: Session, current: Mapping[str, Any], segment: Period) -> list[Line]:
    """Return lines for what was used beyond the plan in a part of the current period."""
    period = Period(current["period_start"], current["period_end"])
    lines = []
    for name, terms in orjson.loads(current["plan_overage"]).items():
        included = current[f"max_{name}"]
        if included is None or segment.days <= 0:
            continue
        rows = await session.rows(_USAGE, current["tenant_id"], METERED[name], segment.start, segment.end)
        days = {row["day"]: Decimal(row["value"]) for row in rows}
        used = money.usage_of_segment(name, days, segment, period.days)
        line = money.overage(
            f"{name} beyond {included} of {current['plan_title']}", used, included, terms["per"],
            Decimal(terms["price"]), period, segment, current["currency"],
        )  # fmt: skip
        if line is not None:
            lines.append(line)
    return lines


async def issue_waiting(session: Session, file: PlanFile, slug: str, today: date) -> str | None:
    """Issue an invoice of the lines that wait for the next one; None when there are none."""
    current = await subscription_of(session, slug)
    if not await waiting_lines(session, current["tenant_id"]):
        return None
    return await issue(session, file, current, [], today)
