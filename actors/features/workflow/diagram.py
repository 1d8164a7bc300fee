"""``GET {entity}/workflow``: the states and transitions of an entity, as JSON or as a Mermaid state diagram.

Decides what is drawn; it holds no rows, so whoever may read the entity at all may see it. Called by
``operations``.
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.model import Entity
from schemas.compiler.principal import Principal
from schemas.compiler.query.access import Caller, entries_for
from schemas.compiler.sections.workflow import Transition, Workflow

MERMAID = "text/vnd.mermaid"


async def show_workflow(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with the workflow of an entity; ``Accept: text/vnd.mermaid`` draws it.

    Raises:
        ProblemError: workflow.unknown.
        QueryError: 42501, PGRST205.
    """
    entity = generation.queries.entity(call.entity, datetime.now(UTC).date())
    entries_for(entity, "read", Caller(principal.roles, principal.scopes))
    workflow: Workflow | None = entity.sections.get("workflow")
    if workflow is None:
        raise ProblemError("workflow.unknown", f"{entity.name} has no workflow")
    if MERMAID in call.accept or "text/plain" in call.accept:
        kind = MERMAID if MERMAID in call.accept else "text/plain"
        return Result(200, draw(entity, workflow).encode(), f"{kind}; charset=utf-8")
    return Result(200, orjson.dumps(_told(entity, workflow)))


def draw(entity: Entity, workflow: Workflow) -> str:
    """Return the workflow in Mermaid's words (stateDiagram-v2); states have numbers, and their own words."""
    names = [str(value) for value in entity.fields[workflow.field].schema.get("enum", ())]
    ids = {name: f"s{number}" for number, name in enumerate(names)}
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_text(name)}" as {ids[name]}' for name in names]
    first = entity.fields[workflow.field].default_value
    if first in ids:
        lines.append(f"    [*] --> {ids[str(first)]}")
    for name, way in workflow.transitions.items():
        lines += [f"    {ids[source]} --> {ids[way.target]} : {_label(name, way)}" for source in way.sources]
    for name, state in workflow.states.items():
        said = [f"locked: {', '.join(state.lock)}"] if state.lock else []
        if state.deadline is not None:
            said.append(f"after {_span(state.deadline)}: {state.on_deadline}")
        if said:
            lines.append(f"    note right of {ids[name]} : {_text('; '.join(said))}")
    leaving = {source for way in workflow.transitions.values() for source in way.sources}
    lines += [f"    {ids[name]} --> [*]" for name in names if name not in leaving]
    return "\n".join(lines) + "\n"


def _label(name: str, way: Transition) -> str:
    said = [f"by {', '.join(way.roles)}"] if way.roles else []
    if way.quorum > 1:
        said.append(f"{way.quorum} agree")
    if way.guard is not None:
        said.append(f"if {way.guard.text}")
    return _text(f"{name} ({'; '.join(said)})" if said else name)


def _text(text: str) -> str:
    """Return a text that ends nothing in a diagram: Mermaid reads ``#nn;`` as characters."""
    plain = " ".join(text.split())
    return "".join(
        character if character.isalnum() or character in " _,.()/+-" else f"#{ord(character)};"
        for character in plain
    )


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _told(entity: Entity, workflow: Workflow) -> dict[str, Any]:
    return {
        "field": workflow.field,
        "initial": entity.fields[workflow.field].default_value,
        "states": {
            str(name): {
                "title": dict(state.title), "color": state.color, "lock": list(state.lock),
                "editors": list(state.editors), "deadline": state.deadline, "on_deadline": state.on_deadline,
            } if (state := workflow.states.get(str(name))) is not None else {}
            for name in entity.fields[workflow.field].schema.get("enum", ())
        },
        "transitions": {
            name: {
                "from": list(way.sources), "to": way.target, "roles": list(way.roles),
                "guard": None if way.guard is None else way.guard.text, "quorum": way.quorum,
                "allow_self": way.allow_self, "comment": way.comment, "confirm": way.confirm,
                "title": dict(way.title),
            }
            for name, way in workflow.transitions.items()
        },
        "mermaid": draw(entity, workflow),
    }  # fmt: skip
