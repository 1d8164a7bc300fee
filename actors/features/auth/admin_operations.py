"""``auth/v1/admin/users``: admins look after the accounts of their tenant.

Decides what of an account admins change; to whom they may do it is for ``admin_rules`` to say. Every change
reaches the person it concerns at once. Lists and sessions are ``admin_lists``'s.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from actors.features.auth import accounts
from actors.features.auth.account_rows import remove
from actors.features.auth.account_values import Account
from actors.features.auth.admin_rules import administers, keep_an_admin, may_give, may_touch, require_admin
from actors.features.auth.audit import record
from actors.features.auth.bodies import invalid, metadata, only, read_object, secret, text
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
        "email_confirm",
        "phone_confirm",
        "phone",
        "role",
        "user_metadata",
        "app_metadata",
        "ban_duration",
    }
)
_DURATION = re.compile(r"(?:[0-9]{1,7}[hms])+")
_UNITS = {"h": 3600, "m": 60, "s": 1}


async def get_user(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return one person."""
    require_admin(principal, "read")

    async def work(session: Session) -> dict[str, Any]:
        return await accounts.user_json(session, generation, await target(session, generation, call))

    return Result(200, orjson.dumps(await accounts.realm_of(generation).store.transaction(work, reads=True)))


async def create_user(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make an account; no mail is sent."""
    require_admin(principal, "create")
    body = _read(call)
    email = accounts.canonical_email(text(body, "email", required=True))
    default = accounts.settings_of(generation).default_role or ""
    role = text(body, "role") or default
    if role != default:
        may_give(generation, principal, role)
    hashed = await _hash(generation, body, email)
    banned_until, _ = _ban(generation, body)

    async def work(session: Session) -> dict[str, Any]:
        account = await accounts.create(
            session,
            generation,
            email=email,
            role=role,
            user_metadata=metadata(body, "user_metadata"),
            app_metadata=metadata(body, "app_metadata"),
            password_hash=hashed,
            confirmed=body.get("email_confirm") is True,
            trusted=True,
        )
        if banned_until is not None:
            account = await accounts.update(session, generation, account, banned_until=banned_until)
        await _note(session, "user.created", call, principal, account)
        return await accounts.user_json(session, generation, account)

    user = await accounts.realm_of(generation).store.transaction(work)
    return Result(200, orjson.dumps(user))


async def update_user(generation: Generation, call: Call, principal: Principal) -> Result:
    """Change an account."""
    require_admin(principal, "update")
    body = _read(call)
    realm = accounts.realm_of(generation)
    wished = text(body, "email")
    email = accounts.canonical_email(wished) if wished else None
    role = text(body, "role") if "role" in body else None
    hashed = await _hash(generation, body, email or "")
    banned_until, unban = _ban(generation, body)

    async def work(session: Session) -> dict[str, Any]:
        account = await target(session, generation, call)
        may_touch(generation, principal, account)
        if role is not None and role != account.role:
            may_give(generation, principal, role)
            if not administers(generation, role):
                await keep_an_admin(session, generation, account)
        if banned_until is not None:
            await keep_an_admin(session, generation, account)
        app = dict(account.app_metadata) | metadata(body, "app_metadata")
        own = dict(account.user_metadata) | metadata(body, "user_metadata")
        changed = await accounts.update(
            session,
            generation,
            account,
            email=email,
            role=role,
            password_hash=hashed,
            app_metadata={key: value for key, value in app.items() if value is not None},
            user_metadata={key: value for key, value in own.items() if value is not None},
            banned_until=banned_until,
            unban=unban,
        )
        if body.get("email_confirm") is True:
            changed = await accounts.confirm(session, changed)
        if hashed is not None or banned_until is not None:
            await end_sessions(realm, account.id, session=session)
        await _note(session, "user.updated", call, principal, account, fields=sorted(body))
        return await accounts.user_json(session, generation, changed)

    user = await realm.store.transaction(work)
    await realm.changed(user["id"])
    return Result(200, orjson.dumps(user))


async def delete_user(generation: Generation, call: Call, principal: Principal) -> Result:
    """Remove an account with everything that proves it."""
    require_admin(principal, "delete")
    only(read_object(call), frozenset({"should_soft_delete"}))
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> str:
        account = await target(session, generation, call)
        may_touch(generation, principal, account)
        await keep_an_admin(session, generation, account)
        await remove(session, generation, account.id)
        await _note(session, "user.deleted", call, principal, account)
        return account.id

    await realm.changed(await realm.store.transaction(work))
    return Result(200, b"{}")


# -- bodies ---------------------------------------------------------------------------------------


def _read(call: Call) -> dict[str, Any]:
    body = read_object(call)
    only(body, _MEMBERS)
    return body


async def _hash(generation: Generation, body: dict[str, Any], email: str) -> str | None:
    password = secret(body)
    if not password:
        return None
    check_strength(accounts.settings_of(generation).password, password, (email,))
    return await accounts.realm_of(generation).services.hasher.hash(password)


def _ban(generation: Generation, body: dict[str, Any]) -> tuple[datetime | None, bool]:
    """Return until when, and whether a ban is lifted."""
    value = text(body, "ban_duration")
    if value in {"", "none"}:
        return None, value == "none"
    if not _DURATION.fullmatch(value):
        raise invalid("ban_duration", "'ban_duration' is 'none' or hours, minutes and seconds, as '24h30m'")
    seconds = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[0-9]+[hms]", value))
    try:
        return accounts.realm_of(generation).services.now() + timedelta(seconds=seconds), False
    except OverflowError:
        raise invalid("ban_duration", "'ban_duration' is too long") from None


async def target(session: Session, generation: Generation, call: Call) -> Account:
    """Return the account a request names.

    Raises:
        ProblemError: auth.user_not_found.
    """
    account = await accounts.find(session, generation, call.key or call.entity)
    if account is None:
        raise ProblemError("auth.user_not_found", "User not found")
    return account


async def _note(
    session: Session, event: str, call: Call, principal: Principal, account: Account, **data: object
) -> None:
    by, request_id = principal.id or principal.key or "", call.request_id
    await record(
        session, event, user_id=account.id, actor=by, address=call.address, request_id=request_id, **data
    )


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.admin.users.create": create_user,
    "auth.admin.users.get": get_user,
    "auth.admin.users.update": update_user,
    "auth.admin.users.delete": delete_user,
}
