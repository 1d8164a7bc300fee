"""``{entity}/{id}/comments``: what people say about a row.

Decides that whoever may read a row may read what is said about it and, signed in, say something; that only
who said it, or an administrator, takes it back. The row's own access rules are asked every time, by reading
it as the caller; there is no second way. Called by ``actors.tenant.operations``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError, Result
from actors.tenant import idempotency, rows
from actors.tenant.executor import fetch_on, fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from actors.tenant.replies import next_page
from schemas.compiler.model import Entity
from schemas.compiler.names import comments_name
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller
from schemas.compiler.query.columns import base_type
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.parse import split_pairs, whole_number
from schemas.compiler.query.values import decode_json
from schemas.compiler.sql import quote

PAGE, MOST = 50, 200
"""Comments in one answer: unless asked otherwise, and at most."""
MAX_TEXT = 10_000
"""Characters of one comment."""
_SAID = "text, at, user_id, email, api_key"
_FIELDS = f"id::text AS id, {_SAID}"


async def list_comments(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a row's comments, newest first; ``limit`` and ``after`` page.

    Raises:
        ProblemError: row.not_found, comments.none.
        QueryError: a rule of access.
    """
    entity = _entity(generation, call)
    before, size = None, PAGE
    for name, value in split_pairs(call.query):
        if name == "limit":
            size = min(whole_number(value, name), MOST)
        elif name == "after":
            before = str(_identifier(value))
        else:
            raise ProblemError("PGRST100", f"comments are paged by limit and after, not by {name[:60]}")
    await _look(generation, call, principal, None)
    row_id = f"row_id = $1::text::{_key_type(entity)}"

    async def work(own: TenantConnection) -> list[asyncpg.Record]:
        return await fetch_rows_on(
            own,
            f"SELECT {_FIELDS} FROM {_table(generation, entity)} c WHERE {row_id} "  # noqa: S608 - our own names
            "AND ($2::text IS NULL OR c.id < $2::text::uuid) ORDER BY c.id DESC LIMIT $3::text::bigint",
            [call.key, before, str(size + 1)],
        )

    found = await in_transaction(generation.pool, work, reads=True)
    page = [_told(one, principal) for one in found[:size]]
    headers: tuple[tuple[str, str], ...] = ()
    if page and len(found) > size:
        cursor = str(page[-1]["id"])
        url = f"{call.base}/{call.entity}/{call.key}/comments?after={cursor}&limit={size}"
        headers = next_page(url, cursor)
    return Result(200, orjson.dumps(page), headers=headers)


