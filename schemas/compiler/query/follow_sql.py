"""A read as a statement about recorded changes: which of them its caller sees, and as what.

Decides that a change is judged by the images of its row before and after, with the very conditions, rules and
masks of the read. Pure; called by ``compiler`` for those who follow a query.
"""

from msgspec import Struct

from schemas.compiler.model import Entity
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.read_sql import Reader
from schemas.compiler.query.selected import ROW, as_json, grouped, select
from schemas.compiler.query.shapes import Pairs, Shape, fill_read, parse_pairs, shape_of
from schemas.compiler.sql import Argument, Const, Slot, Statement, join, quote, sql, statement

_ELSEWHERE = frozenset({"offset", "after"})
_NO_MEDIA = ("json", False, False)


class Follow(Struct, frozen=True):
    """A read that can be asked about changes.

    Attributes:
        entity: whose rows are followed.
        statement: answers with ``seq``, ``was`` (the row was seen before), ``body`` (JSON text of the row as
            it is seen now, null when it is not) and ``key`` (JSON text) for each change.
        slots: literals; number ``numbers`` takes the list of changes.
        related: other entities the answer depends on.
    """

    entity: Entity
    statement: Statement
    slots: tuple[Argument, ...]
    numbers: int
    related: frozenset[str]

    def about(self, numbers: list[str | None]) -> tuple[Argument, ...]:
        """Return the literals for some changes, by their numbers."""
        return (*self.slots[: self.numbers], numbers, *self.slots[self.numbers + 1 :])


def compile_follow(reader: Reader, entity: Entity, pairs: Pairs) -> Follow:
    """Compile a read to follow it.

    Raises:
        QueryError: whatever is wrong with it, or not allowed; realtime.not_followed for a list that is
        not made of rows.
    """
    query, slots, dynamic = parse_pairs(pairs)
    reader.query = query
    reader.check_levels()
    rows = reader.rows(entity.name)
    level = query.level(())
    where = reader.wanted(rows)
    selected = reader.selection(rows, query.select)
    reader.order(rows, level.order)
    if grouped(selected) or query.after >= 0 or level.offset >= 0:
        raise QueryError(
            "realtime.not_followed",
            "groups and pages are not followed: only rows are",
            hint=f"leave out aggregates, {' and '.join(sorted(_ELSEWHERE))}",
        )
    if entity.key not in rows.sight.fields or rows.sight.masked(entity.key):
        raise QueryError(
            "realtime.not_followed", f"the caller cannot see '{entity.key}', which names the rows"
        )
    numbers = len(slots)
    slots.append(None)
    names = reader.frame.namespace
    table = reader.frame.table(entity.name)
    condition = sql(" AND ", join(" AND ", where)) if where else sql("")

    def image(name: str) -> str:
        return f" FROM jsonb_populate_record(NULL::{table}, c.{name}) {rows.alias}"

    after = sql(image("new"), reader.joins(rows), " WHERE c.new IS NOT NULL", condition)
    text = statement(
        sql(
            "SELECT c.seq, (c.old IS NOT NULL AND EXISTS (SELECT 1", image("old"), " WHERE true", condition,
            f")) AS was, (SELECT ({as_json(ROW, selected)})::text FROM (",
            select(selected, after, [], sql("")),
            f") {ROW}) AS body, (coalesce(c.new, c.old) -> ", Const(entity.key, "text"), ")::text AS key",
            f" FROM {quote(names)}._changes c WHERE c.seq = ANY(", Slot(numbers, "bigint[]"),
            ") ORDER BY c.seq",
        )
    )  # fmt: skip
    shape = Shape(text, _NO_MEDIA, (), (), dynamic, tuple(slots))
    filled = fill_read(shape, shape_of(pairs)[1], None, "", b"")
    used = {
        name
        for name in reader.frame.model.entities
        if name != entity.name and reader.frame.table(name) in text.text
    }
    return Follow(entity, text, filled.slots, numbers, frozenset(used))
