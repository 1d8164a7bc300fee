"""CEL text to an untyped tree with offsets. Grammar and macros are Google's parser's; limits are ours.

``parse`` is the only function that touches the parser, so it can be replaced by another. Called by ``check``.
"""

import functools
import math
import re
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct

from schemas.compiler.expressions import wire
from schemas.compiler.expressions.errors import ExpressionError

MAX_TEXT = 8_000
MAX_LITERAL = 1_000
MAX_ITEMS = 200

_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_NUMBER = re.compile(r"(-?)\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Const(Struct, frozen=True):
    """A literal."""

    offset: int
    value: bool | int | Decimal | str | None


class Ident(Struct, frozen=True):
    """A name."""

    offset: int
    name: str


class Select(Struct, frozen=True):
    """``operand.field``; ``test`` inside has(). The offset is the field's."""

    offset: int
    operand: "Raw"
    field: str
    test: bool


class Invoke(Struct, frozen=True):
    """A function, method or operator; the offset is the name's."""

    offset: int
    target: "Raw | None"
    function: str
    arguments: "tuple[Raw, ...]"


class Sequence(Struct, frozen=True):
    """A list literal."""

    offset: int
    items: "tuple[Raw, ...]"


class Macro(Struct, frozen=True):
    """exists, all, exists_one, filter, map, recognised from the parser's expansion."""

    offset: int
    kind: str
    variable: str
    range: "Raw"
    predicate: "Raw | None"
    body: "Raw | None"


Raw: TypeAlias = Const | Ident | Select | Invoke | Sequence | Macro


def parse(text: str) -> Raw:
    """Parse an expression.

    Args:
        text: at most ``MAX_TEXT`` characters.

    Returns:
        The untyped tree.

    Raises:
        ExpressionError: with the first syntax error, or when a limit is exceeded.
    """
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"longer than {MAX_TEXT} characters", code="expression.too_costly")
    if bad := _FORBIDDEN.search(text):
        raise _at(text, bad.start(), f"the character U+{ord(bad.group()):04X} is not allowed")
    try:
        serialized = _environment().compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        raise _syntax_error(str(error)) from None
    parsed = wire.message(wire.chunk(wire.message(serialized)[2]))
    offsets: dict[int, int] = {}
    for number, value in wire.fields(wire.chunk(parsed[3])):
        if number == 4:
            entry = wire.message(wire.chunk(value))
            offsets[wire.integer(entry[1])] = wire.integer(entry.get(2, 0))
    return _Reader(text, offsets).expression(wire.chunk(parsed[2]))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column, from 1, of an offset in characters."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


@functools.cache
def _environment() -> Any:  # noqa: ANN401 - the library has no types
    from cel_expr_python import cel  # noqa: PLC0415 - megabytes that only a compiler needs

    return cel.NewEnv(variables={})


def _at(
    text: str, offset: int, message: str, hint: str = "", code: str = "expression.syntax"
) -> ExpressionError:
    return ExpressionError(message, *line_and_column(text, offset), hint, code)


def _syntax_error(report: str) -> ExpressionError:
    if "recursion" in report:
        return ExpressionError("nested deeper than 32 levels", code="expression.too_costly")
    found = _POSITION.search(report)
    if found is None:
        return ExpressionError("cannot be read", hint=report[:200], code="expression.syntax")
    message = found[3].split(" [INVALID_ARGUMENT]")[0].split(" expecting {")[0]
    return ExpressionError(message, int(found[1]), int(found[2]), code="expression.syntax")


