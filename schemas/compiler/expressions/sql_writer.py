"""Writes the SQL of values: dispatch over nodes, aliases of rows, casts. Called by ``to_sql``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from schemas.compiler.expressions import sql_functions, sql_predicates, sql_rows, values
from schemas.compiler.expressions.celtypes import pg_type_of
from schemas.compiler.expressions.syntax import (
    Call,
    Claim,
    Comprehension,
    Field,
    Inverse,
    Items,
    Literal,
    Member,
    Node,
    Relation,
    Setting,
    Variable,
)
from schemas.compiler.expressions.typing_rules import pg_of
from schemas.compiler.sql import Claim as ClaimBind
from schemas.compiler.sql import Const, Fragment, Now, join, quote, sql

if TYPE_CHECKING:
    from schemas.compiler.expressions.to_sql import SqlModel

JSON_KINDS = ("json", "object")
_TEXT_LIKE = ("text", "uuid", "inet", "citext")


class Writer:
    """Compiles one expression; holds the aliases in scope."""

    def __init__(
        self,
        alias: str,
        old_alias: str | None,
        namespace: str,
        model: "SqlModel",
        namespaces: Mapping[str, str],
    ) -> None:
        self.alias = alias
        self.old_alias = old_alias
        self.namespace = namespace
        self.model = model
        self.namespaces = namespaces
        self.joined: dict[Node, str] = {}  # relations whose row has an alias here
        self.bound: dict[
            str, Fragment | str
        ] = {}  # macro variables: an alias for a row, a fragment for a value
        self.aliases = 0

    # Rows

    def new_alias(self) -> str:
        """Return an alias no enclosing query uses."""
        self.aliases += 1
        return f"{self.alias}_r{self.aliases}"

    def table(self, entity: str) -> str:
        """Return an entity's qualified table."""
        return f"{quote(self.namespaces.get(entity, self.namespace))}.{quote(entity)}"

    def row(self, node: Node) -> str | None:
        """Return the alias of a row, None when it must be looked up."""
        if isinstance(node, Variable):
            if node.name == "self":
                return self.alias
            if node.name == "old":
                return self.old_alias
            bound = self.bound[node.name]
            return bound if isinstance(bound, str) else None
        return self.joined.get(node)

    @contextmanager
    def joining(self, relation: Relation, alias: str) -> Iterator[None]:
        """Let a relation be read through an alias for a while."""
        self.joined[relation] = alias
        yield
        del self.joined[relation]

    # Values

    def value(self, node: Node) -> Fragment:
        """Compile a node to a value, null when absent."""
        match node:
            case Literal():
                return self.literal(node)
            case Claim():
                return sql(ClaimBind(node.path, node.pg_type))
            case Setting():
                return sql(Const(self.model.slug, "text"))
            case Variable():
                return self._variable(node)
            case Field():
                column = self.column(node)
                is_json = node.type.kind in JSON_KINDS or node.type.stored == "json"
                return sql("NULLIF(", column, ", 'null'::jsonb)") if is_json else column
            case Member():
                return self._member(node)
            case Items():
                return self._items(node)
            case Call():
                if node.type.kind == "bool" and node.function in sql_predicates.PREDICATES:
                    return sql_predicates.predicate(self, node)
                return sql_functions.write(self, node)
            case Comprehension():
                return sql_predicates.predicate(self, node)
            case Relation() | Inverse():
                raise AssertionError("a row is not a value")

    def predicate(self, node: Node) -> Fragment:
        """Compile a node to a truth value that is never null."""
        return sql_predicates.predicate(self, node)

    def literal(self, node: Literal) -> Fragment:
        """Compile a literal to a bind."""
        if node.value is None:
            return sql(f"NULL::{node.pg_type}")
        if isinstance(node.value, bool):
            return sql("TRUE" if node.value else "FALSE")
        return sql(Const(values.text_of(node.value), node.pg_type))

    def _variable(self, node: Variable) -> Fragment:
        match node.name:
            case "now":
                return sql(Now())
            case "today":
                return sql("((", Now(), " AT TIME ZONE ", Const(self.model.timezone, "text"), ")::date)")
            case _:
                bound = self.bound[node.name]
                assert isinstance(bound, Fragment)  # noqa: S101 - the checker refuses rows as values
                is_json = node.type.kind in JSON_KINDS or node.type.stored == "json"
                return sql("NULLIF(", bound, ", 'null'::jsonb)") if is_json else bound

    def column(self, node: Field) -> Fragment:
        """Compile a field of a row, looking the row up when it is not at hand."""
        base = node.base
        alias = self.row(base)
        if alias is not None:
            return sql(f"{alias}.{quote(node.name)}")
        assert isinstance(base, Relation)  # noqa: S101 - rows come from relations and variables
        if node.name == base.key and not self.model.entities[node.entity].soft_delete:
            return self.foreign_key(base)
        source = sql_rows.path(self, base)
        column = sql(f"{source.alias}.{quote(node.name)}")
        return sql("(SELECT ", column, " FROM ", source.tables, " WHERE ", source.condition, ")")

    def foreign_key(self, relation: Relation) -> Fragment:
        """Compile the key a relation follows."""
        return self.column(Field(relation.type, relation.base, relation.entity, relation.field, ""))

    def json(self, node: Node) -> Fragment:
        """Compile a JSON value without turning JSON's null into absence."""
        match node:
            case Field():
                return self.column(node)
            case Variable(name=name) if name in self.bound:
                bound = self.bound[name]
                assert isinstance(bound, Fragment)  # noqa: S101 - a JSON element
                return bound
            case Member(base=base, key=str() as key):
                return sql("(", self.json(base), " -> ", Const(key, "text"), ")")
            case Member(base=base, key=int() as key):
                position = key if key >= 0 else -(2**31)
                return sql("(", self.json(base), " -> ", f"({max(min(position, 2**31 - 1), -(2**31))})", ")")
            case _:
                return self.value(node)

    def _member(self, node: Member) -> Fragment:
        base = node.base
        if base.type.kind == "list" and base.type.stored != "json":
            index = node.key if isinstance(node.key, int) else 0
            element = sql("(", self.value(base), f")[{min(index + 1, 2**31 - 1)}]")
            return self._plain(element, pg_of(base).removesuffix("[]"))
        return sql("NULLIF(", self.json(node), ", 'null'::jsonb)")

    def _plain(self, element: Fragment, pg_type: str) -> Fragment:
        """Return an array's element in the type its values have everywhere else."""
        if pg_type == "uuid":
            return sql("(", element, ")::text")
        return sql("host(", element, ")") if pg_type == "inet" else element

    def _items(self, node: Items) -> Fragment:
        kinds = {pg_of(item) for item in node.items if not (isinstance(item, Literal) and item.value is None)}
        element = kinds.pop() if len(kinds) == 1 else pg_type_of(node.type).removesuffix("[]")
        if all(isinstance(item, Literal) for item in node.items):
            texts = tuple(
                None if item.value is None else values.text_of(item.value)
                for item in node.items
                if isinstance(item, Literal)
            )
            return sql(Const(texts, f"{element}[]"))
        return sql("ARRAY[", join(", ", [self.cast(item, element) for item in node.items]), "]")

    # Casts

    def cast(self, node: Node, pg_type: str) -> Fragment:
        """Compile a value in a given PostgreSQL type."""
        have = pg_of(node)
        if pg_type == "text":
            return self.text(node)
        if isinstance(node, Literal) and node.value is None:
            return sql(f"NULL::{pg_type}")
        fragment = self.value(node)
        return fragment if have == pg_type else sql("(", fragment, f")::{pg_type}")

    def number(self, node: Node) -> Fragment:
        """Compile a number as numeric: exact, and too wide to overflow."""
        return self.cast(node, "numeric")

    def text(self, node: Node) -> Fragment:
        """Compile a text, as text whatever the column's type."""
        fragment = self.value(node)
        match pg_of(node):
            case "uuid" | "citext":
                return sql("(", fragment, ")::text")
            case "inet":
                return sql("host(", fragment, ")")
            case _:
                return fragment

    def operands(self, left: Node, right: Node) -> tuple[Fragment, Fragment]:
        """Compile two operands of a comparison in types PostgreSQL compares as we mean it."""
        kinds = (pg_of(left), pg_of(right))
        if kinds[0] == kinds[1]:
            return self.value(left), self.value(right)
        if kinds[0] in _TEXT_LIKE and kinds[1] in _TEXT_LIKE:
            return self.text(left), self.text(right)
        if "double precision" in kinds:
            return self.number(left), self.number(right)
        if "date" in kinds and "timestamptz" in kinds:
            return self.moment(left), self.moment(right)
        return self.value(left), self.value(right)

    def moment(self, node: Node) -> Fragment:
        """Compile a timestamp; a date is its midnight in UTC."""
        fragment = self.value(node)
        return sql("(", fragment, "::timestamp AT TIME ZONE 'UTC')") if node.type.kind == "date" else fragment
