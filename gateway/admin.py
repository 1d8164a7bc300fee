"""The admin port: is the process alive, is it ready, and its counters. Loopback by default.

Decides nothing about tenants. Composed by ``run.py``; opens before the public port and closes after it.
"""

from collections.abc import Callable, Mapping

import orjson
from aiohttp import web
from aiohttp.web_request import BaseRequest

from actors.messages import ProblemError, Result
from gateway import problems
from gateway.answers import Answer
from gateway.limits import Limits
from gateway.protocol import HttpServer
from gateway.trace import RequestIds

TEXT = "text/plain; version=0.0.4; charset=utf-8"
Readiness = Callable[[], str]
Metrics = Callable[[], Mapping[str, float]]


class AdminServer:
    """Health and metrics.

    Args:
        host: to listen on; loopback unless the operator says otherwise.
        port: to listen on.
        readiness: ``""`` when requests can be served, else why not.
        metrics: name (labels included) to number.
    """

    def __init__(self, host: str, port: int, readiness: Readiness, metrics: Metrics) -> None:
        self._host, self._port = host, port
        self._readiness, self._metrics = readiness, metrics
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
        return Answer(self._answer(request, request_id), request_id)

    def _answer(self, request: BaseRequest, request_id: str) -> Result:
        path = request._message.path.partition("?")[0]  # noqa: SLF001 - the raw target has no public name
        if request.method not in {"GET", "HEAD"}:
            error = ProblemError(
                "http.method_not_allowed", "this port is read only", headers=(("Allow", "GET, HEAD"),)
            )
            return problems.render(error, request_id=request_id, instance=path)
        if path in {"/livez", "/live"}:
            return Result(200, b'{"status":"alive"}')
        if path in {"/readyz", "/ready"}:
            reason = self._readiness()
            status = "ready" if not reason else "not ready"
            return Result(503 if reason else 200, orjson.dumps({"status": status, "reason": reason or None}))
        if path == "/metrics":
            lines = "".join(f"backsaas_{name} {value:g}\n" for name, value in self._metrics().items())
            return Result(200, lines.encode(), TEXT)
        return problems.render(
            ProblemError("http.not_found", "there is nothing at this address"),
            request_id=request_id,
            instance="/",
        )
