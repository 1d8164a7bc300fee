"""Which rows of an entity and its relations a statement is about: predicates, on related rows too.

Decides that every relation is entered with the caller's own read rules of the entity it leads to. The base of
``read_sql``'s ``Reader``. Pure.
"""

from collections.abc import Mapping

from schemas.compiler.layout import search_document
from schemas.compiler.migrate.catalog import render
from schemas.compiler.query.access import sight_of
from schemas.compiler.query.columns import Frame, Rows, answers
from schemas.compiler.query.conditions import predicate
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.relationships import Relationship, find
from schemas.compiler.query.syntax import (
    Condition,
    Embed,
    Filter,
    Item,
    Logic,
    ReadQuery,
)
from schemas.compiler.sql import Fragment, Slot, join, quote, sql

MAX_EMBEDS = 20
MAX_DEPTH = 4


class RowFilter:
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

    def enter(self, rows: Rows, item: Embed, below: tuple[str, ...]) -> tuple[Rows, Relationship]:
        """Return the rows an embed leads to, and how.

        Raises:
            QueryError: no such relation, too many of them, or none of the caller's business.
        """
        self.frame.embeds += 1
        if self.frame.embeds > MAX_EMBEDS or len(below) > MAX_DEPTH:
            raise QueryError("query.too_deep", f"at most {MAX_EMBEDS} relations, {MAX_DEPTH} deep")
        target = resolve_entity(self.frame, item.target) or item.target
        relation = find(self._known[rows.entity.name], rows.entity.name, target, item.hint)
        return self.rows(relation.target), relation

    def source(self, related: Rows, relation: Relationship, outer: Rows) -> tuple[Fragment, Fragment]:
        """Return what to select related rows from, and what ties them to a row of ``outer``."""
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
        for embed in self.items_at(path):
            if isinstance(embed, Embed) and item.path.column in {embed.name, embed.target}:
                return embed
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
            found = next((item for item in items if isinstance(item, Embed) and item.name == name), None)
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
        for path, _ in self.query.levels:
            if path and self.embed_at(path) is None:
                raise not_embedded(".".join(path))

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
        if entity.renamed_from == name and answers(entity.alias_until, frame.today):
            frame.deprecated[name] = entity.name
            return entity.name
    return None
