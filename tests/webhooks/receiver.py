"""A server that takes webhooks, or does not: by what its path says."""

import asyncio
import base64
import hmac
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, key: bytes) -> bool:
        """Check it as a receiver does, from the specification."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        return wanted in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """Answers with the status in ``answers`` for a path (default 200); keeps what it heard."""

    answers: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    body: bytes = b"thanks"
    url: str = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(Heard(request.path, headers, body))
        return web.Response(status=self.answers.get(request.path, 200), body=self.body, headers=self.headers)

    def on(self, path: str) -> list[Heard]:
        return [one for one in self.heard if one.path == path]

    async def until(self, path: str, number: int, timeout: float = 15) -> list[Heard]:
        """Wait until it heard so many."""
        async with asyncio.timeout(timeout):
            while len(self.on(path)) < number:
                await asyncio.sleep(0.01)
        return self.on(path)
