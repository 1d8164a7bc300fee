"""Truth values in SQL: never null, and in a form indexes serve."""

from typing import TYPE_CHECKING

from schemas.compiler.expressions import patterns, sql_rows
from schemas.compiler.expressions.celtypes import NUMBERS
from schemas.compiler.expressions.syntax import (
    Call,
    Claim,
    Comprehension,
    Field,
    Items,
    Literal,
    Member,
    Node,
    Relation,
    Variable,
)
from schemas.compiler.expressions.tree import children
from schemas.compiler.expressions.typing_rules import element_type, pg_of
from schemas.compiler.sql import Const, Fragment, join, sql

if TYPE_CHECKING:
    from schemas.compiler.expressions.sql_writer import Writer

_COMPARISONS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_TEXT_TESTS = ("starts_with", "ends_with", "contains", "matches")
PREDICATES = frozenset({"and", "or", "not", "same", "present", "in", *_COMPARISONS, *_TEXT_TESTS})
_PROPAGATING = frozenset(
    {
        "add", "sub", "mul", "div", "idiv", "mod", "neg", "concat", "shift", "shift_days", "elapsed",
        "length", "lower",
        "upper", "trim", "part", "day", "midnight", "epoch", "to_string", "to_int", "to_decimal",
        "to_timestamp",
        "to_date", "from_json", "round", "abs", "ceil", "floor", "trunc", "greatest", "least",
    }
)  # fmt: skip
"""Functions that are absent when any operand is."""


def predicate(writer: "Writer", node: Node) -> Fragment:
    """Compile a truth value."""
    match node:
        case Literal():
            return sql("TRUE" if node.value else "FALSE")
        case Call(function="and" | "or" as function):
            separator = " AND " if function == "and" else " OR "
            return sql("(", join(separator, [predicate(writer, operand) for operand in node.arguments]), ")")
        case Call(function="not", arguments=(operand,)):
            return _negation(writer, operand)
        case Call(function="present", arguments=(operand,)):
            return _presence(writer, operand)
        case Call(function="same", arguments=(left, right)):
            first, second = writer.operands(left, right)
            return sql("(", first, " IS NOT DISTINCT FROM ", second, ")")
        case Call() if node.function in PREDICATES:
            return _through_relation(writer, node)
        case Comprehension():
            return _macro(writer, node)
        case Field() if isinstance(node.base, Relation) and writer.row(node.base) is None:
            return _through_relation(writer, node)
        case Field(required=True) if _is_current(writer, node):
            return writer.value(node)
        case _:
            return sql("(", writer.value(node), " IS TRUE)")


def _negation(writer: "Writer", operand: Node) -> Fragment:
    """Compile ``!x``, printing the common cases as a person would."""
    match operand:
        case Call(function="present", arguments=(inner,)) if inner.type.kind != "entity":
            return sql("(", writer.value(inner), " IS NULL)")
        case Call(function="same", arguments=(left, right)):
            first, second = writer.operands(left, right)
            return sql("(", first, " IS DISTINCT FROM ", second, ")")
        case Call(function="eq", arguments=(Field() as left, Literal() as right)) if _is_current(
            writer, left
        ):
            first, second = writer.operands(left, right)
            operator = " <> " if left.required else " IS DISTINCT FROM "
            return sql("(", first, operator, second, ")")
        case _:
            return sql("(NOT ", predicate(writer, operand), ")")


def _presence(writer: "Writer", operand: Node) -> Fragment:
    if isinstance(operand, Relation):
        if writer.row(operand) is not None:
            return sql("TRUE")
        if writer.model.entities[operand.type.entity].soft_delete:
            source = sql_rows.path(writer, operand)
            return sql("EXISTS (SELECT 1 FROM ", source.tables, " WHERE ", source.condition, ")")
        return sql("(", writer.foreign_key(operand), " IS NOT NULL)")
    if operand.type.kind == "entity":
        return sql("TRUE")
    if operand.type.kind == "list" and (
        isinstance(operand, Comprehension | Items) or pg_of(operand) == "jsonb"
    ):
        return (
            sql("(", writer.value(operand), " IS NOT NULL)")
            if isinstance(operand, Field | Member)
            else sql("TRUE")
        )
    return sql("(", writer.value(operand), " IS NOT NULL)")


def _through_relation(writer: "Writer", node: Node) -> Fragment:
    """Compile a test that is false for absent operands; on one related row it becomes a semi-join."""
    relations: set[Relation] = set()
    if _relations(writer, node, relations, outermost=True) and len(relations) == 1:
        (relation,) = relations
        source = sql_rows.path(writer, relation)
        with writer.joining(relation, source.alias):
            test = _test(writer, node)
        return sql("EXISTS (SELECT 1 FROM ", source.tables, " WHERE ", source.condition, " AND ", test, ")")
    return _test(writer, node)


def _relations(writer: "Writer", node: Node, found: set[Relation], *, outermost: bool = False) -> bool:
    """Collect the relations that need a look-up; False when an absent row would not make the test false."""
    match node:
        case Field(base=Relation() as base):
            shortcut = node.name == base.key and not writer.model.entities[node.entity].soft_delete
            if writer.row(base) is None and not shortcut:
                found.add(base)
            elif writer.row(base) is None:
                return _relations(writer, Field(node.type, base.base, base.entity, base.field, ""), found)
            return True
        case Literal() | Claim() | Variable() | Field() | Items():
            return (
                all(_relations(writer, child, found) for child in children(node))
                if isinstance(node, Items)
                else True
            )
        case Member():
            return all(_relations(writer, child, found) for child in children(node))
        case Call():
            propagates = outermost or node.function in _PROPAGATING
            return propagates and all(_relations(writer, child, found) for child in node.arguments)
        case _:
            return False


