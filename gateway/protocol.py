"""HTTP/1.1 on aiohttp's low-level server: limits for slow and hostile peers, answers in one piece.

Decides how long a peer may take, how much it may send and how many connections it may hold. It never routes.
Built and driven by ``gateway.server``.

aiohttp parses (strictly, in C) and keeps connections alive; this module adds what it leaves open: a deadline
for the head and the body, one for readers that do not read, problem documents instead of plain text, caps on
connections.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from typing_extensions import override

from actors.messages import ProblemError, Result
from gateway import problems

MAX_LINE = 16 * 1024
MAX_FIELD = 16 * 1024 - 256
"""Differs from ``MAX_LINE`` so that a refusal tells which of the two was too long."""
MAX_HEADERS = 128
KEEPALIVE_SECONDS = 75.0
LINGER_SECONDS = 2.0
SWEEP_SECONDS = 0.5
_LARGE = 64 * 1024

log = structlog.get_logger("gateway")

Handler = Callable[[BaseRequest], Awaitable["Answer"]]

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BARE = frozenset({204, 304})
_ALWAYS = (
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store, private\r\n"
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
        if result.body:
            lines.append(f"Content-Type: {result.content_type}\r\nContent-Length: {len(result.body)}\r\n")
        else:
            lines.append("Content-Length: 0\r\n")
    for name, value in result.headers:
        if not value.isprintable():
            value = "".join(char if char.isprintable() else " " for char in value)  # noqa: PLW2901 - made safe
        lines.append(f"{name}: {value}\r\n")
    if close is None:
        lines.append("Connection: keep-alive\r\n")
    elif close:
        lines.append("Connection: close\r\n")
    lines.append(f"X-Request-Id: {request_id}\r\n{_ALWAYS}{_CLOCK.line()}{extra}\r\n")
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
            await _drain(protocol)

    @override
    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


async def _drain(protocol: BaseProtocol) -> None:
    limit = protocol.limits.write_seconds if isinstance(protocol, Connection) else 30.0
    try:
        async with asyncio.timeout(limit):
            await protocol._drain_helper()  # noqa: SLF001 - aiohttp's flow control has no public name
    except TimeoutError:
        if protocol.transport is not None:
            protocol.transport.abort()
        raise ConnectionResetError("the client reads too slowly") from None


class Limits:
    """How long a peer may take and how many connections there may be."""

    def __init__(
        self,
        *,
        head_seconds: float = 10.0,
        body_seconds: float = 30.0,
        write_seconds: float = 30.0,
        body_bytes: int = 1 << 20,
        sockets: int = 800,
        sockets_per_address: int = 0,
    ) -> None:
        self.head_seconds = head_seconds
        self.body_seconds = body_seconds
        self.write_seconds = write_seconds
        self.body_bytes = body_bytes
        self.sockets = sockets
        self.sockets_per_address = sockets_per_address


class Connection(RequestHandler):
    """One client connection."""

    __slots__ = ("address", "counted", "head_since", "limits", "server")

    def __init__(self, server: "HttpServer", **options: Any) -> None:  # noqa: ANN401 - aiohttp's own options
        super().__init__(server, **options)
        self.server = server
        self.limits = server.limits
        self.head_since = 0.0
        self.address = ""
        self.counted = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = self.peername
        self.address = peer[0] if isinstance(peer, tuple) else ""
        self.head_since = self._loop.time()
        refused = self.server.admit(self)
        if refused and self.transport is not None:
            self.transport.write(plain_refusal("http.overloaded", refused))
            self.force_close()

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self.server.forget(self)
        request, task = self._current_request, self._task_handler
        super().connection_lost(exc)
        if request is not None and request.method in {"GET", "HEAD"} and task is not None:
            # nobody waits for the rows any more; a write is always completed
            task.cancel()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages or self._current_request is not None:
            self.head_since = 0.0
        elif not self.head_since and data and self._waiter is not None:
            self.head_since = self._loop.time()

    @override
    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not parse, and our own faults, as every other refusal."""
        del message
        code = "http.bad_request"
        text = "the bytes received are no HTTP/1.1 request"
        if isinstance(exc, LineTooLong):
            limit = exc.args[1] if len(exc.args) > 1 else MAX_FIELD
            code, text = (
                ("http.uri_too_long", f"a request line has at most {MAX_LINE} bytes")
                if str(limit) == str(MAX_LINE)
                else ("http.head_too_large", f"a header has at most {MAX_FIELD} bytes")
            )
        elif exc is not None and "Too many headers" in str(exc):
            code, text = "http.head_too_large", f"a request has at most {MAX_HEADERS} headers"
        elif isinstance(exc, BadHttpMethod):
            text = "the request method is not understood"
        elif status >= 500:
            code, text = "http.internal", "something went wrong on our side"
            log.error("request.failed", exc_info=exc)
        request_id = self.server.new_request_id()
        answer = problems.render(ProblemError(code, text), request_id=request_id, instance="/")
        return Answer(answer, request_id, close=True)

    @override
    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Count broken requests: aiohttp's records about broken requests of them would flood the log."""
        self.server.broken += 1
        if kw.get("exc_info") is not None:
            log.debug("connection.error", exc_info=kw["exc_info"])

    def overdue(self, now: float) -> bool:
        """Whether the head of a request has been coming for too long."""
        since = self.head_since
        return bool(since) and now - since > self.limits.head_seconds and self._current_request is None

    def cut_off(self) -> None:
        """Say 408 and hang up."""
        self.head_since = 0.0
        if self.transport is not None:
            self.transport.write(plain_refusal("http.timeout", "the request's head did not arrive in time"))
        self.force_close()


