"""Functions and operators in Python, one per name of the typed tree. Total: what has no value is None."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from schemas.compiler.expressions import patterns, values
from schemas.compiler.expressions.celtypes import CelType
from schemas.compiler.expressions.python_numbers import CONTEXT, NUMERIC, quotient
from schemas.compiler.expressions.python_times import (
    DURATIONS,
    UNITS,
    midnight,
    part,
    shift_days,
    timestamp_text,
)
from schemas.compiler.expressions.sql_functions import SPACES
from schemas.compiler.expressions.syntax import Call, Literal

Function = Callable[..., Any]
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def function(node: Call) -> Function:
    """Return the function of a call; it takes the operands' values."""
    name = node.function
    if name in _SPECIAL:
        return _SPECIAL[name](node)
    if name in _TEXT_TESTS:
        test = _TEXT_TESTS[name]
        return lambda text, part: text is not None and part is not None and test(text, part)
    if name in _AGGREGATES:
        return _aggregate(node)
    if node.type.kind == "duration" and name in DURATIONS:
        return _strict(DURATIONS[name])
    if name in NUMERIC:
        return _numeric(NUMERIC[name], whole=node.type.kind == "int")
    return _strict(_PLAIN[name])


def _strict(compute: Function) -> Function:
    """Make a function absent for absent operands, and for what Python's dates cannot hold."""

    def call(*operands: object) -> object:
        if None in operands:
            return None
        try:
            return compute(*operands)
        except OverflowError:
            return None

    return call


def _numeric(compute: Function, *, whole: bool) -> Function:
    def call(*operands: object) -> object:
        numbers = [values.decimal_of(operand) for operand in operands]
        if None in numbers:
            return None
        result = compute(*numbers)
        return int(result) if whole and result is not None else result

    return call


# Comparisons


def _comparison(node: Call) -> Function:
    name = node.function
    left, right = node.arguments
    kinds = {left.type.kind, right.type.kind}
    convert: Function | None = None
    if kinds == {"date", "timestamp"}:
        convert = midnight
    elif "double" in kinds and len(kinds) > 1:
        convert = values.decimal_of
    compare = _ORDER.get(name, _equal if kinds & {"json", "object", "list"} else _plain_equal)

    def call(first: object, second: object) -> bool:
        if first is None or second is None:
            return name == "same" and first is second
        if convert is not None:
            first, second = convert(first), convert(second)
        return bool(compare(first, second))

    return call


def _plain_equal(left: object, right: object) -> bool:
    return left == right


