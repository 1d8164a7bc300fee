"""Answers as bytes: status line, headers and body in one piece, and no header that a value could forge.

Decides the headers every answer has. It never decides what is answered. Called by ``protocol`` and
``server``.
"""

import asyncio
import time
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.web_request import BaseRequest
from typing_extensions import override

from actors.messages import ProblemError, Result
from gateway import problems

_LARGE = 64 * 1024
_WRITE_SECONDS = 30.0

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BARE = frozenset({204, 304})
_NOT_KEPT = "Cache-Control: no-store, private\r\n"
_ALWAYS = (
    "X-Content-Type-Options: nosniff\r\n"
    "Vary: Accept, Authorization, Prefer, Range, Accept-Profile, Content-Profile, apikey, Origin\r\n"
)


class _Clock:
    """The Date header, formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n"
        return self._line


_CLOCK = _Clock()


def head(result: Result, request_id: str, extra: str, *, close: bool | None) -> bytes:
    """Return status line and headers of an answer.

    Args:
        result: its own headers; control characters in them become spaces, so that no value adds a header.
        request_id: as ``X-Request-Id``.
        extra: further complete header lines.
        close: True says that the connection ends, None that it stays although HTTP/1.0 would end it.
    """
    status = result.status
    lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} Unknown\r\n"]
    if status not in _BARE:
        if result.stream is not None:
            lines.append(f"Content-Type: {result.content_type}\r\n")
            if result.stream.length is not None:
                lines.append(f"Content-Length: {result.stream.length}\r\n")
        elif result.body:
            lines.append(f"Content-Type: {result.content_type}\r\nContent-Length: {len(result.body)}\r\n")
        else:
            lines.append("Content-Length: 0\r\n")
    caching = _NOT_KEPT
    for name, value in result.headers:
        if name == "Cache-Control":
            caching = ""
        if not value.isprintable():
            value = "".join(char if char.isprintable() else " " for char in value)  # noqa: PLW2901 - made safe
        lines.append(f"{name}: {value}\r\n")
    if close is None:
        lines.append("Connection: keep-alive\r\n")
    elif close:
        lines.append("Connection: close\r\n")
    lines.append(f"X-Request-Id: {request_id}\r\n{caching}{_ALWAYS}{_CLOCK.line()}{extra}\r\n")
    return "".join(lines).encode("latin-1", "replace")


class Answer(web.StreamResponse):
    """A complete answer; aiohttp's own response costs five times as much to write.

    Args:
        result: what to say.
        request_id: for the header of that name.
        extra: further complete header lines.
        close: end the connection afterwards.
    """

    def __init__(self, result: Result, request_id: str, extra: str = "", *, close: bool = False) -> None:  # pyright: ignore
        # the base class's constructor prepares for streaming, which never happens here
        self._result = result
        self._request_id = request_id
        self._extra = extra
        self._keep_alive = False if close else None

    @property
    @override
    def status(self) -> int:
        return self._result.status

    @override
    async def prepare(self, request: BaseRequest) -> None:
        """Write everything; wait only when the peer does not read."""
        protocol = request.protocol
        transport = protocol.transport
        if transport is None:
            raise ConnectionResetError("the client went away")
        stay = self._keep_alive is None and request.keep_alive
        self._keep_alive = stay
        result = self._result
        close: bool | None = not stay
        if stay and request.version < (1, 1):
            close = None
        data = head(result, self._request_id, self._extra, close=close)
        if request.method == "HEAD" or result.status in _BARE:
            transport.write(data)
        elif len(result.body) < _LARGE:
            transport.write(data + result.body)
        else:
            transport.write(data)
            transport.write(result.body)
        if protocol.writing_paused:
            await drain(protocol)

    @override
    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


async def drain(protocol: BaseProtocol) -> None:
    """Wait until a slow reader took enough.

    Raises:
        ConnectionResetError: it took too long or went away.
    """
    limit = getattr(protocol, "write_seconds", _WRITE_SECONDS)
    try:
        async with asyncio.timeout(limit):
            await protocol._drain_helper()  # noqa: SLF001 - aiohttp's flow control has no public name
    except TimeoutError:
        if protocol.transport is not None:
            protocol.transport.abort()
        raise ConnectionResetError("the client reads too slowly") from None


def plain_refusal(code: str, message: str) -> bytes:
    """Return a whole answer for a connection that has no request."""
    result = problems.render(ProblemError(code, message), request_id="", instance="/")
    return head(result, "", "", close=True) + result.body
