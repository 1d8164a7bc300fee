"""What a caller may do with each entity, said ahead of any request: interfaces are built on it.

Decides nothing of its own: it asks the same access entries that every statement obeys. Pure; called by
``me``.
"""

from typing import Any

from schemas.compiler.model import AccessEntry, Entity, Field, TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.query.access import Caller, entries_for, forced_values, sight_of
from schemas.compiler.query.errors import QueryError


def capabilities(model: TenantModel, principal: Principal) -> dict[str, Any]:
    """Return, per entity the caller can do anything with, what and on which fields.

    ``row_rule`` says that a rule of the file picks the rows; a row that is not among them is refused although
    the verb is allowed.
    """
    caller = Caller(principal.roles, principal.scopes)
    found: dict[str, Any] = {}
    for entity in model.entities.values():
        read = _read(entity, caller)
        verbs = {verb: _write(entity, verb, caller) for verb in ("create", "update")}
        delete = _entries(entity, "delete", caller)
        if read["allowed"] or delete or any(verb["allowed"] for verb in verbs.values()):
            found[entity.name] = {
                "read": read,
                **verbs,
                "delete": {"allowed": bool(delete), "row_rule": _ruled(delete)},
            }
    return found


def _read(entity: Entity, caller: Caller) -> dict[str, Any]:
    try:
        sight = sight_of(entity, caller)
    except QueryError:
        return {"allowed": False}
    return {
        "allowed": True,
        "fields": [name for name in entity.fields if name in sight.fields],
        "masked": [name for name in entity.fields if name in sight.fields and sight.masked(name)],
        "row_rule": _ruled(sight.entries),
        "limit": sight.limit,
        "aggregate": sight.aggregates,
    }


def _write(entity: Entity, verb: str, caller: Caller) -> dict[str, Any]:
    entries = _entries(entity, verb, caller)
    if not entries:
        return {"allowed": False}
    names = [
        field.name
        for field in entity.fields.values()
        if _settable(entity, field, verb)
        and any(entry.fields is None or field.name in entry.fields for entry in entries)
    ]
    return {
        "allowed": True,
        "fields": names,
        "forced": sorted(forced_values(entries)),
        "row_rule": _ruled(entries) or all(entry.check is not None for entry in entries),
    }


def _entries(entity: Entity, verb: str, caller: Caller) -> tuple[AccessEntry, ...]:
    try:
        return entries_for(entity, verb, caller)
    except QueryError:
        return ()


def _ruled(entries: tuple[AccessEntry, ...]) -> bool:
    return bool(entries) and all(entry.rule is not None for entry in entries)


def _settable(entity: Entity, field: Field, verb: str) -> bool:
    if (
        field.read_only
        or field.computed is not None
        or field.generated in {"managed", "sequence", "identity"}
    ):
        return False
    return not (verb == "update" and field.name == entity.key)
