"""Answers that are made while they are sent."""

import asyncio

import aiohttp
import pytest

from tests.gateway.conftest import Serve, Served

ACME = "/api/tenants/acme-corp"
WHOLE = b"000000000000000000010000000002"


async def until(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_a_stream_arrives_whole_and_the_connection_stays(served: Served) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as client:
        for _ in range(3):
            async with client.get(f"{served.url}{ACME}/stream") as answer:
                assert (answer.status, answer.headers["Transfer-Encoding"]) == (200, "chunked")
                assert await answer.read() == WHOLE
    assert served.tenants["acme-corp"].closed >= 3


async def test_a_length_that_is_known_is_told(served: Served) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{served.url}{ACME}/sized") as answer:
            assert answer.headers["Content-Length"] == "30"
            assert await answer.read() == WHOLE
        async with client.head(f"{served.url}{ACME}/sized") as answer:
            assert (answer.headers["Content-Length"], await answer.read()) == ("30", b"")


async def test_an_old_client_reads_to_the_end_of_the_connection(served: Served) -> None:
    answer = await served.raw(f"GET {ACME}/stream HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == WHOLE


async def test_a_stream_that_breaks_is_not_taken_for_a_whole_one(served: Served) -> None:
    async with aiohttp.ClientSession() as client, client.get(f"{served.url}{ACME}/breaking") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    async with aiohttp.ClientSession() as client, client.get(f"{served.url}{ACME}/stream") as answer:
        assert await answer.read() == WHOLE, "the process serves on"


async def test_who_leaves_ends_the_stream(serve: Serve) -> None:
    served = await serve()
    tenant = served.tenants["acme-corp"]
    async with aiohttp.ClientSession() as client:
        answer = await client.get(f"{served.url}{ACME}/endless")
        assert await answer.content.readexactly(30) == WHOLE
        answer.close()
    await until(lambda: tenant.closed)
    await until(lambda: not served.gateway.counters.in_flight)


async def test_an_endless_stream_ends_when_the_process_stops(serve: Serve) -> None:
    served = await serve()
    async with aiohttp.ClientSession() as client:
        answer = await client.get(f"{served.url}{ACME}/endless")
        assert await answer.content.readexactly(30) == WHOLE
        draining = asyncio.ensure_future(served.gateway.drain(5))
        assert await answer.read() == b"", "an end, not a broken connection"
        assert await draining, "nothing was left to be cut"
