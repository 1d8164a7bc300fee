"""What may be there only once: fields, and fields together.

Decides how a text that is taken is told apart. Called by ``rows``.
"""

from typing import Any

import re2

from actors.seed.story import Row
from schemas.compiler.model import Entity, Field


class Uniqueness:
    """The values taken so far in one entity."""

    def __init__(self, entity: Entity) -> None:
        singles = [(field.name,) for field in entity.fields.values() if field.unique]
        indexes = [index.fields for index in entity.indexes if index.unique]
        self.entity = entity
        self._taken: dict[tuple[str, ...], set[tuple[Any, ...]]] = {
            names: set() for names in ((entity.key,), *singles, *entity.unique, *indexes)
        }
        self._counts: dict[tuple[str, str], int] = {}

    def number(self, row: Row) -> None:
        """Give texts that are taken a number."""
        for names, taken in self._taken.items():
            for name in names if _of(row, names) in taken else ():
                text = row.get(name)
                field = self.entity.fields[name]
                if (
                    isinstance(text, str)
                    and field.kind == "text"
                    and "enum" not in field.schema
                    and not field.references
                ):
                    row[name] = self._numbered(field, text)
                    break

    def take(self, row: Row) -> bool:
        """Take the row's values; False, and nothing taken, when some are taken already."""
        values = {names: _of(row, names) for names in self._taken}
        if any(value in self._taken[names] for names, value in values.items() if value is not None):
            return False
        for names, value in values.items():
            if value is not None:
                self._taken[names].add(value)
        return True

    def _numbered(self, field: Field, text: str) -> str:
        count = self._counts.get((field.name, text), 1) + 1
        self._counts[field.name, text] = count
        head, at, tail = text.partition("@")
        if not at and " " not in text and "." in text:
            head, at, tail = text.partition(".")
        joint = "" if at == "@" else "-" if at else " "
        made = f"{head}{joint}{count}{at}{tail}"
        pattern = field.schema.get("pattern")
        fits = len(made) <= field.schema.get("maxLength", len(made)) and (
            not pattern or re2.search(pattern, made)
        )
        return made if fits else text


def _of(row: Row, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Return the row's values, texts without case; None when one is absent: then it is unique anyway."""
    values = tuple(row.get(name) for name in names)
    if any(value is None for value in values):
        return None
    return tuple(value.lower() if isinstance(value, str) else value for value in values)
