"""Functions that run after a commit, because of an event, or by the clock.

Decides which functions a change sets off and what their failure means: one that refuses or is not there is
given up at once, others are tried again. Called by ``work``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from actors.connections import TenantConnection
from actors.features.functions.calls import Invocation, Origin
from actors.features.functions.rendering import Surroundings
from actors.features.outbox.changes import EVENT, Change, principal_of
from actors.features.outbox.tasks import NewTask, Retries, Task, TaskFailedError, TaskRefusedError
from actors.features.webhooks.events import heard
from actors.messages import ProblemError
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.grammar.config import Config
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.events import Subscription
from schemas.compiler.sections.functions import Function
from schemas.compiler.sections.jobs import Job

FUNCTION, SUBSCRIPTION, JOB = "function", "subscription", "job"
_PERMANENT = frozenset({"function.rejected", "function.not_found", "function.too_deep"})
_CHANGING = frozenset({"set_fields", "generate_slug"})
"""Built-in functions that give changes of the row: after a commit these are another write."""


async def function_tasks(
    generation: Generation, change: Change, names: list[str], connection: TenantConnection
) -> list[NewTask]:
    """Return the functions a change sets off, in declared order; each runs in order per row."""
    tasks: list[NewTask] = []
    if change.verb != EVENT:
        functions: Mapping[str, Function] = (
            generation.model.entities[change.entity].sections.get("functions") or {}
        )
        triggers = {f"after_{change.verb}", *(["after_transition"] if len(names) > 1 else ())}
        for name, function in functions.items():
            trigger = next((one for one in function.triggers if one in triggers), "")
            if trigger and await holds(generation, function.condition, change, connection):
                tasks.append(_task(FUNCTION, f"{change.entity}.{name}", change, trigger))
    subscriptions: Mapping[str, Subscription] = generation.model.sections.get("events") or {}
    for name, one in subscriptions.items():
        event = heard(one.on, names) if one.enabled else ""
        if event and await holds(generation, one.when, change, connection):
            tasks.append(_task(SUBSCRIPTION, name, change, event))
    return tasks


async def holds(
    generation: Generation, condition: Expression | None, change: Change, connection: TenantConnection
) -> bool:
    """Whether a condition holds for the row of a change."""
    if condition is None:
        return True
    around = Surroundings(
        generation, change.entity, change.row, change.old, change.principal, change.at, "", connection
    )
    return await around.holds(condition)


async def run_function(generation: Generation, task: Task) -> None:
    """Run a function of an entity.

    Raises:
        TaskFailedError, TaskRefusedError: it failed.
    """
    entity, _, name = task.name.rpartition(".")
    found = generation.model.entities.get(entity) if entity else generation.model
    function: Function | None = (found.sections.get("functions") or {}).get(name) if found else None
    if function is None:
        whose = f" of '{entity}'" if entity else ""
        raise TaskRefusedError(f"the file has no function '{name}'{whose} any more")
    fields, timeout, retries = function.fields, function.timeout, function.retries
    made = Invocation(function.function, task.payload["trigger"], name, fields=fields, timeout=timeout)
    condition = None if entity else function.condition  # of rows it was looked at when they changed
    await run_made(generation, task, made, function.config, retries, condition)


async def run_subscription(generation: Generation, task: Task) -> None:
    """Run a function that hears events; errors as for ``run_function``."""
    one: Subscription | None = (generation.model.sections.get("events") or {}).get(task.name)
    if one is None or not one.enabled:
        raise TaskRefusedError(f"the file has no subscription '{task.name}' that is enabled")
    args = {"event": task.payload["trigger"], "payload": task.payload.get("payload")}
    made = Invocation(one.function, "event", task.name, args=args, timeout=one.timeout)
    await run_made(generation, task, made, one.config, one.retries)


async def run_job(generation: Generation, task: Task) -> None:
    """Run a job; errors as for ``run_function``."""
    job: Job | None = (generation.model.sections.get("jobs") or {}).get(task.name)
    if job is None:
        raise TaskRefusedError(f"the file has no job '{task.name}' any more")
    made = Invocation(job.function, "job", task.name, args=task.payload, timeout=job.timeout)
    await run_made(generation, task, made, job.config, job.retries)


def _task(kind: str, name: str, change: Change, trigger: str) -> NewTask:
    payload = {
        "trigger": trigger,
        "entity": "" if change.verb == EVENT else change.entity,
        "key": change.key,
        "record": None if change.verb == EVENT else change.row,
        "old": change.old,
        "payload": change.new if change.verb == EVENT else None,
        "who": change.who,
        "at": change.at,
    }
    key = f"{kind}:{name}:{change.entity}:{change.key}" if change.verb != EVENT else ""
    return NewTask(kind, name, payload, key)


async def run_made(
    generation: Generation,
    task: Task,
    made: Invocation,
    config: Config,
    retries: int,
    condition: Expression | None = None,
) -> None:
    """Run a function on what a task says: row, row before, who; unless a condition does not hold.

    Raises:
        TaskFailedError, TaskRefusedError: it failed.
    """
    host = generation.functions
    if host is None:
        raise TaskRefusedError("functions are not run here")
    said = task.payload
    who: Mapping[str, Any] = said.get("who") or {}
    depth, request_id = int(who.get("depth") or 0) + 1, str(who.get("request_id") or f"task-{task.id}")
    entity, record, old = said.get("entity") or "", said.get("record"), said.get("old")
    principal = principal_of(who)
    port = rows.data_port(generation, None, Origin(depth, None, request_id))
    try:
        if entity and record is None:  # of the tenant's own: the row as it is by now
            record = await port.get(entity, said["key"])
            if record is None:
                return
        around = Surroundings(generation, entity, record, old, principal, datetime.now(UTC))
        if not await around.holds(condition):
            return
        call = Invocation(
            made.name,
            made.origin,
            made.label,
            entity,
            record,
            old,
            made.fields,
            made.args,
            await around.render(config),
            principal,
            request_id,
            made.timeout,
            depth,
        )
        outcome = await host.run(generation, call, port)
        if made.name in _CHANGING and isinstance(outcome.value, dict) and outcome.value and entity:
            await port.update(entity, said["key"], outcome.value)
    except (ProblemError, QueryError) as error:
        reason = f"{error.code}: {error.message}"
        if error.code in _PERMANENT:
            raise TaskRefusedError(reason) from error
        raise TaskFailedError(reason, Retries(retries)) from error
