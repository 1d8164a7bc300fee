"""HTTP/1.1 on aiohttp's low-level server: limits for slow and hostile peers.

Decides how long a peer may take, how much it may send and how many connections it may hold. It never routes.
Built and driven by ``gateway.server``.

aiohttp parses (strictly, in C) and keeps connections alive; this module adds what it leaves open: a deadline
for the head and the body, one for readers that do not read, problem documents instead of plain text, caps on
connections.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from typing_extensions import override

from actors.messages import ProblemError
from gateway import problems
from gateway.answers import Answer, plain_refusal
from gateway.limits import Limits
from runtime.buckets import network

MAX_LINE = 16 * 1024
MAX_FIELD = 16 * 1024 - 256
"""Differs from ``MAX_LINE`` so that a refusal tells which of the two was too long."""
MAX_HEADERS = 128
KEEPALIVE_SECONDS = 75.0
LINGER_SECONDS = 2.0
SWEEP_SECONDS = 0.5
log = structlog.get_logger("gateway")

Handler = Callable[[BaseRequest], Awaitable[web.StreamResponse]]


class Connection(RequestHandler):
    """One client connection."""

    __slots__ = ("address", "counted", "head_since", "limits", "server", "write_seconds")

    def __init__(self, server: "HttpServer", **options: Any) -> None:  # noqa: ANN401 - aiohttp's own options
        super().__init__(server, **options)
        self.server = server
        self.limits = server.limits
        self.write_seconds = server.limits.write_seconds
        self.head_since = 0.0
        self.address = ""
        self.counted = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = self.peername
        self.address = network(peer[0]) if isinstance(peer, tuple) else ""
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
