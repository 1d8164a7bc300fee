"""A parsed read to one statement whose answer PostgreSQL itself writes as JSON.

Decides the shape of the SQL: related rows are scalar subqueries, inner joins are EXISTS, so that no join
changes the number of rows. Pure; called by ``read_statement`` and ``write_statement``.
"""

from schemas.compiler.query.columns import Rows, base_type, cast
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.relationships import Relationship
from schemas.compiler.query.row_filter import RowFilter, not_embedded
from schemas.compiler.query.search import HIGHLIGHT, Search
from schemas.compiler.query.selected import ROW, Selected, Sorted, as_json, grouped, select
from schemas.compiler.query.syntax import Column, Embed, Everything, Item, Order, Path
from schemas.compiler.sql import Fragment, Slot, join, quote, sql

MAX_RELATED = 1000
_SUMMABLE = frozenset(
    {"integer", "int", "int4", "int8", "bigint", "smallint", "numeric", "float4", "float8", "real",
     "double precision", "interval"}
)  # fmt: skip
_HIGHLIGHTED = Column(Path(HIGHLIGHT))
_UNORDERED = frozenset({"uuid", "boolean", "bool", "json", "jsonb"})


class Reader(RowFilter):
    """Builds what is selected, and in which order."""

    def search(self, rows: Rows) -> Search | None:
        """Return what ``search=`` asks for; None without it.

        Raises:
            QueryError: query.not_searchable.
        """
        return None if self.query.search < 0 else Search(rows, self.query.search)

    def wanted(self, rows: Rows) -> list[Fragment]:
        """Return what the rows of the list meet: the caller's rules, the filters, the search.

        Raises:
            QueryError: a name that is not there, or a value that does not go with it.
        """
        search = self.search(rows)
        found = [*rows.predicate(), *self.filters(rows, self.query.level(()).filters, ())]
        return [*found, search.condition()] if search else found

    def selection(self, rows: Rows, items: tuple[Item, ...], path: tuple[str, ...] = ()) -> list[Selected]:
        """Return the keys of a row, in order; a later item wins over an earlier one of the same name."""
        found: list[Selected] = []
        for item in items:
            match item:
                case Everything():
                    names = [name for name in rows.entity.fields if name in rows.sight.fields]
                    found += [self._column(rows, Column(Path(name))) for name in names]
                case Column():
                    found.append(self._column(rows, item, path))
                case Embed():
                    found += self._embed(rows, item, path)
        unique = list({selected.name: selected for selected in found}.values())
        if grouped(unique) and not rows.sight.aggregates:
            raise QueryError("PGRST123", "Use of aggregate functions is not allowed")
        return unique

    def _column(self, rows: Rows, item: Column, path: tuple[str, ...] = ()) -> Selected:
        if not item.path.column:
            return Selected(item.alias or "count", sql("1"), "count", item.aggregate_cast)
        if item == _HIGHLIGHTED and not path and (search := self.search(rows)):
            return search.highlight(HIGHLIGHT)
        value, pg_type, found = rows.value(item.path)
        value = cast(value, item.cast, pg_type)
        name = item.path.steps[-1][1] if item.path.steps else item.path.column
        if item.path.steps and _is_index(name):
            named = [key for _, key in item.path.steps if not _is_index(key)]
            name = named[-1] if named else item.path.column
        if item.aggregate:
            _check_aggregate(item, item.cast or base_type(pg_type))
            return Selected(item.alias or item.aggregate, value, item.aggregate, item.aggregate_cast)
        shown = rows.visible(rows.sight.fields[found.name]) if rows.sight.masked(found.name) else None
        plain = None if item.cast else item.path
        return Selected(item.alias or name[:63], value, path=plain, json=item.cast == "json", shown=shown)

    def _embed(self, rows: Rows, item: Embed, path: tuple[str, ...]) -> list[Selected]:
        below = (*path, item.name)
        related, relation = self.enter(rows, item, below)
        inner = self.selection(related, item.items, below)
        if not inner:
            return []
        if item.spread:
            return self._spread(related, relation, rows, inner, below)
        body = self._level_select(related, relation, rows, inner, below)
        row = as_json(ROW, inner)
        if not relation.to_one:
            row = f"coalesce(json_agg({row}), '[]')"
        return [Selected(item.name, sql(f"(SELECT {row} FROM (", body, f") {ROW})"), json=True)]

    def _spread(
        self, related: Rows, relation: Relationship, rows: Rows, inner: list[Selected], below: tuple[str, ...]
    ) -> list[Selected]:
        """Return the related row's keys as keys of this row; its aggregates become this level's."""
        if relation.to_one:
            return self._beside(related, relation, rows, inner, below)
        alias = self.frame.alias()
        body = self._level_select(related, relation, rows, inner, below)
        return [
            Selected(
                one.name,
                sql(
                    f"(SELECT coalesce(json_agg({alias}.{quote(one.name)}), '[]') FROM (", body, f") {alias})"
                ),
                json=True,
            )
            for one in inner
        ]

    def _beside(
        self, related: Rows, relation: Relationship, rows: Rows, inner: list[Selected], below: tuple[str, ...]
    ) -> list[Selected]:
        """Return keys of the one related row, read once beside its row whatever is taken from it."""
        alias = self.frame.alias()
        taken = [Selected(one.name, one.value, json=one.json) for one in inner]
        masks = {one.name: f"?{number}" for number, one in enumerate(inner) if one.shown is not None}
        taken += [Selected(masks[one.name], one.shown) for one in inner if one.shown is not None]
        body = self._level_select(related, relation, rows, taken, below)
        self._joins.setdefault(rows.alias, []).append(sql(" LEFT JOIN LATERAL (", body, f") {alias} ON true"))
        return [
            Selected(
                one.name,
                sql(f"{alias}.{quote(one.name)}"),
                one.aggregate,
                one.aggregate_cast,
                json=one.json,
                # no related row hides nothing: its keys are null
                shown=sql(f"{alias}.{quote(masks[one.name])} IS NOT FALSE") if one.name in masks else None,
            )
            for one in inner
        ]

    def joins(self, rows: Rows) -> Fragment:
        """Return what is joined to rows, once their selection is made; it never changes their number."""
        return join("", self._joins.get(rows.alias, []))

    def _level_select(
        self, related: Rows, relation: Relationship, outer: Rows, inner: list[Selected], path: tuple[str, ...]
    ) -> Fragment:
        level = self.query.level(path)
        source, tie = self.source(related, relation, outer)
        where = [tie, *related.predicate(), *self.filters(related, level.filters, path)]
        cap = min(MAX_RELATED, related.sight.limit or MAX_RELATED)
        if relation.to_one:
            paging = sql(" LIMIT 1")
        elif level.limit >= 0:
            paging = sql(" LIMIT least(", Slot(level.limit, "bigint"), f", {cap})")
        else:
            paging = sql(f" LIMIT {cap}")
        if level.offset >= 0:
            paging = sql(paging, " OFFSET ", Slot(level.offset, "bigint"))
        order = self.order(related, level.order, path)
        return select(
            inner, sql(" FROM ", source, self.joins(related), " WHERE ", join(" AND ", where)), order, paging
        )

    def order(self, rows: Rows, keys: tuple[Order, ...], path: tuple[str, ...] = ()) -> list[Sorted]:
        """Return the sort keys of a level.

        Raises:
            QueryError: a field or relation that is not there, or one with several rows.
        """
        found: list[Sorted] = []
        for key in keys:
            suffix = (" DESC" if key.descending else "") + (f" {key.nulls}" if key.nulls else "")
            if key.relation:
                value, pg_type = self._ordered_by_relation(rows, key, path)
            elif self._names_selected(key, path):
                value, pg_type = sql("NULL"), ""
            else:
                value, pg_type, _ = rows.value(key.path)
            if pg_type == "json":
                value = sql(value, "::jsonb")
            found.append(Sorted(value, suffix, key.path, key.relation))
        return found

    def _names_selected(self, key: Order, path: tuple[str, ...]) -> bool:
        """Whether a level of groups is sorted by one of its keys, by the name it has in the answer."""
        shown = _shown(self.items_at(path))
        return any(item.aggregate for item in shown) and any(
            key.path.column == (item.alias or item.aggregate)
            for item in shown
            if item.alias or item.aggregate
        )

    def _ordered_by_relation(self, rows: Rows, key: Order, path: tuple[str, ...]) -> tuple[Fragment, str]:
        for item in self.items_at(path):
            if isinstance(item, Embed) and key.relation in {item.name, item.target}:
                embed = item
                break
        else:
            raise not_embedded(key.relation)
        related, relation = self.enter(rows, embed, (*path, embed.name))
        if not relation.to_one:
            raise QueryError(
                "PGRST118",
                f"A related order on '{key.relation}' is not possible",
                details=f"'{rows.entity.name}' and '{key.relation}' do not form a many-to-one"
                " or one-to-one relationship",
            )
        source, tie = self.source(related, relation, rows)
        value, pg_type, _ = related.value(key.path)
        condition = join(" AND ", [tie, *related.predicate()])
        return sql("(SELECT ", value, " FROM ", source, " WHERE ", condition, " LIMIT 1)"), pg_type


def _shown(items: tuple[Item, ...]) -> list[Column]:
    """Return the columns of a level, those that are spread into it included."""
    found = [item for item in items if isinstance(item, Column)]
    spread = (item.items for item in items if isinstance(item, Embed) and item.spread)
    return [*found, *(column for inner in spread for column in _shown(inner))]


def _is_index(key: str) -> bool:
    """Whether a key of a JSON path counts in a list; such a one names nothing."""
    return key.removeprefix("-").isdigit()


def _check_aggregate(item: Column, pg_type: str) -> None:
    fits = {
        "count": True,
        "sum": pg_type in _SUMMABLE,
        "avg": pg_type in _SUMMABLE,
    }.get(item.aggregate, pg_type not in _UNORDERED and not pg_type.endswith("[]"))
    if not fits:
        raise QueryError("42883", f"function {item.aggregate}({pg_type}) does not exist")
