"""Upstreams that are slow, broken, gone or hostile: what the client hears and what is tried again; docs/attacks.md F6."""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from yarl import URL

from gateway.proxy.addresses import GuardedResolver
from gateway.proxy.breaker import Breaker, RetryBudget
from gateway.rule_file import parse_rules
from tests.gateway.conftest import Served
from tests.proxy.conftest import Gate, Script, Upstream, read_request
from tests.proxy.test_passing import ask, rule

RawUpstream = Callable[[Script], Awaitable[int]]


async def told(served: Served, path: str = "/u/x", method: str = "GET") -> tuple[int, str]:
    """Ask; returns status and code, having checked that nothing of the upstream is told."""
    status, headers, body = await ask(served, f"{method} {path} HTTP/1.1\r\nContent-Length: 0")
    assert headers["content-type"] == "application/problem+json", body
    assert b"127.0.0.1" not in body
    assert b"secret" not in body
    return status, json.loads(body)["code"]


async def test_an_upstream_that_is_not_there(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    await upstream.stop()
    assert await told(served) == (502, "proxy.unreachable")


async def test_names_that_lead_nowhere(gate: Gate) -> None:
    served = await gate("- {path: '/u/*', target: 'http://no-such-host.invalid:80', timeout: 3s, retries: 0}")
    assert await told(served) == (502, "proxy.unreachable")


async def test_an_upstream_that_takes_too_long(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", timeout: 300ms"))
    began = time.monotonic()
    assert await told(served, "/u/slow") == (504, "proxy.timeout")
    assert 0.2 < time.monotonic() - began < 2
    await asyncio.wait_for(upstream.cancelled.wait(), 2)


@pytest.mark.parametrize(
    "answer",
    [
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nsecret",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nsecret",
        b"HTTP/1.1 200 OK\r\nX: " + b"secret" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(2000)) + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: secret\r\n\r\n",
        b"HTTP/1.1 99999 secret\r\n\r\n",
    ],
)
async def test_answers_that_are_none(gate: Gate, raw_upstream: RawUpstream, answer: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(0.05)

    port = await raw_upstream(script)
    served = await gate(f"- {{path: '/u/*', target: 'http://127.0.0.1:{port}', timeout: 2s, retries: 0}}")
    assert await told(served) in ((502, "proxy.bad_answer"), (502, "proxy.unreachable"))


async def test_no_answer_smuggles_a_second_one(gate: Gate, raw_upstream: RawUpstream) -> None:  # F7, H8
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\nX-A: b\r\n\r\n"
            b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        )
        await writer.drain()
        await asyncio.sleep(0.05)

    port = await raw_upstream(script)
    served = await gate(f"- {{path: '/u/*', target: 'http://127.0.0.1:{port}', retries: 0}}")
    answer = await served.raw(b"GET /u/x HTTP/1.1\r\nHost: x\r\n\r\n" * 2, wait=0.5)
    assert b"evil" not in answer
    # our frame, whichever it is, is one only
    for head in answer.split(b"HTTP/1.1 ")[1:]:
        assert not (b"Content-Length" in head and b"Transfer-Encoding" in head)


