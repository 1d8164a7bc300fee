"""``auth/v1/keys``: API keys as the admins of a tenant keep them.

Decides who may make which key: nobody gives away more than they have. A key's text is answered once, by what
made it.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from actors.features.auth import accounts, api_keys
from actors.features.auth.admin_rules import may_give
from actors.features.auth.audit import record
from actors.features.auth.bodies import invalid, only, read_object, text
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, ANONYMOUS_ROLE, Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

OVERLAP = timedelta(hours=24)
"""How long a key that was replaced still works."""
MAX_SCOPES = 200
_MEMBERS = frozenset({"name", "kind", "role", "scopes", "rate_limit", "expires_in", "expires_at"})
MAX_RATE, MAX_RATE_SECONDS = 10**9, 86400
VERBS = ("read", "create", "update", "delete", "write", "*")
_SCOPE = re.compile(r"(?:\*|[A-Za-z][A-Za-z0-9_]{0,62}):(?:\*|[a-z_]{1,40})", re.ASCII)


async def list_keys(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the tenant's keys, the newest first."""
    del call
    _require_admin(principal)
    rows = await accounts.realm_of(generation).store.rows(
        f"SELECT {api_keys.COLUMNS} FROM {{ns}}._auth_api_keys ORDER BY created_at DESC LIMIT 1000"  # noqa: S608 - our own text
    )
    return Result(200, orjson.dumps([api_keys.told(row) for row in rows]))


