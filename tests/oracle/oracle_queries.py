"""Requests of the oracle, as values that know how they are written in a query string."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.oracle.oracle_schema import Doc


@dataclass(frozen=True)
class Cond:
    """A condition on a field, or (``is``) on an embed's name."""

    name: str
    operator: str
    value: Any = None
    negated: bool = False

    def text(self) -> str:
        """As ``operator.value``."""
        value = self.value
        said = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
        if self.operator == "in":
            said = f"({','.join(str(item) for item in value)})"
        return f"{'not.' if self.negated else ''}{self.operator}.{said}"


@dataclass(frozen=True)
class Group:
    """Conditions joined by ``and`` or ``or``."""

    operator: str
    items: tuple["Test", ...]
    negated: bool = False

    def text(self) -> str:
        """As ``(a.eq.1,or(...))``."""
        parts = [
            f"{'not.' if item.negated else ''}{item.operator}{item.text()}"
            if isinstance(item, Group)
            else f"{item.name}.{item.text()}"
            for item in self.items
        ]
        return f"({','.join(parts)})"


Test: TypeAlias = Cond | Group


@dataclass(frozen=True)
class Level:
    """Filters, order and paging of a level; an order key is (name, ``.desc.nullslast`` or the like)."""

    tests: tuple[Test, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    offset: int = 0

    def pairs(self, prefix: str = "") -> list[str]:
        """As query parameters."""
        found = [
            f"{prefix}{'not.' if test.negated else ''}{test.operator}={test.text()}"
            if isinstance(test, Group)
            else f"{prefix}{test.name}={test.text()}"
            for test in self.tests
        ]
        if self.order:
            found.append(f"{prefix}order={','.join(name + suffix for name, suffix in self.order)}")
        if self.limit is not None:
            found.append(f"{prefix}limit={self.limit}")
        return [*found, f"{prefix}offset={self.offset}"] if self.offset else found


@dataclass(frozen=True)
class Key:
    """A key of an answer row: a field, or an aggregate of one (``count`` of none); ``*`` is every field."""

    name: str
    alias: str
    function: str = ""

    def text(self) -> str:
        """As in ``select``."""
        if self.name == "*":
            return "*"
        call = (
            f"{self.name}.{self.function}()" if self.name and self.function else f"{self.name or 'count()'}"
        )
        return f"{self.alias}:{call}"


@dataclass(frozen=True)
class Embed:
    """Related rows. ``child`` holds ``column``; ``up`` is the way from the child to its parent.

    ``far`` is the child's other column, where the child only joins a row to the target's rows.
    """

    alias: str
    child: str
    column: str
    target: str
    up: bool
    items: tuple["Item", ...]
    level: Level = Level()
    inner: bool = False
    spread: bool = False
    far: str = ""

    def text(self) -> str:
        """As in ``select``."""
        inside = ",".join(item.text() for item in self.items)
        way = f"{self.target}!{self.child}" if self.far else f"{self.child}!{self.column}"
        name = self.column.removesuffix("_id") if self.up else way
        head = "..." if self.spread else f"{self.alias}:"
        return f"{head}{name}{'!inner' if self.inner else ''}({inside})"


Item: TypeAlias = Key | Embed


@dataclass(frozen=True)
class Ask:
    """A request; ``verb`` is read, insert, upsert, ignore, replace, update or delete.

    ``defaults`` asks for defaults where a row misses what another one has, instead of null;
    ``conflict`` names the fields by which an upsert knows a row; ``paged`` reads go through all pages by their cursors.
    """

    verb: str
    entity: str
    items: tuple[Item, ...] = ()
    level: Level = Level()
    key: str | None = None
    counts: bool = False
    rows: tuple[Doc, ...] = ()
    shows: bool = True
    defaults: bool = False
    paged: bool = False
    conflict: tuple[str, ...] = ()

    def query(self) -> str:
        """The query string."""
        parts = [f"select={','.join(item.text() for item in self.items)}"] if self.items else []
        parts += [f"on_conflict={','.join(self.conflict)}"] if self.conflict else []
        parts += self.level.pairs()
        return "&".join([*parts, *_below(self.items, "")])


def _below(items: tuple[Item, ...], prefix: str) -> list[str]:
    found: list[str] = []
    for item in items:
        if isinstance(item, Embed):
            name = item.column.removesuffix("_id") if item.spread else item.alias
            found += [*item.level.pairs(f"{prefix}{name}."), *_below(item.items, f"{prefix}{name}.")]
    return found