def _equal(left: object, right: object) -> bool:
    """Compare JSON values, where true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(
            _equal(one, other) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, float | Decimal | int) and isinstance(right, float | Decimal | int):
        return _exact(left) == _exact(right)
    return left == right


def _exact(value: float | Decimal) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


_ORDER: Mapping[str, Function] = {
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


def _membership(node: Call) -> Function:
    item, container = (argument.type for argument in node.arguments)
    element = container.element
    kind = item if element is None or element.kind in {"json", "any"} else element
    in_json = container.kind == "json" or container.stored == "json"
    mixed = "double" in {item.kind, kind.kind} and item.kind != kind.kind

    def call(wanted: object, items: object) -> bool:
        if wanted is None:
            return False
        if mixed:
            wanted = values.decimal_of(wanted)
            return any(values.decimal_of(each) == wanted for each in _elements(items, kind, in_json=in_json))
        return wanted in _elements(items, kind, in_json=in_json)

    return call


def _elements(items: object, kind: CelType, *, in_json: bool) -> list[Any]:
    """Return the elements that are there."""
    if not isinstance(items, list | tuple):
        return []
    read = [values.from_json(item, kind) for item in items] if in_json else items
    return [item for item in read if item is not None]


def _as(node: Call) -> Function:
    """Read a value of unknown type as the type it is used as."""
    kind = node.type

    def call(value: object) -> object:
        if isinstance(value, str):
            return values.parse_text(value, kind)
        return None if kind.kind == "string" else values.from_row(value, kind, "text")

    return call


def _from_json(node: Call) -> Function:
    return lambda value: values.from_json(value, node.type)


def _size(_node: Call) -> Function:
    return lambda items: len(items) if isinstance(items, list | tuple) else 0


def _matches(node: Call) -> Function:
    pattern = node.arguments[1]
    assert isinstance(pattern, Literal)  # noqa: S101 - the checker allows nothing else
    search = patterns.compiled(str(pattern.value)).search
    return lambda text, _pattern: text is not None and search(text) is not None


def _to_int(value: object) -> int | None:
    if isinstance(value, str):
        parsed = values.parse_text(value, CelType("int"))
        return parsed if isinstance(parsed, int) else None
    number = values.decimal_of(value)
    return None if number is None else int(number)


def _to_decimal(value: object) -> Decimal | None:
    if isinstance(value, str):
        parsed = values.parse_text(value, CelType("decimal"))
        return parsed if isinstance(parsed, Decimal) else None
    return values.decimal_of(value)


def _to_string(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return timestamp_text(value)
        case dt.time():
            text = value.isoformat()
            return text.rstrip("0") if "." in text else text
        case dt.date():
            return value.isoformat()
        case _:
            number = values.decimal_of(value)
            text = format(number, "f") if number else "0"
            return text.rstrip("0").rstrip(".") if "." in text else text


# Lists


def _average(items: list[Any]) -> Decimal | None:
    return quotient(_sum(items), Decimal(len(items))) if items else None


def _sum(items: list[Any]) -> Decimal:
    total = Decimal(0)
    for item in items:
        total = CONTEXT.add(total, values.decimal_of(item) or Decimal(0))
    return total


def _aggregate(node: Call) -> Function:
    container = node.arguments[0].type
    kind = node.type if container.element is None or container.element.kind == "json" else container.element
    in_json = container.kind == "json" or container.stored == "json"
    aggregate = _AGGREGATES[node.function]
    if node.type.kind == "int":
        aggregate = _whole(aggregate)
    return lambda items: aggregate(_elements(items, kind, in_json=in_json))


def _whole(aggregate: Function) -> Function:
    def call(items: list[Any]) -> int | None:
        result = aggregate(items)
        return None if result is None else int(result)

    return call


def _first(items: list[Any]) -> object:
    return min(items, default=None)


def _last(items: list[Any]) -> object:
    return max(items, default=None)


_AGGREGATES: Mapping[str, Function] = {"sum": _sum, "avg": _average, "min": _first, "max": _last}
_TEXT_TESTS: Mapping[str, Function] = {
    "starts_with": lambda text, part: text.startswith(part),
    "ends_with": lambda text, part: text.endswith(part),
    "contains": lambda text, part: part in text,
}
_PLAIN: Mapping[str, Function] = {
    "concat": lambda left, right: left + right,
    "lower": lambda text: text.translate(_LOWER),
    "upper": lambda text: text.translate(_UPPER),
    "trim": lambda text: text.strip(SPACES),
    "length": len,
    "part": part,
    "duration_part": lambda value, part: int(values.seconds(value) / UNITS[part]),
    "midnight": midnight,
    "epoch": lambda value: int((value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(seconds=1)),
    "shift": lambda value, duration: midnight(value) + duration,
    "shift_days": shift_days,
    "elapsed": lambda left, right: midnight(left) - midnight(right),
    "to_string": _to_string,
    "to_timestamp": values.parse_timestamp,
    "to_date": values.parse_date,
}
_SPECIAL: Mapping[str, Callable[[Call], Function]] = {
    **dict.fromkeys(("eq", "same", "lt", "le", "gt", "ge"), _comparison),
    "in": _membership,
    "as": _as,
    "from_json": _from_json,
    "matches": _matches,
    "size": _size,
    "to_int": lambda _node: _to_int,
    "to_decimal": lambda _node: _to_decimal,
}
