"""What a tenant can be asked: a table from operation to function over a generation.

Decides, per operation, in how many transactions it runs and what is answered. It never sees HTTP; SQL comes
from the query compiler and goes to ``executor``. Called by ``TenantActor`` through ``execute``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import asyncpg
import orjson

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError, Result
from actors.tenant import batch, describe, idempotency, replies, rules
from actors.tenant.executor import fetch_on, fetch_one, in_transaction
from actors.tenant.generation import Generation
from actors.tenant.pipeline import Write, prepare_write
from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.preferences import NONE, Preferences, parse_preferences
from schemas.compiler.query.requests import ReadRequest

Operation = Callable[[Generation, Call, Principal], Awaitable[Result]]

_MAX_PRINCIPALS = 4096


async def execute(generation: Generation, call: Call) -> Result:
    """Run one call.

    Raises:
        ProblemError: a refusal the caller is told about.
        StaleGenerationError: the tables are no longer what the generation was compiled for; nothing was
        changed.
    """
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        raise ProblemError("http.not_built", f"'{call.operation}' is not part of this installation")
    principal = call.principal
    known = generation.principals.get(principal)
    try:
        return await operation(generation, call, known or expand(generation, principal))
    except QueryError as error:
        raise told(error) from error


def expand(generation: Generation, principal: Principal) -> Principal:
    """Return the caller with every role its roles include."""
    roles = set(principal.roles)
    for name in principal.roles:
        role = generation.model.roles.get(name)
        if role is not None:
            roles |= role.includes
    full = replace(principal, roles=frozenset(roles))
    if len(generation.principals) >= _MAX_PRINCIPALS:
        generation.principals.clear()
    generation.principals[principal] = full
    return full


def told(error: QueryError) -> ProblemError:
    """Return a refusal of the query compiler as the caller is told about it."""
    return ProblemError(
        error.code, error.message, details=error.details, hint=error.hint, errors=error.errors
    )


# -- rows -----------------------------------------------------------------------------------------


async def read_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """List rows of an entity, or get one by its key."""
    return await _read(generation, call, principal, None)


async def write_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """Create, change, replace or delete rows."""
    if call.idempotency_key:
        key_call = replace(call, principal=principal)
        return await idempotency.once(
            generation.pool,
            generation.identity.namespace,
            key_call,
            lambda connection: _write(generation, call, principal, connection),
        )
    return await _write(generation, call, principal, None)


async def run_batch(generation: Generation, call: Call, principal: Principal) -> Result:
    """Run several operations in one transaction."""
    section = generation.model.sections.get("api")
    operations = batch.parse_batch(call, getattr(section, "max_requests", batch.MAX_OPERATIONS))
    preferences = _preferences(call.prefer)

    async def work(connection: TenantConnection) -> Result:
        bodies: dict[str, Any] = {}
        results: list[Result] = []
        for number, operation in enumerate(operations):
            try:
                inner = batch.to_call(operation, call, bodies)
                run = _read if inner.method == "GET" else _write
                result = await run(generation, inner, principal, connection)
            except QueryError as error:
                raise batch.at_operation(told(error), number) from error
            except ProblemError as error:
                raise batch.at_operation(error, number) from error
            results.append(result)
            if operation.name and result.body:
                bodies[operation.name] = batch.body_of(result)
        return batch.answer(operations, results)

    if call.idempotency_key:
        return await idempotency.once(generation.pool, generation.identity.namespace, call, work)
    return await in_transaction(generation.pool, work, commit=preferences.tx != "rollback")


async def _read(
    generation: Generation, call: Call, principal: Principal, connection: TenantConnection | None
) -> Result:
    if call.profile:
        _check_profile(generation, call.profile)
    now = datetime.now(UTC)
    preferences = _preferences(call.prefer) if call.prefer else NONE
    prepared = generation.queries.read(
        ReadRequest(call.entity, call.key, call.query, preferences, call.accept, call.range, now.date()),
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


async def _write(
    generation: Generation, call: Call, principal: Principal, connection: TenantConnection | None
) -> Result:
    if call.profile:
        _check_profile(generation, call.profile)
    now = datetime.now(UTC)
    preferences = _preferences(call.prefer) if call.prefer else NONE
    write = prepare_write(generation, call, principal, preferences, now.date())
    if call.method == "POST" and not write.rows:
        return _nothing(write)
    prepared = write.prepared
    text = prepared.statement.text
    arguments = prepared.statement.arguments(prepared.slots, principal, now.isoformat())

    async def work(own: TenantConnection) -> Result:
        if preferences.timezone:
            await _set_zone(own, preferences.timezone)
        special = prepared.process_rules
        before = await rules.rows_before(generation, call, write, own) if special else {}
        row = await fetch_on(own, text, arguments)
        if special:
            await rules.judge(generation, call, principal, write, before, now, own)
        return await _settle(generation, call, principal, write, row, own)

    try:
        if connection is not None:
            return await work(connection)
        dry = preferences.tx == "rollback"
        if dry or preferences.timezone or (prepared.singular and call.key is None) or prepared.process_rules:
            return await in_transaction(generation.pool, work, commit=not dry)
        row = await fetch_one(generation.pool, text, arguments, reads=False)
    except ProblemError as error:
        raise rules.explained(write.entity, error) from error
    return await _settle(generation, call, principal, write, row, None)


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
        await _read(generation, look, principal, connection)
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
def _preferences(prefer: str) -> Preferences:
    return parse_preferences(prefer)


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
    """For this transaction only; PostgreSQL would take more spellings than we want to answer for."""
    if zone not in _zones():
        raise ProblemError("PGRST122", "Invalid preferences given", details=f"unknown time zone: {zone[:60]}")
    await connection.execute("SELECT set_config('timezone', $1, true)", zone)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


# -- about the tenant -----------------------------------------------------------------------------


async def show_index(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say what there is."""
    return describe.index(generation, call, principal)


async def show_schema(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return the JSON view of the schema."""
    return describe.schema(generation, call, principal)


async def show_openapi(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return OpenAPI 3.1."""
    return describe.openapi(generation, call, principal)


async def list_origins(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return the origins whose pages may call; for the gateway only, no route leads here."""
    del call, principal
    section = generation.model.sections.get("api")
    return Result(200, orjson.dumps(list(getattr(section, "origins", ()))))


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Refuse: functions are checked when a file is loaded, and run by a later version."""
    del generation, principal
    raise ProblemError(
        "PGRST202",
        f"Could not find the function '{call.entity[:100]}' in the schema cache",
        details="Functions are not run by this version.",
    )


OPERATIONS: Mapping[str, Operation] = {
    "list": read_rows,
    "get": read_rows,
    "create": write_rows,
    "update": write_rows,
    "replace": write_rows,
    "delete": write_rows,
    "batch": run_batch,
    "call": call_function,
    "index": show_index,
    "schema": show_schema,
    "openapi": show_openapi,
    "origins": list_origins,
}
