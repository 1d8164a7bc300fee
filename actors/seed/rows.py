"""One entity's rows: references, values, what is unique, and the entity's own rules kept.

Decides when a row is good; a row that cannot be made good is left out. Called by ``generate``.
"""

import datetime as dt
import random
import uuid

from actors.seed import figures
from actors.seed.kinship import Relatives
from actors.seed.shares import Portion, references
from actors.seed.states import States
from actors.seed.story import Row, Story
from actors.seed.uniqueness import Uniqueness
from actors.seed.values import NoValueError, skewed, value
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.model import Field, TenantModel
from schemas.compiler.principal import ADMIN_ROLE, ANONYMOUS_ROLE, AUTHENTICATED_ROLE

_USERS = "users"
_ATTEMPTS = 12
_REPAIRS = 25
_OPTIONAL = 0.88
_FIRST_ID_MS = 1_767_225_600_000
"""Milliseconds of the first made UUIDv7: 2026-01-01."""
_FIRST = ("region", "country", "position", "rank", "first_name", "last_name")
_LATE = ("email", "slug", "domain", "username", "website")
_FINISHED = ("closed", "finished", "completed", "resolved")


class RowMaker:
    """Makes the rows of one entity."""

    def __init__(
        self, model: TenantModel, portion: Portion, relatives: Relatives, seed: int, today: dt.date
    ) -> None:
        self.model, self.portion, self.relatives = model, portion, relatives
        self.entity = portion.entity
        self.seed, self.today = seed, today
        self.uniqueness = Uniqueness(self.entity)
        self.states = States(self.entity)
        self.rules = [
            (to_python(rule.rule), rule.rule.names) for rule in self.entity.rules if not rule.uses_old
        ]
        self.fields = sorted(
            (field for field in self.entity.fields.values() if _is_written(field, self.entity.key)),
            key=lambda field: _rank(field.name),
        )
        self.reference_fields = {field.name for field, _ in references(self.entity)}

    def make(self, index: int) -> Row | None:
        """Return the row of that number, or None when none fits."""
        for attempt in range(_ATTEMPTS):
            chance = random.Random(f"{self.seed}/{self.entity.name}/{index}/{attempt}")  # noqa: S311 - no secrets
            try:
                story = self._story(index, chance)
                row = self._row(story)
            except NoValueError:
                continue
            if row is not None and self.uniqueness.take(row):
                ordered = {name: row[name] for name in self.entity.fields if name in row}
                self.relatives.add(self.entity, ordered, story.moment)
                return ordered
        return None

    def _story(self, index: int, chance: random.Random) -> Story:
        parents = self.relatives.choose(self.entity, self.portion.later, index, chance)
        earliest = self.relatives.latest(self.entity, parents)
        own = f"{self.model.slug}.example" if self.entity.name == _USERS else ""
        story = Story(chance, self.entity.name, index, self.today, parents, {}, earliest, own)
        story.sibling = self._siblings(story)
        return story

    def _siblings(self, story: Story) -> int:
        """Return how many rows already refer to the same first parent."""
        for field, _ in references(self.entity):
            if field.required and field.name in story.parents and field.references is not None:
                key = story.parents[field.name][field.references.field]
                return len(self.relatives.many(self.entity.name, field.name, key))
        return story.index

    def _row(self, story: Story) -> Row | None:
        row = story.row
        for field in self.fields:
            if field.name in self.reference_fields:
                row[field.name] = self._key_of(field, story)
            elif self.states.workflow is None or field.name != self.states.field:
                row[field.name] = self._value(field, story)
        if self.states.workflow is not None:
            row[self.states.field] = self.states.first
            row[self.states.field] = self.states.walk(story, lambda: self._environment(row))
            self._forget_the_end(row)
        if self.entity.key not in row:
            row[self.entity.key] = self._key(story)
        self._sum_up(story)
        self.uniqueness.number(row)
        return row if self._obeys(row) or self._repaired(story) else None

    def _key(self, story: Story) -> object:
        if self.entity.fields[self.entity.key].generated == "identity":
            return story.index + 1
        bits = _FIRST_ID_MS + story.index << 80 | 7 << 76 | story.chance.getrandbits(12) << 64
        return str(uuid.UUID(int=bits | 2 << 62 | story.chance.getrandbits(62)))

    def _key_of(self, field: Field, story: Story) -> object:
        parent = story.parents.get(field.name)
        if parent is None or field.references is None:
            if field.required and field.name not in self.portion.later:
                raise NoValueError(field.name)
            return None
        return parent[field.references.field]

    def _value(self, field: Field, story: Story, *, optional: float = _OPTIONAL) -> object:
        if field.name == "role" and self.entity.name == _USERS and "enum" not in field.schema:
            return self._role(story)
        if not (field.required or field.has_default) and story.chance.random() > optional:
            return None
        try:
            return value(field.name, field.schema, story)
        except NoValueError:
            if field.required:
                raise
            return None

    def _role(self, story: Story) -> str | None:
        built_in = {ANONYMOUS_ROLE, AUTHENTICATED_ROLE}
        roles = sorted(
            (role for role in self.model.roles.values() if role.name not in built_in),
            key=lambda role: (role.name == ADMIN_ROLE, len(role.includes)),
        )
        return str(skewed(story.chance, [role.name for role in roles], first=5.0)) if roles else None

    def _sum_up(self, story: Story) -> None:
        """Let a total be the sum of its lines, and a payment a part of what it pays."""
        row = story.row
        for name, item in list(row.items()):
            if not (isinstance(item, list) and item and isinstance(item[0], dict)):
                continue
            for part in item[0]:
                field = self.entity.fields.get(part)
                if field is not None and field.kind in {"numeric", "double"} and part in row:
                    total = sum(float(line.get(part) or 0) for line in row[name])
                    row[part] = figures.fitted(total, field.schema, whole=False)
        if "amount" in row and self.entity.name.startswith(("payment", "refund", "instal")):
            owed = [
                parent[name]
                for parent in story.parents.values()
                for name in ("total", "net", "amount")
                if parent.get(name)
            ]
            if owed:
                share = story.chance.choice((1, 1, 1, 0.5, 0.5, 0.3))
                row["amount"] = figures.fitted(
                    owed[0] * share, self.entity.fields["amount"].schema, whole=False
                )

    def _forget_the_end(self, row: Row) -> None:
        """Leave out when something ended that has only begun."""
        if row[self.states.field] == self.states.first:
            for field in self.fields:
                if (
                    field.kind in {"date", "datetime"}
                    and field.name.startswith(_FINISHED)
                    and not field.required
                ):
                    row[field.name] = None

    def _environment(self, row: Row) -> Env:
        now = dt.datetime.combine(self.today, dt.time(12), tzinfo=dt.UTC)
        return Env(self=row, now=now, timezone=self.model.timezone, world=self.relatives)

    def _obeys(self, row: Row) -> bool:
        environment = self._environment(row)
        return all(rule(environment) is True for rule, _ in self.rules)

    def _repaired(self, story: Story) -> bool:
        """Make the fields of broken rules anew until all hold."""
        for _ in range(_REPAIRS):
            environment = self._environment(story.row)
            broken = [names for rule, names in self.rules if rule(environment) is not True]
            if not broken:
                return True
            for field in self.fields:
                if field.name in broken[0] and field.name not in self.reference_fields:
                    story.row[field.name] = self._value(field, story, optional=0.5)
        return self._obeys(story.row)


def _is_written(field: Field, key: str) -> bool:
    if field.computed is not None or field.generated in {"managed", "sequence", "uuid", "identity"}:
        return False
    return not field.read_only or field.name == key


def _rank(name: str) -> int:
    word = name.lower()
    return -1 if word in _FIRST else 1 if word.endswith(_LATE) else 0
