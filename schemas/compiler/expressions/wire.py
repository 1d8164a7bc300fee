"""Reads the parser's serialized syntax tree: protobuf's wire format, without a dependency."""

import struct
from collections.abc import Iterator


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, varint or bytes) of one message."""
    position = 0
    end = len(data)
    while position < end:
        key, position = _varint(data, position)
        match key & 7:
            case 0:
                value, position = _varint(data, position)
                yield key >> 3, value
            case 1:
                yield key >> 3, data[position : position + 8]
                position += 8
            case 2:
                size, position = _varint(data, position)
                yield key >> 3, data[position : position + size]
                position += size
            case other:
                raise ValueError(f"wire type {other}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, position
        shift += 7


def message(data: bytes) -> dict[int, int | bytes]:
    """Return a message whose fields do not repeat, by field number."""
    return dict(fields(data))


def signed(value: int | bytes) -> int:
    """Return an int64 from its two's-complement varint."""
    number = integer(value)
    return number - (1 << 64) if number >= 1 << 63 else number


def integer(value: int | bytes) -> int:
    """Return a varint field's value."""
    assert isinstance(value, int)  # noqa: S101 - the message layout is fixed
    return value


def chunk(value: int | bytes) -> bytes:
    """Return a length-delimited or fixed64 field's bytes."""
    assert isinstance(value, bytes)  # noqa: S101 - the message layout is fixed
    return value


def text(value: int | bytes) -> str:
    """Return a string field's value."""
    return chunk(value).decode()


def double(value: int | bytes) -> float:
    """Return a double field's value."""
    (number,) = struct.unpack("<d", chunk(value))
    return float(number)
