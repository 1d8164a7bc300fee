"""The first administrator: by the settings, or by a link that is printed once and works once.

Decides whether there is an administrator yet. There are no default credentials: an installation nobody has
set up lets nobody in. Called by the platform's actor at start.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from actors.features.auth import accounts, one_time
from actors.features.auth.audit import record
from actors.features.auth.bodies import read_object, secret, text, wants_cookie
from actors.features.auth.passwords import check_strength
from actors.features.auth.sessions import open_session, session_answer
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import SERVICE_ROLE, Principal

ADMIN_OF_PLATFORM = "platform_admin"
LINK_MINUTES = 24 * 60
FRESH = timedelta(minutes=15)
"""How long a session opened by mail may set a password."""


async def has_admin(session: Session) -> bool:
    """Whether somebody administers the platform already; locks out others who ask at the same time."""
    await session.run("LOCK TABLE {ns}._auth_accounts IN SHARE ROW EXCLUSIVE MODE")
    return (
        await session.row("SELECT 1 FROM {ns}.users WHERE role = $1 LIMIT 1", ADMIN_OF_PLATFORM) is not None
    )


async def make_admin(
    generation: Generation, email: str, password: str, *, address: str, how: str, token: str = ""
) -> accounts.Account:
    """Make the first administrator; a ``token`` is used with it.

    Raises:
        ProblemError: auth.setup_done when there is one; auth.weak_password; auth.validation_failed.
    """
    realm = accounts.realm_of(generation)
    canonical = accounts.canonical_email(email)
    check_strength(accounts.settings_of(generation).password, password, (canonical,))
    hashed = await realm.services.hasher.hash(password)

    async def work(session: Session) -> accounts.Account:
        if await has_admin(session):
            raise ProblemError("auth.setup_done", "this installation has an administrator already")
        if token:
            await one_time.take(realm, session, kinds=("setup",), token=token)
        account = await accounts.create(
            session,
            generation,
            email=canonical,
            role=ADMIN_OF_PLATFORM,
            password_hash=hashed,
            confirmed=True,
            invited=True,
        )
        await record(session, "platform.first_admin", user_id=account.id, address=address, how=how)
        return account

    return await realm.store.transaction(work)


async def ensure_admin(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make the administrator of the settings unless there is one, or return a one-time link.

    The body holds ``email`` and ``password``, both empty when the settings name none. Answers
    ``{"link": ...}`` where somebody has to follow it, else ``{"link": null}``.
    """
    if SERVICE_ROLE not in principal.roles:
        raise ProblemError("PGRST125", "there is nothing at this path")
    body = read_object(call)
    realm = accounts.realm_of(generation)
    if await realm.store.transaction(has_admin):
        return Result(200, orjson.dumps({"link": None}))
    email, password = text(body, "email"), text(body, "password")
    if email:
        await make_admin(generation, email, password, address="", how="settings")
        return Result(200, orjson.dumps({"link": None}))

    async def work(session: Session) -> one_time.Issued:
        return await one_time.issue(realm, session, kind="setup", user_id="", email="", minutes=LINK_MINUTES)

    issued = await realm.store.transaction(work)
    # the console's page; behind "#", which browsers tell no server, the token reaches no log
    return Result(200, orjson.dumps({"link": f"{realm.services.url}/admin/setup#token={issued.token}"}))


async def set_up(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make the first administrator by the link that was printed, and sign them in.

    The body holds ``token``, ``email``, ``password``, and ``cookie`` for a browser's session.
    """
    del principal
    if generation.identity.slug != SYSTEM_SLUG:
        raise ProblemError("PGRST125", "there is nothing at this path")
    body = read_object(call)
    cookie = wants_cookie(call, body)
    realm = accounts.realm_of(generation)
    if await realm.store.transaction(has_admin):
        raise ProblemError("auth.setup_done", "this installation has an administrator already")
    token = text(body, "token", most=one_time.MAX_TOKEN)
    ticket = await one_time.look(realm, token)
    if ticket is None or ticket.kind != "setup":
        raise one_time.expired()
    account = await make_admin(
        generation,
        text(body, "email", required=True),
        secret(body),
        address=call.address,
        how="link",
        token=token,
    )
    opened = await open_session(generation, None, account, call, method="password", cookie=cookie)
    return await session_answer(generation, opened, account)


OPERATIONS: Mapping[str, Any] = {"auth.first_admin": ensure_admin, "auth.setup": set_up}
