"""A parsed read to one statement whose answer PostgreSQL itself writes as JSON.

Decides the shape of the SQL: related rows are scalar subqueries, inner joins are EXISTS, so that no join changes the
number of rows. Every relation is checked against the caller's own read rules. Pure; called by ``compiler``.
"""

from collections.abc import Mapping

from schemas.compiler.layout import search_document
from schemas.compiler.migrate.catalog import render
from schemas.compiler.query.access import sight_of
from schemas.compiler.query.columns import Frame, Rows, answers, base_type, cast
from schemas.compiler.query.conditions import predicate
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.relationships import Relationship, find
from schemas.compiler.query.selected import ROW, Selected, Sorted, as_json, grouped, select
from schemas.compiler.query.syntax import (
    Column,
    Condition,
    Embed,
    Everything,
    Filter,
    Item,
    Logic,
    Order,
    Path,
    ReadQuery,
)
from schemas.compiler.sql import Fragment, Slot, join, quote, sql

MAX_EMBEDS = 20
MAX_DEPTH = 4
MAX_RELATED = 1000
_SUMMABLE = frozenset({"integer", "int", "int4", "int8", "bigint", "smallint", "numeric", "float4", "float8", "real", "double precision", "interval"})
_UNORDERED = frozenset({"uuid", "boolean", "bool", "json", "jsonb"})