class HttpServer(web.Server):
    """Makes connections and counts them.

    Args:
        handler: answers one request; never raises for what a client sent.
        limits: what a peer may take.
        new_request_id: makes ids for requests that could not be read.
    """

    def __init__(self, handler: Handler, limits: Limits, new_request_id: Callable[[], str]) -> None:
        super().__init__(handler)
        self.limits = limits
        self.new_request_id = new_request_id
        self.broken = 0
        self.refused = 0
        self._open = 0
        self._by_address: dict[str, int] = {}
        self._sweep: asyncio.TimerHandle | None = None

    @override
    def __call__(self) -> RequestHandler:
        return Connection(
            self,
            loop=self._loop,
            access_log=None,
            keepalive_timeout=KEEPALIVE_SECONDS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_FIELD,
            max_headers=MAX_HEADERS,
            lingering_time=LINGER_SECONDS,
        )

    @property
    def open_connections(self) -> int:
        """Connections there are now."""
        return self._open

    def admit(self, connection: Connection) -> str:
        """Count a new connection; returns why it is refused, ``""`` when it is not."""
        if self._open >= self.limits.sockets:
            self.refused += 1
            return "too many connections"
        here = self._by_address.get(connection.address, 0)
        if self.limits.sockets_per_address and here >= self.limits.sockets_per_address:
            self.refused += 1
            return "too many connections from this address"
        connection.counted = True
        self._open += 1
        self._by_address[connection.address] = here + 1
        return ""

    def forget(self, connection: Connection) -> None:
        """Uncount a connection that ended."""
        if not connection.counted:
            return
        connection.counted = False
        self._open -= 1
        left = self._by_address[connection.address] - 1
        if left:
            self._by_address[connection.address] = left
        else:
            del self._by_address[connection.address]

    def start_sweeping(self) -> None:
        """Look for overdue heads twice a second: one timer for all, instead of one per request."""
        now = self._loop.time()
        for connection in self.connections:
            if isinstance(connection, Connection) and connection.overdue(now):
                connection.cut_off()
        self._sweep = self._loop.call_later(min(SWEEP_SECONDS, self.limits.head_seconds), self.start_sweeping)

    def stop_sweeping(self) -> None:
        """Stop looking."""
        if self._sweep is not None:
            self._sweep.cancel()


def plain_refusal(code: str, message: str) -> bytes:
    """Return a whole answer for a connection that has no request."""
    result = problems.render(ProblemError(code, message), request_id="", instance="/")
    return head(result, "", "", close=True) + result.body


async def read_body(request: BaseRequest, limits: Limits) -> bytes:
    """Read a request's body, refusing it as soon as it is too large or too slow.

    Raises:
        ProblemError: http.body_too_large, http.timeout, http.bad_body, http.expectation.
    """
    payload = request.content
    headers = request.headers
    declared = headers.get("Content-Length")
    if declared is not None and int(declared) > limits.body_bytes:
        raise _too_large(limits)
    if payload.is_eof() and payload.exception() is None:
        data = payload.read_nowait()
        if len(data) > limits.body_bytes:
            raise _too_large(limits)
        return data
    expect = headers.get("Expect")
    if expect is not None:
        if expect.lower() != "100-continue":
            raise ProblemError("http.expectation", "only 'Expect: 100-continue' is understood")
        if request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _gather(payload, limits)
    except TimeoutError:
        raise ProblemError("http.timeout", "the request's body did not arrive in time") from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise ProblemError("http.bad_body", "the request's body is not encoded as its headers say") from error


async def _gather(payload: StreamReader, limits: Limits) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while not payload.at_eof():
        piece = await payload.readany()
        size += len(piece)
        if size > limits.body_bytes:
            raise _too_large(limits)
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(limits: Limits) -> ProblemError:
    return ProblemError("http.body_too_large", f"a request's body has at most {limits.body_bytes} bytes")
