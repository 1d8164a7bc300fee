"""A parsed read to one statement whose answer PostgreSQL itself writes as JSON.

Decides the shape of the SQL: related rows are scalar subqueries, inner joins are EXISTS, so that no join changes the
number of rows. Every relation is checked against the caller's own read rules. Pure; called by ``compiler``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.compiler.layout import search_document
from schemas.compiler.migrate.catalog import render
from schemas.compiler.query.access import Sight, sight_of
from schemas.compiler.query.columns import Frame, Rows, answers, cast
from schemas.compiler.query.conditions import predicate
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.relationships import Relationship, find
from schemas.compiler.query.syntax import (
    Column,
    Condition,
    Embed,
    Everything,
    Filter,
    Item,
    Logic,
    Path,
    ReadQuery,
)
from schemas.compiler.sql import Fragment, Slot, join, quote, sql

MAX_EMBEDS = 20
MAX_DEPTH = 4
_AGGREGATE_SQL = {"sum": "sum", "avg": "avg", "min": "min", "max": "max"}


@dataclass(frozen=True, slots=True)
class Selected:
    """One key of an answer row; ``group`` is False for aggregates."""

    name: str
    value: Fragment
    group: bool = True


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
        self._used: set[tuple[str, ...]] = {()}

    def rows(self, name: str, alias: str | None = None) -> Rows:
        """Return a new use of an entity.

        Raises:
            QueryError: 42501 when the caller may not read it.
        """
        entity = self.frame.model.entities[name]
        return Rows(self.frame, entity, alias or self.frame.alias(), sight_of(entity, self.roles))

    # -- what is selected -------------------------------------------------------------------------------------------

    def selection(self, rows: Rows, items: tuple[Item, ...], path: tuple[str, ...] = ()) -> list[Selected]:
        """Return the keys of a row, in order."""
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
        unique: dict[str, Selected] = {}
        for selected in found:
            unique[selected.name] = selected
        if not rows.sight.aggregates and any(not selected.group for selected in unique.values()):
            raise QueryError("PGRST123", "Use of aggregate functions is not allowed")
        return list(unique.values())

    def _column(self, rows: Rows, item: Column) -> Selected:
        if item.aggregate == "count" and not item.path.column:
            return Selected(item.alias or "count", cast(sql("count(*)"), item.aggregate_cast), group=False)
        value, _, _ = rows.value(item.path)
        value = cast(value, item.cast)
        name = item.path.steps[-1][1] if item.path.steps else item.path.column
        if item.path.steps and name.isdigit():
            named = [key for _, key in item.path.steps if not key.isdigit()]
            name = named[-1] if named else item.path.column
        if item.aggregate:
            value = cast(sql(f"{item.aggregate}(", value, ")"), item.aggregate_cast)
            return Selected(item.alias or item.aggregate, value, group=False)
        return Selected(item.alias or name, value)

    def _embed(self, rows: Rows, item: Embed, path: tuple[str, ...]) -> list[Selected]:
        below = (*path, item.name)
        related, relation = self._enter(rows, item, below)
        self._used |= {below, (*path, item.target)}
        inner = self.selection(related, item.items, below)
        if not inner:
            return []
        if item.spread:
            return self._spread(related, relation, rows, item, inner, below)
        body = self._level_select(related, relation, rows, inner, below)
        alias = self.frame.alias()
        if relation.to_one:
            value = sql(f"(SELECT row_to_json({alias}) FROM (", body, f") {alias})")
        else:
            value = sql(f"(SELECT coalesce(json_agg({alias}), '[]') FROM (", body, f") {alias})")
        return [Selected(item.name, value)]

    def _spread(
        self,
        related: Rows,
        relation: Relationship,
        rows: Rows,
        item: Embed,
        inner: list[Selected],
        below: tuple[str, ...],
    ) -> list[Selected]:
        if relation.to_one:
            return [
                Selected(
                    one.name,
                    sql("(", self._level_select(related, relation, rows, [one], below), ")"),
                    one.group or True,
                )
                for one in inner
            ]
        alias = self.frame.alias()
        body = self._level_select(related, relation, rows, inner, below)
        return [
            Selected(
                one.name,
                sql(
                    f"(SELECT coalesce(json_agg({alias}.{quote(one.name)}), '[]') FROM (", body, f") {alias})"
                ),
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
        level = self._level(path)
        source, tie = self._source(related, relation, outer)
        where = [tie, *related.predicate(), *self.filters(related, level.filters, path)]
        parts = [sql("SELECT ", columns(inner), " FROM ", source, " WHERE ", join(" AND ", where))]
        parts.append(group_by(inner))
        parts.append(self.order_by(related, level.order))
        if relation.to_one:
            parts.append(sql(" LIMIT 1"))
        elif level.limit >= 0:
            parts.append(sql(" LIMIT ", Slot(level.limit, "bigint")))
        else:
            parts.append(sql(" LIMIT 1000"))
        if level.offset >= 0:
            parts.append(sql(" OFFSET ", Slot(level.offset, "bigint")))
        return sql(*parts)

    def _level(self, path: tuple[str, ...]) -> "object":
        return self.query.level(path)

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

    def _items_at(self, path: tuple[str, ...]) -> tuple[Item, ...]:
        items = self.query.select
        for name in path:
            for item in items:
                if isinstance(item, Embed) and item.name == name:
                    items = item.items
                    break
            else:
                return ()
        return items

    def order_by(self, rows: Rows, keys: tuple, tie_breaker: bool = False) -> Fragment:  # type: ignore[type-arg]
        """Return the ORDER BY clause, or nothing."""
        parts: list[Fragment] = []
        for key in keys:
            if key.relation:
                value = self._ordered_by_relation(rows, key)
            else:
                value, _, _ = rows.value(key.path)
            parts.append(sql(value, " DESC" if key.descending else "", f" {key.nulls}" if key.nulls else ""))
        if tie_breaker:
            parts.append(sql(f"{rows.alias}.{quote(rows.entity.key)}"))
        return sql(" ORDER BY ", join(", ", parts)) if parts else sql("")

    def _ordered_by_relation(self, rows: Rows, key) -> Fragment:  # type: ignore[no-untyped-def]
        embeds = [
            item
            for item in self.query.select
            if isinstance(item, Embed) and key.relation in {item.name, item.target}
        ]
        if not embeds:
            raise QueryError(
                "PGRST108",
                f"'{key.relation}' is not an embedded resource in this request",
                hint=f"Verify that '{key.relation}' is included in the 'select' query parameter.",
            )
        related, relation = self._enter(rows, embeds[0], (embeds[0].name,))
        if not relation.to_one:
            raise QueryError(
                "PGRST118",
                f"A related order on '{key.relation}' is not possible",
                details=f"'{rows.entity.name}' and '{key.relation}' do not form a many-to-one or one-to-one relationship",
            )
        source, tie = self._source(related, relation, rows)
        value, _, _ = related.value(key.path)
        return sql(
            "(SELECT ",
            value,
            " FROM ",
            source,
            " WHERE ",
            join(" AND ", [tie, *related.predicate()]),
            " LIMIT 1)",
        )

    def check_levels(self) -> None:
        """Refuse filters, orders and limits of relations that are not embedded.

        Raises:
            QueryError: PGRST108.
        """
        for path, _ in self.query.levels:
            if path and not self._has_embed(path):
                name = ".".join(path)
                raise QueryError(
                    "PGRST108",
                    f"'{name[:100]}' is not an embedded resource in this request",
                    hint=f"Verify that '{name[:100]}' is included in the 'select' query parameter.",
                )

    def _has_embed(self, path: tuple[str, ...]) -> bool:
        items = self.query.select
        for name in path:
            for item in items:
                if isinstance(item, Embed) and name == item.name:
                    items = item.items
                    break
            else:
                return False
        return True

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


def columns(selected: list[Selected]) -> Fragment:
    """Return a SELECT list."""
    return join(", ", [sql(one.value, f" AS {quote(one.name)}") for one in selected]) if selected else sql("")


def group_by(selected: list[Selected]) -> Fragment:
    """Return GROUP BY over everything that is no aggregate, when there is an aggregate."""
    if all(one.group for one in selected):
        return sql("")
    keys = [one.value for one in selected if one.group]
    return sql(" GROUP BY ", join(", ", keys)) if keys else sql("")


def masked_names(rows: Rows, items: tuple[Item, ...]) -> dict[str, str]:
    """Return keys of the answer that only some rows show, to the field."""
    names: dict[str, str] = {}
    for item in items:
        if isinstance(item, Everything):
            names |= {name: name for name in rows.sight.fields if rows.sight.masked(name)}
        elif (
            isinstance(item, Column)
            and item.path.column in rows.sight.fields
            and not item.aggregate
            and rows.sight.masked(item.path.column)
        ):
            names[item.alias or item.path.column] = item.path.column
    return names


def resolve_entity(frame: Frame, name: str) -> str | None:
    """Return the entity a name means, old names included while they answer."""
    if name in frame.model.entities:
        return name
    for entity in frame.model.entities.values():
        if entity.renamed_from == name and answers(entity.alias_until, frame.today):
            frame.deprecated[name] = entity.name
            return entity.name
    return None
