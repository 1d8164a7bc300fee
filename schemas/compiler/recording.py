"""Which changes of rows are kept, in their own transaction: for what happens after the commit, and for good.

Decides which entities have a recorder (a row trigger that writes to ``_outbox``), which are audited (one that
writes to ``audit_log``), which have a history (one that keeps what rows were), which columns none of them
sees, and whose statements say who asked. An entity nothing listens to has none, and its writes cost what they
always did. Pure; called by ``layout``, the query compiler and the outbox.
"""

from collections.abc import Iterable, Iterator

from schemas.compiler.migrate.catalog import AUDIT_LOG, Audit, History, Recorder, mark
from schemas.compiler.migrate.ddl_history import DELETING, KEEP, PRUNE
from schemas.compiler.model import SOFT_DELETE_FIELD, Entity, TenantModel
from schemas.compiler.names import history_name

_AFTER = ("after_create", "after_update", "after_delete", "after_transition")
_PASSES_ON = ("cascade", "set_null")


def recorded_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities something listens to: functions, deadlines, webhooks, events."""
    listened = set(_listened(model))
    every = "*" in listened
    return frozenset(
        name
        for name, entity in model.entities.items()
        if name in listened
        or _has_after_functions(entity)
        or _has_deadlines(entity)
        or (every and not entity.added)
    )


def audited_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities whose changes are kept in ``audit_log``."""
    if not model.sections.get("audit"):
        return frozenset()
    return frozenset(
        name
        for name, entity in model.entities.items()
        if not entity.added and entity.sections.get("audit") is not False
    )


def historied_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities whose rows are kept as they were."""
    return frozenset(name for name, entity in model.entities.items() if history_of(entity) is not None)


def attributed_entities(model: TenantModel) -> frozenset[str]:
    """Return the entities whose writes say who asked: those kept, and those whose deletes reach them."""
    return _reaching(model, recorded_entities(model) | audited_entities(model) | historied_entities(model))


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


def recorder_of(entity: Entity) -> Recorder:
    """Return the recorder of an entity."""
    hidden = _hidden(entity)
    return Recorder(mark("\0".join((entity.key, *hidden))), entity.key, hidden)


def audit_of(entity: Entity) -> Audit:
    """Return how an entity's changes are audited."""
    hidden, soft = _hidden(entity), SOFT_DELETE_FIELD if entity.soft_delete else ""
    return Audit(mark("\0".join((entity.key, soft, *hidden))), entity.key, soft, hidden)


def history_of(entity: Entity) -> History | None:
    """Return how an entity's rows are kept as they were; None where they are not."""
    if entity.sections.get("history") is None:
        return None
    hidden, soft = _hidden(entity), SOFT_DELETE_FIELD if entity.soft_delete else ""
    table, by = history_name(entity.name), "updated_by" if entity.managed else ""
    stamp = mark("\0".join((KEEP, DELETING, PRUNE, entity.name, entity.key, soft, by, *hidden)))
    return History(stamp, table, entity.key, soft, by, hidden)


def audit_log_of(model: TenantModel, entity: Entity) -> Audit | None:
    """Return how the audit log is sealed, None for any other entity."""
    if not (entity.added and entity.name == AUDIT_LOG):
        return None
    accounts = bool(model.sections.get("audit"))
    return Audit(mark(f"log, accounts: {accounts}"), accounts=accounts)


def _hidden(entity: Entity) -> tuple[str, ...]:
    return tuple(item.name for item in entity.fields.values() if item.write_only and not item.virtual)


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