class _Reader:
    """Turns wire messages into the tree; knows the shapes of expanded macros."""

    def __init__(self, text: str, offsets: dict[int, int]) -> None:
        self.text = text
        self.offsets = offsets

    def expression(self, data: bytes) -> Raw:
        kind, body, offset = 0, b"", 0
        for number, value in wire.fields(data):
            if number == 2:
                offset = self.offsets.get(wire.integer(value), 0)
            else:
                kind, body = number, wire.chunk(value)
        match kind:
            case 3:
                return self._constant(body, offset)
            case 4:
                return Ident(offset, wire.text(wire.message(body)[1]))
            case 5:
                return self._select(body, offset)
            case 6:
                return self._call(body, offset)
            case 7:
                items = tuple(
                    self.expression(wire.chunk(item)) for number, item in wire.fields(body) if number == 1
                )
                if len(items) > MAX_ITEMS:
                    message = f"a list of more than {MAX_ITEMS} items"
                    raise _at(self.text, offset, message, code="expression.too_costly")
                return Sequence(offset, items)
            case 9:
                return self._macro(body, offset)
            case _:
                raise _at(self.text, offset, "maps and messages cannot be written here")

    def _constant(self, data: bytes, offset: int) -> Const:
        ((number, value),) = wire.fields(data)
        match number:
            case 1:
                return Const(offset, None)
            case 2:
                return Const(offset, bool(value))
            case 3:
                return Const(offset, wire.signed(value))
            case 5:
                return Const(offset, self._decimal(wire.double(value), offset))
            case 6:
                literal = wire.text(value)
                if len(literal) > MAX_LITERAL:
                    message = f"a text of more than {MAX_LITERAL} characters"
                    raise _at(self.text, offset, message, code="expression.too_costly")
                if "\x00" in literal:
                    raise _at(self.text, offset, "a text cannot contain the character U+0000")
                return Const(offset, literal)
            case 4:
                raise _at(
                    self.text, offset, "unsigned integers are not supported", "write the number without 'u'"
                )
            case _:
                raise _at(self.text, offset, "bytes are not supported")

    def _decimal(self, value: float, offset: int) -> Decimal:
        """Return the number as written: the parser keeps only the nearest double."""
        if math.isinf(value):
            raise _at(self.text, offset, "the number is too large")
        written = _NUMBER.match(self.text, offset)
        if written is not None and len(written[2]) <= 40:
            exact = Decimal(written[1] + written[2])
            if float(exact) == value:
                return exact
        return Decimal(repr(value))

    def _select(self, data: bytes, offset: int) -> Raw:
        message = wire.message(data)
        operand = self.expression(wire.chunk(message[1]))
        field = wire.text(message[2])
        test = bool(message.get(3, 0))
        start = offset
        if test and isinstance(operand, Ident | Select):  # has(): the parser gives its parenthesis
            start = operand.offset + len(operand.name if isinstance(operand, Ident) else operand.field)
        place = self.text.find(field, start)  # the parser gives the dot, we want the name
        return Select(place if place >= 0 else offset, operand, field, test)

    def _call(self, data: bytes, offset: int) -> Raw:
        target: Raw | None = None
        function = ""
        arguments: list[Raw] = []
        for number, value in wire.fields(data):
            match number:
                case 1:
                    target = self.expression(wire.chunk(value))
                case 2:
                    function = wire.text(value)
                case _:
                    arguments.append(self.expression(wire.chunk(value)))
        return Invoke(self._name_place(function, offset), target, function, tuple(arguments))

    def _name_place(self, name: str, offset: int) -> int:
        """Return the offset of a called name: the parser gives that of its parenthesis."""
        if self.text[offset : offset + 1] != "(":
            return offset
        place = self.text.rfind(name, 0, offset)
        return place if place >= 0 else offset

    def _macro(self, data: bytes, offset: int) -> Raw:
        message = wire.message(data)
        variable = wire.text(message[1])
        source = self.expression(wire.chunk(message[2]))
        step = self.expression(wire.chunk(message[6]))
        result = self.expression(wire.chunk(message[7]))
        match step:
            case Invoke(function="_||_", arguments=(_, predicate)):
                kind, body = "exists", None
            case Invoke(function="_&&_", arguments=(_, predicate)):
                kind, body = "all", None
            case Invoke(function="_?_:_", arguments=(predicate, _, _)) if isinstance(result, Invoke):
                kind, body = "exists_one", None
            case Invoke(
                function="_?_:_", arguments=(predicate, Invoke(arguments=(_, Sequence(items=(item,)))), _)
            ):
                mapped = not (isinstance(item, Ident) and item.name == variable)
                kind, body = ("map", item) if mapped else ("filter", None)
            case Invoke(function="_+_", arguments=(_, Sequence(items=(item,)))):
                return Macro(self._name_place("map", offset), "map", variable, source, None, item)
            case _:
                raise _at(self.text, offset, "this macro is not supported")
        return Macro(self._name_place(kind, offset), kind, variable, source, predicate, body)
