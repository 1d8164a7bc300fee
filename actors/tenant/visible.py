"""Which entities and fields a caller can learn about: the same access entries the statements obey.

Decides what descriptions of the schema show, so that they tell nobody about what they could not read or write
anyway. Pure; called by ``describe``.
"""

from dataclasses import dataclass

from schemas.compiler.model import Entity, Field, TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.query.access import Caller, entries_for, sight_of
from schemas.compiler.query.errors import QueryError


@dataclass(frozen=True, slots=True)
class EntityView:
    """What one caller may do with an entity."""

    entity: Entity
    readable: frozenset[str]
    create: bool
    update: bool
    delete: bool


def visible_entities(model: TenantModel, principal: Principal) -> list[EntityView]:
    """Return what the caller may do, entity by entity; those it may do nothing with are absent."""
    views: list[EntityView] = []
    for entity in model.entities.values():
        view = _view(entity, Caller(principal.roles, principal.scopes))
        if view.readable or view.create or view.update or view.delete:
            views.append(view)
    return views


def _view(entity: Entity, caller: Caller) -> EntityView:
    try:
        readable = frozenset(sight_of(entity, caller).fields)
    except QueryError:
        readable = frozenset()
    create, update, delete = (_may(entity, verb, caller) for verb in ("create", "update", "delete"))
    return EntityView(entity, readable, create, update, delete)


def _may(entity: Entity, verb: str, caller: Caller) -> bool:
    try:
        return bool(entries_for(entity, verb, caller))
    except QueryError:
        return False


def writable(field: Field) -> bool:
    """Whether a request body may hold the field."""
    return not (field.read_only or field.computed is not None or field.generated in {"managed", "sequence"})
