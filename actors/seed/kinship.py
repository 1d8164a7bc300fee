"""Which existing row a new one refers to: the same project for an hour and its task, a few parents with many.

Decides references and keeps the rows made so far. Called by ``rows``.
"""

import datetime as dt
import math
import random
from collections.abc import Mapping, Sequence

from actors.seed.shares import references
from actors.seed.story import Row
from schemas.compiler.model import Entity, Field, TenantModel

_SMALL = 24
_TO_ITSELF = 0.25
_OPTIONAL = 0.85
_SKEWED, _EVEN = 1.7, 1.15
"""How much some parents are preferred; less where pairs are unique, as in a table between two others."""


class Relatives:
    """The rows made so far, as a world expressions can look into."""

    def __init__(self, model: TenantModel, order: Sequence[str]) -> None:
        self.model = model
        self._position = {name: position for position, name in enumerate(order)}
        self.rows: dict[str, list[Row]] = {name: [] for name in model.entities}
        self._by_key: dict[str, dict[object, Row]] = {name: {} for name in model.entities}
        self._began: dict[str, dict[object, dt.datetime]] = {name: {} for name in model.entities}
        self._children: dict[tuple[str, str], dict[object, list[Row]]] = {}
        for entity in model.entities.values():
            for field, _ in references(entity):
                self._children[entity.name, field.name] = {}

    def add(self, entity: Entity, row: Row, began: dt.datetime) -> None:
        """Remember a row and when it began."""
        key = row[entity.key]
        self.rows[entity.name].append(row)
        self._by_key[entity.name][key] = row
        self._began[entity.name][key] = began
        for field, _ in references(entity):
            if (target := row.get(field.name)) is not None:
                self._children[entity.name, field.name].setdefault(target, []).append(row)

    def latest(self, entity: Entity, chosen: Mapping[str, Row]) -> dt.datetime | None:
        """Return when the youngest of the chosen rows began; people were there before everything."""
        moments = [
            self._began[target][chosen[field.name][self.model.entities[target].key]]
            for field, target in references(entity)
            if field.name in chosen and any(True for _ in references(self.model.entities[target]))
        ]
        return max(moments, default=None)

    def one(self, entity: str, key_field: str, key: object) -> Row | None:
        """Return the row with that key."""
        return self._by_key[entity].get(key) if self.model.entities[entity].key == key_field else None

    def many(self, entity: str, foreign_field: str, key: object) -> Sequence[Row]:
        """Return the rows that refer to that key."""
        return self._children.get((entity, foreign_field), {}).get(key, ())

    def choose(
        self, entity: Entity, later: frozenset[str], index: int, chance: random.Random
    ) -> dict[str, Row]:
        """Return the row each reference field points to; fields that stay empty are missing."""
        fields = [(field, target) for field, target in references(entity) if field.name not in later]
        # what was made last knows most about the others: a task knows its project
        fields.sort(key=lambda pair: -self._position[pair[1]])
        chosen: dict[str, Row] = {}
        for field, target in fields:
            parent = self._implied(field, chosen)
            if parent is None:
                parent = self._pick(field, target, entity, index, chance, chosen)
            if parent is not None:
                chosen[field.name] = parent
        return chosen

    def _implied(self, field: Field, chosen: Mapping[str, Row]) -> Row | None:
        """Return the row that a chosen one refers to by the same name."""
        assert field.references is not None  # noqa: S101 - only references are chosen
        for parent in chosen.values():
            if (key := parent.get(field.name)) is not None:
                found = self.one(field.references.entity, field.references.field, key)
                if found is not None:
                    return found
        return None

    def _pick(
        self,
        field: Field,
        target: str,
        entity: Entity,
        index: int,
        chance: random.Random,
        chosen: Mapping[str, Row],
    ) -> Row | None:
        rows = self.rows[target]
        share = _TO_ITSELF if target == entity.name else _OPTIONAL
        if not rows or (not field.required and chance.random() > share):
            return None
        fitting = self._fitting(target, chosen, chance)
        if fitting is not None:
            return fitting
        if len(rows) <= _SMALL and field.required and not entity.fields.get(field.name, field).unique:
            return rows[index % len(rows)]
        return rows[int(len(rows) * math.pow(chance.random(), _EVEN if _pairs(entity) else _SKEWED))]

    def _fitting(self, target: str, chosen: Mapping[str, Row], chance: random.Random) -> Row | None:
        """Return a row that agrees with one already chosen, e.g. a contact of the chosen company."""
        for field, _ in references(self.model.entities[target]):
            if field.name in chosen and field.references is not None:
                key = chosen[field.name][field.references.field]
                siblings = self.many(target, field.name, key)
                if siblings:
                    return chance.choice(siblings)
        return None


def _pairs(entity: Entity) -> bool:
    """Return whether each pair of rows it refers to is there once."""
    names = {field.name for field, _ in references(entity)}
    return any(names.issuperset(together) for together in entity.unique)
