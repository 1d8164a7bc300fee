"""A row of ``tenants`` that is created is a tenant that is made: both or neither.

Decides which slugs are free, who owns the new tenant, and what is told. The row's own transaction is what
counts: it stays open while the tenant is made, and when it is not committed, whatever was made is taken away
again, by this process or, after a crash, by the next. Called by ``operations`` for that entity alone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from msgspec import Struct, field
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.auth import accounts
from actors.features.auth.store import Session
from actors.features.billing import subscriptions
from actors.features.billing.plans import put_in_force
from actors.features.platform import making, settling, templates, undertakings
from actors.features.platform.events import note
from actors.features.platform.rights import Request, administers, hands, invalid, who_of
from actors.features.platform.undertakings import Undertaking
from actors.messages import Call, ProblemError, Result
from actors.sources import source_of
from actors.tenant import registry, rows
from actors.tenant.bodies import decode_body
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from actors.tenant.pipeline import prepare_write
from actors.tenant.platform import Platform
from schemas.compiler.names import slug_problem
from schemas.compiler.principal import ADMIN_ROLE, Principal

TENANTS = "tenants"
"""The entity whose rows are tenants."""
MAX_OWNED = 10
"""Tenants one person may make for themselves; administrators make as many as they like."""

_MEMBER = """
INSERT INTO {ns}.memberships (id, user_id, tenant_id, role)
SELECT $1::text::uuid, $2::text::uuid, id, $4 FROM {ns}.tenants WHERE slug = $3
ON CONFLICT (user_id, tenant_id) DO NOTHING
"""
_OWNED = "SELECT count(*) FROM {ns}.tenants WHERE owner_id::text = $1"

log = structlog.get_logger("platform")


class Wanted(Struct, frozen=True):
    """A tenant somebody wants.

    Attributes:
        text: of its file.
        fill: puts its first rows into it, None when it begins empty.
        owner_email: canonical, "" when the caller owns it.
        code: of the Python file beside it.
        origin: what it was made of, for the records.
    """

    slug: str
    text: bytes
    fill: making.Fill | None
    owner_email: str = ""
    code: bytes = b""
    origin: Mapping[str, Any] = field(default_factory=dict)


async def create_tenant(generation: Generation, call: Call, principal: Principal) -> Result:
    """Create one row of ``tenants`` and the tenant it stands for.

    Raises:
        ProblemError: tenant.slug_refused, tenant.slug_taken, tenant.unknown_template, tenant.not_made, or
            what a write may be refused for.
        QueryError: the caller may not, or the body is not acceptable.
    """
    platform = hands(generation)
    now = datetime.now(UTC)
    preferences = rows.preferences_of(call.prefer)
    entity = generation.queries.entity(call.entity, now.date())
    body = decode_body(call, entity, now.date())
    if call.method != "POST" or len(body.rows) != 1 or preferences.resolution or "on_conflict" in call.query:
        raise ProblemError("tenant.one_at_a_time", "tenants are made one at a time, with POST and one object")
    row = body.rows[0]
    slug = await free_slug(platform, row.get("slug"))
    prepare_write(generation, call, principal, preferences, now.date())  # may they?
    template = row.get("template") or templates.DEFAULT
    text = templates.text_of(str(template), slug, str(row.get("name") or ""))
    email = owner_address(str(row.get("owner_email") or ""))
    if preferences.tx == "rollback":
        return await rows.write(generation, call, principal, None)

    async def fill(made: Generation) -> None:
        await templates.fill(made, str(template))

    return await create(
        generation, call, principal, Wanted(slug, text, fill, email, origin={"template": template})
    )


async def create(generation: Generation, call: Call, principal: Principal, wanted: Wanted) -> Result:
    """Write the row and make the tenant; both or neither.

    Args:
        generation: of ``system``.
        call: creates the row.
        principal: who creates it.
        wanted: the tenant.
    """
    platform, who = hands(generation), who_of(call, principal)
    begun: list[Undertaking] = []

    async def work(connection: TenantConnection) -> Result:
        if begun:
            # after a deadlock the transaction runs again
            await settling.settle(generation, begun.pop())
        session = Session(connection, generation.identity.namespace)
        if principal.id is not None and not administers(principal):
            have = await session.row(_OWNED, principal.id)
            if have is not None and have[0] >= MAX_OWNED:
                raise ProblemError("auth.forbidden", f"one person makes at most {MAX_OWNED} tenants")
        # filling a large tenant takes longer than a transaction may wait otherwise
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '6h'")
        tx = await connection.fetchval("SELECT pg_catalog.pg_current_xact_id()::text")
        async with platform.database.owner() as owner:
            undertaking = await undertakings.begin(
                owner, wanted.slug, undertakings.MAKE, tx, digest=undertakings.digest_of(wanted.text)
            )
        begun.append(undertaking)
        owner_id = await _owner(session, generation, principal, wanted)
        await making.make(platform, undertaking, source_of(wanted.text, wanted.code), who.name, wanted.fill)
        mine = not administers(principal)
        owned = call if mine or not owner_id else _with_owner(call, owner_id)
        result = await rows.write(generation, owned, principal, connection)
        if owner_id:
            await session.run(_MEMBER, new_key(), owner_id, wanted.slug, ADMIN_ROLE)
        plans = platform.plans.file if platform.plans is not None else None
        if mine and plans is not None and plans.default:
            today = platform.now().date()
            await subscriptions.set_plan(session, plans, wanted.slug, plans.default, today)
        return result

    try:
        result = await in_transaction(generation.pool, work)
    finally:
        for undertaking in begun:
            await settling.settle(generation, undertaking)
    if platform.usage is not None:
        await put_in_force(platform.database, platform.usage)
    log.info("tenant.created", tenant=wanted.slug, by=who.name)
    await note(generation, "tenant.created", wanted.slug, who, **wanted.origin)
    return result


def owner_address(email: str) -> str:
    """Return an owner's address in its canonical form.

    Raises:
        ProblemError: it is none.
    """
    return accounts.canonical_email(email) if email else ""


async def free_slug(platform: Platform, slug: object) -> str:
    """Return a slug a tenant can have.

    Raises:
        ProblemError: tenant.slug_refused, tenant.slug_taken, tenant.busy.
    """
    if not isinstance(slug, str):
        raise invalid("slug", "is required")
    problem = slug_problem(slug)
    if problem:
        raise ProblemError(
            "tenant.slug_refused",
            problem,
            errors=({"pointer": "/slug", "code": "names.slug", "detail": problem},),
        )
    async with platform.database.owner() as connection:
        known = await registry.find_tenant(connection, slug)
        under_way = {undertaking.slug for undertaking in await undertakings.under_way(connection)}
    if slug in under_way:
        raise undertakings.busy(slug)
    if known is not None or platform.file(slug).exists():
        raise ProblemError("tenant.slug_taken", f"there is a tenant '{slug}' already")
    return slug


async def check_slug(request: Request) -> dict[str, Any]:
    """Say whether a slug can be had, and one that can when it cannot; for everybody who is signed in."""
    if request.principal.id is None and not administers(request.principal):
        raise ProblemError("auth.no_authorization", "sign in at the platform first")
    slug = request.text("slug", required=True)
    try:
        await free_slug(request.platform, slug)
    except ProblemError as error:
        return {
            "slug": slug,
            "available": False,
            "reason": error.message,
            "suggestion": await _suggest(request, slug),
        }
    return {"slug": slug, "available": True, "reason": "", "suggestion": slug}


async def _suggest(request: Request, slug: str) -> str:
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in slug.lower())
    stem = "-".join(part for part in letters.split("-") if part)[:34].lstrip("0123456789-").rstrip("-")
    for candidate in [stem, *(f"{stem}-{number}" for number in range(2, 12)), f"{stem}-app"]:
        try:
            return await free_slug(request.platform, candidate)
        except ProblemError:
            continue
    return ""


def _with_owner(call: Call, owner_id: str) -> Call:
    body = orjson.loads(call.body)
    row = body[0] if isinstance(body, list) else body
    return replace(call, body=orjson.dumps({**row, "owner_id": owner_id}))


async def _owner(session: Session, generation: Generation, principal: Principal, wanted: Wanted) -> str:
    """Return who owns the tenant, "" when nobody is named; an address nobody has yet gets an account."""
    if not wanted.owner_email:
        return "" if administers(principal) else principal.id or ""
    if not administers(principal):
        raise invalid("owner_email", "only administrators make tenants for others")
    account = await accounts.find_by_email(session, generation, wanted.owner_email)
    if account is None:
        role = accounts.settings_of(generation).default_role or ""
        account = await accounts.create(
            session, generation, email=wanted.owner_email, role=role, invited=True
        )
    return account.id