async def write_comment(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say something about a row; answers with the comment.

    Raises:
        ProblemError: auth.required, row.not_found, comments.none, validation.failed.
        QueryError: a rule of access.
    """
    entity = _entity(generation, call)
    _check_writer(entity, principal)
    text = _text(call)
    usage = generation.usage
    if usage is not None and usage.quota.limits is not None:
        await usage.quota.admit_write(call, 1, people=False)

    async def work(own: TenantConnection) -> Result:
        await _look(generation, call, principal, own)
        made = await fetch_on(
            own,
            f"INSERT INTO {_table(generation, entity)} (row_id, id, {_SAID}) "  # noqa: S608 - our own names
            f"VALUES ($1::text::{_key_type(entity)}, $2::text::uuid, $3, clock_timestamp(), $4, $5, $6) "
            f"RETURNING {_FIELDS}",
            [call.key, new_key(), text, principal.id, principal.email, principal.key],
        )
        return Result(201, orjson.dumps(_told(made, principal)))

    if call.idempotency_key:
        known = replace(call, principal=principal)
        return await idempotency.once(generation.pool, generation.identity.namespace, known, work)
    commit = rows.preferences_of(call.prefer).tx != "rollback"
    return await in_transaction(generation.pool, work, commit=commit)


async def delete_comment(generation: Generation, call: Call, principal: Principal) -> Result:
    """Take back a comment of one's own, or anybody's as an administrator.

    Raises:
        ProblemError: auth.required, row.not_found, comments.none, comments.not_found, 42501.
        QueryError: a rule of access.
    """
    entity = _entity(generation, call)
    _check_writer(entity, principal)
    arguments = [call.key, str(_identifier(call.action))]
    row_id = f"row_id = $1::text::{_key_type(entity)}"
    this = f"{_table(generation, entity)} WHERE {row_id} AND id = $2::text::uuid"

    async def work(own: TenantConnection) -> Result:
        await _look(generation, call, principal, own)
        found = await fetch_rows_on(own, f"SELECT {_FIELDS} FROM {this} FOR UPDATE", arguments)  # noqa: S608
        if not found:
            raise _no_comment()
        if not _may_delete(found[0], principal):
            raise ProblemError("42501", "a comment is taken back by who wrote it, or by an administrator")
        await fetch_rows_on(own, f"DELETE FROM {this}", arguments)  # noqa: S608 - our own names
        return Result(204)

    commit = rows.preferences_of(call.prefer).tx != "rollback"
    return await in_transaction(generation.pool, work, commit=commit)


OPERATIONS = {
    "comments": list_comments,
    "comments.write": write_comment,
    "comments.delete": delete_comment,
}


async def _look(
    generation: Generation, call: Call, principal: Principal, connection: TenantConnection | None
) -> None:
    """Read the row as the caller: whoever may not is told that it is not there."""
    look = Call(
        "get", "GET", call.entity, call.key, accept="application/json", base=call.base,
        request_id=call.request_id, deadline=call.deadline, address=call.address,
    )  # fmt: skip
    await rows.read(generation, look, principal, connection)


def _entity(generation: Generation, call: Call) -> Entity:
    entity = generation.queries.entity(call.entity, datetime.now(UTC).date())
    if not entity.sections.get("comments"):
        raise ProblemError(
            "comments.none",
            f"{entity.name} takes no comments",
            hint="comments: true on the entity lets people comment on its rows",
        )
    return entity


def _check_writer(entity: Entity, principal: Principal) -> None:
    if not principal.known:
        raise ProblemError("auth.required", "comments are written by who is signed in")
    if not Caller(principal.roles, principal.scopes).reaches(entity.name, "update"):
        raise QueryError("42501", f"to comment, the key lacks the scope {entity.name}:update")


def _text(call: Call) -> str:
    body: Any = decode_json(call.body) if call.body else None
    if not isinstance(body, Mapping) or body.keys() != {"text"}:
        raise ProblemError("PGRST102", 'the body of a comment is an object with its text: {"text": "..."}')
    text = body["text"].strip() if isinstance(body["text"], str) else ""
    if not text or len(text) > MAX_TEXT:
        message = f"a comment is a text of 1 to {MAX_TEXT:,} characters"
        finding = {"pointer": "/text", "code": "text", "detail": message}
        raise ProblemError("validation.failed", message, errors=(finding,))
    return text


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _no_comment() from None


def _no_comment() -> ProblemError:
    return ProblemError("comments.not_found", "there is no such comment on this row")


def _table(generation: Generation, entity: Entity) -> str:
    return f"{quote(generation.identity.namespace)}.{quote(comments_name(entity.name))}"


def _key_type(entity: Entity) -> str:
    return base_type(entity.fields[entity.key].pg_type)


def _told(comment: asyncpg.Record, principal: Principal) -> dict[str, Any]:
    told = {**comment, "may_delete": _may_delete(comment, principal)}
    if not principal.known:
        # a page that is open to the world does not hand out addresses
        told["email"] = None
    return told


def _may_delete(comment: asyncpg.Record, principal: Principal) -> bool:
    if not principal.roles.isdisjoint({ADMIN_ROLE, SERVICE_ROLE}):
        return True
    if principal.id is not None:
        return bool(comment["user_id"] == principal.id)
    return principal.key is not None and bool(comment["api_key"] == principal.key)