class Reader:
    """Builds the parts of one statement.

    Args:
        frame: the statement's own.
        query: what was asked.
        roles: the caller's.
        known: relationships by entity.
    """

    def __init__(
        self,
        frame: Frame,
        query: ReadQuery,
        roles: frozenset[str],
        known: Mapping[str, tuple[Relationship, ...]],
    ) -> None:
        self.frame = frame
        self.query = query
        self.roles = roles
        self._known = known

    def rows(self, name: str, alias: str | None = None) -> Rows:
        """Return a new use of an entity.

        Raises:
            QueryError: 42501 when the caller may not read it.
        """
        entity = self.frame.model.entities[name]
        return Rows(self.frame, entity, alias or self.frame.alias(), sight_of(entity, self.roles))

    # -- what is selected -------------------------------------------------------------------------------------------

    def selection(self, rows: Rows, items: tuple[Item, ...], path: tuple[str, ...] = ()) -> list[Selected]:
        """Return the keys of a row, in order; a later item wins over an earlier one of the same name."""
        found: list[Selected] = []
        for item in items:
            match item:
                case Everything():
                    names = [name for name in rows.entity.fields if name in rows.sight.fields]
                    found += [self._column(rows, Column(Path(name))) for name in names]
                case Column():
                    found.append(self._column(rows, item))
                case Embed():
                    found += self._embed(rows, item, path)
        unique = list({selected.name: selected for selected in found}.values())
        if grouped(unique) and not rows.sight.aggregates:
            raise QueryError("PGRST123", "Use of aggregate functions is not allowed")
        return unique

    def _column(self, rows: Rows, item: Column) -> Selected:
        if not item.path.column:
            return Selected(item.alias or "count", sql("1"), "count", item.aggregate_cast)
        value, pg_type, found = rows.value(item.path)
        value = cast(value, item.cast, pg_type)
        name = item.path.steps[-1][1] if item.path.steps else item.path.column
        if item.path.steps and name.isdigit():
            named = [key for _, key in item.path.steps if not key.isdigit()]
            name = named[-1] if named else item.path.column
        if item.aggregate:
            _check_aggregate(item, item.cast or base_type(pg_type))
            return Selected(item.alias or item.aggregate, value, item.aggregate, item.aggregate_cast)
        shown = rows.visible(rows.sight.fields[found.name]) if rows.sight.masked(found.name) else None
        path = None if item.cast else item.path
        return Selected(item.alias or name[:63], value, path=path, json=item.cast == "json", shown=shown)

    def _embed(self, rows: Rows, item: Embed, path: tuple[str, ...]) -> list[Selected]:
        below = (*path, item.name)
        related, relation = self._enter(rows, item, below)
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
        """Return the related row's keys as keys of this row; aggregates of a related row become this level's."""
        if relation.to_one:
            return [
                Selected(
                    one.name,
                    sql("(", self._level_select(related, relation, rows, [Selected(one.name, one.value)], below), ")"),
                    one.aggregate,
                    one.aggregate_cast,
                    json=one.json,
                )
                for one in inner
            ]
        alias = self.frame.alias()
        body = self._level_select(related, relation, rows, inner, below)
        return [
            Selected(
                one.name,
                sql(f"(SELECT coalesce(json_agg({alias}.{quote(one.name)}), '[]') FROM (", body, f") {alias})"),
                json=True,
            )
            for one in inner
        ]

    def _enter(self, rows: Rows, item: Embed, below: tuple[str, ...]) -> tuple[Rows, Relationship]:
        self.frame.embeds += 1
        if self.frame.embeds > MAX_EMBEDS or len(below) > MAX_DEPTH:
            raise QueryError("query.too_deep", f"at most {MAX_EMBEDS} relations, {MAX_DEPTH} deep")
        target = self._entity_name(item.target)
        relation = find(self._known[rows.entity.name], rows.entity.name, target, item.hint)
        return self.rows(relation.target), relation

    def _entity_name(self, name: str) -> str:
        return resolve_entity(self.frame, name) or name

    # -- one level --------------------------------------------------------------------------------------------------

    def _level_select(
        self, related: Rows, relation: Relationship, outer: Rows, inner: list[Selected], path: tuple[str, ...]
    ) -> Fragment:
        level = self.query.level(path)
        source, tie = self._source(related, relation, outer)
        where = [tie, *related.predicate(), *self.filters(related, level.filters, path)]
        if relation.to_one:
            paging = sql(" LIMIT 1")
        elif level.limit >= 0:
            paging = sql(" LIMIT least(", Slot(level.limit, "bigint"), f", {MAX_RELATED})")
        else:
            paging = sql(f" LIMIT {MAX_RELATED}")
        if level.offset >= 0:
            paging = sql(paging, " OFFSET ", Slot(level.offset, "bigint"))
        order = self.order(related, level.order, path)
        return select(inner, sql(" FROM ", source, " WHERE ", join(" AND ", where)), order, paging)

    def _source(self, related: Rows, relation: Relationship, outer: Rows) -> tuple[Fragment, Fragment]:
        table = f"{self.frame.table(related.entity.name)} {related.alias}"
        near = f"{outer.alias}.{quote(relation.source_column)}"
        far = f"{related.alias}.{quote(relation.target_column)}"
        if relation.kind != "through":
            return sql(table), sql(f"{far} = {near}")
        junction = self.rows(relation.junction)
        join_on = [sql(f"{junction.alias}.{quote(relation.far)} = {far}"), *junction.predicate()]
        source = sql(
            f"{table} JOIN {self.frame.table(relation.junction)} {junction.alias} ON ", join(" AND ", join_on)
        )
        return source, sql(f"{junction.alias}.{quote(relation.near)} = {near}")

    def filters(self, rows: Rows, filters: tuple[Filter, ...], path: tuple[str, ...]) -> list[Fragment]:
        """Return the predicates of a level, those on embedded relations included."""
        found = [self._filter(rows, item, path) for item in filters]
        items = self._items_at(path)
        for embed in (item for item in items if isinstance(item, Embed)):
            if embed.inner:
                found.append(self._exists(rows, embed, (*path, embed.name)))
        return found

    def _filter(self, rows: Rows, item: Filter, path: tuple[str, ...]) -> Fragment:
        if isinstance(item, Logic):
            if not item.items:
                return sql("true")
            inner = sql(
                "(",
                join(f" {item.operator.upper()} ", [self._filter(rows, part, path) for part in item.items]),
                ")",
            )
            return sql("NOT ", inner) if item.negated else inner
        embed = self._embed_named(path, item)
        if embed is not None:
            exists = self._exists(rows, embed, (*path, embed.name))
            wants_none = (item.word == "null") != item.negated
            return sql("NOT ", exists) if wants_none else exists
        return predicate(item, rows)

    def _embed_named(self, path: tuple[str, ...], item: Condition) -> Embed | None:
        """Return the embed that ``relation=is.null`` speaks of."""
        if item.operator != "is" or item.path.steps or item.word not in {"null", "not_null"}:
            return None
        for embed in self._items_at(path):
            if isinstance(embed, Embed) and item.path.column in {embed.name, embed.target}:
                return embed
        return None

    def _exists(self, rows: Rows, embed: Embed, path: tuple[str, ...]) -> Fragment:
        related, relation = self._enter(rows, embed, path)
        source, tie = self._source(related, relation, rows)
        level = self.query.level(path)
        where = [tie, *related.predicate(), *self.filters(related, level.filters, path)]
        return sql("EXISTS (SELECT 1 FROM ", source, " WHERE ", join(" AND ", where), ")")

    def _embed_at(self, path: tuple[str, ...]) -> Embed | None:
        items = self.query.select
        found: Embed | None = None
        for name in path:
            found = next((item for item in items if isinstance(item, Embed) and item.name == name), None)
            if found is None:
                return None
            items = found.items
        return found

    def _items_at(self, path: tuple[str, ...]) -> tuple[Item, ...]:
        embed = self._embed_at(path)
        return self.query.select if not path else embed.items if embed else ()

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
            elif self._names_aggregate(key, path):
                value, pg_type = sql("NULL"), ""
            else:
                value, pg_type, _ = rows.value(key.path)
            if pg_type == "json":
                value = sql(value, "::jsonb")
            found.append(Sorted(value, suffix, key.path, key.relation))
        return found

    def _names_aggregate(self, key: Order, path: tuple[str, ...]) -> bool:
        return any(
            isinstance(item, Column) and item.aggregate and key.path.column == (item.alias or item.aggregate)
            for item in self._items_at(path)
        )

    def _ordered_by_relation(self, rows: Rows, key: Order, path: tuple[str, ...]) -> tuple[Fragment, str]:
        for item in self._items_at(path):
            if isinstance(item, Embed) and key.relation in {item.name, item.target}:
                embed = item
                break
        else:
            raise _not_embedded(key.relation)
        related, relation = self._enter(rows, embed, (*path, embed.name))
        if not relation.to_one:
            raise QueryError(
                "PGRST118",
                f"A related order on '{key.relation}' is not possible",
                details=f"'{rows.entity.name}' and '{key.relation}' do not form a many-to-one or one-to-one relationship",
            )
        source, tie = self._source(related, relation, rows)
        value, pg_type, _ = related.value(key.path)
        condition = join(" AND ", [tie, *related.predicate()])
        return sql("(SELECT ", value, " FROM ", source, " WHERE ", condition, " LIMIT 1)"), pg_type

    def check_levels(self) -> None:
        """Refuse filters, orders and limits of relations that are not embedded.

        Raises:
            QueryError: PGRST108.
        """
        for path, _ in self.query.levels:
            if path and self._embed_at(path) is None:
                raise _not_embedded(".".join(path))

    def search(self, rows: Rows) -> list[Fragment]:
        """Return the full-text condition of ``search=``."""
        if self.query.search < 0:
            return []
        hidden = [
            name
            for name, item in rows.entity.fields.items()
            if item.searchable and (name not in rows.sight.fields or rows.sight.masked(name))
        ]
        document = search_document(rows.entity)
        if not document or hidden:
            raise QueryError(
                "query.not_searchable",
                f"{rows.entity.name} has no field to search in",
                hint="mark fields with searchable: true",
            )
        text = render(document, prefix=f"{rows.alias}.")
        return [
            sql(f"{text} @@ websearch_to_tsquery('simple'::regconfig, ", Slot(self.query.search, "text"), ")")
        ]


def _check_aggregate(item: Column, pg_type: str) -> None:
    fits = {
        "count": True,
        "sum": pg_type in _SUMMABLE,
        "avg": pg_type in _SUMMABLE,
    }.get(item.aggregate, pg_type not in _UNORDERED and not pg_type.endswith("[]"))
    if not fits:
        raise QueryError("42883", f"function {item.aggregate}({pg_type}) does not exist")


def _not_embedded(name: str) -> QueryError:
    return QueryError(
        "PGRST108",
        f"'{name[:100]}' is not an embedded resource in this request",
        hint=f"Verify that '{name[:100]}' is included in the 'select' query parameter.",
    )


def resolve_entity(frame: Frame, name: str) -> str | None:
    """Return the entity a name means, old names included while they answer."""
    if name in frame.model.entities:
        return name
    for entity in frame.model.entities.values():
        if entity.renamed_from == name and answers(entity.alias_until, frame.today):
            frame.deprecated[name] = entity.name
            return entity.name
    return None
