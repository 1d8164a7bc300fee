"""Which webhooks hear of a change, and what they are told.

Decides names of events (``invoices.updated``, a transition's name, an event a function published) and the
body of a delivery. Called by the relay, in the transaction that takes the change.
"""

from collections.abc import Sequence
from typing import Any

from actors.features.outbox.changes import EVENT, PAST, Change
from actors.features.outbox.tasks import NewTask
from schemas.compiler.model import TenantModel

KIND = "webhook"


def names_of(model: TenantModel, change: Change) -> list[str]:
    """Return what a change is called: its verb's event first, then transitions it was."""
    if change.verb == EVENT:
        return [change.entity]
    names = [f"{change.entity}.{PAST[change.verb]}"]
    workflow = model.entities[change.entity].sections.get("workflow")
    if workflow is not None and change.old is not None and change.new is not None:
        was, now = change.old.get(workflow.field), change.new.get(workflow.field)
        said = change.who.get("transition")
        if was != now and said in workflow.transitions:
            names.append(f"{change.entity}.{said}")
        elif was != now:
            names += [
                f"{change.entity}.{name}"
                for name, transition in workflow.transitions.items()
                if transition.target == now and was in transition.sources
            ]
    return names


def heard(events: Sequence[str], names: Sequence[str]) -> str:
    """Return the name under which somebody who listens to ``events`` hears a change; "": not at all."""
    entity, dot, _ = names[0].partition(".")
    for name in reversed(names):
        if name in events:
            return name
    every = dot and ("*" in events or f"{entity}.*" in events)
    return names[0] if every else ""


def data_of(change: Change) -> Any:  # noqa: ANN401 - JSON
    """Return what is told of a change."""
    if change.verb == EVENT:
        return change.new
    return {"record": change.row, "old_record": change.old, "changed": change.changed}


def task_of(name: str, event: str, change: Change) -> NewTask:
    """Return the delivery of a change to a webhook; those of one row arrive in order."""
    body = {"type": event, "timestamp": change.at, "data": data_of(change)}
    key = f"webhook:{name}:{change.entity}:{change.key}" if change.verb != EVENT else ""
    about = {"entity": change.entity, "key": change.key, "verb": change.verb} if change.verb != EVENT else {}
    return NewTask(KIND, name, {"body": body, **about}, key)
