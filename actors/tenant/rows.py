"""Reading and writing rows: one call, one statement, one answer, on a connection of its own or a given one.

Decides when a write needs a transaction around its statement, and what is answered when a row was not
changed. Called by ``operations``.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import asyncpg
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.functions.calls import BY_REQUEST, Origin
from actors.messages import Call, ProblemError, Result
from actors.tenant import before, before_read, moving, replies, rules
from actors.tenant.data_port import RowPort
from actors.tenant.executor import fetch_on, fetch_one, in_transaction
from actors.tenant.generation import Generation
from actors.tenant.moving import Moving
from actors.tenant.pipeline import Move, Write, prepare_write
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.preferences import NONE, Preferences, parse_preferences
from schemas.compiler.query.requests import MAX_ROWS, ReadRequest
from schemas.compiler.sections.auth import USERS

NEW_NAMES = 5
"""How often a write looks for another free name."""


async def read(
    generation: Generation,
    call: Call,
    principal: Principal,
    connection: TenantConnection | None,
    most: int = MAX_ROWS,
) -> Result:
    """List rows, or get one by its key.

    Args:
        generation: what to run on.
        call: a GET or HEAD.
        principal: with every role its roles include.
        connection: to use, inside a transaction; None for one of the pool's.
        most: rows of a list, however many are asked for.

    Raises:
        ProblemError, QueryError: refused.
        StaleGenerationError: the tables changed.
    """
    if call.profile:
        _check_profile(generation, call.profile)
    if call.entity in generation.queries.screened and SERVICE_ROLE not in principal.roles:
        port = data_port(generation, connection, Origin(1, None, call.request_id, call.deadline))
        call = await before_read.narrow(generation, call, principal, connection, port)
    now = datetime.now(UTC)
    preferences = preferences_of(call.prefer) if call.prefer else NONE
    prepared = generation.queries.read(
        ReadRequest(
            call.entity, call.key, call.query, preferences, call.accept, call.range, now.date(), most
        ),
        principal,
    )
    statement = prepared.statement
    arguments = statement.arguments(prepared.slots, principal, now.isoformat())
    if connection is not None:
        row = await fetch_on(connection, statement.text, arguments)
    elif preferences.timezone:
        row = await in_transaction(
            generation.pool,
            lambda own: _in_zone(own, preferences.timezone, statement.text, arguments),
            reads=True,
        )
    else:
        row = await fetch_one(generation.pool, statement.text, arguments, reads=True)
    if call.key is not None:
        return replies.row_reply(generation, call, prepared, preferences, row)
    return replies.read_reply(generation, call, prepared, preferences, row)


async def write(
    generation: Generation,
    call: Call,
    principal: Principal,
    connection: TenantConnection | None,
    origin: Origin = BY_REQUEST,
) -> Result:
    """Create, change, replace or delete rows, or move one; arguments and errors as for ``read``.

    ``origin`` says which functions led to this write.
    """
    if call.action:
        return await moving.move(Moving(generation, call, principal, origin), connection, _write)
    return await _write(generation, call, principal, connection, origin)


async def _write(
    generation: Generation,
    call: Call,
    principal: Principal,
    connection: TenantConnection | None,
    origin: Origin,
    move: Move | None = None,
) -> Result:
    if call.profile:
        _check_profile(generation, call.profile)
    now = datetime.now(UTC)
    preferences = preferences_of(call.prefer) if call.prefer else NONE
    change = prepare_write(generation, call, principal, preferences, now.date(), origin, move)
    if call.method == "POST" and not change.rows:
        return _nothing(change)
    prepared = change.prepared
    if generation.usage is not None and generation.usage.quota.limits is not None:
        people = change.entity.name == USERS
        await generation.usage.quota.admit_write(call, len(change.rows), people=people)
    try:
        if (
            connection is not None
            or preferences.tx == "rollback"
            or preferences.timezone
            or (prepared.singular and call.key is None)
            or prepared.process_rules
            or change.functions
        ):
            return await _write_in_transaction(generation, call, principal, connection, origin, change, now)
        arguments = prepared.statement.arguments(prepared.slots, principal, now.isoformat())
        row = await fetch_one(generation.pool, prepared.statement.text, arguments, reads=False)
    except ProblemError as error:
        raise rules.explained(change.entity, error) from error
    return await _settle(generation, call, principal, change, row, None)


async def _write_in_transaction(
    generation: Generation,
    call: Call,
    principal: Principal,
    connection: TenantConnection | None,
    origin: Origin,
    change: Write,
    now: datetime,
) -> Result:
    """Run a write with what surrounds its statement: functions, rules, a look at what came out."""
    preferences = change.preferences

    async def work(own: TenantConnection) -> Result:
        if preferences.timezone:
            await _set_zone(own, preferences.timezone)
        ready = change
        if change.functions:
            port = RowPort(generation, read, write, own, origin)
            ready = await before.run_functions(generation, call, principal, change, now, own, port)
        special = ready.prepared.process_rules
        earlier = await rules.rows_before(generation, call, ready, own) if special else {}
        statement = ready.prepared.statement
        arguments = statement.arguments(ready.prepared.slots, principal, now.isoformat())
        row = await fetch_on(own, statement.text, arguments)
        if special:
            await rules.judge(generation, call, principal, ready, earlier, now, own)
        return await _settle(generation, call, principal, ready, row, own)

    if connection is not None:
        return await work(connection)
    commit = preferences.tx != "rollback"
    return await _with_new_names(change, lambda: in_transaction(generation.pool, work, commit=commit))


async def _with_new_names(change: Write, attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Write; again when somebody else took a name that a function had just found free."""
    named = any(function.function == "generate_slug" for function in change.functions)
    for _ in range(NEW_NAMES if named else 0):
        try:
            return await attempt()
        except ProblemError as error:
            if error.code != "23505":
                raise
    return await attempt()


