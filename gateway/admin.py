"""The admin port: is the process alive, is it ready, and its metrics. Loopback by default.

Decides who learns more than yes or no: programs of this machine, or whoever knows the operator's token.
Composed by ``serve``; opens before the public port and closes after it.
"""

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import orjson
from aiohttp import web
from aiohttp.web_request import BaseRequest

from actors.messages import ProblemError, Result
from gateway import problems
from gateway.answers import Answer
from gateway.fresh import Fresh
from gateway.limits import Limits
from gateway.protocol import HttpServer
from gateway.trace import RequestIds

TEXT = "text/plain; version=1.0.0; charset=utf-8"
Readiness = Callable[[], str]
Page = Callable[[], Awaitable[bytes]]
_FORWARDED = ("Forwarded", "X-Forwarded-For", "Via")


class AdminServer:
    """Health and metrics.

    Args:
        host: to listen on; loopback unless the operator says otherwise.
        port: to listen on.
        token: that operators send as ``Authorization: Bearer``; "": programs of this machine need none,
            others have no way in.
        readiness: ``""`` when requests can be served, else why not.
        pages: what operators read, in Prometheus' text format, by path; each is made at most once a second.
        warnings: what operators should mend although requests are served.
    """

    def __init__(
        self,
        host: str,
        port: int,
        token: str,
        readiness: Readiness,
        pages: dict[str, Page],
        warnings: Callable[[], list[str]] = list,
    ) -> None:
        self._host, self._port = host, port
        self._token = token.encode()
        self._readiness = readiness
        self._warnings = warnings
        self._pages = {path: Fresh(page) for path, page in pages.items()}
        self._ids = RequestIds()
        self._runner: web.ServerRunner | None = None

    async def start(self) -> tuple[str, int]:
        """Open the port; returns address and port that really listen.

        Raises:
            OSError: the port is taken.
        """
        server = HttpServer(self._handle, Limits(sockets=64), self._ids.new)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        address = self._runner.addresses[0]
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: BaseRequest) -> Answer:
        request_id = self._ids.new()
        path = request._message.path.partition("?")[0]  # noqa: SLF001 - the raw target has no public name
        try:
            result = await self._answer(request, path)
        except ProblemError as error:
            instance = path if path in self._pages else "/"
            result = problems.render(error, request_id=request_id, instance=instance)
        return Answer(result, request_id)

    async def _answer(self, request: BaseRequest, path: str) -> Result:
        if request.method not in {"GET", "HEAD"}:
            raise ProblemError(
                "http.method_not_allowed", "this port is read only", headers=(("Allow", "GET, HEAD"),)
            )
        if path in {"/livez", "/live"}:
            return Result(200, b'{"status":"alive"}')
        if path in {"/readyz", "/ready"}:
            reason = self._readiness()
            told: dict[str, str | list[str] | None] = {"status": "not ready" if reason else "ready"}
            if self._by_operator(request):
                told |= {"reason": reason or None, "warnings": self._warnings()}
            return Result(503 if reason else 200, orjson.dumps(told))
        page = self._pages.get(path)
        if page is None:
            raise ProblemError("http.not_found", "there is nothing at this address")
        if not self._by_operator(request):
            raise ProblemError("auth.required", "metrics are for operators: send the admin token")
        return Result(200, await page.get(), TEXT)

    def _by_operator(self, request: BaseRequest) -> bool:
        if self._token:
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token)
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        # a proxy on this machine speaks for somebody elsewhere
        direct = not any(name in request.headers for name in _FORWARDED)
        return peer is not None and direct and ip_address(peer[0]).is_loopback
