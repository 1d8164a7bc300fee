"""What followers are told, read from the database: judged changes, and the rows there are.

Decides nothing about when. Every statement is the query compiler's and runs as the tenant. Called by the hub.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from actors.connections import TenantConnection
from actors.features.realtime import log
from actors.features.realtime.groups import Group, LiveEvent, Wish, make_group
from actors.features.realtime.log import Recorded
from actors.tenant.executor import fetch_one, fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.requests import ReadRequest

CHUNK = 200
_SNAPSHOT = "SELECT pg_current_snapshot()::text AS snapshot"


async def judge(
    generation: Generation, work: Sequence[tuple[Group, Sequence[Recorded]]]
) -> list[list[LiveEvent]]:
    """Return what each group sees of some changes, in one transaction.

    Raises:
        ProblemError: a statement cannot be run on the rows as they are.
        StaleGenerationError: the tables changed.
    """
    now = datetime.now(UTC).isoformat()

    async def run(connection: TenantConnection) -> list[list[LiveEvent]]:
        return [await _judge(connection, group, recorded, now) for group, recorded in work]

    return await in_transaction(generation.pool, run, reads=True)


async def _judge(
    connection: TenantConnection, group: Group, recorded: Sequence[Recorded], now: str
) -> list[LiveEvent]:
    events: list[LiveEvent] = []
    for start in range(0, len(recorded), CHUNK):
        chunk = recorded[start : start + CHUNK]
        arguments = group.arguments([str(one.seq) for one in chunk], now)
        rows = await fetch_rows_on(connection, group.follow.statement.text, arguments)
        seen = {row["seq"]: (row["was"], row["body"], row["key"]) for row in rows}
        for one in chunk:
            was, body, key = seen.get(one.seq, (False, None, ""))
            if was or body is not None:
                kind = "delete" if body is None else "update" if was else "insert"
                name = group.follow.entity.key
                events.append(LiveEvent(one.seq, one.xid, one.at, one.verb, kind, body or "", name, key))
    return events


def group_of(generation: Generation, wish: Wish, principal: Principal) -> Group:
    """Return the group that follows a query as a principal.

    Raises:
        QueryError: that may not be followed, or cannot.
    """
    request = ReadRequest(wish.entity, query=wish.query, today=datetime.now(UTC).date())
    follow = generation.queries.follow(request, principal)
    return make_group(generation.identity.namespace, generation.number, wish, follow, principal)


async def rows_now(generation: Generation, wish: Wish, principal: Principal) -> tuple[str, str, str]:
    """Return the rows of a query (JSON text), the snapshot that shows them, and a digest of the rows.

    Raises:
        ProblemError, QueryError: refused.
        StaleGenerationError: the tables changed.
    """
    now = datetime.now(UTC)
    prepared = generation.queries.read(
        ReadRequest(wish.entity, query=wish.query, today=now.date()), principal
    )
    statement = prepared.statement
    row = await fetch_one(
        generation.pool,
        f"SELECT q.body, ({_SNAPSHOT}) FROM ({statement.text}) q",  # noqa: S608 - compiled
        statement.arguments(prepared.slots, principal, now.isoformat()),
        reads=True,
    )
    return row["body"], row["snapshot"], hashlib.sha256(row["body"].encode()).hexdigest()


async def last_number(generation: Generation) -> int:
    """Return the newest number given out."""
    namespace = generation.identity.namespace
    return await in_transaction(generation.pool, lambda own: log.last_number(own, namespace), reads=True)


async def recorded(generation: Generation, after: int, until: int, most: int) -> list[Recorded]:
    """Return the next changes of the log, oldest first."""
    namespace = generation.identity.namespace
    return await in_transaction(
        generation.pool, lambda own: log.changes(own, namespace, after, until, most), reads=True
    )


async def missed(
    generation: Generation, group: Group, after: int, until: int, most: int
) -> list[LiveEvent] | None:
    """Return what a group was sent between two numbers; None when the log does not say, or it is too much."""
    namespace, entities = generation.identity.namespace, group.entities
    since = await in_transaction(
        generation.pool, lambda own: log.since(own, namespace, sorted(entities)), reads=True
    )
    if set(since) != entities or max(since.values()) > after:
        return None
    found = await recorded(generation, after, until, most)
    names = {one.entity for one in found}
    if len(found) == most or not group.follow.related.isdisjoint(names):
        return None
    own = [one for one in found if one.entity == group.follow.entity.name]
    return (await judge(generation, [(group, own)]))[0]
