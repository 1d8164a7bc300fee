"""When what runs by the clock is due next: once for all processes that share the tables.

Decides which of several processes makes the task of an occurrence, and what becomes of occurrences nobody was
there for. What a schedule is made of, its caller knows. Called by the relay.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from actors.connections import TenantConnection
from actors.features.outbox.queue import filled, put, tidy
from actors.features.outbox.tasks import NewTask
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation

LATE = timedelta(seconds=60)
"""An occurrence that old was missed."""
MAX_CAUGHT_UP = 100

_SYNC = """
INSERT INTO {ns}._schedules AS s (name, definition, next_at) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, next_at = excluded.next_at
WHERE s.definition <> excluded.definition
"""
_GONE = "DELETE FROM {ns}._schedules WHERE name <> ALL($1::text[])"
_DUE = "SELECT name, next_at, now() AS now FROM {ns}._schedules WHERE next_at <= now()"
_STEP = "UPDATE {ns}._schedules SET next_at = $3 WHERE name = $1 AND next_at = $2 RETURNING true"
_GOING_ON = """
SELECT EXISTS (SELECT FROM {ns}._tasks WHERE kind = $1 AND name = $2 AND state IN ('ready', 'running'))
"""
_SKIPPED = """
INSERT INTO {ns}._tasks (id, kind, name, payload, state, error, finished_at)
SELECT gen_random_uuid(), $1, $2, jsonb_build_object('scheduled_at', $3::timestamptz), 'done', $4, now()
"""


class Schedule(Struct, frozen=True):
    """One of a tenant's.

    Attributes:
        kind, name: of the tasks it makes.
        definition: another one begins anew.
        after: the next occurrence after a moment, None for never.
        missed: of occurrences nobody was there for: once (run one of them), skip, or all.
        overlap: while the last run goes on: skip (leave this one out), queue or allow.
    """

    kind: str
    name: str
    definition: str
    after: Callable[[datetime], datetime | None]
    missed: str = "once"
    overlap: str = "skip"


class Clock:
    """What runs by the clock in the version of the file that is in force.

    Args:
        schedules: those of a version.
        tidying: forgets what was kept long enough.
    """

    def __init__(
        self,
        schedules: Callable[[Generation], Sequence[Schedule]],
        tidying: Callable[[Generation, TenantConnection], Awaitable[None]],
    ) -> None:
        self._schedules_of = schedules
        self._tidying = tidying
        self._schedules: Sequence[Schedule] = ()
        self._known: Generation | None = None

    async def follow(self, generation: Generation) -> None:
        """Make the tasks of what is due; a new version's schedules are taken first."""
        namespace, pool = generation.identity.namespace, generation.pool
        if self._known is not generation:
            schedules = self._schedules_of(generation)

            async def take(connection: TenantConnection) -> None:
                now = await connection.fetchval("SELECT now()")
                await sync(connection, namespace, schedules, now)
                await tidy(connection, namespace)
                await self._tidying(generation, connection)

            await in_transaction(pool, take)
            self._schedules, self._known = schedules, generation
        if self._schedules:
            await in_transaction(pool, lambda connection: make_due(connection, namespace, self._schedules))


async def sync(
    connection: TenantConnection, namespace: str, schedules: Sequence[Schedule], now: datetime
) -> None:
    """Keep what is due next of the schedules of this version, and of no others."""
    wanted = [(one, one.after(now)) for one in schedules]
    await connection.execute(filled(_GONE, namespace), [one.name for one, due in wanted if due])
    for one, due in wanted:
        if due is not None:
            await connection.execute(filled(_SYNC, namespace), one.name, one.definition, due)


async def make_due(connection: TenantConnection, namespace: str, schedules: Sequence[Schedule]) -> None:
    """Make the tasks of what is due; inside a transaction."""
    rows = await connection.fetch(filled(_DUE, namespace))
    known = {one.name: one for one in schedules}
    for row in rows:
        one = known.get(row["name"])
        if one is None:
            continue
        missed, following = _occurrences(one, row["next_at"], row["now"])
        if await connection.fetchval(filled(_STEP, namespace), one.name, row["next_at"], following):
            await _run(connection, namespace, one, missed, row["now"])


def _occurrences(one: Schedule, first: datetime, now: datetime) -> tuple[list[datetime], datetime]:
    """Return those that are due, oldest first and not too many, and the one after them."""
    due, following = [first], one.after(first)
    while following is not None and following <= now:
        if len(due) == MAX_CAUGHT_UP:
            following = one.after(now)
            break
        due.append(following)
        following = one.after(following)
    return due, following or now + timedelta(days=36_500)


async def _run(
    connection: TenantConnection, namespace: str, one: Schedule, due: Sequence[datetime], now: datetime
) -> None:
    occurrences = due if one.missed == "all" else due[-1:]
    last = occurrences[-1]
    if one.missed == "skip" and now - last > LATE:
        await _leave_out(connection, namespace, one, last, "left out: nobody was there to run it")
        return
    going_on = await connection.fetchval(filled(_GOING_ON, namespace), one.kind, one.name)
    if one.overlap == "skip" and going_on:
        await _leave_out(connection, namespace, one, last, "left out: the run before still went on")
        return
    key = "" if one.overlap == "allow" else f"{one.kind}:{one.name}"
    await put(
        connection,
        namespace,
        [NewTask(one.kind, one.name, {"scheduled_at": moment.isoformat()}, key) for moment in occurrences],
    )


async def _leave_out(
    connection: TenantConnection, namespace: str, one: Schedule, moment: datetime, reason: str
) -> None:
    await connection.execute(filled(_SKIPPED, namespace), one.kind, one.name, moment, reason)
