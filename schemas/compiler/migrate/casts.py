"""Which column type turns into which, and at what price: the SQL of a value's conversion."""

import re

from msgspec import Struct

_INTEGERS = {"smallint": 0, "integer": 1, "bigint": 2}
_NUMERIC = re.compile(r"numeric(?:\((\d+),(\d+)\))?")


class Conversion(Struct, frozen=True):
    """How values of one type become another's.

    Attributes:
        sql: the expression, ``{}`` standing for the value.
        fallible: some values have no counterpart.
        instant: PostgreSQL changes the type without touching a row.
    """

    sql: str
    fallible: bool = False
    instant: bool = False


def conversion(before: str, after: str) -> Conversion | None:
    """Return how ``before`` becomes ``after``; None when there is no sensible way."""
    if before == after:
        return Conversion("{}", instant=True)
    if before.endswith("[]") or after.endswith("[]"):
        return _array(before, after)
    if after == "text":
        return _to_text(before)
    if before == "text":
        return Conversion(f"{{}}::{after}", fallible=True)
    if after == "jsonb":
        return Conversion("to_jsonb({})")
    if before == "jsonb":
        return Conversion(f"({{}} #>> '{{{{}}}}')::{after}", fallible=True)
    if _is_number(before) and _is_number(after):
        return _number(before, after)
    other = {
        ("date", "timestamp with time zone"): "({}::timestamp AT TIME ZONE 'UTC')",
        ("timestamp with time zone", "date"): "({} AT TIME ZONE 'UTC')::date",
        ("timestamp with time zone", "time without time zone"): "({} AT TIME ZONE 'UTC')::time",
        ("boolean", "integer"): "{}::integer",
        ("integer", "boolean"): "{}::boolean",
        ("boolean", "bigint"): "{}::integer::bigint",
        ("bigint", "boolean"): "({} <> 0)",
    }.get((before, after))
    return None if other is None else Conversion(other)


def is_instant(before: str, after: str) -> bool:
    """Whether PostgreSQL changes the type without touching a row."""
    how = conversion(before, after)
    return how is not None and how.instant


def _is_number(pg_type: str) -> bool:
    return pg_type in _INTEGERS or pg_type == "double precision" or _NUMERIC.fullmatch(pg_type) is not None


def _to_text(before: str) -> Conversion:
    if before.startswith("character varying"):
        return Conversion("{}::text", instant=True)
    if before == "jsonb":
        return Conversion("CASE jsonb_typeof({0}) WHEN 'string' THEN {0} #>> '{{}}' ELSE {0}::text END")
    return Conversion("{}::text")


def _array(before: str, after: str) -> Conversion | None:
    if after == "jsonb":
        return Conversion("to_jsonb({})")
    if after == "text":
        return Conversion("{}::text")
    inner, outer = before.removesuffix("[]"), after.removesuffix("[]")
    if before == "jsonb":
        listed = f"ARRAY(SELECT item::{outer} FROM jsonb_array_elements_text({{0}}) AS item)"
        return Conversion(f"CASE jsonb_typeof({{0}}) WHEN 'array' THEN {listed} END", fallible=True)
    element = conversion(inner, outer)
    if element is None:
        return None
    if before.endswith("[]") and after.endswith("[]"):
        return Conversion(f"{{}}::{after}", fallible=element.fallible)
    if after.endswith("[]"):
        one = element.sql.replace("{}", "{0}")
        return Conversion(f"CASE WHEN {{0}} IS NOT NULL THEN ARRAY[{one}]::{after} END", element.fallible)
    only = element.sql.replace("{}", "{0}").replace("{0}", "({0})[1]")
    return Conversion(f"CASE WHEN cardinality({{0}}) = 1 THEN {only} END", fallible=True)


def _number(before: str, after: str) -> Conversion:
    plain = f"{{}}::{after}"
    if before in _INTEGERS and after in _INTEGERS:
        return Conversion(plain, fallible=_INTEGERS[after] < _INTEGERS[before])
    into = _NUMERIC.fullmatch(after)
    if into is None:
        return Conversion(plain, fallible=after in _INTEGERS)
    if into.group(1) is None:
        return Conversion(plain, instant=before.startswith("numeric"))
    precision, scale = int(into.group(1)), int(into.group(2))
    source = _NUMERIC.fullmatch(before)
    if source is None or source.group(1) is None:
        digits = {"smallint": 5, "integer": 10, "bigint": 19}.get(before)
        return Conversion(plain, fallible=digits is None or precision - scale < digits)
    old_precision, old_scale = int(source.group(1)), int(source.group(2))
    return Conversion(
        plain,
        fallible=precision - scale < old_precision - old_scale,
        instant=scale == old_scale and precision >= old_precision,
    )
