"""``GET {entity}/{id}/transitions``: where a row is in its workflow, where it may go, where it was.

Decides that whoever may read a row may read its past. Called by ``operations``.
"""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError, Result
from actors.tenant import rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.capabilities import compile_capabilities
from schemas.compiler.sections.workflow import Transition, Workflow
from schemas.compiler.sql import quote

MAX_HISTORY = 200


async def show_transitions(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with the state, the transitions open to the caller, approvals that wait, and the history.

    Raises:
        ProblemError: row.not_found, workflow.unknown.
    """
    now = datetime.now(UTC)
    entity = generation.queries.entity(call.entity, now.date())
    workflow: Workflow | None = entity.sections.get("workflow")
    if workflow is None:
        raise ProblemError("workflow.unknown", f"{entity.name} has no workflow")
    look = replace(call, query=f"select={entity.key}", accept="", prefer="", if_none_match="")
    await rows.read(generation, look, principal, None)
    namespace = quote(generation.identity.namespace)
    compiled = compile_capabilities(generation.model, generation.identity.namespace, entity, principal)
    arguments = compiled.statement.arguments([[str(call.key)]], principal, now.isoformat())
    quorate = any(way.quorum > 1 for way in workflow.transitions.values())

    async def work(own: TenantConnection) -> tuple[Any, list[asyncpg.Record], list[asyncpg.Record]]:
        row = await own.fetchrow(compiled.statement.text, *arguments)
        past = await own.fetch(
            "SELECT transition, from_state, to_state, comment, user_id, at"  # noqa: S608 - our own table
            f" FROM {namespace}.workflow_history WHERE entity = $1 AND key = $2"
            f" ORDER BY at DESC, id DESC LIMIT {MAX_HISTORY}",
            entity.name, str(call.key),
        )  # fmt: skip
        waiting = await own.fetch(
            f"SELECT transition, user_id, comment, at FROM {namespace}.approvals a"  # noqa: S608 - our own table
            " WHERE entity = $1 AND key = $2 AND outcome = 'waiting' AND state = $3 ORDER BY at",
            entity.name, str(call.key), row["state"],
        ) if quorate and row is not None else []  # fmt: skip
        return row, past, waiting

    row, past, waiting = await in_transaction(generation.pool, work, reads=True)
    if row is None:
        raise ProblemError("row.not_found", "there is no such row")
    told = {
        "state": row["state"],
        "transitions": [
            _told(name, workflow.transitions[name]) for name in compiled.told(dict(row))["transitions"]
        ],
        "approvals": [dict(one) for one in waiting],
        "history": [dict(one) for one in past],
    }
    return Result(200, orjson.dumps(told))


def _told(name: str, way: Transition) -> dict[str, Any]:
    return {
        "name": name,
        "to": way.target,
        "title": dict(way.title),
        "comment": way.comment,
        "confirm": way.confirm,
        "quorum": way.quorum,
    }