async def test_no_field_of_an_answer_becomes_two(gate: Gate, raw_upstream: RawUpstream) -> None:  # B12
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\nX-A: b\rX-B: c\r\nX-C: d\nX-D: e\r\nX-F: g\r\n h\r\nX\x0bG: i\r\n"
            b"X-H: \xff\xfe\x1b[31m\r\nContent-Length: 2\r\n\r\nok"
        )
        await writer.drain()
        await asyncio.sleep(0.05)

    port = await raw_upstream(script)
    served = await gate(f"- {{path: '/u/*', target: 'http://127.0.0.1:{port}', retries: 0}}")
    answer = await served.raw(b"GET /u/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", wait=1)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 502 "))
    assert not set(head.replace(b"\r\n", b"")) & {0x0A, 0x0B, 0x0D, 0x1B}
    assert body == b"ok" or head.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("head", [b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_cut_answer_is_cut_for_the_client_too(
    gate: Gate, raw_upstream: RawUpstream, head: bytes
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + (b"5\r\nhello\r\n" if b"chunked" in head else b"hello")
        )
        await writer.drain()
        await asyncio.sleep(0.1)

    port = await raw_upstream(script)
    served = await gate(f"- {{path: '/u/*', target: 'http://127.0.0.1:{port}', retries: 0}}")
    async with aiohttp.ClientSession(served.url) as session, session.get("/u/x") as answer:
        assert answer.status == 200
        with pytest.raises((aiohttp.ClientPayloadError, ConnectionError)):
            await answer.read()
    assert served.gateway.counters.in_flight == 0


async def test_what_may_be_repeated_is(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", retries: 2, breaker: false"))
    for method, statuses, expected, tries in (
        ("GET", [503, 502], 200, 3),
        ("DELETE", [504], 200, 2),
        ("PUT", [503, 503, 503], 503, 3),
        ("POST", [503], 503, 1),
        ("PATCH", [502], 502, 1),
        ("GET", [500], 500, 1),
    ):
        upstream.asked.clear()
        upstream.statuses[:] = statuses
        status, _, _ = await ask(served, f"{method} /u/x HTTP/1.1\r\nContent-Length: 0")
        assert (method, status, len(upstream.asked)) == (method, expected, tries)


async def test_what_took_a_body_is_not_repeated(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", retries: 2"))
    upstream.statuses[:] = [503]
    status, _, _ = await ask(served, "PUT /u/x HTTP/1.1\r\nContent-Length: 4", b"once")
    assert (status, len(upstream.asked)) == (503, 1)


async def test_a_server_that_comes_back_in_time(gate: Gate, raw_upstream: RawUpstream) -> None:
    asked = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await read_request(reader)
        asked += 1
        if asked > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    port = await raw_upstream(script)
    served = await gate(f"- {{path: '/u/*', target: 'http://127.0.0.1:{port}'}}")
    status, _, body = await ask(served, "GET /u/x HTTP/1.1")
    assert (status, body, asked) == (200, b"ok", 2)


async def test_retries_have_a_budget(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", retries: 5, breaker: false"))
    upstream.statuses[:] = [503] * 1000
    for _ in range(20):
        await ask(served, "GET /u/x HTTP/1.1", wait=5)
    # 20 requests, the 10 retries in store, one per five requests
    assert 30 <= len(upstream.asked) <= 35


async def test_a_broken_server_is_left_alone(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", retries: 0, breaker: {failures: 3, open: 1s}"))
    upstream.statuses[:] = [503] * 3
    for _ in range(3):
        assert (await ask(served, "GET /u/x HTTP/1.1"))[0] == 503
    status, headers, body = await ask(served, "GET /u/x HTTP/1.1")
    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "proxy.open_circuit", "1")
    assert len(upstream.asked) == 3
    await asyncio.sleep(1.05)
    # one may try; while it does nobody else may
    upstream.statuses.clear()
    first = asyncio.ensure_future(ask(served, "GET /u/slow HTTP/1.1"))
    await asyncio.sleep(0.1)
    assert await told(served) == (503, "proxy.open_circuit")
    upstream.release.set()
    assert (await first)[0] == 200
    assert (await ask(served, "GET /u/x HTTP/1.1"))[0] == 200


async def test_health_is_asked_for_where_wanted(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", retries: 0, health: {path: /empty, interval: 100ms}"))
    await asyncio.sleep(0.15)
    assert upstream.asked[0]["path"] == "/empty"
    assert (await ask(served, "GET /u/x HTTP/1.1"))[0] == 200
    upstream.statuses[:] = [500] * 4
    await asyncio.sleep(0.35)
    before = len([note for note in upstream.asked if note["path"] != "/empty"])
    assert await told(served) == (503, "proxy.open_circuit")
    assert len([note for note in upstream.asked if note["path"] != "/empty"]) == before
    await asyncio.sleep(0.5)
    assert (await ask(served, "GET /u/x HTTP/1.1"))[0] == 200


