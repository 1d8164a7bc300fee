"""``GET`` and ``PUT auth/v1/user``: what people see of their own account, and change.

Decides what proof a change needs. Roles, bans and ``app_metadata`` are not theirs to change.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from actors.features.auth import accounts, links, one_time
from actors.features.auth.account_values import Account
from actors.features.auth.audit import record
from actors.features.auth.bodies import metadata, only, read_object, secret, text
from actors.features.auth.passwords import check_strength
from actors.features.auth.sessions import end_sessions
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_MEMBERS = frozenset(
    {
        "email",
        "password",
        "current_password",
        "data",
        "nonce",
        "phone",
        "channel",
        "code_challenge",
        "code_challenge_method",
        "redirect_to",
        "gotrue_meta_security",
    }
)
_FRESH = timedelta(hours=24)
"""A session this young proves enough to set a password."""


async def show(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return the caller's account."""
    del call
    user_id = _own_id(principal)

    async def work(session: Session) -> dict[str, Any]:
        account = await _own(session, generation, user_id)
        return await accounts.user_json(session, generation, account)

    return Result(200, orjson.dumps(await accounts.realm_of(generation).store.transaction(work, reads=True)))


async def change(generation: Generation, call: Call, principal: Principal) -> Result:
    """Change address, password or metadata of the caller; an address changes when the new one is proven."""
    user_id = _own_id(principal)
    body = read_object(call)
    only(body, _MEMBERS)
    realm = accounts.realm_of(generation)
    wished = text(body, "email")
    email = accounts.canonical_email(wished) if wished else ""
    said = metadata(body, "data")
    password = secret(body)
    target = links.link_target(generation, call, body) if email else None

    async def prove(session: Session) -> Account:
        found = await _own(session, generation, user_id)
        if password or (email and email != found.email.lower()):
            await _prove(session, generation, principal, found, text(body, "nonce"))
        return found

    # before anything is compared: an old session must not learn whether a guess is the password
    account = await realm.store.transaction(prove)
    hashed = None
    if password:
        hashed = await _new_password(generation, call, account, password, secret(body, "current_password"))

    async def work(session: Session) -> dict[str, Any]:
        now = await _own(session, generation, user_id)
        merged = {key: value for key, value in (dict(now.user_metadata) | said).items() if value is not None}
        metadata({"data": merged}, "data")
        now = await accounts.update(
            session, generation, now, password_hash=hashed, user_metadata=merged if said else None
        )
        if hashed is not None:
            await end_sessions(realm, user_id, others_than=principal.session, session=session)
            await record(
                session,
                "user.password_changed",
                user_id=user_id,
                actor=user_id,
                address=call.address,
                request_id=call.request_id,
            )
        return await accounts.user_json(session, generation, now)

    user = await realm.store.transaction(work)
    if hashed is not None:
        await realm.changed(user_id)
    if target is not None and email != account.email.lower():
        links.count_mail(realm, email)
        await links.request_email_change(generation, call, account, email, target=target)
        user["new_email"] = email
    return Result(200, orjson.dumps(user))


async def _new_password(
    generation: Generation, call: Call, account: Account, password: str, current: str
) -> str:
    rules = accounts.settings_of(generation).password
    if not rules.enabled:
        raise ProblemError("auth.email_provider_disabled", "Passwords are not used here")
    check_strength(rules, password, (account.email,))
    realm = accounts.realm_of(generation)
    hasher, guard = realm.services.hasher, realm.services.guard
    if current:
        guard.check(realm, account.email.lower(), call.address, False)
        if not await hasher.verify(account.password_hash, current):
            raise ProblemError("auth.invalid_credentials", "Current password is not right")
        guard.succeeded(realm, account.email.lower(), call.address, False)
    if account.password_hash and await hasher.verify(account.password_hash, password):
        raise ProblemError("auth.same_password", "New password should be different from the old password.")
    return await hasher.hash(password)


async def _prove(
    session: Session, generation: Generation, principal: Principal, account: Account, nonce: str
) -> None:
    """Refuse who holds nothing but an old session, or one factor of two."""
    factor = await session.row(
        "SELECT 1 FROM {ns}._auth_factors WHERE user_id = $1 AND verified_at IS NOT NULL LIMIT 1", account.id
    )
    if factor is not None and principal.aal != "aal2":
        raise ProblemError("auth.insufficient_aal", "AAL2 session is required to update email or password")
    opened = None
    if principal.session is not None:
        opened = await session.row(
            "SELECT created_at FROM {ns}._auth_sessions WHERE id = $1", UUID(principal.session)
        )
    now = accounts.realm_of(generation).services.now()
    if opened is not None and now - opened["created_at"] < _FRESH:
        return
    if not nonce:
        raise ProblemError(
            "auth.reauthentication_needed",
            "Password update requires reauthentication",
            hint="ask for a code at auth/v1/reauthenticate and send it as 'nonce'",
        )
    await one_time.take(
        accounts.realm_of(generation), session, kinds=("reauthentication",), email=account.email, code=nonce
    )


def _own_id(principal: Principal) -> str:
    if principal.id is None:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    return principal.id


async def _own(session: Session, generation: Generation, user_id: str) -> Account:
    account = await accounts.find(session, generation, user_id)
    if account is None:
        raise ProblemError("auth.user_not_found", "User from sub claim in JWT does not exist")
    return account


OPERATIONS: "Mapping[str, Operation]" = {"auth.user": show, "auth.user.update": change}
