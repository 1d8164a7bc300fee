"""Where a tenant's file may make this process connect to, and what an answer from there may cost it."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from actors.features.auth.providers import Providers
from actors.messages import ProblemError
from actors.outbound import MAX_BYTES, PublicResolver, is_public

INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
    "198.18.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
]  # fmt: skip
SPELLED = ["2130706433", "127.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "017700000001", "localhost", "0"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def peer(handler: Handler) -> AsyncIterator[tuple[str, list[str]]]:
    """A provider in this process; gives its address and the paths that were asked for."""
    asked: list[str] = []

    async def seen(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", seen)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def refused(providers: Providers, address: str) -> str:
    """Discover what must fail; returns what is told about it."""
    try:
        with pytest.raises(ProblemError) as caught:
            await providers.discover(address)
    finally:
        await providers.close()
    assert caught.value.code == "auth.bad_oauth_callback"
    return str(caught.value)


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_addresses_outside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", [*INSIDE, *SPELLED, "①②⑦.0.0.1", "127。0。0。1"])
async def test_nothing_connects_inside(host: str) -> None:
    connections: list[object] = []

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(reader)
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    written = f"[{host}]" if ":" in host else host
    told = await refused(Providers(), f"https://{written}:{port}")
    server.close()
    await server.wait_closed()
    assert (connections, told) == ([], "the provider cannot be reached")
    assert time.monotonic() - began < 4, "it was refused, not waited for"


@pytest.mark.parametrize("scheme", ["http", "file", "gopher", "unix", "ftp", ""])
async def test_only_https(scheme: str) -> None:
    assert "https://" in await refused(Providers(), f"{scheme}://accounts.example.com")


class Names(AbstractResolver):
    """Names with the addresses a test gives them."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.hosts
        ]

    @override
    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("hosts", [("8.8.8.8", "127.0.0.1"), ("127.0.0.1", "8.8.8.8"), ("::1",), ()])
async def test_one_address_inside_is_enough_to_refuse_a_name(hosts: tuple[str, ...]) -> None:
    with pytest.raises(OSError, match="not public"):
        await PublicResolver(Names(*hosts)).resolve("rebinding.example", 443)
    assert len(await PublicResolver(Names("8.8.8.8", "1.1.1.1")).resolve("good.example", 443)) == 2


async def test_redirects_are_not_followed() -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/inside"})

    async with peer(elsewhere) as (address, asked):
        assert await refused(Providers(allow_private=True), address) == "the provider refused (302)"
        assert asked == ["/.well-known/openid-configuration"]


async def endless(request: web.Request) -> web.StreamResponse:
    """A gigabyte, if one lets it."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(1024):
        await answer.write(b"x" * MAX_BYTES)
    return answer


async def dripping(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(60):
        await answer.write(b" ")
        await asyncio.sleep(1)
    return answer


async def bomb(request: web.Request) -> web.StreamResponse:
    body = gzip.compress(b'{"issuer": "' + b"x" * (64 << 20) + b'"}')
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def prose(request: web.Request) -> web.StreamResponse:
    return web.Response(text="SECRET-OF-THE-INSIDE is not JSON")


async def failing(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text='{"error": "SECRET-OF-THE-INSIDE"}')


async def a_list(request: web.Request) -> web.StreamResponse:
    return web.json_response(["SECRET-OF-THE-INSIDE"])


async def deep(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"[" * 500_000)


@pytest.mark.parametrize("handler", [endless, dripping, bomb, prose, failing, a_list, deep])
async def test_answers_are_bounded_and_not_repeated(handler: Handler) -> None:
    began = time.monotonic()
    async with peer(handler) as (address, _):
        told = await refused(Providers(allow_private=True), address)
        assert "SECRET" not in told
        assert time.monotonic() - began < 7


@pytest.mark.parametrize("named", ["https://accounts.google.com", "", "https://evil.example/{tenantid}"])
async def test_a_configuration_names_its_own_issuer(named: str) -> None:
    async def lying(request: web.Request) -> web.StreamResponse:
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        return web.json_response({"issuer": named} | dict.fromkeys(names, "https://evil.example/"))

    async with peer(lying) as (address, _):
        assert "another issuer" in await refused(Providers(allow_private=True), address)


async def test_keys_are_asked_for_once_and_everybody_waits_for_them() -> None:
    async def serving(request: web.Request) -> web.StreamResponse:
        if request.path == "/keys":
            await asyncio.sleep(0.2)
            return web.json_response({"keys": [{"kid": "a", "kty": "RSA"}]})
        base = f"http://{request.host}"
        names = ("authorization_endpoint", "token_endpoint")
        return web.json_response({"issuer": base, "jwks_uri": f"{base}/keys"} | dict.fromkeys(names, base))

    async with peer(serving) as (address, asked):
        providers = Providers(allow_private=True)
        found = await asyncio.gather(*(providers.key(address, "a") for _ in range(20)))
        assert all(key is not None for key in found)
        for number in range(20):
            assert await providers.key(address, f"unknown{number}") is None
        await providers.close()
        assert asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_slow_provider_keeps_nobody_else_waiting() -> None:
    async def prompt(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    async with peer(dripping) as (slow, asked), peer(prompt) as (fast, _):
        providers = Providers(allow_private=True)
        waiting = asyncio.create_task(providers.discover(slow))
        while not asked:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(ProblemError):
            await providers.discover(fast)
        assert time.monotonic() - began < 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await providers.close()


async def test_no_cookies_and_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    cookies: list[str] = []

    async def setting(request: web.Request) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie", ""))
        return web.Response(status=404, headers={"Set-Cookie": "a=b"})

    async with peer(setting) as (address, _):
        providers = Providers(allow_private=True)
        for _ in range(2):
            with pytest.raises(ProblemError):
                await providers.discover(address)
        await providers.close()
    assert cookies == ["", ""]
