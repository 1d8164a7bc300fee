"""Functions and methods: their operands and results. Raises ``Mismatch``; called by the checker."""

import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.compiler.expressions import patterns, values
from schemas.compiler.expressions.celtypes import (
    ANY,
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    NUMBERS,
    STRING,
    TIMESTAMP,
    CelType,
)
from schemas.compiler.expressions.operators import number
from schemas.compiler.expressions.syntax import Call, Literal, Node
from schemas.compiler.expressions.typing_rules import Mismatch, adapt, as_list, element_type, is_open, unify

_TEXT_TESTS = {
    "startsWith": "starts_with",
    "endsWith": "ends_with",
    "contains": "contains",
    "matches": "matches",
}
_TEXT_CHANGES = {"lowerAscii": "lower", "upperAscii": "upper", "trim": "trim"}
_DATE_PARTS = {
    "getFullYear": "year",
    "getMonth": "month",
    "getDate": "day",
    "getDayOfMonth": "day0",
    "getDayOfWeek": "weekday",
    "getDayOfYear": "yearday",
}
_TIME_PARTS = {
    "getHours": "hours",
    "getMinutes": "minutes",
    "getSeconds": "seconds",
    "getMilliseconds": "milliseconds",
}
_AGGREGATES = ("sum", "avg", "min", "max")
_ROUNDINGS = ("round", "abs", "ceil", "floor", "trunc")


@dataclass(frozen=True, slots=True)
class UnknownFunction(Exception):  # noqa: N818 - turned into an error with a place by the checker
    """No function of this name; ``known`` are those that could have been meant."""

    known: tuple[str, ...]


