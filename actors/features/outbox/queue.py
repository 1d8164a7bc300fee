"""Statements on the tables of changes and tasks, on the tenant's own connections.

Decides who may take a task, so that each runs in one process at a time and those of one ordering key in the
order they were made. Several processes may share the tables: who takes a task holds a lease on it, and what
somebody says about a task after losing it counts for nothing. Called by the relay and by the operations.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import asyncpg
import msgspec

from actors.connections import TenantConnection
from actors.features.outbox.tasks import NewTask, Task
from actors.tenant.identifiers import new_key
from schemas.compiler.query.values import decode_json
from schemas.compiler.sql import quote

LEASE_SECONDS = 15.0
"""Without a sign of life for so long, whoever runs a task is taken for dead."""
MAX_CRASHES = 10
"""A task whose process ended so often is not tried again."""
RELAXED = "set_config('synchronous_commit', 'off', true)"
"""In the relay's own transactions, never in a request's: what a crash takes back is done again."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")

CHANGES = """
SELECT seq, at, entity, key, verb, old::text AS old, new::text AS new, who::text AS who
FROM {ns}._outbox ORDER BY seq LIMIT $1 FOR UPDATE
"""
# waits for another process that turns the same changes into tasks; then they are gone
_FAN_OUT = """
WITH gone AS (DELETE FROM {ns}._outbox WHERE seq = ANY($1::bigint[]))
INSERT INTO {ns}._tasks (id, kind, name, ordering_key, payload, run_at, state, error, finished_at)
SELECT id, kind, name, ordering_key, payload, coalesce(run_at, now()), coalesce(state, 'ready'),
  coalesce(error, ''), CASE WHEN state IS NOT NULL THEN now() END
FROM ROWS FROM (jsonb_to_recordset($2::text::jsonb) AS (
  id uuid, kind text, name text, ordering_key text, payload jsonb, run_at timestamptz, state text,
  error text))
  WITH ORDINALITY AS t(id, kind, name, ordering_key, payload, run_at, state, error, place)
ORDER BY place ON CONFLICT (id) DO NOTHING
"""
_CLAIM = """
WITH due AS (
  SELECT t.id FROM {ns}._tasks t WHERE t.state = 'ready' AND t.run_at <= now()
    AND (t.ordering_key = '' OR NOT EXISTS (
      SELECT FROM {ns}._tasks e WHERE e.ordering_key = t.ordering_key AND e.ordering_key <> ''
        AND e.state IN ('ready', 'running') AND e.seq < t.seq))
  ORDER BY t.run_at, t.seq LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE {ns}._tasks t SET state = 'running', attempts = t.attempts + 1, started_at = now(),
  lease_until = now() + make_interval(secs => $2)
FROM due WHERE t.id = due.id
RETURNING t.id::text AS id, t.kind, t.name, t.payload::text AS payload, t.ordering_key, t.attempts,
  t.created_at, t.seq, {relaxed}
""".replace("{relaxed}", RELAXED)
_EXPIRE = """
UPDATE {ns}._tasks SET lease_until = NULL,
  state = CASE WHEN attempts >= $1 THEN 'dead' ELSE 'ready' END,
  finished_at = CASE WHEN attempts >= $1 THEN now() END,
  error = 'the process that ran it ended'
WHERE state = 'running' AND lease_until < now()
"""
_RENEW = """
UPDATE {ns}._tasks SET lease_until = now() + make_interval(secs => $2)
WHERE id = ANY($1::uuid[]) AND state = 'running'
"""
_MINE = "t.id = m.id AND t.attempts = m.attempts AND t.state = 'running'"
_DONE = f"""
DELETE FROM {{ns}}._tasks t USING unnest($1::uuid[], $2::integer[]) AS m(id, attempts) WHERE {_MINE}
RETURNING {RELAXED}
"""  # noqa: S608 - our own names
_KEPT = f"""
UPDATE {{ns}}._tasks t SET state = 'done', finished_at = now(), lease_until = NULL, error = ''
FROM unnest($1::uuid[], $2::integer[]) AS m(id, attempts) WHERE {_MINE}
"""  # noqa: S608 - our own names
_AGAIN = """
WITH t AS (
  UPDATE {ns}._tasks SET state = 'ready', lease_until = NULL, attempts = attempts - $5::integer,
    run_at = now() + make_interval(secs => $3), error = $4, payload = coalesce($6::text::jsonb, payload)
  WHERE id = $1::uuid AND attempts = $2 AND state = 'running' RETURNING ordering_key, run_at)
UPDATE {ns}._tasks f SET run_at = t.run_at FROM t
WHERE t.ordering_key <> '' AND f.ordering_key = t.ordering_key AND f.state = 'ready' AND f.run_at < t.run_at
"""
_DEAD = """
UPDATE {ns}._tasks SET state = 'dead', lease_until = NULL, finished_at = now(), error = $3
WHERE id = $1::uuid AND attempts = $2 AND state = 'running'
"""
_NEXT = """
SELECT extract(epoch FROM least(
  (SELECT min(run_at) FROM {ns}._tasks WHERE state = 'ready' AND run_at > now()),
  (SELECT min(lease_until) FROM {ns}._tasks WHERE state = 'running' AND id <> ALL($1::uuid[])),
  (SELECT min(next_at) FROM {ns}._schedules)) - now())::double precision
"""
_LEFT = """
SELECT EXISTS (SELECT FROM {ns}._outbox)
  OR EXISTS (SELECT FROM {ns}._tasks WHERE state = 'running' OR (state = 'ready' AND run_at <= now()))
"""
_TIDY = """
DELETE FROM {ns}._tasks WHERE state IN ('done', 'dead') AND finished_at < now() - interval '30 days'
"""


