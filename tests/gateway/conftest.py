"""A gateway on a free port in front of a tenant that says what it was asked."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors.features.auth.dev_tokens import TokenError, verify
from actors.messages import Call, Identify, ProblemError, Result, Stream
from config.settings import LimitSettings, Settings
from gateway.rule_file import parse_rules
from gateway.server import Gateway
from schemas.compiler.principal import ANONYMOUS, Principal

RULES = parse_rules((Path(__file__).parent.parent.parent / "config" / "gateway.yaml").read_text())
KEY = bytes(range(32))


class Echo:
    """A tenant that answers with the call it got; paths choose what else happens."""

    def __init__(self, slug: str, *, dev: bool = True) -> None:
        self.slug, self.dev = slug, dev
        self.calls: list[Call] = []
        self.cancelled = 0
        self.closed = 0
        self.origins = ["https://acme.example"]
        self.release = asyncio.Event()

    async def identify(self, question: Identify) -> Principal:
        """Believe development tokens, as a realm does."""
        bearer, apikey = question.credential.bearer, question.credential.apikey
        if not bearer or (bearer == apikey and bearer.count(".") != 2):
            if apikey.startswith("bsk_"):
                raise ProblemError("auth.invalid_token", "the API key is not known")
            return ANONYMOUS
        if not self.dev:
            raise ProblemError("auth.invalid_token", "the credential is not accepted")
        try:
            return verify(KEY, bearer, self.slug, time.time()).principal
        except TokenError as error:
            raise ProblemError("auth.invalid_token", str(error)) from None

    async def call(self, call: Call) -> Result:
        if call.operation == "origins":
            return Result(200, orjson.dumps(self.origins))
        principal = call.principal
        if call.credential is not None:
            principal = await self.identify(Identify(call.credential))
        self.calls.append(call)
        match call.entity:
            case "slow":
                try:
                    await asyncio.wait_for(self.release.wait(), 20)
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
            case "big":
                return Result(200, b"x" * (32 << 20))
            case "broken":
                raise RuntimeError("secret detail")
            case "forbidden":
                refusal = ProblemError("42501", "not yours")
                refusal.signed_in = principal.known
                raise refusal
            case "missing":
                raise ProblemError("row.not_found", "there is no such row")
            case "stream" | "sized" | "endless" | "breaking":
                length = 30 if call.entity == "sized" else None
                return Result(
                    200,
                    content_type="text/plain",
                    stream=Stream(self._pieces(call.entity), length, call.entity == "endless"),
                )
            case "splitting":
                return Result(200, b"{}", headers=(("Location", "/x\r\nSet-Cookie: a=b"),))
        document = {
            name: getattr(call, name)
            for name in call.__struct_fields__
            if name not in ("principal", "body", "credential", "web")
        } | {
            "slug": self.slug,
            "body": call.body.decode("latin-1"),
            "user": principal.id,
            "roles": sorted(principal.roles),
        }
        return Result(200, orjson.dumps(document))

    async def _pieces(self, kind: str) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(3):
                yield b"%010d" % number
                yield b""
            if kind == "breaking":
                raise RuntimeError("the database went away")
            if kind == "endless":
                await self.release.wait()
        finally:
            self.closed += 1


@dataclasses.dataclass
class Served:
    gateway: Gateway
    port: int
    tenants: dict[str, Echo]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def raw(self, data: bytes, *, wait: float = 5.0) -> bytes:
        """Send bytes, return everything that comes back until the peer hangs up or falls silent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        received = b""
        try:
            while True:
                piece = await asyncio.wait_for(reader.read(1 << 16), wait)
                if not piece:
                    break
                received += piece
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return received

    async def get(self, path: str, *headers: str, host: str = "localhost") -> tuple[int, dict[str, str], Any]:
        """Send a GET exactly as written; returns status, headers (lower case) and JSON."""
        lines = "".join(f"{line}\r\n" for line in headers)
        answer = await self.raw(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n".encode("latin-1")
        )
        return parse(answer)


def parse(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in rest}
    return int(first.split()[1]), headers, orjson.loads(body) if body else None


Serve = Callable[..., Any]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start gateways with the limits a test needs."""
    running: list[Gateway] = []

    async def start(*, dev: bool = True, trusted_proxies: str = "", **limits: Any) -> Served:
        settings = Settings(port=0, trusted_proxies=trusted_proxies, limits=LimitSettings(**limits))
        tenants = {slug: Echo(slug, dev=dev) for slug in ("acme-corp", "globex", "system")}
        gateway = Gateway(settings, tenants.get, RULES)
        _, port = await gateway.start()
        running.append(gateway)
        return Served(gateway, port, tenants)

    yield start
    for gateway in running:
        await gateway.drain(0.1)


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[Served]:
    tenants = {"acme-corp": Echo("acme-corp"), "globex": Echo("globex"), "system": Echo("system")}
    gateway = Gateway(Settings(port=0), tenants.get, RULES, documents={"/schemas/tenant.schema.json": b"{}"})
    _, port = await gateway.start()
    yield Served(gateway, port, tenants)
    await gateway.drain(0.1)
