"""A transition: one row goes from a state to another, by one of the ways its workflow has.

    hold the row -> state, condition, who -> [agreed by enough people?] -> the write, with its functions and
    rules -> the history

Decides who may, and when it is done: all of it in one transaction. The write itself is ``rows``', with the
same rules as every other. Called by ``rows``.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.functions.calls import Origin
from actors.features.functions.rendering import Surroundings
from actors.features.workflow import history
from actors.features.workflow.history import Step
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import fetch_on, fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from actors.tenant.pipeline import Move, expected_version
from actors.tenant.replies import JSON, not_found
from schemas.compiler.model import Entity
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.preferences import parse_preferences
from schemas.compiler.query.requests import ReadRequest, WriteRequest
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.workflow import Transition, Workflow, may_go

MAX_COMMENT = 2000
_ENCODER = msgspec.json.Encoder(decimal_format="number")
Write: TypeAlias = Callable[
    [Generation, Call, Principal, TenantConnection | None, Origin, Move | None], Awaitable[Result]
]


class Moving(Struct, frozen=True):
    """Who wants to move what, and which functions led to it."""

    generation: Generation
    call: Call
    principal: Principal
    origin: Origin


class _Way(Struct, frozen=True):
    """A transition of an entity, as asked for."""

    name: str
    entity: Entity
    workflow: Workflow
    transition: Transition
    comment: str | None
    values: Mapping[str, Any]
    version: str | None


async def move(asked: Moving, connection: TenantConnection | None, write: Write) -> Result:
    """Move a row; 202 when others have to agree first.

    Args:
        asked: ``call.action`` is the transition's name; the body may have ``comment`` and ``values``, which
            are written with the move.
        connection: inside whose transaction, None: its own.
        write: ``rows``' own.

    Raises:
        ProblemError: ``workflow.*``, 42501, row.not_found, row.version_mismatch, or as for a write.
        QueryError: the caller's rights.
    """
    way = _way(asked)

    async def work(own: TenantConnection) -> Result:
        return await _move(asked, way, own, write)

    if connection is not None:
        return await work(connection)
    commit = parse_preferences(asked.call.prefer).tx != "rollback"
    return await in_transaction(asked.generation.pool, work, commit=commit)


async def _move(asked: Moving, way: _Way, own: TenantConnection, write: Write) -> Result:
    generation, call, principal = asked.generation, asked.call, asked.principal
    now = datetime.now(UTC)
    row = await _hold(asked, way, now, own)
    namespace = generation.identity.namespace
    source = row.get(way.workflow.field)
    if source not in way.transition.sources:
        raise ProblemError(
            "workflow.elsewhere",
            f"'{way.name}' is not possible while the row is '{source}'",
            hint=f"it begins in {', '.join(way.transition.sources)}",
        )
    await _check_guard(asked, way, row, now, own)
    step = Step(
        way.entity.name,
        str(row[way.entity.key]),
        way.name,
        source,
        way.transition.target,
        way.comment,
        principal.id or principal.key,
        call.request_id,
        row.get("row_version"),
    )
    if not way.transition.allow_self and SERVICE_ROLE not in principal.roles:
        _check_other(step, row)
    if way.transition.quorum > 1 and SERVICE_ROLE not in principal.roles:
        waiting = await _agree(way, step, namespace, own)
        if waiting is not None:
            return waiting
    prefer = call.prefer
    if "return=" not in prefer:
        prefer = f"{prefer},return=representation" if prefer else "return=representation"
    change = replace(
        call, method="PATCH", body=_ENCODER.encode(way.values), content_type="application/json",
        if_match="", prefer=prefer, action="",
    )  # fmt: skip
    done = Move(way.name, way.workflow.field, way.transition.target)
    result = await write(generation, change, principal, own, asked.origin, done)
    await history.note(own, namespace, step)
    if any(one.quorum > 1 for one in way.workflow.transitions.values()):
        await history.close(own, namespace, step)
    return result


def _way(asked: Moving) -> _Way:
    generation, call, principal = asked.generation, asked.call, asked.principal
    entity = generation.queries.entity(call.entity, datetime.now(UTC).date())
    workflow: Workflow | None = entity.sections.get("workflow")
    transition = None if workflow is None else workflow.transitions.get(call.action)
    if workflow is None or transition is None:
        known = ", ".join(workflow.transitions) if workflow is not None else ""
        raise ProblemError(
            "workflow.unknown",
            f"{entity.name} has no transition '{call.action[:63]}'",
            hint=f"there are {known}" if known else "",
        )
    if not may_go(transition, principal.roles):
        raise ProblemError("42501", f"'{call.action}' is for {', '.join(transition.roles)}")
    comment, values = _body(call, transition, workflow.field)
    return _Way(call.action, entity, workflow, transition, comment, values, expected_version(call.if_match))


def _body(call: Call, transition: Transition, field: str) -> tuple[str | None, dict[str, Any]]:
    body: Any = decode_json(call.body) if call.body else {}
    if not isinstance(body, dict) or not body.keys() <= {"comment", "values"}:
        raise ProblemError("PGRST102", "the body of a transition is an object with comment and values")
    comment, values = body.get("comment"), body.get("values") or {}
    if not isinstance(values, dict):
        raise ProblemError("PGRST102", "values is an object of fields")
    if field in values:
        raise _refused(
            "workflow.state", f"/values/{field}", "state", f"'{field}' is what the transition sets"
        )
    if comment is not None and (
        not isinstance(comment, str) or len(comment) > MAX_COMMENT or "\0" in comment
    ):
        raise _refused(
            "workflow.comment",
            "/comment",
            "comment",
            f"a comment is a text of at most {MAX_COMMENT:,} characters",
        )
    comment = (comment or "").strip() or None
    if comment is None and transition.comment == "required":
        raise _refused("workflow.comment", "/comment", "required", "this transition asks for a comment")
    if comment is not None and transition.comment == "none":
        raise _refused("workflow.comment", "/comment", "comment", "this transition takes no comment")
    return comment, values


def _refused(code: str, pointer: str, kind: str, text: str) -> ProblemError:
    return ProblemError(code, text, errors=({"pointer": pointer, "code": kind, "detail": text},))


async def _hold(asked: Moving, way: _Way, now: datetime, own: TenantConnection) -> dict[str, Any]:
    """Hold the row, if the caller may change it.

    Raises:
        ProblemError: row.not_found, 42501, row.version_mismatch.
    """
    generation, call, principal = asked.generation, asked.call, asked.principal
    field = way.workflow.field
    request = WriteRequest(
        call.entity, ({**way.values, field: way.transition.target},), call.key,
        today=now.date(), hooked=frozenset({field}), moves=True,
    )  # fmt: skip
    prepared = generation.queries.write("lock update", request, principal)
    arguments = prepared.statement.arguments(prepared.slots, principal, now.isoformat())
    found = await fetch_rows_on(own, prepared.statement.text, arguments)
    if not found:
        raise await _why_not(asked, own)
    row: dict[str, Any] = decode_json(found[0]["row"].encode())
    if way.version is not None and str(row.get("row_version")) != way.version:
        raise ProblemError("row.version_mismatch", "the row was changed meanwhile", hint="read it again")
    return row


async def _why_not(asked: Moving, own: TenantConnection) -> ProblemError:
    """Return why the row cannot be held: not there for this caller, or not his to move."""
    entity = asked.generation.queries.entity(asked.call.entity, datetime.now(UTC).date())
    request = ReadRequest(entity.name, asked.call.key, f"select={entity.key}")
    try:
        prepared = asked.generation.queries.read(request, asked.principal)
    except QueryError:
        return not_found()
    moment = datetime.now(UTC).isoformat()
    arguments = prepared.statement.arguments(prepared.slots, asked.principal, moment)
    row = await fetch_on(own, prepared.statement.text, arguments)
    return ProblemError("42501", "this row may not be moved") if row["page_count"] else not_found()


async def _check_guard(
    asked: Moving, way: _Way, row: Mapping[str, Any], now: datetime, own: TenantConnection
) -> None:
    record = {**row, **{name: value for name, value in way.values.items() if name in way.entity.fields}}
    surroundings = Surroundings(
        asked.generation, way.entity.name, record, dict(row), asked.principal, now, "POST", own
    )
    if not await surroundings.holds(way.transition.guard):
        raise ProblemError(
            "workflow.guard",
            f"the condition of '{way.name}' is not met",
            details="" if way.transition.guard is None else way.transition.guard.text,
        )


def _check_other(step: Step, row: Mapping[str, Any]) -> None:
    if step.user is None:
        raise ProblemError("workflow.own", "somebody known has to do this")
    if row.get("created_by") == step.user:
        raise ProblemError("workflow.own", f"'{step.transition}' is for somebody else than who made the row")


async def _agree(way: _Way, step: Step, namespace: str, own: TenantConnection) -> Result | None:
    """Note the caller's approval; returns the answer while others have to agree, None when it is enough."""
    if step.user is None:
        raise ProblemError("workflow.own", "somebody known has to agree")
    people = await history.agreed(own, namespace, step)
    if step.user in people:
        raise ProblemError("workflow.approved", f"you have agreed to '{way.name}' already")
    await history.agree(own, namespace, step)
    have, quorum = len(people) + 1, way.transition.quorum
    if have >= quorum:
        return None
    told = {"state": step.source, "transition": way.name, "approvals": have, "quorum": quorum}
    return Result(202, orjson.dumps(told), JSON)
