"""What the platform's actor asks for every half second: what its tables say, and what they ask to be done.

Decides nothing new: rows of ``system`` are brought into the registry, deletions whose time has come are done,
and undertakings of processes that are gone are ended. Called by ``actors.system`` through the door of
``system``.
"""

from datetime import timedelta
from typing import Any

import orjson
import structlog

from actors.features.auth import accounts
from actors.features.auth.bodies import read_object, text
from actors.features.platform import lifecycle, mirroring, settling, undertakings
from actors.features.platform.people import ENTERED, STANDS_IN
from actors.features.platform.rights import PLATFORM_ADMIN, hands
from actors.messages import Call, ProblemError, Result
from actors.tenant import closing, registry, rows
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import SERVICE, SERVICE_ROLE, Principal

_MARK = "SELECT concat(count(*), ':', max(updated_at)) FROM {ns}.tenants"
_CHANGED = """
SELECT user_id, slug, role FROM (
  SELECT e.user_id, e.slug, e.role AS told, CASE
    WHEN s.revoked_at IS NULL AND s.expires_at > $1 AND ($3::timestamptz IS NULL OR s.used_at >= $3)
      THEN e.role
    WHEN u.id IS NULL OR a.banned_until > $1 THEN ''
    WHEN m.role IS NOT NULL THEN m.role
    WHEN u.role = ANY($2::text[]) THEN 'admin' ELSE '' END AS role
  FROM {ns}._auth_entered e
  LEFT JOIN {ns}._auth_sessions s ON s.id = CASE WHEN e.role = $4 THEN e.user_id::uuid END
  LEFT JOIN {ns}.users u ON u.id::text = e.user_id
  LEFT JOIN {ns}._auth_accounts a ON a.user_id = e.user_id
  LEFT JOIN {ns}.tenants t ON t.slug = e.slug
  LEFT JOIN {ns}.memberships m ON m.tenant_id = t.id AND m.user_id = u.id) x
WHERE role <> told LIMIT 1000
"""
"""Who has to be something else now in a tenant they entered: in a table, so that no restart forgets it.

The same of the sessions by which administrators stand in for somebody: over, they are nothing there.
"""
_TENANTS = "SELECT slug, domain, status, coalesce(status_reason, '') AS reason FROM {ns}.tenants"
_DUE = "SELECT slug FROM {ns}.tenants WHERE status = 'archived' AND delete_after <= now()"

log = structlog.get_logger("platform")


async def follow(generation: Generation, call: Call, principal: Principal) -> Result:
    """Tell the platform's actor what its tables say, having done what they ask for.

    ``mark`` changes with ``tenants``, which are there when it is not the one of the query. ``changed`` lists
    who is something else now in a tenant they entered, until ``platform.told`` says that it knows.
    """
    _require_platform(principal)
    platform, realm = hands(generation), accounts.realm_of(generation)
    await _settle(generation, platform)
    for row in await realm.store.rows(_DUE):
        await _purge(generation, platform, row["slug"])
    mark = await realm.store.row(_MARK)
    document: dict[str, Any] = {"mark": str(mark[0]) if mark else ""}
    if document["mark"] != call.query:
        tenants = [dict(row) for row in await realm.store.rows(_TENANTS)]
        await _open_and_close(platform, tenants)
        document["tenants"] = [{"slug": row["slug"], "domain": row["domain"]} for row in tenants]
    await mirroring.mirror_versions(generation, platform)
    administer = [name for name, role in generation.model.roles.items() if PLATFORM_ADMIN in role.includes]
    now, idle = realm.services.now(), accounts.settings_of(generation).sessions.idle
    used_since = None if idle is None else now - timedelta(seconds=idle)
    changed = await realm.store.rows(_CHANGED, now, administer, used_since, STANDS_IN)
    document["changed"] = [dict(row) for row in changed]
    return Result(200, orjson.dumps(document))


async def told(generation: Generation, call: Call, principal: Principal) -> Result:
    """Note the role a tenant was told for somebody; an empty one: they are nobody there."""
    _require_platform(principal)
    body = read_object(call)
    user, slug, role = (text(body, name) for name in ("user_id", "slug", "role"))
    store = accounts.realm_of(generation).store
    if role:
        await store.run(ENTERED, user, slug, role)
    else:
        await store.run("DELETE FROM {ns}._auth_entered WHERE user_id = $1 AND slug = $2", user, slug)
    return Result(204)


async def adopt(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make rows for tenants that came as files; those somebody is making or deleting are theirs."""
    _require_platform(principal)
    platform = hands(generation)
    async with platform.database.owner() as connection:
        known = {tenant.identity.slug for tenant in await registry.tenants(connection)}
        under_way = {undertaking.slug for undertaking in await undertakings.under_way(connection)}
    slugs = [slug for slug in orjson.loads(call.body) if slug in known and slug not in under_way]
    if slugs:
        made = Call(
            "create",
            "POST",
            "tenants",
            query="on_conflict=slug",
            prefer="resolution=ignore-duplicates,return=minimal",
            body=orjson.dumps([{"slug": slug} for slug in slugs]),
            content_type="application/json",
            principal=SERVICE,
        )
        await rows.write(generation, made, SERVICE, None)
    return Result(200, orjson.dumps(slugs))


async def _settle(generation: Generation, platform: Platform) -> None:
    async with platform.database.owner() as connection:
        found = await undertakings.under_way(connection)
    for undertaking in found:
        try:
            await settling.settle(generation, undertaking)
        except ProblemError as error:
            log.warning("platform.unsettled", tenant=undertaking.slug, reason=error.message)


async def _purge(generation: Generation, platform: Platform, slug: str) -> None:
    try:
        await lifecycle.purge(generation, platform, slug, "end of its grace period")
    except ProblemError as error:
        log.warning("platform.not_deleted", tenant=slug, reason=error.message)


async def _open_and_close(platform: Platform, rows_: list[dict[str, Any]]) -> None:
    async with platform.database.owner() as connection:
        states = {row["slug"]: (row["status"], row["reason"]) for row in rows_}
        for tenant in await registry.tenants(connection):
            slug = tenant.identity.slug
            wanted = states.get(slug)
            if wanted is not None and slug != SYSTEM_SLUG and (tenant.state, tenant.reason) != wanted:
                await closing.set_state(connection, tenant.identity, *wanted)


def _require_platform(principal: Principal) -> None:
    if SERVICE_ROLE not in principal.roles:
        raise ProblemError("PGRST125", "there is nothing at this path")
