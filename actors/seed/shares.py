"""In which order entities are filled, and how many rows each gets.

Decides from references alone: what is referred to comes first, and the deeper an entity stands, the more rows
it has. References that close a circle are set afterwards. Called by ``generate``.
"""

import math
from collections.abc import Iterator, Mapping

from msgspec import Struct

from actors.seed.vocabulary import NAMES_BY_STEM
from schemas.compiler.model import Entity, Field, TenantModel

_GROWTH = 2.2
_USERS = "users"
_SMALL_FIELDS = 4
_MOST_OF_SMALL = 24
LIST_FIELDS = {"name", "title", "label"}
"""Fields that hold a name out of ``NAMES_BY_STEM``."""


class Portion(Struct, frozen=True):
    """One entity's part of the data.

    Attributes:
        entity: whose rows.
        count: how many.
        later: reference fields that are set in a second pass, because they close a circle.
    """

    entity: Entity
    count: int
    later: frozenset[str]


def portions(model: TenantModel, rows: int) -> list[Portion]:
    """Return every entity's portion in the order of filling; the counts add up to about ``rows``."""
    order, later = _order(model)
    level: dict[str, int] = {}
    for entity in order:
        depths = [
            level[target]
            for _, target in references(entity)
            if target in level and target not in {entity.name, _USERS}
        ]
        level[entity.name] = 1 + max(depths) if depths else 0
    weights = {name: _GROWTH**depth for name, depth in level.items()}
    limits: dict[str, int] = {}
    for entity in order:
        limits[entity.name] = _most(entity, rows, limits)
    counts = _shared(weights, limits, max(rows, len(order)))
    return [Portion(entity, counts[entity.name], later[entity.name]) for entity in order]


def references(entity: Entity) -> Iterator[tuple[Field, str]]:
    """Yield the entity's writable references with the entity each points to."""
    for field in entity.fields.values():
        if field.references is not None and field.computed is None and not field.read_only:
            yield field, field.references.entity


def stem(name: str) -> str | None:
    """Return the key of ``NAMES_BY_STEM`` that an entity's name ends in, or None."""
    word = name.lower().rpartition("_")[2]
    return next((key for key in NAMES_BY_STEM if word.startswith(key)), None)


def _order(model: TenantModel) -> tuple[list[Entity], dict[str, frozenset[str]]]:
    waiting = {name: entity for name, entity in model.entities.items() if not entity.added}
    order: list[Entity] = []
    later: dict[str, frozenset[str]] = {}
    while waiting:
        # the compiler refuses circles of required references, so one of the two is always found
        entity = _next(waiting, strict=True) or _next(waiting, strict=False)
        assert entity is not None  # noqa: S101
        del waiting[entity.name]
        order.append(entity)
        later[entity.name] = frozenset(
            field.name for field, target in references(entity) if target in waiting
        )
    return order, later


def _next(waiting: Mapping[str, Entity], *, strict: bool) -> Entity | None:
    """Return the first entity that refers to nothing still waiting; not strict: by a required field."""
    for entity in waiting.values():
        blocked = (
            target in waiting and target != entity.name and (strict or field.required)
            for field, target in references(entity)
        )
        if not any(blocked):
            return entity
    return None


def _most(entity: Entity, rows: int, earlier: Mapping[str, int]) -> int:
    """Return how many rows are believable at most."""
    limits = [rows]
    if entity.name == _USERS:
        limits.append(max(8, min(200, rows // 50)))
    key = stem(entity.name)
    if key is not None and LIST_FIELDS & entity.fields.keys():
        parents = [earlier.get(target, 1) for field, target in references(entity) if field.required]
        limits.append(len(NAMES_BY_STEM[key]) * math.prod(parents))
    own = [
        field
        for field in entity.fields.values()
        if field.generated == "" and field.computed is None and field.references is None
    ]
    if not any(True for _ in references(entity)) and len(own) <= _SMALL_FIELDS:
        limits.append(_MOST_OF_SMALL)
    limits += [len(words) for field in own if field.unique and (words := field.schema.get("enum"))]
    return max(1, min(limits))


def _shared(weights: Mapping[str, float], limits: Mapping[str, int], rows: int) -> dict[str, int]:
    """Share the rows by weight; what an entity's limit leaves over goes to the others."""
    counts: dict[str, int] = {}
    open_weights = dict(weights)
    left = rows
    while open_weights:
        total = sum(open_weights.values())
        full = [name for name, weight in open_weights.items() if left * weight / total >= limits[name]]
        if not full:
            counts |= {name: max(1, round(left * weight / total)) for name, weight in open_weights.items()}
            break
        for name in full:
            counts[name] = limits[name]
            left = max(0, left - limits[name])
            del open_weights[name]
    return counts
