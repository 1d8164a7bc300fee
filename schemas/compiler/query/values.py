"""JSON from a client to values that PostgreSQL takes: strict reading, and what must not get through.

Pure; called by the write pipeline.
"""

from decimal import Decimal
from typing import Any

import msgspec

from schemas.compiler.query.errors import QueryError

MAX_DEPTH = 64
MAX_NODES = 100_000


def decode_json(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read one JSON text.

    Numbers with a fraction come as ``Decimal``; integral ones (``10.0``) as ``int``.

    Raises:
        QueryError: PGRST102 for anything that is not plain JSON, has duplicate keys, or is too deep or too
            large.
    """
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise QueryError("PGRST102", f"the body is nested deeper than {MAX_DEPTH} levels")
    try:
        value = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError, ValueError):
        raise QueryError("PGRST102", "the body is not valid JSON") from None
    if brackets > 1 or type(value) is not dict or len(data) >= MAX_NODES or b"\\u0000" in data:
        _check(value, data)
    elif len(value) != data.count(b":") and len(value) != _count_keys(data):
        # the body of most writes: one flat object, too short to hold many nodes, no NUL in it
        raise _twice()
    return value


def _number(text: str) -> int | Decimal:
    if len(text) > 400:
        raise ValueError("too many digits")
    number = Decimal(text)
    if len(text) < 40 and text[-1] != "0" and "e" not in text and "E" not in text:
        return number  # it has a fraction, and is neither large nor small
    exponent = number.adjusted()
    if not -400 < exponent < 400:
        raise ValueError("out of range")
    return int(number) if number == number.to_integral_value() and exponent < 40 else number


_DECODER = msgspec.json.Decoder(float_hook=_number)


def _depth(data: bytes) -> int:
    depth = deepest = 0
    inside = escaped = False
    for byte in data:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _check(value: object, data: bytes) -> None:
    """Refuse NUL characters (PostgreSQL cannot hold them), duplicate keys and too many nodes."""
    keys = 0
    nodes = 0
    stack = [("", value)]
    while stack:
        path, item = stack.pop()
        nodes += 1
        if nodes > MAX_NODES:
            raise QueryError("PGRST102", f"the body has more than {MAX_NODES:,} values")
        if isinstance(item, dict):
            keys += len(item)
            stack.extend((f"{path}/{key}", inner) for key, inner in item.items())
            for key in item:
                if "\0" in key:
                    raise QueryError("PGRST102", "a key holds a NUL character")
        elif isinstance(item, list):
            stack.extend((f"{path}/{index}", inner) for index, inner in enumerate(item))
        elif isinstance(item, str) and "\0" in item:
            raise QueryError(
                "22P05",
                "a text cannot hold a NUL character",
                errors=({"pointer": path, "code": "nul", "detail": "NUL characters cannot be stored"},),
            )
    if keys != _count_keys(data):
        raise _twice()


def _twice() -> QueryError:
    return QueryError("PGRST102", "an object has the same key twice")


def _count_keys(data: bytes) -> int:
    """Count ``:`` outside strings: one per key."""
    if b'"' not in data:
        return data.count(b":")
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    pieces = data.split(b'"')
    return b"".join(pieces[::2]).count(b":")
