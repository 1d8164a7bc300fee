"""Dates, timestamps and durations (their seconds, as numeric) in SQL. Called by ``sql_functions``."""

from typing import TYPE_CHECKING

from schemas.compiler.expressions import values
from schemas.compiler.expressions.syntax import Call, Literal, Node, Variable
from schemas.compiler.sql import Const, Fragment, sql

if TYPE_CHECKING:
    from schemas.compiler.expressions.sql_writer import Writer

_DAYS = 3_652_058
_SECONDS = 400_000_000_000
_FIRST = "timestamptz '0001-01-01 00:00:00+00'"
_LAST = "timestamptz '9999-12-31 23:59:59.999999+00'"
_PARTS = {
    "year": ("year", ""),
    "month": ("month", " - 1"),
    "day": ("day", ""),
    "day0": ("day", " - 1"),
    "weekday": ("dow", ""),
    "yearday": ("doy", " - 1"),
    "hours": ("hour", ""),
    "minutes": ("minute", ""),
    "seconds": ("second", ""),
}


def when_matches(text: Fragment, pattern: str, value: Fragment) -> Fragment:
    """Return a value guarded by the form of the text it is made from."""
    return sql("CASE WHEN ", text, " ~ ", Const(f"^(?:{pattern})$", "text"), " THEN ", value, " END")


def _zoned(writer: "Writer", moment: Node, zone: str) -> Fragment:
    return sql("(", writer.value(moment), " AT TIME ZONE ", Const(zone, "text"), ")")


def part(writer: "Writer", node: Call) -> Fragment:
    """Compile a getter of a date or timestamp."""
    moment, part, *zone = node.arguments
    assert isinstance(part, Literal)  # noqa: S101 - made by the checker
    local = writer.value(moment)
    if zone and isinstance(zone[0], Literal):
        local = _zoned(writer, moment, str(zone[0].value))
    if part.value == "milliseconds":
        return sql("mod(floor(extract(milliseconds FROM ", local, ")), 1000)")
    field, offset = _PARTS[str(part.value)]
    return sql(f"(floor(extract({field} FROM ", local, f")){offset})")


def duration_part(writer: "Writer", node: Call) -> Fragment:
    """Compile a getter of a duration."""
    duration, part = node.arguments
    assert isinstance(part, Literal)  # noqa: S101 - made by the checker
    unit = {"hours": 3600, "minutes": 60, "seconds": 1}[str(part.value)]
    return sql("div(", writer.number(duration), f", {unit})")


def day(writer: "Writer", node: Call) -> Fragment:
    """Compile the day of a timestamp in a time zone."""
    moment, *zone = node.arguments
    name = str(zone[0].value) if zone and isinstance(zone[0], Literal) else writer.model.timezone
    return sql("(", _zoned(writer, moment, name), "::date)")


def midnight(writer: "Writer", node: Call) -> Fragment:
    """Compile a date as a timestamp."""
    return writer.moment(node.arguments[0])


def epoch(writer: "Writer", node: Call) -> Fragment:
    """Compile a timestamp as seconds."""
    return sql("floor(extract(epoch FROM ", writer.value(node.arguments[0]), "))")


def shift(writer: "Writer", node: Call) -> Fragment:
    """Compile a timestamp moved by a duration, null beyond the calendar."""
    moment, duration = node.arguments
    seconds = writer.number(duration)
    shifted = sql("(", writer.moment(moment), " + ((", seconds, ")::text || ' seconds')::interval)")
    is_short = _is_literal(duration)
    if is_short and isinstance(moment, Variable):
        return shifted
    known = sql(shifted, f" BETWEEN {_FIRST} AND {_LAST}")
    guarded = sql("CASE WHEN ", known, " THEN ", shifted, " END")
    if is_short:
        return guarded
    return sql("CASE WHEN abs(", seconds, f") <= {_SECONDS} THEN ", guarded, " END")


def _is_literal(duration: Node) -> bool:
    match duration:
        case Literal():
            return True
        case Call(function="neg", arguments=(Literal(),)):
            return True
        case _:
            return False


def shift_days(writer: "Writer", node: Call) -> Fragment:
    """Compile a date moved by days, null beyond the calendar."""
    day, days = writer.value(node.arguments[0]), writer.number(node.arguments[1])
    shifted = sql("(", day, " + (", days, ")::integer)")
    known = sql(shifted, " BETWEEN '0001-01-01' AND '9999-12-31'")
    inner = sql("CASE WHEN ", known, " THEN ", shifted, " END")
    return sql("CASE WHEN ", days, f" BETWEEN -{_DAYS} AND {_DAYS} THEN ", inner, " END")


def elapsed(writer: "Writer", node: Call) -> Fragment:
    """Compile the time between two timestamps, in seconds."""
    left, right = (writer.moment(argument) for argument in node.arguments)
    return sql("(extract(epoch FROM ", left, ") - extract(epoch FROM ", right, "))")


def _date_of(text: Fragment) -> Fragment:
    """Return the date a text of digits begins with, null when that month has no such day."""
    month = sql("substr(", text, ", 6, 2)::integer")
    first = sql("make_date(substr(", text, ", 1, 4)::integer, ", month, ", 1)")
    day = sql("(", first, " + (substr(", text, ", 9, 2)::integer - 1))")
    return sql("CASE WHEN extract(month FROM ", day, ") = ", month, " THEN ", day, " END")


def to_moment(writer: "Writer", node: Call) -> Fragment:
    """Compile a text as a date or timestamp, null when it is none."""
    text = writer.text(node.arguments[0])
    if node.function == "to_date":
        return when_matches(text, values.DATE_TEXT, _date_of(text))
    whole = sql("CASE WHEN ", _date_of(text), " IS NOT NULL THEN (", text, ")::timestamptz END")
    return when_matches(text, values.TIMESTAMP_TEXT, whole)