async def test_nobody_is_asked_without_need(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    await asyncio.sleep(0.3)
    assert upstream.asked == []
    assert served.gateway.counters.in_flight == 0


async def test_new_rules_leave_running_requests_alone(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", health: {path: /empty, interval: 100ms}"))
    running = asyncio.ensure_future(ask(served, "GET /u/slow HTTP/1.1"))
    await asyncio.sleep(0.2)
    served.gateway.apply(parse_rules("- {path: /x, target: platform-api}"))
    upstream.asked.clear()
    await asyncio.sleep(0.3)
    assert upstream.asked == []  # nobody watches it any more
    assert (await ask(served, "GET /u/x HTTP/1.1"))[0] == 404
    upstream.release.set()
    status, _, body = await running
    assert (status, body) == (200, b"late")


async def test_silent_streams_stay_and_silent_bodies_do_not(
    gate: Gate, raw_upstream: RawUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.proxy.relay.IDLE_SECONDS", 0.2)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_request(reader)
        kind = b"text/event-stream" if b"events" in head else b"text/plain"
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\nContent-Type: "
            + kind
            + b"\r\n\r\nhello"
        )
        await asyncio.sleep(0.7)
        writer.write(b"world")
        await writer.drain()
        await reader.read()

    port = await raw_upstream(script)
    served = await gate(f"- {{path: '/u/*', target: 'http://127.0.0.1:{port}', retries: 0}}")
    assert (await ask(served, "POST /u/events HTTP/1.1"))[2] == b"helloworld"
    assert (await ask(served, "POST /u/page HTTP/1.1"))[2] == b"hello"
    # a client that left a silent stream is noticed although it sent no GET
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"POST /u/events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(0.1)
    writer.transport.abort()
    await asyncio.sleep(0.5)
    assert served.gateway.counters.in_flight == 0


async def test_answers_say_that_we_leave(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /u/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Connection: close" not in await reader.readuntil(b"\r\n\r\n")
    draining = asyncio.ensure_future(served.gateway.drain(5))
    await asyncio.sleep(0.05)
    writer.write(b"GET /u/empty HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 3)).count(b"Connection: close") == 1
    assert await draining is True
    writer.close()


async def test_drain_finishes_what_is_passed_on(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    running = asyncio.ensure_future(served.raw(b"GET /u/stream HTTP/1.1\r\nHost: x\r\n\r\n"))
    await asyncio.sleep(0.2)
    draining = asyncio.ensure_future(served.gateway.drain(5))
    await asyncio.sleep(0.4)
    assert not draining.done()
    upstream.release.set()
    assert await draining is True
    assert (await running).endswith(b"data: second\n\n\r\n0\r\n\r\n")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker() -> None:
    clock = Clock()
    breaker = Breaker(2, 10.0, clock)
    for _ in range(5):
        assert breaker.enter() == 0
        breaker.failed()
        assert breaker.enter() == 0
        breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.enter() == 10.0
    clock.now = 10.0
    assert breaker.enter() == 0
    assert breaker.enter() > 0
    breaker.unknown()
    assert breaker.enter() == 0
    breaker.failed()
    assert (breaker.is_open, breaker.enter()) == (True, 10.0)
    clock.now = 20.0
    assert breaker.enter() == 0
    breaker.succeeded()
    assert (breaker.is_open, breaker.enter(), breaker.enter()) == (False, 0, 0)
    never = Breaker(0, 10.0, clock)
    for _ in range(100):
        never.failed()
    assert never.enter() == 0


def test_a_retry_budget() -> None:
    budget = RetryBudget()
    assert sum(budget.withdraw() for _ in range(100)) == 10
    for _ in range(5):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(100)) == 1


@pytest.mark.parametrize("name", ["2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "0"])
async def test_a_name_is_looked_up_before_it_is_believed(name: str) -> None:  # F1, F5
    with pytest.raises(OSError, match="acceptable"):
        await GuardedResolver().resolve(name, 80, socket.AF_UNSPEC)
    # nothing makes an address of it that would pass by the look-up
    assert URL(f"http://{name}:80/").host == name
