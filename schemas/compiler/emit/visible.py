"""Which entities, fields and functions a caller can learn about: by the access entries the statements obey.

Decides what descriptions of the schema show, so that they tell nobody about what they could not read or write
anyway. Pure; called by ``openapi``, ``typescript``, ``python_types`` and the JSON view of the schema.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from schemas.compiler.model import AccessEntry, Entity, Field, TenantModel
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller, Sight, entries_for, sight_of
from schemas.compiler.query.access import writable as named_by
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.functions import Function
from schemas.compiler.sections.storage import OBJECTS
from schemas.compiler.sections.triggers import RPC
from schemas.compiler.sections.workflow import Workflow, may_go


class EntityView(Struct, frozen=True):
    """What one caller may do with an entity.

    Attributes:
        entity: what it is about.
        readable: names of the fields it sees.
        masked: of these, the ones that are null in some of the rows.
        creatable: names of the fields it may set in a new row, None when it may make none.
        updatable: names of the fields it may change, None when it may change none.
        delete: whether it may delete rows.
        transitions: names of those it may ask for.
    """

    entity: Entity
    readable: frozenset[str]
    masked: frozenset[str]
    creatable: frozenset[str] | None
    updatable: frozenset[str] | None
    delete: bool
    transitions: tuple[str, ...]

    @property
    def verbs(self) -> tuple[str, ...]:
        """What it may do, in words."""
        allowed = {
            "read": bool(self.readable),
            "create": self.creatable is not None,
            "update": self.updatable is not None,
            "delete": self.delete,
        }
        return tuple(verb for verb, may in allowed.items() if may)


def visible_entities(model: TenantModel, principal: Principal) -> list[EntityView]:
    """Return what the caller may do, entity by entity; those it may do nothing with are absent.

    Rows behind objects of buckets change by the storage API alone.
    """
    caller = Caller(principal.roles, principal.scopes)
    views = (_view(entity, caller) for entity in model.entities.values())
    alone = (
        replace(view, creatable=None, updatable=None, delete=False) if view.entity.name == OBJECTS else view
        for view in views
    )
    return [view for view in alone if view.verbs]


def visible_objects(model: TenantModel, principal: Principal) -> EntityView | None:
    """Return what the caller may do with objects of buckets, None for nothing."""
    view = _view(model.entities[OBJECTS], Caller(principal.roles, principal.scopes))
    return view if view.verbs else None


def visible_functions(model: TenantModel, principal: Principal) -> list[Function]:
    """Return the functions the caller may call by name."""
    caller = Caller(principal.roles, principal.scopes)
    functions: Mapping[str, Function] = model.sections.get("functions", {})
    return [
        function
        for function in functions.values()
        if RPC in function.triggers
        and principal.roles & {SERVICE_ROLE, *(function.roles or (ADMIN_ROLE,))}
        and caller.reaches(RPC, function.name)
    ]


def writable(field: Field) -> bool:
    """Whether a request body may hold the field."""
    return not (field.read_only or field.computed is not None or field.generated in {"managed", "sequence"})


def _view(entity: Entity, caller: Caller) -> EntityView:
    try:
        sight = sight_of(entity, caller)
    except QueryError:
        sight = Sight((), {})
    return EntityView(
        entity,
        frozenset(sight.fields),
        frozenset(name for name in sight.fields if sight.masked(name)),
        _settable(entity, "create", caller),
        _settable(entity, "update", caller),
        bool(_entries(entity, "delete", caller)),
        _transitions(entity, caller),
    )


def _transitions(entity: Entity, caller: Caller) -> tuple[str, ...]:
    workflow: Workflow | None = entity.sections.get("workflow")
    if workflow is None or not _entries(entity, "update", caller):
        return ()
    return tuple(name for name, way in workflow.transitions.items() if may_go(way, caller.roles))


def _settable(entity: Entity, verb: str, caller: Caller) -> frozenset[str] | None:
    entries = _entries(entity, verb, caller)
    if not entries:
        return None
    return frozenset(name for name in named_by(entity, entries) if writable(entity.fields[name]))


def _entries(entity: Entity, verb: str, caller: Caller) -> tuple[AccessEntry, ...]:
    try:
        return entries_for(entity, verb, caller)
    except QueryError:
        return ()
