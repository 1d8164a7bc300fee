"""Lists for admins: the people of a tenant, where one of them is signed in, and what happened.

Decides what is found and in which order, and ends sessions of others. Changing accounts is
``admin_operations``'s.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from actors.features.auth import accounts
from actors.features.auth.account_search import STATES, Wanted, find_page
from actors.features.auth.account_values import Account, factor_json, identity_json, time_json
from actors.features.auth.admin_operations import target
from actors.features.auth.admin_rules import may_touch, require_admin
from actors.features.auth.audit import record
from actors.features.auth.bodies import invalid, query_of
from actors.features.auth.session_operations import sessions_of
from actors.features.auth.sessions import end_sessions
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_MAX_PAGE = 1000
_MAX_FILTER = 320


async def list_users(generation: Generation, call: Call, principal: Principal) -> Result:
    """List people, page by page: all, or by a part of the address, a role, a state."""
    require_admin(principal, "read")
    page, size = _page(call)
    query = query_of(call)
    wanted = Wanted(
        query.get("filter", "")[:_MAX_FILTER],
        query.get("role", ""),
        query.get("state", ""),
        accounts.realm_of(generation).services.now(),
    )
    if wanted.state and wanted.state not in STATES:
        raise invalid("state", f"'state' is one of {', '.join(STATES)}")

    async def work(session: Session) -> tuple[int, list[dict[str, Any]]]:
        total, found = await find_page(session, generation, wanted, limit=size, offset=(page - 1) * size)
        return total, await _told(session, generation, found)

    total, users = await accounts.realm_of(generation).store.transaction(work, reads=True)
    last = max(1, -(-total // size))
    base = f"{call.base}/auth/v1/admin/users?page="
    links = [f'<{base}{last}&per_page={size}>; rel="last"']
    if page < last:
        links.insert(0, f'<{base}{page + 1}&per_page={size}>; rel="next"')
    return Result(
        200,
        orjson.dumps({"users": users, "aud": generation.identity.slug}),
        headers=(("Link", ", ".join(links)), ("x-total-count", str(total))),
    )


async def list_sessions(generation: Generation, call: Call, principal: Principal) -> Result:
    """List where one person is signed in, the newest use first."""
    require_admin(principal, "read")
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> list[dict[str, Any]]:
        account = await target(session, generation, call)
        return await sessions_of(session, account.id, realm.services.now(), principal.session)

    return Result(200, orjson.dumps(await realm.store.transaction(work, reads=True)))


async def end_their_sessions(generation: Generation, call: Call, principal: Principal) -> Result:
    """Sign one person out: everywhere, or of the ``session`` in the query."""
    require_admin(principal, "update")
    realm = accounts.realm_of(generation)
    only = query_of(call).get("session") or None

    async def work(session: Session) -> str:
        account = await target(session, generation, call)
        may_touch(generation, principal, account)
        ended = await end_sessions(realm, account.id, only=only, session=session)
        if only and not ended:
            raise ProblemError("row.not_found", "there is no such session")
        await record(
            session,
            "user.signed_out",
            user_id=account.id,
            actor=principal.id or principal.key or "",
            address=call.address,
            request_id=call.request_id,
        )
        return account.id

    await realm.changed(await realm.store.transaction(work))
    return Result(204)


async def audit(generation: Generation, call: Call, principal: Principal) -> Result:
    """List what happened to accounts, newest first."""
    require_admin(principal, "read")
    page, size = _page(call)
    found = await accounts.realm_of(generation).store.rows(
        "SELECT id, at, event, user_id, actor, address, data::text AS data FROM {ns}._auth_audit "
        "ORDER BY id DESC LIMIT $1 OFFSET $2",
        size,
        (page - 1) * size,
    )
    entries = [
        {
            "id": str(row["id"]),
            "payload": {
                "action": row["event"],
                "actor_id": row["actor"],
                "user_id": row["user_id"],
                "traits": orjson.loads(row["data"]),
            },
            "created_at": time_json(row["at"]),
            "ip_address": row["address"],
        }
        for row in found
    ]
    return Result(200, orjson.dumps(entries))


def _page(call: Call) -> tuple[int, int]:
    given = query_of(call)

    def number(name: str, default: int, most: int) -> int:
        value = given.get(name, "")
        if not value:
            return default
        if not (value.isascii() and value.isdecimal() and len(value) < 8 and int(value) > 0):
            raise invalid(name, f"'{name}' is a number from 1")
        return min(int(value), most)

    return number("page", 1, 10_000_000), number("per_page", 50, _MAX_PAGE)


async def _told(session: Session, generation: Generation, found: list[Account]) -> list[dict[str, Any]]:
    """Return many accounts with what belongs to each, in two statements."""
    ids = [account.id for account in found]
    identities = await session.rows(
        "SELECT user_id, id, provider, subject, email, email_verified, data::text AS data, created_at, "
        "last_sign_in_at FROM {ns}._auth_identities WHERE user_id = ANY($1::text[]) ORDER BY created_at",
        ids,
    )
    factors = await session.rows(
        "SELECT user_id, id, kind, name, verified_at, created_at, updated_at FROM {ns}._auth_factors "
        "WHERE user_id = ANY($1::text[]) ORDER BY created_at",
        ids,
    )
    return [
        accounts.to_json(
            account,
            [identity_json(account, row) for row in identities if row["user_id"] == account.id],
            [factor_json(row) for row in factors if row["user_id"] == account.id],
            audience=generation.identity.slug,
        )
        for account in found
    ]


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.admin.users.list": list_users,
    "auth.admin.sessions.list": list_sessions,
    "auth.admin.sessions.end": end_their_sessions,
    "auth.admin.audit": audit,
}