async def show_key(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return one key."""
    _require_admin(principal)
    return Result(200, orjson.dumps(api_keys.told(await _row(generation, call.entity))))


async def create_key(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make a key; ``key`` in the answer is shown this once."""
    _require_admin(principal)
    body = read_object(call)
    only(body, _MEMBERS)
    realm = accounts.realm_of(generation)
    kind = text(body, "kind") or "secret"
    if kind not in {"public", "secret"}:
        raise invalid("kind", "'kind' is public or secret")
    role = ANONYMOUS_ROLE if kind == "public" else text(body, "role", required=True, most=63)
    if role not in {ADMIN_ROLE, ANONYMOUS_ROLE} and role not in generation.model.roles:
        raise invalid("role", f"the tenant's file has no role '{role}'")
    may_give(generation, principal, role)
    scopes = _scopes(generation, body)
    expires = _moment(body, realm.services.now())

    async def work(session: Session) -> tuple[str, str]:
        return await api_keys.create(
            session,
            now=realm.services.now(),
            name=text(body, "name", most=120),
            role=role,
            public=kind == "public",
            scopes=scopes,
            rate=_rate(body),
            expires_at=expires,
            created_by=principal.id or principal.key or "",
            address=call.address,
        )

    key_id, key = await realm.store.transaction(work)
    told = api_keys.told(await _row(generation, key_id))
    return Result(201, orjson.dumps({**told, "key": key}))


async def update_key(generation: Generation, call: Call, principal: Principal) -> Result:
    """Rename a key, or change its end or its rate."""
    _require_admin(principal)
    body = read_object(call)
    unknown = sorted(set(body) - {"name", "expires_at", "expires_in", "rate_limit"})
    if unknown:
        raise invalid(unknown[0], f"'{unknown[0]}' of a key cannot be changed: make another")
    row = await _row(generation, call.entity)
    realm = accounts.realm_of(generation)
    moment = (
        _moment(body, realm.services.now())
        if {"expires_at", "expires_in"} & body.keys()
        else row["expires_at"]
    )
    rate = _rate(body) if "rate_limit" in body else (row["rate_limit"], row["rate_window"])
    await realm.store.run(
        "UPDATE {ns}._auth_api_keys SET name = $2, expires_at = $3, rate_limit = $4, rate_window = $5 "
        "WHERE id::text = $1",
        call.entity,
        text(body, "name", most=120) if "name" in body else row["name"],
        moment,
        *(rate or (None, None)),
    )
    await realm.changed(None)
    return Result(200, orjson.dumps(api_keys.told(await _row(generation, call.entity))))


async def revoke_key(generation: Generation, call: Call, principal: Principal) -> Result:
    """End a key now."""
    _require_admin(principal)
    await _row(generation, call.entity)
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> None:
        await session.run(
            "UPDATE {ns}._auth_api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id::text = $1",
            call.entity,
            realm.services.now(),
        )
        await record(
            session,
            "api_key.revoked",
            actor=principal.id or "",
            address=call.address,
            request_id=call.request_id,
            key=call.entity,
        )

    await realm.store.transaction(work)
    await realm.changed(None)
    return Result(204)


async def rotate_key(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make a key with the same rights; the old one works for a day more, then ends."""
    _require_admin(principal)
    row = await _row(generation, call.entity)
    realm = accounts.realm_of(generation)
    now = realm.services.now()
    if row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now):
        raise ProblemError("auth.key_not_found", "the key has ended: make another")

    async def work(session: Session) -> tuple[str, str]:
        made = await api_keys.create(
            session,
            now=realm.services.now(),
            name=row["name"],
            role=row["role"],
            public=row["prefix"].startswith(api_keys.PUBLIC),
            scopes=None if row["scopes"] is None else frozenset(row["scopes"]),
            rate=(row["rate_limit"], row["rate_window"]) if row["rate_limit"] else None,
            expires_at=row["expires_at"],
            created_by=principal.id or principal.key or "",
            address=call.address,
        )
        await session.run(
            "UPDATE {ns}._auth_api_keys SET successor = $2::text::uuid, "
            "expires_at = least(coalesce(expires_at, $3), $3) WHERE id::text = $1",
            call.entity,
            made[0],
            now + OVERLAP,
        )
        return made

    key_id, key = await realm.store.transaction(work)
    await realm.changed(None)
    return Result(201, orjson.dumps({**api_keys.told(await _row(generation, key_id)), "key": key}))


async def _row(generation: Generation, key_id: str) -> Any:  # noqa: ANN401 - a database row
    row = await accounts.realm_of(generation).store.row(
        f"SELECT {api_keys.COLUMNS} FROM {{ns}}._auth_api_keys WHERE id::text = $1",  # noqa: S608 - our own text
        key_id,
    )
    if row is None:
        raise ProblemError("auth.key_not_found", "there is no such key")
    return row


def _require_admin(principal: Principal) -> None:
    if ADMIN_ROLE not in principal.roles:
        raise ProblemError("auth.forbidden", "only admins keep API keys")
    if principal.scopes is not None:
        raise ProblemError("auth.forbidden", "a key with scopes keeps no keys: it could give itself more")


def _scopes(generation: Generation, body: dict[str, Any]) -> frozenset[str] | None:
    listed = body.get("scopes")
    if listed is None:
        return None
    if not isinstance(listed, list) or len(listed) > MAX_SCOPES:
        raise invalid("scopes", f"'scopes' is a list of at most {MAX_SCOPES} texts such as invoices:read")
    for number, scope in enumerate(listed):
        if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
            raise invalid(f"scopes/{number}", "a scope is entity:verb, such as invoices:read or *:read")
        entity, _, verb = scope.partition(":")
        if entity != "*" and entity not in generation.model.entities:
            raise invalid(f"scopes/{number}", f"there is no entity '{entity}'")
        if verb not in VERBS:
            raise invalid(f"scopes/{number}", f"the verb is one of {', '.join(VERBS)}")
    return frozenset(listed)


def _rate(body: dict[str, Any]) -> tuple[int, float] | None:
    value = body.get("rate_limit")
    if value is None:
        return None
    if isinstance(value, dict):
        limit, seconds = value.get("limit"), value.get("seconds")
        # a bool is an int to Python, not to anybody else
        plain = bool not in {type(limit), type(seconds)}
        if (
            plain
            and isinstance(limit, int)
            and isinstance(seconds, int | float)
            and 0 < limit <= MAX_RATE
            and 0 < seconds <= MAX_RATE_SECONDS
        ):
            return limit, float(seconds)
    raise invalid("rate_limit", "'rate_limit' is {limit: a number, seconds: a number up to 86400}")


def _moment(body: dict[str, Any], now: datetime) -> datetime | None:
    after, at = body.get("expires_in"), body.get("expires_at")
    if after is not None:
        if type(after) is not int or not 0 < after <= 3650 * 86400:
            raise invalid("expires_in", "'expires_in' is a number of seconds, at most ten years")
        return now + timedelta(seconds=after)
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at if isinstance(at, str) else "")
    except ValueError:
        moment = now
    if moment.tzinfo is None or moment <= now:
        raise invalid("expires_at", "'expires_at' is a time to come, with its zone: 2030-01-31T00:00:00Z")
    return moment


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.keys.list": list_keys,
    "auth.keys.get": show_key,
    "auth.keys.create": create_key,
    "auth.keys.update": update_key,
    "auth.keys.revoke": revoke_key,
    "auth.keys.rotate": rotate_key,
}