def _test(writer: "Writer", node: Node) -> Fragment:
    match node:
        case Call(function="in", arguments=(item, container)):
            return _membership(writer, item, container)
        case Call(arguments=(left, right)) if node.function in _TEXT_TESTS:
            return _guarded(writer, _text_test(writer, node.function, left, right), left, right)
        case Call(arguments=(left, right)):
            first, second = writer.operands(left, right)
            order = node.function != "eq" and "text" in {pg_of(left), pg_of(right)}
            collation = ' COLLATE "C"' if order else ""
            return _guarded(
                writer, sql(first, f" {_COMPARISONS[node.function]} ", second, collation), left, right
            )
        case _:
            return sql("(", writer.value(node), " IS TRUE)")


def _guarded(writer: "Writer", test: Fragment, *operands: Node) -> Fragment:
    """Make a test false, not null, for absent operands; the comparison stays bare for indexes."""
    guards: list[Fragment] = []
    for operand in operands:
        if _is_never_null(writer, operand):
            continue
        if isinstance(operand, Claim) or (isinstance(operand, Field) and _is_current(writer, operand)):
            guards.append(sql(writer.value(operand), " IS NOT NULL"))
        else:
            return sql("COALESCE(", test, ", FALSE)")
    return sql("(", join(" AND ", [test, *guards]), ")")


def _is_current(writer: "Writer", node: Field) -> bool:
    return writer.row(node.base) is not None


def _is_never_null(writer: "Writer", node: Node) -> bool:
    match node:
        case Literal():
            return node.value is not None
        case Variable():
            return node.name in {"now", "today"}
        case Field():
            is_old = isinstance(node.base, Variable) and node.base.name == "old"
            return node.required and _is_current(writer, node) and not is_old
        case _:
            return False


def _text_test(writer: "Writer", function: str, text: Node, part: Node) -> Fragment:
    subject = writer.text(text)
    if isinstance(part, Literal) and isinstance(part.value, str):
        if function == "matches":
            return sql(subject, " ~ ", Const(patterns.translate(part.value), "text"))
        escaped = part.value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        head = "" if function == "starts_with" else "%"
        tail = "" if function == "ends_with" else "%"
        return sql(subject, " LIKE ", Const(f"{head}{escaped}{tail}", "text"))
    sought = writer.text(part)
    match function:
        case "starts_with":
            return sql("starts_with(", subject, ", ", sought, ")")
        case "ends_with":
            return sql("right(", subject, ", char_length(", sought, ")) = ", sought)
        case _:
            return sql("strpos(", subject, ", ", sought, ") > 0")


def _membership(writer: "Writer", item: Node, container: Node) -> Fragment:
    is_array = (
        container.type.kind == "list"
        and container.type.stored != "json"
        and not isinstance(container, Comprehension)
    )
    if not is_array:
        source = sql_rows.rows(writer, container)
        kind = item.type if element_type(container).kind in {"json", "any"} else element_type(container)
        element = sql_rows.scalar(source, kind)
        if kind.kind in NUMBERS:
            found = sql("(", element, ")::numeric = ", writer.number(item))
        else:
            found = sql(
                "(", element, ") = ", writer.text(item) if kind.kind == "string" else writer.value(item)
            )
        return sql("EXISTS (SELECT 1 FROM ", source.tables, source.where(found), ")")
    array = writer.value(container)
    elements = pg_of(container) if not isinstance(container, Items) else pg_of(container.items[0]) + "[]"
    wanted = elements.removesuffix("[]")
    text_like = {"text", "uuid", "inet", "citext"}
    if isinstance(item, Literal) and isinstance(container, Field) and wanted in {"text", "uuid"}:
        contained = sql(array, " @> ARRAY[", writer.value(item), "]")
        return _guarded(writer, contained, container)
    if wanted != pg_of(item) and wanted in text_like and pg_of(item) in text_like:
        test = sql(writer.text(item), " = ANY((", array, ")::text[])")
    elif "double precision" in {wanted, pg_of(item)} and wanted != pg_of(item):
        test = sql(writer.number(item), " = ANY((", array, ")::numeric[])")
    else:
        test = sql(writer.value(item), " = ANY(", array, ")")
    if isinstance(container, Items):
        return _guarded(writer, test, item)
    return sql("COALESCE(", test, ", FALSE)")


def _macro(writer: "Writer", node: Comprehension) -> Fragment:
    source = sql_rows.rows(writer, node.range)
    writer.bound[node.variable] = source.element
    assert node.predicate is not None  # noqa: S101 - these macros have one
    test = predicate(writer, node.predicate)
    match node.kind:
        case "exists":
            return sql("EXISTS (SELECT 1 FROM ", source.tables, source.where(test), ")")
        case "all":
            return sql(
                "(NOT EXISTS (SELECT 1 FROM ", source.tables, source.where(sql("(NOT ", test, ")")), "))"
            )
        case _:
            return sql("((SELECT count(*) FROM ", source.tables, source.where(test), ") = 1)")
