"""What one row is about: a person, a place, a company and a moment that all its values agree on.

Decides the coherence of a row, never a field's value. Made by ``rows``; read by ``texts``, ``figures`` and
``moments``.
"""

import datetime as dt
import random
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from actors.seed import vocabulary
from actors.seed.places import PLACES, Place

Row: TypeAlias = dict[str, Any]
WINDOW_DAYS = 3 * 365
"""How far back the first rows lie."""


@dataclass
class Story:
    """One row's background.

    Attributes:
        chance: the entity's random numbers.
        entity: the entity's name.
        index: the row's number, from 0.
        today: the day the data is made for.
        parents: the rows it refers to, by field.
        row: the values so far.
        earliest: when the youngest of the parents began.
        own_domain: the domain of the tenant's own people, for users.
        sibling: how many rows its first parent has already.
    """

    chance: random.Random
    entity: str
    index: int
    today: dt.date
    parents: Mapping[str, Row] = field(default_factory=dict)
    row: Row = field(default_factory=dict)
    earliest: dt.datetime | None = None
    own_domain: str = ""
    sibling: int = 0

    @cached_property
    def moment(self) -> dt.datetime:
        """When it began: after everything it refers to, more often lately than long ago."""
        end = dt.datetime.combine(self.today, dt.time(), tzinfo=dt.UTC)
        start = self.earliest or end - dt.timedelta(days=WINDOW_DAYS)
        days = max(0, (end - start).days)
        skew = self.chance.random() ** 0.7 if self.earliest is None else self.chance.random() ** 1.6
        day = (start + dt.timedelta(days=int(days * skew))).date()
        clock = dt.time(self.chance.randint(8, 17), self.chance.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)))
        return dt.datetime.combine(day, clock, tzinfo=dt.UTC)

    @cached_property
    def place(self) -> Place:
        """Where it is, as the row's country or region says if it has one."""
        country, region = self.row.get("country"), self.row.get("region")
        fitting = [
            place
            for place in PLACES
            if country in {None, place.country, place.country_name} and region in {None, place.region}
        ]
        return self.chance.choice(fitting or PLACES)

    @cached_property
    def first_name(self) -> str:
        """The first name of its person."""
        return self.chance.choice(vocabulary.FIRST_NAMES)

    @cached_property
    def last_name(self) -> str:
        """The last name of its person."""
        return self.chance.choice(vocabulary.LAST_NAMES)

    @cached_property
    def company(self) -> str:
        """The company it is about, that of a parent if one is named like a company."""
        for parent in self.parents.values():
            if isinstance(name := parent.get("name"), str) and not name.islower():
                return name
        return company(self.chance)

    @property
    def age(self) -> int:
        """Days since it began."""
        return (self.today - self.moment.date()).days

    @property
    def is_person(self) -> bool:
        """Whether rows of the entity are people."""
        word = self.entity.lower().rpartition("_")[2]
        return word.startswith(vocabulary.PERSON_STEMS) and not self.is_company

    @property
    def is_company(self) -> bool:
        """Whether rows of the entity are companies."""
        return self.entity.lower().rpartition("_")[2].startswith(vocabulary.COMPANY_STEMS_OF_ENTITIES)

    def domain(self) -> str:
        """Return a reserved domain of its company, which nobody can receive mail at."""
        if self.own_domain:
            return self.own_domain
        name = self.row.get("name") if self.is_company else self.company
        words = [word for word in slug(str(name or self.company)).split("-") if word not in _FORMS]
        return "-".join(words[:2]) + ".example"


_FORMS = {form.lower().strip(".") for form in vocabulary.COMPANY_FORMS.values()}


def company(chance: random.Random, form: str = "") -> str:
    """Return a company's name."""
    stem, kind = chance.choice(vocabulary.COMPANY_STEMS), chance.choice(vocabulary.COMPANY_KINDS)
    name = f"{stem} {kind}" if chance.random() < 0.8 else f"{stem} & {chance.choice(vocabulary.LAST_NAMES)}"
    return f"{name} {form}" if form and chance.random() < 0.4 else name


def slug(text: str) -> str:
    """Return a text in lower-case ASCII letters, digits and single hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split()) or "x"