@lru_cache(maxsize=8192)
def filled(text: str, namespace: str) -> str:
    """Return a statement for one tenant."""
    return text.replace("{ns}", quote(namespace))


def encode(value: object) -> str:
    """Return JSON text; numbers keep their digits."""
    return _ENCODER.encode(value).decode()


async def put(
    connection: TenantConnection,
    namespace: str,
    tasks: Iterable[NewTask],
    *,
    instead_of: Sequence[int] = (),
    dead: str = "",
) -> None:
    """Make tasks, within the connection's transaction if it is in one.

    Args:
        connection: the tenant's.
        namespace: the tenant's.
        tasks: one whose id is known already is left alone.
        instead_of: changes that are done with.
        dead: why nobody will run them; "": they will be run.
    """
    rows = [
        {
            "id": task.id or new_key(),
            "kind": task.kind,
            "name": task.name,
            "ordering_key": task.ordering_key,
            "payload": task.payload,
            "run_at": task.run_at,
            "state": "dead" if dead else None,
            "error": dead,
        }
        for task in tasks
    ]
    if rows or instead_of:
        # who says which changes are done with is the relay, in a transaction of its own
        text = _FAN_OUT + (f"RETURNING {RELAXED}" if instead_of else "")
        await connection.execute(filled(text, namespace), list(instead_of), encode(rows))


async def publish(
    connection: TenantConnection,
    namespace: str,
    event: str,
    payload: object,
    who: Mapping[str, Any] | None = None,
) -> None:
    """Publish an event: it happens if and when the connection's transaction commits."""
    await connection.execute(
        filled(
            "INSERT INTO {ns}._outbox (entity, key, verb, new, who) "
            "VALUES ($1, '', 'event', $2::text::jsonb, $3::text::jsonb)",
            namespace,
        ),
        event,
        encode(payload),
        None if who is None else encode(who),
    )


async def claim(connection: TenantConnection, namespace: str, most: int) -> list[Task]:
    """Take at most so many tasks that are due, oldest first."""
    rows = await connection.fetch(filled(_CLAIM, namespace), most, LEASE_SECONDS)
    return [
        Task(
            row["id"], row["kind"], row["name"], decode_json(row["payload"].encode()), row["ordering_key"],
            row["attempts"], row["created_at"],
        )
        for row in sorted(rows, key=lambda row: row["seq"])
    ]  # fmt: skip


async def expire(connection: TenantConnection, namespace: str) -> None:
    """Give tasks back whose process gave no sign of life."""
    await connection.execute(filled(_EXPIRE, namespace), MAX_CRASHES)


async def renew(connection: TenantConnection, namespace: str, ids: Sequence[str]) -> None:
    """Say that these are still being run."""
    await connection.execute(filled(_RENEW, namespace), list(ids), LEASE_SECONDS)


async def finish(connection: TenantConnection, namespace: str, tasks: Sequence[Task], *, keep: bool) -> None:
    """Be done with tasks; ``keep`` those people look at."""
    text = filled(_KEPT if keep else _DONE, namespace)
    await connection.execute(text, [task.id for task in tasks], [task.attempts for task in tasks])


async def retry(
    connection: TenantConnection,
    namespace: str,
    task: Task,
    *,
    seconds: float,
    reason: str,
    counted: bool = True,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Let a task wait; those that must come after it wait as long."""
    kept = None if payload is None else encode(payload)
    text = filled(_AGAIN, namespace)
    await connection.execute(text, task.id, task.attempts, seconds, reason, 0 if counted else 1, kept)


async def bury(connection: TenantConnection, namespace: str, task: Task, reason: str) -> None:
    """Give a task up: a person may look at it and let it run again."""
    await connection.execute(filled(_DEAD, namespace), task.id, task.attempts, reason)


async def next_due(connection: TenantConnection, namespace: str, mine: Sequence[str]) -> float | None:
    """Return in how many seconds something is due that nothing else will tell of; None: nothing is."""
    found: float | None = await connection.fetchval(filled(_NEXT, namespace), list(mine))
    return found


async def is_left(connection: TenantConnection, namespace: str) -> bool:
    """Whether something could be done right now."""
    return bool(await connection.fetchval(filled(_LEFT, namespace)))


async def tidy(connection: TenantConnection, namespace: str) -> None:
    """Forget what ended long ago."""
    await connection.execute(filled(_TIDY, namespace))


async def changes(connection: TenantConnection, namespace: str, most: int) -> list[asyncpg.Record]:
    """Take the oldest changes for the length of the transaction."""
    return await connection.fetch(filled(CHANGES, namespace), most)
