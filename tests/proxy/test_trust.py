"""Whom we believe that it is the server we wanted: those the system's authorities signed for, and nobody else."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from actors import tls
from actors.outbound import Outbound, OutboundError
from tests.certificates import certificate
from tests.live import Live


@asynccontextmanager
async def https(context: ssl.SSLContext) -> AsyncIterator[str]:
    """A server of this process; gives its address."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="it is me")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def two_certificates(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext, Path]:
    """One to be trusted and one not, and what to trust."""
    made = []
    for name in ("trusted", "strange"):
        (directory / name).mkdir()
        made.append(certificate(directory / name))
    return made[0], made[1], directory / "trusted" / "ca.pem"


async def test_a_tenants_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, strange, authority = two_certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    tls._trusting.cache_clear()
    outbound = Outbound(allow_private=True)
    try:
        async with https(trusted) as good, https(strange) as bad:
            assert (await outbound.send("GET", good)).body == b"it is me"
            with pytest.raises(OutboundError, match="cannot be reached"):
                await outbound.send("GET", bad)
    finally:
        await outbound.close()
        tls._trusting.cache_clear()


async def test_servers_that_requests_are_passed_on_to(tmp_path: Path, database_url: str) -> None:
    trusted, strange, authority = two_certificates(tmp_path)
    live = Live(tmp_path / "live", BACKSAAS_DATABASE_URL=database_url, SSL_CERT_FILE=str(authority))
    async with https(trusted) as good, https(strange) as bad:
        (live.config / "gateway.yaml").write_text(
            f"routes:\n  - {{path: '/good/*', target: '{good}'}}\n  - {{path: '/bad/*', target: '{bad}'}}\n"
        )
        await live.start()
        try:
            async with aiohttp.ClientSession(live.url) as session:
                for path, status in (("/good/x", 200), ("/bad/x", 502), ("/good/y", 200)):
                    answers = await asyncio.gather(*(session.get(path) for _ in range(3)))
                    assert [answer.status for answer in answers] == [status] * 3, path
                    assert ("it is me" in await answers[0].text()) == (status == 200)
        finally:
            assert await live.stop() == 0
