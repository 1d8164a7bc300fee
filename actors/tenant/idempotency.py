"""``Idempotency-Key``: a write repeated with the same key is answered again, not done again.

Decides what counts as the same request, how long an answer is kept and how many. The record is written in the
transaction of the write itself, so either both exist or neither does. Called by ``operations``.
"""

import hashlib
import weakref
from collections.abc import Awaitable, Callable

import asyncpg
import orjson
from msgspec import Struct, field

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError, Result
from actors.pool import TenantPool
from actors.tenant.executor import in_transaction
from schemas.compiler.sql import quote

IDEMPOTENCY_TABLE = "_idempotency"
IDEMPOTENCY_DDL = """
CREATE TABLE IF NOT EXISTS {namespace}._idempotency (
  owner text NOT NULL, key text NOT NULL, fingerprint text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  status integer, content_type text, headers jsonb, body bytea,
  PRIMARY KEY (owner, key));
CREATE INDEX IF NOT EXISTS _idempotency_created_at ON {namespace}._idempotency (created_at);
"""
"""Run as the platform's owner; ``{namespace}`` is quoted."""

MAX_KEY = 255
MAX_KEPT = 100_000
"""Answers one tenant may have stored at a time."""
KEEP = "interval '24 hours'"
_TIDY_EVERY = 256
_REPLAYED = ("Idempotency-Replayed", "true")


class _State(Struct):
    """What this process knows about one tenant's keys."""

    running: set[tuple[str, str]] = field(default_factory=set)
    uses: int = 0
    full: bool = False


_STATES: "weakref.WeakKeyDictionary[TenantPool, _State]" = weakref.WeakKeyDictionary()
"""By pool, because the pool outlives generations; gone with it."""


def check_key(key: str) -> None:
    """Refuse a key that is too long or not printable.

    Raises:
        ProblemError: idempotency.key_invalid.
    """
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise ProblemError(
            "idempotency.key_invalid", f"an Idempotency-Key has at most {MAX_KEY} ASCII characters"
        )


def fingerprint(call: Call) -> str:
    """Return what makes two requests the same: everything that decides what is written and answered."""
    parts = (
        call.method,
        call.operation,
        call.entity,
        call.key or "",
        call.query,
        call.prefer,
        call.if_match,
        call.action,
    )
    digest = hashlib.sha256("\0".join((*parts, call.content_type, call.accept)).encode("utf-8", "replace"))
    digest.update(b"\0" + call.body)
    return digest.hexdigest()


async def once(
    pool: TenantPool, namespace: str, call: Call, work: Callable[[TenantConnection], Awaitable[Result]]
) -> Result:
    """Do a write at most once per key.

    Args:
        pool: the tenant's.
        namespace: where its tables are.
        call: with a key.
        work: does the write on the connection, inside the transaction.

    Raises:
        ProblemError: the key is malformed, used for something else, in use right now, or one too many.
    """
    check_key(call.idempotency_key)
    state = _STATES.setdefault(pool, _State())
    owner = call.principal.id or call.principal.key or ""
    name = (owner, call.idempotency_key)
    if name in state.running:
        raise ProblemError(
            "idempotency.in_flight",
            "a request with this Idempotency-Key is still running",
            headers=(("Retry-After", "1"),),
        )
    state.running.add(name)
    try:
        await _tidy(pool, namespace, state)
        return await in_transaction(pool, lambda connection: _once(connection, namespace, call, name, work))
    finally:
        state.running.discard(name)


async def _once(
    connection: TenantConnection,
    namespace: str,
    call: Call,
    name: tuple[str, str],
    work: Callable[[TenantConnection], Awaitable[Result]],
) -> Result:
    table = f"{quote(namespace)}.{IDEMPOTENCY_TABLE}"
    mark = fingerprint(call)
    # waits for another process that works on the same key; then its row is there
    fresh = await connection.fetchval(
        f"INSERT INTO {table} AS kept (owner, key, fingerprint) VALUES ($1, $2, $3) "  # noqa: S608 - our own names
        "ON CONFLICT (owner, key) DO UPDATE SET fingerprint = excluded.fingerprint, created_at = now(), "
        f"status = NULL WHERE kept.created_at < now() - {KEEP} RETURNING true",
        *name,
        mark,
    )
    if not fresh:
        return _replay(await connection.fetchrow(
            f"SELECT fingerprint, status, content_type, headers, body FROM {table} "  # noqa: S608 - our own names
            "WHERE owner = $1 AND key = $2",
            *name,
        ), mark)  # fmt: skip
    result = await work(connection)
    await connection.execute(
        f"UPDATE {table} SET status = $3, content_type = $4, headers = $5::text::jsonb, body = $6 "  # noqa: S608
        "WHERE owner = $1 AND key = $2",
        *name,
        result.status,
        result.content_type,
        orjson.dumps(result.headers).decode(),
        result.body,
    )
    return result


def _replay(row: asyncpg.Record | None, mark: str) -> Result:
    if row is None:
        # another process removed it in between: the client may simply repeat
        raise ProblemError("idempotency.in_flight", "a request with this Idempotency-Key has just ended")
    if row["fingerprint"] != mark:
        raise ProblemError("idempotency.key_reused", "this Idempotency-Key was used for a different request")
    pairs = tuple((str(key), str(value)) for key, value in orjson.loads(row["headers"]))
    return Result(row["status"], bytes(row["body"]), row["content_type"], (*pairs, _REPLAYED))


async def _tidy(pool: TenantPool, namespace: str, state: _State) -> None:
    """Now and then: remove what is too old and see how much is left."""
    state.uses += 1
    if state.uses % _TIDY_EVERY == 1 or state.full:
        table = f"{quote(namespace)}.{IDEMPOTENCY_TABLE}"

        async def sweep(connection: TenantConnection) -> int:
            await connection.execute(f"DELETE FROM {table} WHERE created_at < now() - {KEEP}")  # noqa: S608
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own names

        state.full = await in_transaction(pool, sweep) >= MAX_KEPT
    if state.full:
        raise ProblemError(
            "idempotency.quota", "too many idempotency keys are kept", headers=(("Retry-After", "3600"),)
        )
