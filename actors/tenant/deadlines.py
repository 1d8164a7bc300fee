"""Deadlines of states: a row that stays too long is moved on, or a function is told.

Decides that a deadline counts from when the row entered the state, and means nothing once it has left it. It
is a task like any other: kept with the change that began it, run at least once. Called by ``work``.
"""

from datetime import timedelta

import orjson

from actors.features.functions.calls import BY_REQUEST, Invocation
from actors.features.outbox.changes import EVENT, Change
from actors.features.outbox.tasks import NewTask, Task, TaskRefusedError
from actors.messages import Call, ProblemError
from actors.tenant import after, rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.grammar.config import Config
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.workflow import Workflow
from schemas.compiler.sql import quote

KIND = "deadline"
COMMENT = "the deadline has passed"
_NOTHING_TO_DO = frozenset({"workflow.elsewhere", "row.not_found"})


def tasks_of(generation: Generation, change: Change) -> list[NewTask]:
    """Return the deadline that begins with a change."""
    entity = generation.model.entities.get(change.entity)
    workflow: Workflow | None = entity.sections.get("workflow") if entity is not None else None
    if workflow is None or change.verb in {EVENT, "delete"}:
        return []
    name = change.row.get(workflow.field)
    state = workflow.states.get(name) if isinstance(name, str) else None
    entered = change.old is None or change.old.get(workflow.field) != name
    if state is None or state.deadline is None or state.on_deadline is None or not entered:
        return []
    payload = {"key": change.key, "state": name, "at": change.at}
    due = change.at + timedelta(seconds=state.deadline)
    return [NewTask(KIND, f"{change.entity}.{name}", payload, run_at=due)]


async def run(generation: Generation, task: Task) -> None:
    """Do what a state's ``on_deadline`` says, if the row is still there.

    Raises:
        TaskFailedError, TaskRefusedError: it failed.
    """
    name, _, state = task.name.partition(".")
    entity = generation.model.entities.get(name)
    workflow: Workflow | None = entity.sections.get("workflow") if entity is not None else None
    todo = workflow.states[state].on_deadline if workflow is not None and state in workflow.states else None
    if entity is None or workflow is None or todo is None:
        return
    key = str(task.payload["key"])
    row = await rows.data_port(generation).get(name, key)
    if row is None or row.get(workflow.field) != state or await _left(generation, name, task):
        return
    if todo in workflow.transitions:
        await _move(generation, task, name, todo, comment=workflow.transitions[todo].comment != "none")
        return
    function = (entity.sections.get("functions") or {}).get(todo)
    task.payload.update(entity=name, record=row)
    if function is None:
        await after.run_made(generation, task, Invocation(todo, "on_deadline", todo), Config(), 5)
        return
    made = Invocation(
        function.function, "on_deadline", todo, fields=function.fields, timeout=function.timeout
    )
    await after.run_made(generation, task, made, function.config, function.retries)


async def _left(generation: Generation, name: str, task: Task) -> bool:
    """Whether the row has been elsewhere since; then a later deadline counts."""
    table = f"{quote(generation.identity.namespace)}.workflow_history"
    found = await in_transaction(
        generation.pool,
        lambda own: own.fetchval(
            f"SELECT 1 FROM {table} WHERE entity = $1 AND key = $2 AND from_state = $3"  # noqa: S608 - our own table
            " AND at > $4::text::timestamptz LIMIT 1",
            name, str(task.payload["key"]), task.payload["state"], str(task.payload["at"]),
        ),
        reads=True,
    )  # fmt: skip
    return found is not None


async def _move(generation: Generation, task: Task, entity: str, name: str, *, comment: bool) -> None:
    body = {"comment": COMMENT} if comment else {}
    call = Call(
        "transition", "POST", entity, str(task.payload["key"]), body=orjson.dumps(body),
        content_type="application/json", prefer="return=minimal", request_id=f"task-{task.id}", action=name,
    )  # fmt: skip
    try:
        await rows.write(generation, call, SERVICE, None, BY_REQUEST)
    except (ProblemError, QueryError) as error:
        if error.code in _NOTHING_TO_DO:
            return
        raise TaskRefusedError(f"{error.code}: {error.message}") from error
