"""Followers that do not read, and processes that die: docs/attacks.md D8, docs/faults.md 37 and 44."""

import asyncio
import signal
import socket

import pytest

from tests.conftest import StartLive
from tests.live import Live
from tests.realtime.conftest import ACME
from tests.realtime.feed import PATIENCE, Feed


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    return await start_live({"acme-co": ACME}, BACKSAAS_LIMITS_WRITE_SECONDS="1")


async def test_who_does_not_read_is_cut_off(live: Live) -> None:
    """docs/attacks.md D8: the others are told everything meanwhile."""
    base = live.base("acme-co")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect(("127.0.0.1", live.port))
    head = (
        f"GET /api/tenants/acme-co/notes?select=secret HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n"
        f"Accept: text/event-stream\r\nAuthorization: Bearer {live.token('acme-co')}\r\n\r\n"
    )
    lazy.sendall(head.encode())
    assert lazy.recv(12) == b"HTTP/1.1 200"
    async with live.session("acme-co") as admin, Feed(admin, f"{base}/notes?select=title") as feed:
        await feed.told()
        for number in range(60):
            row = {"title": str(number), "secret": "x" * 400_000}
            async with admin.post(f"{base}/notes", json=row) as answer:
                assert answer.status == 201, await answer.text()
        for number in range(60):
            assert await feed.told() == ("insert", {"title": str(number)})
    async with asyncio.timeout(PATIENCE):
        while "realtime.cut_off" not in live.output():
            await asyncio.sleep(0.05)
    lazy.settimeout(PATIENCE)
    received = await asyncio.to_thread(lambda: b"".join(iter(lambda: lazy.recv(1 << 20), b"")))
    assert len(received) < 60 * 400_000
    assert not received.endswith(b"0\r\n\r\n"), "an end that says so"
    lazy.close()


async def test_it_goes_on_after_the_process_was_killed(live: Live) -> None:
    """docs/faults.md 37: what was acknowledged is told, also when nobody was there to tell it."""
    base = live.base("acme-co")
    url = f"{base}/notes?title=like.killed*&select=title"
    async with live.session("acme-co") as admin, Feed(admin, url) as feed:
        await feed.told()
        last = feed.last
        async with admin.post(f"{base}/notes", json={"title": "killed 1"}) as answer:
            assert answer.status == 201
        await live.stop(signal.SIGKILL)
    await live.start(*live.arguments)
    async with live.session("acme-co") as admin, Feed(admin, url, last) as feed:
        assert await feed.told() == ("insert", {"title": "killed 1"})
        async with admin.post(f"{base}/notes", json={"title": "killed 2"}) as answer:
            assert answer.status == 201
        assert await feed.told() == ("insert", {"title": "killed 2"})
