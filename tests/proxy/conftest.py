"""A gateway whose rules lead to real servers: one that behaves, and raw ones that do not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from config.settings import LimitSettings, Settings
from gateway.rule_file import parse_rules
from gateway.server import Gateway
from tests.gateway.conftest import Echo, Served

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """A server that tells what it was asked; paths choose what else happens."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.received = 0
        self.closed_sockets: list[int | None] = []
        self.cancelled = asyncio.Event()
        self.release = asyncio.Event()
        self.port = 0
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        self._runner = web.ServerRunner(
            web.Server(self._answer, auto_decompress=False, handler_cancellation=True), shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        assert self._runner is not None
        self.release.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path_qs
        headers = [[name, value] for name, value in request.headers.items()]
        note = {"method": request.method, "path": path, "headers": headers, "body": ""}
        self.asked.append(note)
        last = request.path.rstrip("/").rpartition("/")[2]
        if last == "count":
            async for piece in request.content.iter_any():
                self.received += len(piece)
            return web.json_response({"received": self.received})
        if last == "early":
            return web.Response(status=403, text="no thanks")
        if request.headers.get("Upgrade"):
            return await self._socket(request, last)
        note["body"] = (await request.read()).decode("latin-1")
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), text=f"secret of {self.port}")
        return await getattr(self, f"_{last}", self._echo)(request)

    async def _echo(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(self.asked[-1])

    async def _redirect(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest"})

    async def _fields(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(text="x", headers={"Connection": "X-Inner", "X-Inner": "1", "X-Outer": "2"})
        response.headers.update(
            {"Server": "leaky/1.0", "Alt-Svc": "h3=':443'", "X-Powered-By": "php", "ETag": '"1"'}
        )
        response.headers.update({"Access-Control-Allow-Origin": "*", "Proxy-Authenticate": "Basic"})
        for cookie in ("theirs=1", "bs_acme-corp=stolen", "__Host-bs_system=stolen"):
            response.headers.add("Set-Cookie", cookie)
        return response

    async def _gzip(self, request: web.BaseRequest) -> web.StreamResponse:
        import gzip

        return web.Response(body=gzip.compress(b"hello " * 1000), headers={"Content-Encoding": "gzip"})

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: first\n\n")
        await self.release.wait()
        await response.write(b"data: second\n\n")
        return response

    async def _endless(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
                self.received += 65536
                await asyncio.sleep(0)
        except (ConnectionError, asyncio.CancelledError):
            self.cancelled.set()
            raise

    async def _big(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(64 << 20)})
        await response.prepare(request)
        for _ in range(64):
            await response.write(b"y" * (1 << 20))
        return response

    async def _slow(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            await asyncio.wait_for(self.release.wait(), 20)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return web.Response(text="late")

    async def _empty(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=204)

    async def _socket(self, request: web.BaseRequest, last: str) -> web.StreamResponse:
        if last == "refused":
            return web.Response(status=403, text="secret words")
        socket = web.WebSocketResponse(protocols=("chat.v2", "chat.v1"), max_msg_size=64 << 20)
        await socket.prepare(request)
        if last == "bye":
            await socket.close(code=4321, message=b"enough")
        if last == "cut":
            assert request.transport is not None
            request.transport.abort()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data[::-1])
        self.closed_sockets.append(socket.close_code)
        return socket


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def raw_upstream() -> AsyncIterator[Callable[[Script], Awaitable[int]]]:
    """Start servers that answer every connection with a script; gives their port."""
    running: list[asyncio.Server] = []

    async def start(script: Script) -> int:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await script(reader, writer)
            writer.close()

        server = await asyncio.start_server(run, "127.0.0.1", 0)
        running.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in running:
        server.close()


Gate = Callable[..., Awaitable[Served]]


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """Start gateways with the rules a test needs."""
    running: list[Gateway] = []

    async def start(rules: str, *, trusted_proxies: str = "", **limits: Any) -> Served:
        settings = Settings(port=0, trusted_proxies=trusted_proxies, limits=LimitSettings(**limits))
        tenants = {slug: Echo(slug) for slug in ("acme-corp", "globex", "system")}
        gateway = Gateway(settings, tenants.get, parse_rules(rules))
        _, port = await gateway.start()
        running.append(gateway)
        return Served(gateway, port, tenants)

    yield start
    for gateway in running:
        await gateway.drain(0.1)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read a head."""
    return await reader.readuntil(b"\r\n\r\n")
