"""Statements on the log of changes.

Decides up to where the log is complete: numbers are given out before transactions end, so a later one may be
there while an earlier one is still to come. Who holds a row of the log to be holds a lock on its table until
its transaction is over, and PostgreSQL says who does. Called by the hub.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
from msgspec import Struct

from actors.connections import TenantConnection
from actors.features.realtime.tables import LIVE_TRIGGER
from actors.messages import TenantIdentity
from schemas.compiler.migrate.literals import text_literal
from schemas.compiler.model import Entity
from schemas.compiler.sql import quote

BLOCKED = asyncpg.LockNotAvailableError
LEASE_SECONDS = 600
"""So long after the last follower left, changes are still recorded for those who come back."""
KEPT_SECONDS = 3600
MOST_KEPT = 100_000
"""Changes older, or more of them, are forgotten: who comes back later gets the rows anew."""
TRIES = 10
_LOCK, _PAUSE_SECONDS = "200ms", 0.1
_MARGIN_SECONDS = 10

_LAST = "SELECT coalesce(pg_sequence_last_value('{ns}._changes_seq_seq'::regclass), 0)"
_WRITERS = """
SELECT virtualtransaction FROM pg_catalog.pg_locks
WHERE locktype = 'relation' AND relation = '{ns}._changes'::regclass AND mode = 'RowExclusiveLock'
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND granted AND pid <> pg_backend_pid()
"""
_CHANGES = """
SELECT seq, xid::text AS xid, at, entity, verb FROM {ns}._changes WHERE seq > $1 AND seq <= $2
ORDER BY seq LIMIT $3
"""
_RENEW = """
UPDATE {ns}._live SET until = clock_timestamp() + make_interval(secs => $2)
WHERE entity = ANY($1::text[]) AND until > clock_timestamp() + make_interval(secs => $3) RETURNING entity
"""
_SINCE = "SELECT entity, since FROM {ns}._live WHERE entity = ANY($1::text[])"
_FORGET = """
WITH gone AS (
  DELETE FROM {ns}._changes
  WHERE at < clock_timestamp() - make_interval(secs => $1) OR seq <= $2 RETURNING seq)
UPDATE {ns}._live SET since = greatest(since, (SELECT max(seq) FROM gone))
WHERE EXISTS (SELECT FROM gone)
"""
_ARM = """
INSERT INTO {ns}._live AS l (entity, since, until) VALUES ($1,
  coalesce(pg_sequence_last_value('{ns}._changes_seq_seq'::regclass), 0),
  clock_timestamp() + make_interval(secs => $2))
ON CONFLICT (entity) DO UPDATE SET since = excluded.since, until = excluded.until
"""


class Recorded(Struct, frozen=True):
    """One change as the log has it, without its images."""

    seq: int
    xid: int
    at: str
    entity: str
    verb: str


def _filled(text: str, namespace: str) -> str:
    return text.replace("{ns}", quote(namespace))


async def last_number(connection: TenantConnection, namespace: str) -> int:
    """Return the newest number given out."""
    return int(await connection.fetchval(_filled(_LAST, namespace)))


async def writers(connection: TenantConnection, namespace: str) -> frozenset[str]:
    """Return the transactions that may still bring changes with numbers given out already."""
    rows = await connection.fetch(_filled(_WRITERS, namespace))
    return frozenset(row["virtualtransaction"] for row in rows)


async def changes(
    connection: TenantConnection, namespace: str, after: int, until: int, most: int
) -> list[Recorded]:
    """Return the next changes, oldest first."""
    rows = await connection.fetch(_filled(_CHANGES, namespace), after, until, most)
    return [
        Recorded(row["seq"], int(row["xid"]), row["at"].isoformat(), row["entity"], row["verb"])
        for row in rows
    ]


async def renew(connection: TenantConnection, namespace: str, entities: Sequence[str]) -> set[str]:
    """Go on recording these; returns those that were being recorded without a gap."""
    rows = await connection.fetch(_filled(_RENEW, namespace), list(entities), LEASE_SECONDS, _MARGIN_SECONDS)
    return {row["entity"] for row in rows}


async def since(connection: TenantConnection, namespace: str, entities: Sequence[str]) -> dict[str, int]:
    """Return from which number on each entity's changes are all in the log."""
    rows = await connection.fetch(_filled(_SINCE, namespace), list(entities))
    return {row["entity"]: row["since"] for row in rows}


async def forget(connection: TenantConnection, namespace: str, last: int) -> None:
    """Forget what nobody will be sent any more."""
    await connection.execute(_filled(_FORGET, namespace), KEPT_SECONDS, last - MOST_KEPT)


async def arm(
    owner: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity, entities: Sequence[Entity]
) -> None:
    """Record the changes of entities from now on.

    A trigger is made under a lock no writer holds: who wrote before is done, who writes later is recorded.

    Raises:
        asyncpg.LockNotAvailableError: somebody writes for too long.
    """
    namespace = identity.namespace
    for entity in sorted(entities, key=lambda one: one.name):
        hidden = [item.name for item in entity.fields.values() if item.write_only and not item.virtual]
        columns = ", ".join(text_literal(name) for name in hidden)
        table, name = f"{quote(namespace)}.{quote(entity.name)}", quote(LIVE_TRIGGER)
        trigger = (
            f"CREATE OR REPLACE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {quote(namespace)}.{name}({columns})"
        )
        for left in reversed(range(TRIES)):
            try:
                async with owner.transaction():
                    # who waits for this lock holds up every writer behind it
                    await owner.execute(f"SET LOCAL lock_timeout = '{_LOCK}'")
                    await owner.execute(trigger)
                    await owner.execute(_filled(_ARM, namespace), entity.name, LEASE_SECONDS)
                break
            except BLOCKED:
                if not left:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)


async def disarm(owner: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity) -> None:
    """Take the triggers away that nobody needs any more; a table in use keeps its own."""
    namespace = quote(identity.namespace)
    rows = await owner.fetch(
        f"SELECT l.entity, to_regclass($1 || quote_ident(l.entity)) IS NOT NULL AS present "  # noqa: S608
        f"FROM {namespace}._live l WHERE until < clock_timestamp()",
        f"{namespace}.",
    )
    for row in rows:
        try:
            async with owner.transaction():
                await owner.execute("SET LOCAL lock_timeout = '50ms'")
                if row["present"]:
                    table = f"{namespace}.{quote(row['entity'])}"
                    await owner.execute(f"DROP TRIGGER IF EXISTS {quote(LIVE_TRIGGER)} ON {table}")
                await owner.execute(
                    f"DELETE FROM {namespace}._live WHERE entity = $1 AND until < clock_timestamp()",  # noqa: S608
                    row["entity"],
                )
        except asyncpg.LockNotAvailableError:
            continue
