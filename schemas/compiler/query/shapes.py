"""Compiled requests without their literals, so that requests that differ only in literals share a statement.

Decides what is a literal: the value of a filter, paging, the key in the path, a cursor. Pure; called by
``compiler`` and the statement builders.
"""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from schemas.compiler.model import Rule
from schemas.compiler.query.cursors import unseal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.parse import COMPARISONS, SINGLE, TEXT_SEARCH, Parser, whole_number
from schemas.compiler.query.regex import REGEXES, regex
from schemas.compiler.query.requests import Prepared
from schemas.compiler.query.scan import elements
from schemas.compiler.query.syntax import ReadQuery
from schemas.compiler.query.tsquery import check_tsquery
from schemas.compiler.sql import Argument, Statement

MAX_OFFSET = 100_000
_PLAIN = frozenset({"limit", "offset", "search", "as_of"})
"""Parameters that are one literal."""
Pairs: TypeAlias = list[tuple[str, str]]
Values: TypeAlias = Sequence[Argument]
"""Literals of a request: one for each pair, then those of its logic trees and embedded levels."""


class Shape(Struct, frozen=True):
    """A compiled request without its literals.

    Attributes:
        dynamic: (slot, number of the value) of literals that come from this request's pairs.
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

    def bare(self) -> "Shape":
        """Return the shape without the literals it was compiled with, to be kept."""
        slots = list(self.fixed)
        for slot, _ in self.dynamic:
            slots[slot] = [] if isinstance(slots[slot], list) else ""
        return replace(self, fixed=tuple(slots))

    def fill(self, slots: tuple[Argument, ...], offset: int = 0, limit: int | None = None) -> Prepared:
        """Return the statement with its literals."""
        media, singular, strip = self.media
        return Prepared(
            self.statement, slots, media, singular, strip, self.columns, self.deprecated, offset, limit,
            self.process_rules, self.scope,
        )  # fmt: skip


def shape_of(pairs: Pairs) -> tuple[tuple[str, ...], list[Argument]]:
    """Return what tells the shapes of queries apart, and their literals."""
    shape: list[str] = []
    values: list[Argument] = []
    more: list[Argument] = []
    for key, value in pairs:
        operator, dot, literal = value.partition(".")
        shape.append(key)
        if key in _PLAIN:
            values.append(value)
        elif key == "after":
            shape.append("." if value else "")
            values.append(value)
        elif key in SINGLE:
            shape.append(value)
            values.append(value)
        elif _special(key):
            parser = Parser()
            parser.add(key, value)
            shape.append(repr(parser.finish().levels))  # its literals are numbers of slots there
            values.append(None)
            more += parser.slots
        elif dot and operator in COMPARISONS:
            shape.append(operator)
            values.append(regex(literal) if operator in REGEXES else literal)
        elif dot and (head := _head(value)):
            shape.append(head)
            literal = value[len(head) :]
            values.append(regex(literal) if head.endswith("match.") else literal)
            if head.endswith("fts.") and head[-5:-4] in {"", "."}:
                check_tsquery(value[len(head) :])
        else:
            shape.append(value)
            values.append(value)
    return tuple(shape), [*values, *more]


def parse_pairs(
    pairs: Pairs, reserved: int = 0
) -> tuple[ReadQuery, list[Argument], tuple[tuple[int, int], ...]]:
    """Parse a query; return it with its slots, and those of them that are literals of pairs."""
    parser = Parser()
    parser.slots.extend([None] * reserved)
    dynamic: list[tuple[int, int]] = []
    beyond = len(pairs)
    for number, (key, value) in enumerate(pairs):
        before = len(parser.slots)
        parser.add(key, value)
        added = len(parser.slots) - before
        if key in _PLAIN or (key not in SINGLE and not _special(key) and _literal(value)):
            dynamic.append((before, number))
        elif key not in SINGLE and _special(key):
            dynamic += [(before + place, beyond + place) for place in range(added)]
            beyond += added
    return parser.finish(), parser.slots, tuple(dynamic)


def fill_read(shape: Shape, values: Values, key: str | None, range_: str, secret: bytes) -> Prepared:
    """Return a read with this request's literals.

    Raises:
        QueryError: paging that is no number or too far, a cursor that is not ours.
    """
    slots = list(shape.fixed)
    for slot, number in shape.dynamic:
        literal = values[number]
        words = isinstance(slots[slot], list) and isinstance(literal, str)
        slots[slot] = [*elements(str(literal), "(", ")", "filter")] if words else literal
    if shape.key_slot >= 0:
        slots[shape.key_slot] = key
    if shape.after is not None:
        first, count, number = shape.after
        slots[first : first + count] = unseal(secret, shape.scope, str(values[number]), count)
    limit = _number(slots, shape.limit, "limit")
    offset = _number(slots, shape.offset, "offset") or 0
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


def _head(value: str) -> str:
    """Return ``not.``, operator and dot of a value whose rest is one literal, else ""."""
    negation = "not." if value.startswith("not.") else ""
    operator, _, _ = value[len(negation) :].partition(".")
    single = operator in COMPARISONS or operator == "in" or operator in TEXT_SEARCH
    return f"{negation}{operator}." if single and len(value) > len(negation) + len(operator) else ""


def _literal(value: str) -> bool:
    operator, dot, _ = value.partition(".")
    return bool(dot) and (operator in COMPARISONS or bool(_head(value)))


def _special(key: str) -> bool:
    return "." in key or key in {"and", "or", "not"}


def _number(slots: list[Argument], place: int, what: str) -> int | None:
    return None if place < 0 or slots[place] is None else whole_number(slots[place], what)


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