def method(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    """Type ``target.name(arguments)``.

    Raises:
        Mismatch: the operands do not fit.
        UnknownFunction: there is no such method.
    """
    if name == "size":
        return _size(target, *_arity(name, arguments, 0))
    kind = target.type.kind
    if kind in {"any", "json"}:
        target = _guess(name, target)
        kind = target.type.kind
    table: Mapping[str, Callable[[str, Node, tuple[Node, ...]], Node]] = _METHODS.get(kind, {})
    if name not in table:
        raise UnknownFunction((*table, "size") if kind in {"string", "list"} else tuple(table))
    return table[name](name, target, arguments)


def call(name: str, arguments: tuple[Node, ...]) -> Node:
    """Type ``name(arguments)``.

    Raises:
        Mismatch: the operands do not fit.
        UnknownFunction: there is no such function.
    """
    match name:
        case "size":
            return _size(*_arity(name, arguments, 1))
        case "matches":
            target, pattern = _arity(name, arguments, 2)
            return _text_test(name, _text(target, name), (pattern,))
        case "string" | "int" | "double" | "timestamp" | "date" | "duration":
            return _CONVERSIONS[name](*_arity(name, arguments, 1))
        case _ if name.removeprefix("math.") in _ROUNDINGS and name.startswith("math."):
            return _rounded(name.removeprefix("math."), arguments)
        case "math.greatest" | "math.least":
            return _extreme(name.removeprefix("math."), arguments)
        case _:
            raise UnknownFunction(GLOBALS)


GLOBALS = (
    "size", "matches", "string", "int", "double", "timestamp", "date", "duration", "today", "changed", "has",
    "math.round", "math.abs", "math.ceil", "math.floor", "math.trunc", "math.greatest", "math.least",
)  # fmt: skip


def _arity(name: str, arguments: tuple[Node, ...], count: int) -> tuple[Node, ...]:
    if len(arguments) != count:
        wanted = "no argument" if count == 0 else "1 argument" if count == 1 else f"{count} arguments"
        raise Mismatch(f"{name}() takes {wanted}, not {len(arguments)}")
    return arguments


def _guess(name: str, target: Node) -> Node:
    """Give a value of unknown type the one its method belongs to."""
    if name in _TEXT_TESTS or name in _TEXT_CHANGES:
        return adapt(target, STRING)
    if name in _AGGREGATES:
        return as_list(target, DECIMAL)
    if name in _DATE_PARTS or name in _TIME_PARTS or name == "date":
        return adapt(target, TIMESTAMP)
    return target


def _size(target: Node) -> Node:
    if target.type == ANY:
        target = as_list(target)
    if target.type == STRING:
        return Call(INT, "length", (target,))
    try:
        element_type(target)
    except Mismatch:
        raise Mismatch(f"size() needs text or a list, not {target.type}") from None
    return Call(INT, "size", (target,))


def _text(node: Node, name: str) -> Node:
    if is_open(node.type):
        return adapt(node, STRING)
    if node.type != STRING:
        raise Mismatch(f"{name}() needs text, not {node.type}")
    return adapt(node, STRING, "text") if isinstance(node, Literal) else node


def _text_test(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    (part,) = _arity(name, arguments, 1)
    part = _text(part, name)
    if name == "matches":
        if not isinstance(part, Literal) or not isinstance(part.value, str):
            raise Mismatch("the pattern of matches() must be written as a text")
        if problem := patterns.problem(part.value):
            raise Mismatch(f"bad pattern: {problem}")
    return Call(BOOL, _TEXT_TESTS[name], (target, part))


def _text_change(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    _arity(name, arguments, 0)
    return Call(STRING, _TEXT_CHANGES[name], (target,))


def _part(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    part = Literal(STRING, _DATE_PARTS.get(name) or _TIME_PARTS[name], "text")
    if target.type == DURATION:
        _arity(name, arguments, 0)
        return Call(INT, "duration_part", (target, part))
    if target.type == DATE:
        _arity(name, arguments, 0)
        return Call(INT, "part", (target, part))
    zone = _zone(arguments) if arguments else Literal(STRING, "UTC", "text")
    return Call(INT, "part", (target, part, zone))


def _zone(arguments: tuple[Node, ...]) -> Node:
    match arguments:
        case (Literal(value=str() as name) as zone,):
            try:
                zoneinfo.ZoneInfo(name)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                raise Mismatch(f"{name!r} is not a time zone", "such as 'Europe/Berlin'") from None
            return zone
        case _:
            raise Mismatch("the time zone must be written as a text", "such as 'Europe/Berlin'")


def _day(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    if target.type == DATE:
        _arity(name, arguments, 0)
        return target
    return Call(DATE, "day", (target, _zone(arguments)) if arguments else (target,))


def _aggregate(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    _arity(name, arguments, 0)
    element = element_type(target)
    if element == JSON:
        element = DECIMAL
    if element.kind in {"entity", "object"}:
        raise Mismatch(f"{name}() needs values, not rows", f"write .map(x, x.field).{name}()")
    if name in {"sum", "avg"}:
        if element.kind not in NUMBERS:
            raise Mismatch(f"{name}() needs numbers, not {element}")
        element = INT if element == INT and name == "sum" else DECIMAL
    elif element.kind not in {*NUMBERS, "string", "date", "timestamp", "time", "duration"}:
        raise Mismatch(f"{name}() needs values that have an order, not {element}")
    return Call(element, name, (target,))


def _rounded(name: str, arguments: tuple[Node, ...]) -> Node:
    if name == "round" and len(arguments) == 2:
        value, digits = arguments
        if (
            not isinstance(digits, Literal)
            or not isinstance(digits.value, int)
            or not 0 <= digits.value <= 16
        ):
            raise Mismatch("the digits of math.round() must be a whole number from 0 to 16")
        return Call(DECIMAL, "round", (number(value, "math.round"), digits))
    (value,) = _arity(f"math.{name}", arguments, 1)
    operand = number(value, f"math.{name}")
    kind = INT if operand.type == INT else DECIMAL
    return Call(kind, name, (operand, Literal(INT, 0, "bigint")) if name == "round" else (operand,))


def _extreme(name: str, arguments: tuple[Node, ...]) -> Node:
    left, right = (number(argument, f"math.{name}") for argument in _arity(f"math.{name}", arguments, 2))
    left, right, kind = unify(left, right)
    return Call(kind if kind == INT else DECIMAL, name, (left, right))


def _to_string(value: Node) -> Node:
    if value.type == STRING:
        return value
    if is_open(value.type):
        return adapt(value, STRING)
    if value.type.kind not in {*NUMBERS, "bool", "date", "timestamp", "time"}:
        raise Mismatch(f"string() cannot convert {value.type}")
    return Call(STRING, "to_string", (value,))


def _to_number(value: Node, want: CelType, name: str) -> Node:
    if is_open(value.type):
        return Call(want, f"to_{want.kind}", (adapt(value, DECIMAL),))
    if value.type == TIMESTAMP and want == INT:
        return Call(INT, "epoch", (value,))
    if value.type.kind not in {*NUMBERS, "string"}:
        raise Mismatch(f"{name}() cannot convert {value.type}")
    return Call(want, f"to_{want.kind}", (value,))


def _to_date(value: Node) -> Node:
    if value.type == TIMESTAMP:
        return _day("date", value, ())
    return _to_moment(value, DATE)


def _to_moment(value: Node, want: CelType) -> Node:
    if value.type == want:
        return value
    if is_open(value.type):
        return adapt(value, want)
    if value.type == DATE and want == TIMESTAMP:
        return Call(TIMESTAMP, "midnight", (value,))
    if isinstance(value, Literal):
        return adapt(value, want)
    if value.type != STRING:
        raise Mismatch(f"{want.kind}() cannot convert {value.type}")
    return Call(want, f"to_{want.kind}", (value,))


def _to_duration(value: Node) -> Node:
    if not isinstance(value, Literal) or not isinstance(value.value, str):
        raise Mismatch("the length of duration() must be written as a text", "such as '36h' or '30m'")
    parsed = values.parse_duration(value.value)
    if parsed is None:
        raise Mismatch(f"{value.value!r} is not a duration of at most 100 years", "such as '36h' or '30m'")
    return Literal(DURATION, parsed, "numeric")


_CONVERSIONS: Mapping[str, Callable[[Node], Node]] = {
    "string": _to_string,
    "int": lambda value: _to_number(value, INT, "int"),
    "double": lambda value: _to_number(value, DECIMAL, "double"),
    "timestamp": lambda value: _to_moment(value, TIMESTAMP),
    "date": _to_date,
    "duration": _to_duration,
}


def _text_method(name: str, target: Node, arguments: tuple[Node, ...]) -> Node:
    text = _text(target, name)
    return _text_test(name, text, arguments) if name in _TEXT_TESTS else _text_change(name, text, arguments)


_METHODS: Mapping[str, Mapping[str, Callable[[str, Node, tuple[Node, ...]], Node]]] = {
    "string": dict.fromkeys((*_TEXT_TESTS, *_TEXT_CHANGES), _text_method),
    "timestamp": {**dict.fromkeys((*_DATE_PARTS, *_TIME_PARTS), _part), "date": _day},
    "date": {**dict.fromkeys(_DATE_PARTS, _part), "date": _day},
    "duration": dict.fromkeys(("getHours", "getMinutes", "getSeconds"), _part),
    "list": dict.fromkeys(_AGGREGATES, _aggregate),
    "json": dict.fromkeys(_AGGREGATES, _aggregate),
}
