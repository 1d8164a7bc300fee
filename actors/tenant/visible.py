"""Which entities and fields a caller can learn about: the same access entries the statements obey.

Decides what descriptions of the schema show, so that they tell nobody about what they could not read or write
anyway. Pure; called by ``describe``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.compiler.model import AccessEntry, Entity, Field, TenantModel
from schemas.compiler.principal import ADMIN_ROLE, Principal


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
        view = _view(entity, principal.roles)
        if view.readable or view.create or view.update or view.delete:
            views.append(view)
    return views


def _view(entity: Entity, roles: frozenset[str]) -> EntityView:
    access = entity.access
    names = frozenset(field.name for field in entity.fields.values() if not field.write_only)
    if not access.declared:
        admin = ADMIN_ROLE in roles
        return EntityView(entity, names if admin else frozenset(), admin, admin, admin)
    readable: set[str] = set()
    for entry in _mine(access.read, roles):
        readable |= (names if entry.fields is None else names & {entity.key, *entry.fields}) - set(entry.hide)
    return EntityView(
        entity,
        frozenset(readable),
        any(_mine(access.create, roles)),
        any(_mine(access.update, roles)),
        any(_mine(access.delete, roles)),
    )


def _mine(entries: Iterable[AccessEntry], roles: frozenset[str]) -> list[AccessEntry]:
    return [entry for entry in entries if entry.role in roles]


def writable(field: Field) -> bool:
    """Whether a request body may hold the field."""
    return not (field.read_only or field.computed is not None or field.generated in {"managed", "sequence"})
