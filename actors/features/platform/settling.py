"""Ending what was begun with a tenant as a whole: at once, or after a crash by whoever comes next.

Decides nothing that ``undertakings`` does not say. Called where an undertaking ends, and by ``following`` for
those of processes that are gone.
"""

import structlog

from actors.features.auth import accounts
from actors.features.auth.links import Target, send_link
from actors.features.auth.store import Session
from actors.features.platform import exchange, making, undertakings
from actors.features.platform.events import note
from actors.features.platform.rights import hands
from actors.features.platform.undertakings import DELETE, RESTORE, Undertaking
from actors.messages import Call, ProblemError, TenantIdentity
from actors.tenant import closing, rows
from actors.tenant.audit import Who
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE

_OWNER = "SELECT owner_id::text FROM {ns}.tenants WHERE slug = $1"

log = structlog.get_logger("platform")


async def settle(generation: Generation, undertaking: Undertaking) -> None:
    """End an undertaking if it can be ended now.

    Args:
        generation: of ``system``.
        undertaking: begun by this process or another.

    Raises:
        ProblemError: tenant.not_deleted; it stays, and is tried again.
    """
    connection = await hands(generation).database.dedicated()
    try:
        # one at a time: who comes second finds it ended, and the slug perhaps in use again
        await connection.execute(
            "SELECT pg_catalog.pg_advisory_lock(hashtextextended($1, 0))", undertaking.id
        )
        if await undertakings.is_on(connection, undertaking) and await _done(generation, undertaking):
            await undertakings.end(connection, undertaking)
    finally:
        await connection.close()


async def _done(generation: Generation, undertaking: Undertaking) -> bool:
    if undertaking.kind == DELETE:
        await _delete(generation, undertaking)
        return True
    platform = hands(generation)
    if undertaking.kind == RESTORE:
        return await exchange.complete(generation, undertaking)
    async with platform.database.owner() as connection:
        outcome = await undertakings.verdict(connection, undertaking, generation.identity.namespace)
    if outcome == "done":
        await _welcome(generation, undertaking.slug)
    elif outcome == "undone":
        if not undertaking.slug.startswith("_"):
            log.warning("tenant.not_made", tenant=undertaking.slug)
        await making.unmake(platform, undertaking.slug, str(undertaking.detail.get("digest")))
    return outcome != "open"


async def _delete(generation: Generation, undertaking: Undertaking) -> None:
    platform, slug = hands(generation), undertaking.slug
    identity = TenantIdentity(**undertaking.detail["identity"])
    async with platform.database.owner() as connection:
        await closing.set_state(connection, identity, "archived", "the tenant is being deleted")
    await making.unmake(platform, slug)
    left = await making.remains(platform, slug, identity)
    if left:
        raise ProblemError("tenant.not_deleted", f"of '{slug}' there is still {', '.join(left)}")
    gone = Call(
        "delete", "DELETE", "tenants", query=f"slug=eq.{slug}", prefer="return=minimal", principal=SERVICE
    )
    await rows.write(generation, gone, SERVICE, None)
    log.info("tenant.deleted", tenant=slug)
    await note(generation, "tenant.deleted", slug, Who(str(undertaking.detail.get("who", ""))), verified=True)


async def _welcome(generation: Generation, slug: str) -> None:
    """Mail an owner who has no way in yet; the tenant is there whether the mail goes out or not."""
    store = accounts.realm_of(generation).store

    async def find(session: Session) -> accounts.Account | None:
        row = await session.row(_OWNER, slug)
        return await accounts.find(session, generation, row[0]) if row is not None and row[0] else None

    account = await store.transaction(find, reads=True)
    if account is None or account.confirmed_at is not None:
        return
    try:
        call = Call("auth.invite", principal=SERVICE)
        await send_link(generation, call, account, kind="invite", target=Target(f"/app/{slug}/", ""))
    except (ProblemError, OSError) as error:
        log.warning("tenant.owner_not_invited", tenant=slug, reason=str(error))
