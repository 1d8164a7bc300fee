"""Rows and lists in SQL: following relations, and lists as row sources for macros and aggregates."""

from typing import TYPE_CHECKING

from msgspec import Struct

from schemas.compiler.expressions.celtypes import BOOL, CelType
from schemas.compiler.expressions.syntax import Comprehension, Field, Inverse, Node, Relation
from schemas.compiler.expressions.typing_rules import pg_of
from schemas.compiler.model import SOFT_DELETE_FIELD
from schemas.compiler.sql import Fragment, join, quote, sql

if TYPE_CHECKING:
    from schemas.compiler.expressions.sql_writer import Writer


class Source(Struct, frozen=True):
    """Something to select from: tables, their tie to the outer query, the alias of the row wanted."""

    tables: Fragment
    condition: Fragment
    alias: str


class Rows(Struct, frozen=True):
    """A list as a row source.

    Attributes:
        tables: what to select from.
        conditions: which rows of it.
        element: an alias when the elements are rows, else the fragment of one element.
        in_json: the element is still a JSON value.
    """

    tables: Fragment
    conditions: tuple[Fragment, ...]
    element: Fragment | str
    in_json: bool = False

    def where(self, *more: Fragment) -> Fragment:
        """Return the WHERE clause with further conditions, or nothing."""
        conditions = (*self.conditions, *more)
        return sql(" WHERE ", join(" AND ", conditions)) if conditions else sql()


def alive(writer: "Writer", entity: str, alias: str) -> tuple[Fragment, ...]:
    """Return the condition that a row is not soft-deleted, when its entity knows that."""
    if not writer.model.entities[entity].soft_delete:
        return ()
    return (sql(f"{alias}.{quote(SOFT_DELETE_FIELD)} IS NULL"),)


def path(writer: "Writer", relation: Relation) -> Source:
    """Return the row a relation leads to, joined from the nearest row that has an alias."""
    steps = [relation]
    while writer.row(steps[-1].base) is None:
        base = steps[-1].base
        assert isinstance(base, Relation)  # noqa: S101 - rows come from relations and variables
        steps.append(base)
    previous = writer.row(steps[-1].base) or ""
    tables: Fragment | None = None
    condition: tuple[Fragment, ...] = ()
    for step in reversed(steps):
        alias = writer.new_alias()
        entity = step.type.entity
        table = sql(f"{writer.table(entity)} AS {alias}")
        link = (
            sql(f"{alias}.{quote(step.key)} = {previous}.{quote(step.field)}"),
            *alive(writer, entity, alias),
        )
        if tables is None:
            tables, condition = table, link
        else:
            tables = sql(tables, " JOIN ", table, " ON ", join(" AND ", link))
        previous = alias
    assert tables is not None  # noqa: S101 - there is at least one step
    return Source(tables, join(" AND ", condition), previous)


def rows(writer: "Writer", node: Node) -> Rows:
    """Return a list as a row source; macro variables of what was filtered or mapped stay bound."""
    if isinstance(node, Inverse):
        return _children(writer, node)
    if isinstance(node, Comprehension):
        return _comprehended(writer, node)
    alias = writer.new_alias()
    if node.type.kind == "list" and node.type.stored != "json":
        element = sql(f"{alias}.value")
        match pg_of(node).removesuffix("[]"):
            case "uuid":
                element = sql(element, "::text")
            case "inet":
                element = sql("host(", element, ")")
            case _:
                pass
        return Rows(sql("unnest(", writer.value(node), f") AS {alias}(value)"), (), element)
    document = writer.json(node)
    tables = sql(
        "jsonb_array_elements(CASE jsonb_typeof(", document, ") WHEN 'array' THEN ", document,
        f" ELSE '[]'::jsonb END) AS {alias}(value)",
    )  # fmt: skip
    return Rows(tables, (), sql(f"{alias}.value"), in_json=True)


def _children(writer: "Writer", node: Inverse) -> Rows:
    child = node.type.element.entity if node.type.element is not None else ""
    alias = writer.new_alias()
    key = writer.column(Field(BOOL, node.base, node.entity, node.key, ""))
    conditions = (sql(f"{alias}.{quote(node.field)} = ", key), *alive(writer, child, alias))
    return Rows(sql(f"{writer.table(child)} AS {alias}"), conditions, alias)


def _comprehended(writer: "Writer", node: Comprehension) -> Rows:
    """Return what filter() or map() leaves."""
    source = rows(writer, node.range)
    writer.bound[node.variable] = source.element
    conditions = source.conditions
    if node.predicate is not None:
        conditions = (*conditions, writer.predicate(node.predicate))
    if node.body is None:
        return Rows(source.tables, conditions, source.element, source.in_json)
    value = writer.text(node.body) if node.body.type.kind == "string" else writer.value(node.body)
    return Rows(source.tables, conditions, value)


def scalar(source: Rows, kind: CelType) -> Fragment:
    """Return an element as a value of a scalar type."""
    from schemas.compiler.expressions.sql_functions import from_json  # noqa: PLC0415 - the two modules call each other

    assert isinstance(source.element, Fragment)  # noqa: S101 - the checker refuses rows here
    return from_json(source.element, kind) if source.in_json else source.element
