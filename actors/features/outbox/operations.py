"""What people may see of tasks and jobs, and do with them: admins only.

Decides what is shown: never what a task carries until one is asked for by its id. Called by ``operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import asyncpg

from actors.connections import TenantConnection
from actors.features.outbox import queue
from actors.features.outbox.tasks import NewTask
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.jobs import Job

STATES = ("ready", "running", "done", "dead")
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
_SHOWN = """
id::text AS id, kind, name, ordering_key, state, attempts, error, run_at, created_at, started_at, finished_at
"""
_LIST = f"""
SELECT {_SHOWN} FROM {{ns}}._tasks
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR name = $3)
ORDER BY seq DESC LIMIT $4
"""  # noqa: S608 - our own names
_ONE = f"SELECT {_SHOWN}, payload::text AS payload FROM {{ns}}._tasks WHERE id = $1::uuid"  # noqa: S608
_REPLAY = """
UPDATE {ns}._tasks SET state = 'ready', run_at = now(), attempts = 0, error = '', finished_at = NULL,
  lease_until = NULL
WHERE state = 'dead' AND kind <> 'change' AND ($1::uuid IS NULL OR id = $1)
  AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR name = $3)
"""
_REPLAY_CHANGES = """
WITH again AS (
  DELETE FROM {ns}._tasks WHERE state = 'dead' AND kind = 'change' AND ($1::uuid IS NULL OR id = $1)
    AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR name = $3) RETURNING payload)
INSERT INTO {ns}._outbox (at, entity, key, verb, old, new, who)
SELECT (payload ->> 'at')::timestamptz, payload ->> 'entity', payload ->> 'key', payload ->> 'verb',
  (payload ->> 'old')::jsonb, (payload ->> 'new')::jsonb, (payload ->> 'who')::jsonb FROM again
"""
_DROP = "DELETE FROM {ns}._tasks WHERE id = $1::uuid AND state <> 'running'"
_NEXT = "SELECT name, next_at FROM {ns}._schedules"
_LAST = """
SELECT DISTINCT ON (name) name, state, error, created_at, finished_at FROM {ns}._tasks WHERE kind = 'job'
ORDER BY name, seq DESC
"""


async def list_tasks(generation: Generation, call: Call, principal: Principal) -> Result:
    """List tasks, newest first; ``state``, ``kind``, ``name`` and ``limit`` choose."""
    _require_admin(principal)
    asked = _asked(call)
    limit = asked.get("limit") or str(DEFAULT_LIMIT)
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 0 < int(limit) <= MAX_LIMIT):
        raise ProblemError("query.limit", f"limit is from 1 to {MAX_LIMIT}")
    if asked.get("state") not in {None, *STATES}:
        raise ProblemError("query.limit", f"state is one of {', '.join(STATES)}")
    rows = await _fetch(
        generation, _LIST, asked.get("state"), asked.get("kind"), asked.get("name"), int(limit)
    )
    return _json([dict(row) for row in rows])


async def show_task(generation: Generation, call: Call, principal: Principal) -> Result:
    """Show one task with what it carries."""
    _require_admin(principal)
    rows = await _fetch(generation, _ONE, _id(call))
    if not rows:
        raise ProblemError("row.not_found", "there is no such task")
    return _json({**dict(rows[0]), "payload": decode_json(rows[0]["payload"].encode())})


async def replay_tasks(generation: Generation, call: Call, principal: Principal) -> Result:
    """Let dead tasks run again: one by its id, or all of a ``kind`` and ``name``."""
    _require_admin(principal)
    asked = _asked(call)
    chosen = (_id(call) if call.entity else None, asked.get("kind"), asked.get("name"))

    async def work(connection: TenantConnection) -> int:
        count = 0
        for text in (_REPLAY, _REPLAY_CHANGES):
            status = await connection.execute(queue.filled(text, generation.identity.namespace), *chosen)
            count += int(status.rpartition(" ")[2])
        return count

    replayed = await in_transaction(generation.pool, work)
    if call.entity and not replayed:
        raise ProblemError("row.not_found", "there is no dead task of that id")
    return _json({"replayed": replayed}, 202)


async def drop_task(generation: Generation, call: Call, principal: Principal) -> Result:
    """Forget a task that is not running."""
    _require_admin(principal)
    text = queue.filled(_DROP, generation.identity.namespace)
    status = await in_transaction(generation.pool, lambda connection: connection.execute(text, _id(call)))
    if status.endswith(" 0"):
        raise ProblemError("row.not_found", "there is no such task that is not running")
    return Result(204)


async def list_jobs(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the file's jobs: when each runs next and how it went last."""
    del call
    _require_admin(principal)
    due = {row["name"]: row["next_at"] for row in await _fetch(generation, _NEXT)}
    last = {row["name"]: dict(row) for row in await _fetch(generation, _LAST)}
    return _json(
        [
            {
                "name": name,
                "function": job.function,
                "schedule": job.schedule.cron if job.schedule else None,
                "zone": (job.schedule.zone or generation.model.timezone) if job.schedule else None,
                "every": job.every,
                "enabled": job.enabled,
                "next_at": due.get(name),
                "last": last.get(name),
            }
            for name, job in _jobs(generation).items()
        ]
    )


async def run_job(generation: Generation, call: Call, principal: Principal) -> Result:
    """Run a job now, beside its schedule; after its run that goes on, unless runs may overlap."""
    _require_admin(principal)
    job = _jobs(generation).get(call.entity)
    if job is None:
        raise ProblemError("row.not_found", "the file has no such job")
    task = NewTask(
        "job", call.entity, {"scheduled_at": None}, "" if job.overlap == "allow" else f"job:{call.entity}"
    )
    await in_transaction(
        generation.pool, lambda connection: queue.put(connection, generation.identity.namespace, [task])
    )
    return _json({"job": call.entity}, 202)


def _jobs(generation: Generation) -> Mapping[str, Job]:
    jobs: Mapping[str, Job] = generation.model.sections.get("jobs") or {}
    return jobs


def _require_admin(principal: Principal) -> None:
    if not principal.roles & {ADMIN_ROLE, SERVICE_ROLE} or principal.scopes is not None:
        raise ProblemError("42501", "only admins see and change what runs in the background")


def _asked(call: Call) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(call.query).items()}


def _id(call: Call) -> UUID:
    try:
        return UUID(call.entity)
    except ValueError:
        raise ProblemError("row.not_found", "there is no such task") from None


async def _fetch(generation: Generation, text: str, *values: Any) -> list[asyncpg.Record]:  # noqa: ANN401
    filled = queue.filled(text, generation.identity.namespace)
    return await in_transaction(
        generation.pool, lambda connection: connection.fetch(filled, *values), reads=True
    )


def _json(value: object, status: int = 200) -> Result:
    return Result(status, queue.encode(value).encode())


OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "tasks.list": list_tasks,
    "tasks.get": show_task,
    "tasks.replay": replay_tasks,
    "tasks.drop": drop_task,
    "jobs.list": list_jobs,
    "jobs.run": run_job,
}
