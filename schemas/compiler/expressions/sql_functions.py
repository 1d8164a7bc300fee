"""Functions and arithmetic in SQL. Nothing here raises in PostgreSQL: what has no value is null."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from schemas.compiler.expressions import sql_rows, sql_times, values
from schemas.compiler.expressions.celtypes import CelType
from schemas.compiler.expressions.syntax import Call, Comprehension, Inverse, Literal
from schemas.compiler.expressions.typing_rules import element_type, pg_of
from schemas.compiler.sql import Const, Fragment, sql

if TYPE_CHECKING:
    from schemas.compiler.expressions.sql_writer import Writer

SPACES = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What trim() removes: Unicode's white space."""
_UP = "10000000000000000"
_DOWN = "0.0000000000000001"
_SIMPLE = {"abs": "abs", "ceil": "ceil", "floor": "floor", "trunc": "trunc"}
_INFIX = {"add": " + ", "sub": " - ", "mul": " * "}


def write(writer: "Writer", node: Call) -> Fragment:
    """Compile a function call that gives a value."""
    function = node.function
    if function in _INFIX:
        left, right = (writer.number(argument) for argument in node.arguments)
        return sql("(", left, _INFIX[function], right, ")")
    if function in _SIMPLE:
        return sql(f"{_SIMPLE[function]}(", writer.number(node.arguments[0]), ")")
    return _FUNCTIONS[function](writer, node)


def _negate(writer: "Writer", node: Call) -> Fragment:
    return sql("(- ", writer.number(node.arguments[0]), ")")


def quotient(left: Fragment, right: Fragment) -> Fragment:
    """Return an exact quotient cut to 16 decimal places, null when dividing by zero.

    PostgreSQL's ``/`` picks its scale from how the operands are written; ``div`` does not.
    """
    return sql("trim_scale(div(", left, f" * {_UP}, NULLIF(", right, f", 0)) * {_DOWN})")


def _divide(writer: "Writer", node: Call) -> Fragment:
    left, right = (writer.number(argument) for argument in node.arguments)
    if node.function == "div":
        return quotient(left, right)
    return sql("div(" if node.function == "idiv" else "mod(", left, ", NULLIF(", right, ", 0))")


def _round(writer: "Writer", node: Call) -> Fragment:
    value, digits = node.arguments
    assert isinstance(digits, Literal)  # noqa: S101 - the checker allows nothing else
    return sql("round(", writer.number(value), f", {digits.value})")


def _extreme(writer: "Writer", node: Call) -> Fragment:
    left, right = (writer.number(argument) for argument in node.arguments)
    operator = " >= " if node.function == "greatest" else " <= "
    return sql(
        "CASE WHEN ",
        left,
        operator,
        right,
        " THEN ",
        left,
        " WHEN ",
        right,
        operator,
        left,
        " THEN ",
        right,
        " END",
    )


def _concat(writer: "Writer", node: Call) -> Fragment:
    left, right = (writer.text(argument) for argument in node.arguments)
    return sql("(", left, " || ", right, ")")


def _change_text(writer: "Writer", node: Call) -> Fragment:
    text = writer.text(node.arguments[0])
    match node.function:
        case "length":
            return sql("char_length(", text, ")::numeric")
        case "trim":
            return sql("btrim(", text, ", ", Const(SPACES, "text"), ")")
        case case:
            return sql(f"{case}((", text, ') COLLATE "C")')


def _choose(writer: "Writer", node: Call) -> Fragment:
    condition, then, otherwise = node.arguments
    pg_type = pg_of(node)
    test = writer.predicate(condition)
    return sql(
        "CASE WHEN ",
        test,
        " THEN ",
        writer.cast(then, pg_type),
        " ELSE ",
        writer.cast(otherwise, pg_type),
        " END",
    )


