"""Compiled requests without their literals, so that requests that differ only in literals share a statement.

Decides what is a literal: the value of a plain ``column=operator.value``, paging, the key in the path, a
cursor. Pure; called by ``compiler`` and the statement builders.
"""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.compiler.model import Rule
from schemas.compiler.query.cursors import unseal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.parse import COMPARISONS, SINGLE, Parser
from schemas.compiler.query.requests import Prepared
from schemas.compiler.query.syntax import ReadQuery
from schemas.compiler.sql import Argument, Statement

MAX_OFFSET = 100_000
Pairs: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A compiled request without its literals.

    Attributes:
        dynamic: (slot, number of the pair) of literals that come from this request's pairs.
        fixed: slots as they were when the shape was compiled.
        limit, offset: slots of paging, -1 when absent.
        key_slot: slot of the key in the path, -1 when absent.
        scope: of the cursors it makes and takes, "" for none.
        after: first slot, number of slots and number of the pair of a cursor; None without.
    """

    statement: Statement
    media: tuple[str, bool, bool]
    columns: tuple[str, ...]
    deprecated: tuple[tuple[str, str], ...]
    dynamic: tuple[tuple[int, int], ...]
    fixed: tuple[Argument, ...]
    limit: int = -1
    offset: int = -1
    key_slot: int = -1
    process_rules: tuple[Rule, ...] = ()
    scope: str = ""
    after: tuple[int, int, int] | None = None

    def fill(self, slots: tuple[Argument, ...], offset: int = 0, limit: int | None = None) -> Prepared:
        """Return the statement with its literals."""
        media, singular, strip = self.media
        return Prepared(
            self.statement, slots, media, singular, strip, self.columns, self.deprecated, offset, limit,
            self.process_rules, self.scope,
        )  # fmt: skip


def shape_of(pairs: Pairs) -> tuple[tuple[str, ...], list[str]]:
    """Return what tells the shapes of queries apart, and the values with plain ones cut to the literal."""
    shape: list[str] = []
    values: list[str] = []
    for key, value in pairs:
        operator, dot, literal = value.partition(".")
        shape.append(key)
        if key in {"limit", "offset"}:
            values.append(value)
        elif key == "after":
            shape.append("." if value else "")
            values.append(value)
        elif dot and operator in COMPARISONS and key not in SINGLE and not _special(key):
            shape.append(operator)
            values.append(literal)
        else:
            shape.append(value)
            values.append(value)
    return tuple(shape), values


def parse_pairs(
    pairs: Pairs, reserved: int = 0
) -> tuple[ReadQuery, list[Argument], tuple[tuple[int, int], ...]]:
    """Parse a query; return it with its slots, and those of them that are literals of pairs."""
    parser = Parser()
    parser.slots.extend([None] * reserved)
    dynamic: list[tuple[int, int]] = []
    for number, (key, value) in enumerate(pairs):
        before = len(parser.slots)
        parser.add(key, value)
        operator, dot, _ = value.partition(".")
        if key in {"limit", "offset"} or (
            dot and operator in COMPARISONS and key not in SINGLE and not _special(key)
        ):
            dynamic.append((before, number))
    return parser.finish(), parser.slots, tuple(dynamic)


def fill_read(shape: Shape, values: list[str], key: str | None, range_: str, secret: bytes) -> Prepared:
    """Return a read with this request's literals.

    Raises:
        QueryError: paging that is no number or too far, a cursor that is not ours.
    """
    slots = list(shape.fixed)
    for slot, number in shape.dynamic:
        slots[slot] = values[number]
    if shape.key_slot >= 0:
        slots[shape.key_slot] = key
    if shape.after is not None:
        first, count, number = shape.after
        slots[first : first + count] = unseal(secret, shape.scope, values[number], count)
    limit = _whole(slots[shape.limit], "limit") if shape.limit >= 0 else None
    offset = (_whole(slots[shape.offset], "offset") or 0) if shape.offset >= 0 else 0
    if range_ and shape.limit >= 0 and shape.offset >= 0:
        offset, limit = _range(range_, offset, limit)
        slots[shape.limit], slots[shape.offset] = (None if limit is None else str(limit)), str(offset)
    if offset > MAX_OFFSET:
        raise QueryError(
            "PGRST103",
            f"Requested range not satisfiable: offset is at most {MAX_OFFSET}",
            hint="page with after= instead",
        )
    return shape.fill(tuple(slots), offset, limit)


def _special(key: str) -> bool:
    return "." in key or key in {"and", "or", "not"}


def _whole(value: Argument, what: str) -> int | None:
    if value is None:
        return None
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16):
        raise QueryError("PGRST100", f"{what} is a whole number, not negative")
    return int(value)


def _range(text: str, offset: int, limit: int | None) -> tuple[int, int | None]:
    first, dash, last = text.strip().removeprefix("items=").partition("-")
    if not dash or not _digits(first) or (last and not _digits(last)):
        return offset, limit
    if last and int(last) < int(first):
        raise QueryError(
            "PGRST103",
            "Requested range not satisfiable",
            details="The lower boundary must be lower than or equal to the upper boundary "
            "in the Range header.",
        )
    wanted = int(last) - int(first) + 1 if last else None
    sizes = [size for size in (wanted, limit) if size is not None]
    return max(offset, int(first)), min(sizes) if sizes else None


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
