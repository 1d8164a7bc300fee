"""Statements on the tenant's connections.

Decides retries and which SQLSTATE becomes which problem; nothing of PostgreSQL's own text reaches a caller.
It writes no SQL beyond BEGIN and its kin. Called by ``operations`` and ``pipeline``.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import TypeVar

import asyncpg

from actors.connections import ConnectError, TenantConnection
from actors.messages import ProblemError
from actors.pool import PoolClosedError, PoolError, PoolTimeoutError, TenantPool
from actors.tenant.refusals import CONFLICTS, LOST, StaleGenerationError, outcome_unknown, problem
from schemas.compiler.sql import Argument

T = TypeVar("T")

__all__ = ["StaleGenerationError", "fetch_on", "fetch_one", "fetch_rows_on", "in_transaction"]

MAX_TRIES = 4
"""A deadlock or a serialization failure is tried again three times, and so is what missed a table that is
made at first use."""
_PAUSE_SECONDS = 0.02


async def fetch_one(
    pool: TenantPool, text: str, arguments: Sequence[Argument], *, reads: bool
) -> asyncpg.Record:
    """Run one statement that answers with one row, in a transaction of its own.

    Args:
        pool: the tenant's.
        text: of the statement.
        arguments: for ``$1`` and on.
        reads: it changes nothing, so a lost connection is worth a second try.

    Raises:
        ProblemError: refused, or the database is not there.
        StaleGenerationError: the tables changed.
    """
    tries = 0
    while True:
        tries += 1
        connection = pool.take() or await _acquire(pool)
        began = monotonic()
        try:
            row = await connection.fetchrow(text, *arguments)
        except asyncio.CancelledError:
            pool.discard(connection)
            raise
        except Exception as error:
            connection.watch.took(text, monotonic() - began)
            _give_back(pool, connection, error)
            if not await _try_again(pool, error, tries, reads=reads):
                raise problem(error, reads=reads) from error
        else:
            connection.watch.took(text, monotonic() - began)
            pool.release(connection)
            return _one(row)


async def in_transaction(
    pool: TenantPool,
    work: Callable[[TenantConnection], Awaitable[T]],
    *,
    reads: bool = False,
    commit: bool = True,
) -> T:
    """Run several statements in one transaction.

    Args:
        pool: the tenant's.
        work: uses the connection and nothing outside; it runs again after a deadlock.
        reads: it changes nothing.
        commit: False undoes everything at the end (a dry run).

    Raises:
        ProblemError: refused, or the database is not there; nothing was changed.
        StaleGenerationError: the tables changed.
    """
    tries = 0
    while True:
        tries += 1
        connection = pool.take() or await _acquire(pool)
        committing = False
        try:
            await connection.execute("BEGIN READ ONLY" if reads else "BEGIN")
            outcome = await work(connection)
            committing = commit
            began = monotonic()
            await connection.execute("COMMIT" if commit else "ROLLBACK")
            connection.watch.took("COMMIT", monotonic() - began)
        except asyncio.CancelledError:
            pool.discard(connection)
            raise
        except ProblemError:
            await _undo(pool, connection)
            raise
        except StaleGenerationError as error:
            await _undo(pool, connection)
            missed = error.__cause__
            if not (isinstance(missed, Exception) and await _try_again(pool, missed, tries, reads=reads)):
                raise
        except Exception as error:
            await _undo(pool, connection, error)
            if committing and isinstance(error, (*LOST, TimeoutError)):
                raise outcome_unknown() from error
            if not await _try_again(pool, error, tries, reads=reads):
                raise problem(error, reads=reads or not committing) from error
        else:
            pool.release(connection)
            return outcome


async def fetch_on(connection: TenantConnection, text: str, arguments: Sequence[Argument]) -> asyncpg.Record:
    """Run one statement inside a transaction of ``in_transaction``.

    What makes the transaction worth another try passes through to it.

    Raises:
        ProblemError: refused.
        StaleGenerationError: the tables changed.
    """
    began = monotonic()
    try:
        return _one(await connection.fetchrow(text, *arguments))
    except (*CONFLICTS, *LOST, TimeoutError):
        raise
    except Exception as error:
        raise problem(error, reads=False) from error
    finally:
        connection.watch.took(text, monotonic() - began)


async def fetch_rows_on(
    connection: TenantConnection, text: str, arguments: Sequence[Argument]
) -> list[asyncpg.Record]:
    """Run one statement that answers with any number of rows; otherwise as ``fetch_on``."""
    began = monotonic()
    try:
        return await connection.fetch(text, *arguments)
    except (*CONFLICTS, *LOST, TimeoutError):
        raise
    except Exception as error:
        raise problem(error, reads=False) from error
    finally:
        connection.watch.took(text, monotonic() - began)


def _one(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise RuntimeError("a compiled statement answered without a row")
    return row


async def _acquire(pool: TenantPool) -> TenantConnection:
    try:
        return await pool.acquire()
    except PoolTimeoutError:
        raise ProblemError("PGRST003", "no database connection became free in time") from None
    except PoolClosedError:
        raise ProblemError("tenant.unavailable", "the tenant is being stopped") from None
    except (ConnectError, OSError):
        raise ProblemError("database.unavailable", "the database cannot be reached") from None


def _give_back(pool: TenantPool, connection: TenantConnection, error: BaseException) -> None:
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, LOST):
        pool.release(connection)
    else:
        pool.discard(connection)


async def _undo(pool: TenantPool, connection: TenantConnection, error: BaseException | None = None) -> None:
    if isinstance(error, (*LOST, TimeoutError)) or connection.is_closed():
        pool.discard(connection)
        return
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        pool.discard(connection)
    else:
        pool.release(connection)


async def _try_again(pool: TenantPool, error: Exception, tries: int, *, reads: bool) -> bool:
    if isinstance(error, asyncpg.UndefinedTableError) and tries < MAX_TRIES:
        return await _furnished(pool, error)
    if isinstance(error, CONFLICTS) and tries < MAX_TRIES:
        await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**tries))  # noqa: S311 - jitter, no secret
        return True
    return reads and tries == 1 and isinstance(error, LOST)


async def _furnished(pool: TenantPool, error: asyncpg.UndefinedTableError) -> bool:
    try:
        return await pool.furnish(str(error))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectError, PoolError, OSError):
        return False  # the statement's own error is told