def data_port(
    generation: Generation, connection: TenantConnection | None = None, origin: Origin = BY_REQUEST
) -> RowPort:
    """Return the rows of a tenant for a function that runs on its own, or inside a transaction."""
    return RowPort(generation, read, write, connection, origin)


async def _settle(
    generation: Generation,
    call: Call,
    principal: Principal,
    write: Write,
    row: asyncpg.Record,
    connection: TenantConnection | None,
) -> Result:
    """Answer a write that ran, or refuse it while its transaction can still be undone."""
    count = row["page_count"]
    if call.key is not None and call.method != "PUT" and count != 1:
        raise await _why_not(generation, call, principal, write, connection)
    if write.prepared.singular and call.key is None and count != 1:
        raise replies.not_single(count)
    if write.version is not None and count == 0:
        raise ProblemError("row.version_mismatch", "no row has that version")
    return replies.write_reply(generation, call, write.entity, write.prepared, write.preferences, row)


async def _why_not(
    generation: Generation,
    call: Call,
    principal: Principal,
    write: Write,
    connection: TenantConnection | None,
) -> ProblemError:
    """Return why one row was not changed: not there for this caller, another version, or out of reach."""
    look = Call("get", "GET", call.entity, call.key, f"select={write.entity.key}", accept="application/json")
    try:
        await read(generation, look, principal, connection)
    except (ProblemError, QueryError):
        return replies.not_found()
    if write.version is not None:
        return ProblemError("row.version_mismatch", "the row was changed meanwhile", hint="read it again")
    return ProblemError("42501", "this row may not be changed")


def _nothing(write: Write) -> Result:
    """Answer a POST of an empty list."""
    if write.preferences.returning == "representation":
        return Result(201, b"[]", headers=(("Content-Range", "*/*"),))
    return Result(201, headers=(("Content-Range", "*/*"),))


@lru_cache(maxsize=512)
def preferences_of(prefer: str) -> Preferences:
    """Return what a Prefer header says; clients send the same few again and again."""
    found = parse_preferences(prefer)
    zone = found.timezone
    if not zone or zone in _zones():
        return found
    if found.handling == "strict":
        raise QueryError(
            "PGRST122",
            "Invalid preferences given with handling=strict",
            details=f"Invalid preferences: timezone={zone[:60]}",
        )
    applied = tuple(text for text in found.applied if text != f"timezone={zone}")
    return replace(found, timezone="", applied=applied)


def _check_profile(generation: Generation, profile: str) -> None:
    if profile not in {"public", generation.model.slug}:
        raise ProblemError(
            "PGRST106",
            "Invalid schema",
            hint=f"Only the following schemas are exposed: public, {generation.model.slug}",
        )


async def _in_zone(
    connection: TenantConnection,
    zone: str,
    text: str,
    arguments: Any,  # noqa: ANN401 - passed on
) -> asyncpg.Record:
    await _set_zone(connection, zone)
    return await fetch_on(connection, text, arguments)


async def _set_zone(connection: TenantConnection, zone: str) -> None:
    """For this transaction only."""
    await connection.execute("SELECT set_config('timezone', $1, true)", zone)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """PostgreSQL would take more spellings than we want to answer for."""
    return frozenset(available_timezones())
