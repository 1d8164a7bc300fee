"""Which rows of an entity and its relations a statement is about: predicates, on related rows too.

Decides that every relation is entered with the caller's own read rules of the entity it leads to. The base of
``read_sql``'s ``Reader``. Pure.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from schemas.compiler.query.access import Caller, sight_of
from schemas.compiler.query.columns import Frame, Rows, answers
from schemas.compiler.query.conditions import predicate
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.relationships import Relationship, find
from schemas.compiler.query.screening import check_not_screened
from schemas.compiler.query.syntax import (
    Condition,
    Embed,
    Filter,
    Item,
    Level,
    Logic,
    ReadQuery,
)
from schemas.compiler.sql import Fragment, join, quote, sql

MAX_EMBEDS = 20
MAX_DEPTH = 4


class RowFilter:
    """Builds the parts of one statement.

    Args:
        frame: the statement's own.
        query: what was asked.
        caller: who asks.
        known: relationships by entity.
    """

    def __init__(
        self,
        frame: Frame,
        query: ReadQuery,
        caller: Caller,
        known: Mapping[str, tuple[Relationship, ...]],
    ) -> None:
        self.frame = frame
        self.query = query
        self.caller = caller
        self._known = known
        self._joins: dict[str, list[Fragment]] = {}

    def rows(self, name: str, alias: str | None = None) -> Rows:
        """Return a new use of an entity.

        Raises:
            QueryError: 42501 when the caller may not read it.
        """
        entity = self.frame.model.entities[name]
        return Rows(self.frame, entity, alias or self.frame.alias(), sight_of(entity, self.caller))

    def enter(self, rows: Rows, item: Embed, below: tuple[str, ...]) -> tuple[Rows, Relationship]:
        """Return the rows an embed leads to, and how.

        Raises:
            QueryError: no such relation, too many of them, or none of the caller's business.
        """
        self.frame.embeds += 1
        if self.frame.embeds > MAX_EMBEDS or len(below) > MAX_DEPTH:
            raise QueryError("query.too_deep", f"at most {MAX_EMBEDS} relations, {MAX_DEPTH} deep")
        target = resolve_entity(self.frame, item.target) or item.target
        known = tuple(one for one in self._known[rows.entity.name] if self._shows(rows, one))
        relation = find(known, rows.entity.name, target, item.hint)
        for name in filter(None, (relation.target, relation.junction)):
            check_not_screened(self.frame.model.entities[name], self.caller)
        return self.rows(relation.target), relation

    def _shows(self, rows: Rows, relation: Relationship) -> bool:
        """Whether the caller may read the columns that make a relation; without them it does not exist."""
        if relation.kind == "one":
            return relation.source_column in rows.sight.fields
        holder = relation.junction or relation.target
        try:
            fields = sight_of(self.frame.model.entities[holder], self.caller).fields
        except QueryError:
            return True  # the whole entity is refused when it is entered
        return (
            {relation.near, relation.far} <= fields.keys()
            if relation.junction
            else (relation.target_column in fields)
        )

    def source(self, related: Rows, relation: Relationship, outer: Rows) -> tuple[Fragment, Fragment]:
        """Return what to select related rows from, and what ties them to a row of ``outer``."""
        near = f"{outer.alias}.{quote(relation.source_column)}"
        far = f"{related.alias}.{quote(relation.target_column)}"
        if relation.kind != "through":
            holder, column = (
                (outer, relation.source_column)
                if relation.kind == "one"
                else (related, relation.target_column)
            )
            tie = (relation.target_column, sql(near))
            table = self.frame.source(related.entity, related.alias, tie)
            return table, sql(f"{far} = {near}", *_where_shown(holder, column))
        junction = self.rows(relation.junction)
        join_on = [sql(f"{junction.alias}.{quote(relation.far)} = {far}"), *junction.predicate()]
        source = sql(
            self.frame.source(related.entity, related.alias), " JOIN ",
            self.frame.source(junction.entity, junction.alias), " ON ", join(" AND ", join_on),
        )  # fmt: skip
        shown = (*_where_shown(junction, relation.near), *_where_shown(junction, relation.far))
        return source, sql(f"{junction.alias}.{quote(relation.near)} = {near}", *shown)

    def filters(self, rows: Rows, filters: tuple[Filter, ...], path: tuple[str, ...]) -> list[Fragment]:
        """Return the predicates of a level, those on embedded relations included."""
        embeds = [item for item in self.items_at(path) if isinstance(item, Embed) and item.inner]
        found = [self._filter(rows, item, path) for item in filters]
        found += [self._exists(rows, embed, (*path, embed.name)) for embed in embeds]
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
        embed = self._embed_named(rows, path, item)
        if embed is not None:
            exists = self._exists(rows, embed, (*path, embed.name))
            wants_none = (item.word == "null") != item.negated
            return sql("NOT ", exists) if wants_none else exists
        return predicate(item, rows)

    def _embed_named(self, rows: Rows, path: tuple[str, ...], item: Condition) -> Embed | None:
        """Return the embed that ``relation=is.null`` speaks of.

        Raises:
            QueryError: PGRST120 for anything else that is said of an embed, unless a column has its name.
        """
        asks = item.operator == "is" and not item.path.steps and item.word in {"null", "not_null"}
        if not asks and item.path.column in rows.entity.fields:
            return None
        for embed in self.items_at(path):
            if isinstance(embed, Embed) and item.path.column in {embed.name, embed.target}:
                if asks:
                    return embed
                raise QueryError(
                    "PGRST120",
                    "Bad operator on the '" + item.path.column + "' embedded resource",
                    details="Only is null or not is null filters are allowed on embedded resources",
                )
        return None

    def _exists(self, rows: Rows, embed: Embed, path: tuple[str, ...]) -> Fragment:
        related, relation = self.enter(rows, embed, path)
        source, tie = self.source(related, relation, rows)
        level = self.query.level(path)
        where = [tie, *related.predicate(), *self.filters(related, level.filters, path)]
        return sql("EXISTS (SELECT 1 FROM ", source, " WHERE ", join(" AND ", where), ")")

    def embed_at(self, path: tuple[str, ...]) -> Embed | None:
        """Return the embed at a path of names."""
        items = self.query.select
        found: Embed | None = None
        for name in path:
            found = _named(items, name)
            if found is None:
                return None
            items = found.items
        return found

    def items_at(self, path: tuple[str, ...]) -> tuple[Item, ...]:
        """Return what is selected at a path of names."""
        embed = self.embed_at(path)
        return self.query.select if not path else embed.items if embed else ()

    def check_levels(self) -> None:
        """Refuse filters, orders and limits of relations that are not embedded.

        Raises:
            QueryError: PGRST108.
        """
        levels: dict[tuple[str, ...], Level] = {}
        for path, level in self.query.levels:
            names = self._names(path)
            if names in levels:
                raise QueryError("PGRST100", f"the relation {'.'.join(path)[:100]} is addressed by two names")
            levels[names] = level
        self.query = replace(self.query, levels=tuple(levels.items()))

    def _names(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path with the names that embeds have in the answer."""
        found: list[str] = []
        for name in path:
            embed = _named(self.items_at(tuple(found)), name)
            if embed is None:
                raise not_embedded(".".join(path))
            if embed.name != name:
                self.frame.deprecated[name] = embed.name
            found.append(embed.name)
        return tuple(found)


def _named(items: tuple[Item, ...], name: str) -> Embed | None:
    """Return the embed a filter means: by its name, or by its table's if only one has that."""
    embeds = [item for item in items if isinstance(item, Embed)]
    named = [item for item in embeds if item.name == name]
    if not named:
        named = [item for item in embeds if item.target == name]
        named = named if len(named) == 1 else []
    return named[0] if named else None


def _where_shown(holder: Rows, column: str) -> tuple[str | Fragment, ...]:
    """Return what a tie over a foreign key needs where only some rows show it."""
    if not holder.sight.masked(column):
        return ()
    return (" AND ", holder.visible(holder.sight.fields[column]))


def not_embedded(name: str) -> QueryError:
    """Return the error for a relation that the query speaks of, but does not select."""
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
        if name in entity.renamed_from and answers(entity.alias_until, frame.today):
            frame.deprecated[name] = entity.name
            return entity.name
    return None
