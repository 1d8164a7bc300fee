"""Messages of Phoenix channels as Supabase's clients write them: versions 1.0.0 and 2.0.0 of the serializer.

Decides form only. Pure. References: Phoenix' ``V1`` and ``V2.JSONSerializer``, supabase/realtime-js.
"""

from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

VERSIONS = ("1.0.0", "2.0.0")
PUSHED, SENT = 3, 4
"""Kinds of binary messages: a broadcast on its way to us, and from us."""
_JSON = 1


class Frame(NamedTuple):
    """One message; ``payload`` of a binary broadcast holds bytes."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Any


class FrameError(Exception):
    """It is no message."""


def read_text(text: str, version: str) -> Frame:
    """Read a text message.

    Raises:
        FrameError: it is none.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise FrameError("messages are JSON") from None
    if version == "1.0.0":
        if not isinstance(found, dict):
            raise FrameError("a message is an object")
        parts = [found.get(name) for name in ("join_ref", "ref", "topic", "event", "payload")]
    elif isinstance(found, list) and len(found) == 5:
        parts = found
    else:
        raise FrameError("a message is a list of five")
    join_ref, ref, topic, event, payload = parts
    if not (isinstance(topic, str) and isinstance(event, str)):
        raise FrameError("topic and event are texts")
    return Frame(_ref(join_ref), _ref(ref), topic, event, payload if isinstance(payload, dict) else {})


def read_bytes(data: bytes) -> Frame:
    """Read a binary message: a broadcast.

    Raises:
        FrameError: it is none.
    """
    if len(data) < 7 or data[0] != PUSHED:
        raise FrameError("this kind of binary message is not known")
    sizes, encoding, place = data[1:6], data[6], 7
    texts: list[str] = []
    for size in sizes:
        try:
            texts.append(data[place : place + size].decode())
        except UnicodeDecodeError:
            raise FrameError("names are UTF-8") from None
        place += size
    if place > len(data):
        raise FrameError("the message is cut short")
    join_ref, ref, topic, event, _ = texts
    body: Any = data[place:]
    if encoding == _JSON:
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise FrameError("the payload is no JSON") from None
    payload = {"type": "broadcast", "event": event, "payload": body}
    return Frame(join_ref or None, ref or None, topic, "broadcast", payload)


def write(version: str, topic: str, event: str, payload: bytes, refs: tuple[str | None, str | None]) -> str:
    """Write a text message; ``payload`` is JSON, ``refs`` are join_ref and ref."""
    join_ref, ref, name, what = (orjson.dumps(part).decode() for part in (*refs, topic, event))
    body = payload.decode()
    if version == "1.0.0":
        return f'{{"join_ref":{join_ref},"ref":{ref},"topic":{name},"event":{what},"payload":{body}}}'
    return f"[{join_ref},{ref},{name},{what},{body}]"


def write_bytes(topic: str, event: str, body: bytes) -> bytes:
    """Write a broadcast of bytes."""
    name, what = topic.encode(), event.encode()[:255]
    return bytes((SENT, len(name), len(what), 0, 0)) + name + what + body


def query_of(text: str) -> str:
    """Return the query string for a filter of ``postgres_changes``: ``a=eq.1,b=in.(2,3)``.

    Raises:
        FrameError: it is none.
    """
    pairs: list[str] = []
    for part in _split(text):
        name, equals, value = part.partition("=")
        operator, dot, literal = value.partition(".")
        if not (name.strip() and equals and dot):
            raise FrameError(f"'{part[:60]}' is no filter: write column=operator.value")
        if len(literal) > 1 and literal[0] == literal[-1] == '"':
            value = f"{operator}.{_unquoted(literal[1:-1])}"
        pairs.append(f"{quote(name.strip(), safe='')}={quote(value, safe='')}")
    return "&".join(pairs)


def _split(text: str) -> list[str]:
    parts, depth, quoted, escaped = [""], 0, False, False
    for char in text:
        if char == "," and not depth and not quoted:
            parts.append("")
            continue
        parts[-1] += char
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
    return [part for part in parts if part]


def _unquoted(text: str) -> str:
    found, escaped = "", False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        found += char
        escaped = False
    return found


def _ref(value: object) -> str | None:
    return None if value is None else str(value)[:255]
