"""Runs steps against live traffic: locks that give up, retries with pauses, batches.

Decides how long to wait and when to try again; never which steps there are. A lock request that waits holds
up every request behind it, so none waits longer than 100 ms. Called by ``migrator`` with the
connection that holds the tenant's advisory lock: losing it ends the work.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg
from msgspec import Struct

from schemas.compiler.migrate.steps import Batches, Step

Connection: TypeAlias = "asyncpg.Connection[Any]"

_LOCK_MS = 100
_NEXT_LOCK_MS = 20
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
_BATCH_ROWS = 1000
_BATCH_SECONDS = 0.2
_INSTANT_TIMEOUT = "5s"
_ONLINE_TIMEOUT = "30min"
_INDEX_LOCK_TIMEOUT = "10s"  # what an index build waits with holds up neither readers nor writers

_BLOCKED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class MigrationBlockedError(Exception):
    """Others kept a table locked for as long as we were willing to wait; the message says who."""


async def _nothing(_: str) -> None:
    """No checkpoint."""


def _untold(_: str) -> None:
    """Nobody listens."""


class Pace(Struct, frozen=True):
    """How a migration waits; replaced in tests.

    Attributes:
        patience: seconds of trying before a blocked step is given up.
        sleep, clock, chance: time and randomness.
        checkpoint: awaited between all effects with what comes next; a test may kill the process there.
        told: hears who blocks, and "" when nobody does any more.
    """

    patience: float = 120.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    checkpoint: Callable[[str], Awaitable[None]] = _nothing
    told: Callable[[str], None] = _untold


Waiting: TypeAlias = Callable[[str], Awaitable[None]]


async def patiently(
    connection: Connection,
    pace: Pace,
    attempt: Callable[[], Awaitable[None]],
    tables: tuple[str, ...],
    waiting: Waiting,
) -> None:
    """Repeat an attempt that was blocked, with growing pauses.

    Args:
        connection: the one that tries.
        pace: how long.
        attempt: one whole transaction or statement; safe to repeat.
        tables: qualified tables it locks, to say who is in the way.
        waiting: told who blocks, and "" when nobody does any more.

    Raises:
        MigrationBlockedError: patience ran out.
    """
    pause, deadline, told = _FIRST_PAUSE, pace.clock() + pace.patience, False
    while True:
        try:
            await attempt()
        except _BLOCKED as error:
            who = await _blockers(connection, tables) or str(error)
            if pace.clock() + pause > deadline:
                raise MigrationBlockedError(who) from error
            await waiting(who)
            told = True
        else:
            if told:
                await waiting("")
            return
        await pace.sleep(pause * (0.5 + pace.chance()))
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _blockers(connection: Connection, tables: tuple[str, ...]) -> str:
    """Say which backends hold locks on the tables, without what they do."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT a.pid, a.state,
          coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::integer AS age
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        WHERE l.granted AND l.pid <> pg_backend_pid() AND l.relation = ANY(
          SELECT to_regclass(name)::oid FROM unnest($1::text[]) AS name)
        ORDER BY age DESC LIMIT 3
        """,
        list(tables),
    )
    return ", ".join(
        f"waiting on pid {row['pid']} ({row['state']}, transaction {row['age']} s old)" for row in rows
    )


async def lock_tables(connection: Connection, steps: list[Step]) -> None:
    """Take a transaction's locks at its start, in one order everywhere, the first with the most patience."""
    wanted: dict[str, str] = {}
    for step in steps:
        for table, mode in step.locks:
            wanted[table] = max(
                mode, wanted.get(table, mode), key=("SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE").index
            )
    lines = [
        f"SET LOCAL lock_timeout = {_LOCK_MS}",
        f"SET LOCAL statement_timeout = '{_INSTANT_TIMEOUT}'",
    ]
    for number, table in enumerate(sorted(wanted)):
        lines.append(f"LOCK TABLE {table} IN {wanted[table]} MODE")
        if number == 0:
            lines.append(f"SET LOCAL lock_timeout = {_NEXT_LOCK_MS}")
    await connection.execute(";\n".join(lines))


async def run_statements(connection: Connection, steps: list[Step]) -> None:
    """Run the statements of instant steps in one round trip; the caller holds a transaction."""
    statements = [text for step in steps for text in step.sql]
    if statements:
        await connection.execute(";\n".join(statements))


async def run_online(connection: Connection, step: Step) -> None:
    """Run the statements of a validating step; the caller holds a transaction."""
    await connection.execute(
        f"SET LOCAL lock_timeout = {_LOCK_MS}; SET LOCAL statement_timeout = '{_ONLINE_TIMEOUT}'"
    )
    await connection.execute(";\n".join(step.sql))


async def end_with_us(connection: Connection) -> None:
    """Let PostgreSQL break off a long statement once we are gone: nobody else may migrate until then."""
    with contextlib.suppress(asyncpg.FeatureNotSupportedError, asyncpg.InvalidParameterValueError):
        await connection.execute("SET client_connection_check_interval = '1s'")  # not on every system


async def build_index(connection: Connection, step: Step) -> None:
    """Build an index beside the traffic; what an interrupted build left is removed first. Safe to repeat."""
    await connection.execute(
        f"SET lock_timeout = '{_INDEX_LOCK_TIMEOUT}'; SET statement_timeout = '{_ONLINE_TIMEOUT}'"
    )
    try:
        valid = await connection.fetchval(_IS_VALID, step.index)
        if valid is False:
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {step.index}")
        if not valid:
            try:
                await connection.execute(step.sql[0])
            except asyncpg.UniqueViolationError:
                await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {step.index}")
                raise
        for stamp in step.sql[1:]:
            await connection.execute(stamp)
    finally:
        if not connection.is_closed():
            await connection.execute("RESET lock_timeout; RESET statement_timeout")


_IS_VALID = "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass($1)"


async def run_batches(connection: Connection, batches: Batches, pace: Pace, waiting: Waiting) -> int:
    """Change all rows that need it, in transactions of about 200 ms at most; returns how many."""
    cursor: str | None = None
    rows, changed = _BATCH_ROWS, 0
    query = _batch_query(batches)
    while True:
        found: list[Any] = []

        async def attempt(after: str | None = cursor, limit: int = rows, found: list[Any] = found) -> None:
            async with connection.transaction():
                await connection.execute(
                    f"SET LOCAL lock_timeout = {_LOCK_MS}; SET LOCAL statement_timeout = '60s'"
                )
                found[:] = await connection.fetchrow(query, after, limit) or ()

        started = pace.clock()
        await patiently(connection, pace, attempt, (batches.table,), waiting)
        last, count = found
        if not count:
            return changed
        cursor, changed = last, changed + count
        taken = pace.clock() - started
        if taken > _BATCH_SECONDS:
            rows = max(50, rows // 2)
        elif taken < _BATCH_SECONDS / 4:
            rows = min(_BATCH_ROWS, rows * 2)
        await pace.checkpoint(f"batch after {cursor}")


def _batch_query(batches: Batches) -> str:
    return (
        f"WITH batch AS (SELECT {batches.key} AS key FROM {batches.table} "  # noqa: S608 - made by ddl
        f"WHERE ($1::text IS NULL OR {batches.key} > $1::text::{batches.key_type}) AND ({batches.where}) "
        f"ORDER BY {batches.key} LIMIT $2), "
        f"done AS (UPDATE {batches.table} t SET {batches.assignment} FROM batch "
        f"WHERE t.{batches.key} = batch.key) "
        f"SELECT (SELECT key::text FROM batch ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM batch)"
    )