def _to_string(writer: "Writer", node: Call) -> Fragment:
    (operand,) = node.arguments
    value = writer.value(operand)
    match operand.type.kind:
        case "bool" | "time":
            return sql("(", value, ")::text")
        case "date":
            return sql("to_char(", value, ", 'YYYY-MM-DD')")
        case "timestamp":
            digits = sql("to_char(", value, " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
            return sql("(rtrim(rtrim(", digits, ", '0'), '.') || 'Z')")
        case _:
            return sql("trim_scale(", writer.number(operand), ")::text")


def _to_number(writer: "Writer", node: Call) -> Fragment:
    (operand,) = node.arguments
    if operand.type.kind == "string":
        text = writer.text(operand)
        pattern = values.INT_TEXT if node.function == "to_int" else values.NUMBER_TEXT
        return sql_times.when_matches(text, pattern, sql("(", text, ")::numeric"))
    number = writer.number(operand)
    return sql("trunc(", number, ")") if node.function == "to_int" else number


def _from_json(writer: "Writer", node: Call) -> Fragment:
    return from_json(writer.json(node.arguments[0]), node.type)


def from_json(document: Fragment, kind: CelType) -> Fragment:
    """Return a JSON value as a scalar, null when it is of another JSON type."""
    typed = {"string": "string", "bool": "boolean"}.get(kind.kind, "number")
    text = sql("(", document, " #>> '{}')")
    head = sql("CASE WHEN jsonb_typeof(", document, f") = '{typed}'")
    number = sql(text, "::numeric")
    fits = sql("abs(", number, ") < 1e100")
    match kind.kind:
        case "string":
            return sql(head, " THEN ", text, " END")
        case "bool":
            return sql(head, " THEN ", text, "::boolean END")
        case "int":
            whole = sql(number, " = trunc(", number, ")")
            return sql(head, " THEN CASE WHEN ", fits, " AND ", whole, " THEN trunc(", number, ") END END")
        case _:
            return sql(head, " THEN CASE WHEN ", fits, " THEN ", number, " END END")


def _size(writer: "Writer", node: Call) -> Fragment:
    (operand,) = node.arguments
    if isinstance(operand, Inverse | Comprehension):
        source = sql_rows.rows(writer, operand)
        return sql("(SELECT count(*) FROM ", source.tables, source.where(), ")::numeric")
    if operand.type.kind == "list" and operand.type.stored != "json":
        return sql("COALESCE(cardinality(", writer.value(operand), "), 0)::numeric")
    document = writer.json(operand)
    length = sql("jsonb_array_length(", document, ")")
    return sql("(CASE jsonb_typeof(", document, ") WHEN 'array' THEN ", length, " ELSE 0 END)::numeric")


def _aggregate(writer: "Writer", node: Call) -> Fragment:
    (operand,) = node.arguments
    source = sql_rows.rows(writer, operand)
    kind = element_type(operand)
    value = sql_rows.scalar(source, node.type if kind.kind == "json" else kind)
    # An aggregate of nothing but outer columns would belong to the outer query: hence the inner one.
    alias = writer.new_alias()
    match node.function:
        case "sum":
            result = sql(f"COALESCE(sum({alias}.value::numeric), 0)")
        case "avg":
            result = quotient(sql(f"sum({alias}.value::numeric)"), sql(f"count({alias}.value)"))
        case function:
            collation = ' COLLATE "C"' if node.type.kind == "string" else ""
            cast = "::numeric" if node.type.kind == "int" else ""
            result = sql(f"{function}({alias}.value{cast}{collation})")
    inner = sql("(SELECT ", value, " AS value FROM ", source.tables, source.where(), f") AS {alias}")
    return sql("(SELECT ", result, " FROM ", inner, ")")


_FUNCTIONS: Mapping[str, Callable[["Writer", Call], Fragment]] = {
    "neg": _negate,
    "div": _divide,
    "idiv": _divide,
    "mod": _divide,
    "round": _round,
    "greatest": _extreme,
    "least": _extreme,
    "concat": _concat,
    "length": _change_text,
    "lower": _change_text,
    "upper": _change_text,
    "trim": _change_text,
    "if": _choose,
    "part": sql_times.part,
    "duration_part": sql_times.duration_part,
    "day": sql_times.day,
    "midnight": sql_times.midnight,
    "epoch": sql_times.epoch,
    "shift": sql_times.shift,
    "shift_days": sql_times.shift_days,
    "elapsed": sql_times.elapsed,
    "to_string": _to_string,
    "to_int": _to_number,
    "to_decimal": _to_number,
    "to_timestamp": sql_times.to_moment,
    "to_date": sql_times.to_moment,
    "from_json": _from_json,
    "size": _size,
    "sum": _aggregate,
    "avg": _aggregate,
    "min": _aggregate,
    "max": _aggregate,
}
