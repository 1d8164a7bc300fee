"""Entities whose reads a function looks at first (``before_read``).

Decides that such an entity is read by itself: where it stands inside another's answer nobody would have asked
the function. What the function says is another filter; ``filter_rows`` needs none of this, it is in the
access rules. Pure; called by the compiler and by the row filter.
"""

from collections.abc import Mapping

from schemas.compiler.model import Entity, TenantModel
from schemas.compiler.principal import SERVICE_ROLE
from schemas.compiler.query.access import Caller
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.functions import FILTER_ROWS, Function
from schemas.compiler.sections.triggers import BEFORE_READ


def screens(entity: Entity) -> tuple[Function, ...]:
    """Return the functions that look at reads of an entity, in declared order."""
    functions: Mapping[str, Function] = entity.sections.get("functions") or {}
    return tuple(
        one for one in functions.values() if BEFORE_READ in one.triggers and one.function != FILTER_ROWS
    )


def screened_names(model: TenantModel) -> frozenset[str]:
    """Return what requests may call the entities that have such functions."""
    return frozenset(
        name
        for entity in model.entities.values()
        if screens(entity)
        for name in (entity.name, *entity.renamed_from)
    )


def check_not_screened(entity: Entity, caller: Caller) -> None:
    """Refuse to enter an entity from another one.

    Raises:
        QueryError: 42501.
    """
    if SERVICE_ROLE not in caller.roles and screens(entity):
        raise QueryError(
            "42501",
            f"permission denied for table {entity.name}: a function narrows its reads",
            hint=f"ask for {entity.name} by itself, in a read of its own",
        )
