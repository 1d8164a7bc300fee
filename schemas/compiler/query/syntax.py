"""A parsed query, before anything is known of the tenant: names as written, literals as slots.

Made by ``parse``, resolved by ``read_sql`` and ``write_sql``. Literals never appear here, only their slot
numbers, so that equal shapes are equal values.
"""

from typing import TypeAlias

from msgspec import Struct


class Path(Struct, frozen=True):
    """A column, into its JSON if ``steps``; each step is (``->`` or ``->>``, key)."""

    column: str
    steps: tuple[tuple[str, str], ...] = ()


class Column(Struct, frozen=True):
    """A selected column or aggregate; ``column`` is "" for ``count()``."""

    path: Path
    alias: str = ""
    cast: str = ""
    aggregate: str = ""
    aggregate_cast: str = ""


class Embed(Struct, frozen=True):
    """A selected relation."""

    target: str
    items: "tuple[Item, ...]"
    alias: str = ""
    hint: str = ""
    inner: bool = False
    spread: bool = False

    @property
    def name(self) -> str:
        """What filters call it, and its key in the answer."""
        return self.alias or self.target


class Everything(Struct, frozen=True):
    """``*``."""


Item: TypeAlias = Column | Embed | Everything


class Condition(Struct, frozen=True):
    """``path.not.op(any).value``; ``slot`` is the value's number, ``slots`` those of a list."""

    path: Path
    operator: str
    negated: bool = False
    quantifier: str = ""
    argument: str = ""
    slot: int = -1
    slots: tuple[int, ...] = ()
    word: str = ""


class Logic(Struct, frozen=True):
    """``and`` or ``or`` of conditions."""

    operator: str
    items: "tuple[Filter, ...]"
    negated: bool = False


Filter: TypeAlias = Condition | Logic


class Order(Struct, frozen=True):
    """One sort key; ``relation`` is the to-one embed it is read from."""

    path: Path
    descending: bool = False
    nulls: str = ""
    relation: str = ""


class Level(Struct, frozen=True):
    """What the query says about one level: the root, or an embed."""

    filters: tuple[Filter, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = -1
    offset: int = -1


class ReadQuery(Struct, frozen=True):
    """A whole query string.

    Attributes:
        levels: by embed path, ``()`` for the root.
        limit, offset of a level: slot numbers, -1 when absent.
        search, after, as_of: slot numbers, -1 when absent.
    """

    select: tuple[Item, ...] = (Everything(),)
    levels: tuple[tuple[tuple[str, ...], Level], ...] = ()
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] = ()
    search: int = -1
    after: int = -1
    as_of: int = -1

    def level(self, path: tuple[str, ...]) -> Level:
        """Return what is said about an embed."""
        for known, level in self.levels:
            if known == path:
                return level
        return Level()
