"""Which changes of rows are kept, in their own transaction, for what happens after the commit.

Decides which entities have a recorder (a row trigger that writes to ``_outbox``) and whose statements say who
asked. An entity nothing listens to has neither, and its writes cost what they always did. Pure; called by
``layout``, the query compiler and the outbox.
"""

from collections.abc import Iterable, Iterator

from schemas.compiler.model import Entity, TenantModel

_AFTER = ("after_create", "after_update", "after_delete", "after_transition")
_PASSES_ON = ("cascade", "set_null")


def recorded_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities something listens to: functions, deadlines, webhooks, events, audit."""
    listened = set(_listened(model))
    every = "*" in listened or bool(model.sections.get("audit"))
    return frozenset(
        name
        for name, entity in model.entities.items()
        if name in listened
        or _has_after_functions(entity)
        or _has_deadlines(entity)
        or (every and not entity.added)
    )


def attributed_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities whose writes say who asked: recorded ones, and those whose deletes reach them."""
    return _reaching(model, recorded_entities(model))


def filed_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities whose writes may let go of files: those with such fields, and what reaches them."""
    return _reaching(model, {name for name, entity in model.entities.items() if has_files(entity)})


def has_files(entity: Entity) -> bool:
    """Whether an entity has fields that hold files."""
    return any(field.kind == "file" for field in entity.fields.values())


def _reaching(model: TenantModel, names: Iterable[str]) -> frozenset[str]:
    """Return these entities, and those whose deletes reach them by a reference."""
    found = set(names)
    waiting = list(found)
    while waiting:
        entity = model.entities[waiting.pop()]
        for field in entity.fields.values():
            reference = field.references
            if reference is None or reference.on_delete not in _PASSES_ON or reference.entity in found:
                continue
            if reference.entity in model.entities:
                found.add(reference.entity)
                waiting.append(reference.entity)
    return frozenset(found)


def _has_after_functions(entity: Entity) -> bool:
    functions = entity.sections.get("functions") or {}
    return any(trigger in _AFTER for function in functions.values() for trigger in function.triggers)


def _has_deadlines(entity: Entity) -> bool:
    workflow = entity.sections.get("workflow")
    return workflow is not None and any(state.deadline is not None for state in workflow.states.values())


def _listened(model: TenantModel) -> Iterator[str]:
    for section in ("webhooks", "events"):
        for listener in (model.sections.get(section) or {}).values():
            for event in listener.events:
                entity, dot, _ = event.partition(".")
                if dot or entity == "*":
                    yield entity
