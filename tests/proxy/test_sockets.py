"""Websockets through the gateway; docs/attacks.md C26, D8, F7."""

import asyncio
import base64
import time

import aiohttp
import pytest

from actors.features.auth.dev_tokens import mint
from tests.gateway.conftest import KEY, Served, parse
from tests.proxy.conftest import Gate, Upstream
from tests.proxy.test_passing import fields, rule


async def connect(served: Served, path: str = "/u/ws", **options: object) -> aiohttp.ClientWebSocketResponse:
    session = aiohttp.ClientSession(served.url)
    try:
        socket = await session.ws_connect(path, **options)  # type: ignore[arg-type]
    except BaseException:
        await session.close()
        raise
    socket.session = session  # type: ignore[attr-defined]
    return socket


async def leave(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()
    await socket.session.close()  # type: ignore[attr-defined]


async def test_messages_cross_both_ways(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    socket = await connect(
        served, "/u/ws?room=1", headers={"X-Forwarded-For": "6.6.6.6", "Cookie": "bs_system=x; a=1"}
    )
    for number in range(50):
        await socket.send_str(f"hello {number}")
        assert await socket.receive_str(timeout=2) == f"HELLO {number}"
    await socket.send_bytes(bytes(range(256)))
    assert await socket.receive_bytes(timeout=2) == bytes(range(256))[::-1]
    await socket.send_str("ü" * 1_000_000)
    assert len(await socket.receive_str(timeout=5)) == 1_000_000
    await socket.close(code=4001)
    await leave(socket)
    await asyncio.sleep(0.1)
    note = upstream.asked[0]
    assert note["path"] == "/base/u/ws?room=1"
    assert fields(note, "X-Forwarded-For") == ["127.0.0.1"]
    assert fields(note, "Cookie") == ["a=1"]
    assert len(fields(note, "Sec-WebSocket-Key")) == 1
    assert upstream.closed_sockets == [4001]
    assert served.gateway.counters.in_flight == 0


async def test_what_is_spoken_is_agreed_with_the_upstream(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    socket = await connect(served, protocols=("chat.v1", "other"))
    assert socket.protocol == "chat.v1"
    await leave(socket)
    socket = await connect(served, protocols=("other",))
    assert socket.protocol is None
    await leave(socket)


async def test_the_upstreams_goodbye_arrives(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    socket = await connect(served, "/u/bye")
    message = await socket.receive(timeout=2)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4321)
    await leave(socket)
    socket = await connect(served, "/u/cut")
    message = await socket.receive(timeout=2)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1014)
    await leave(socket)


async def test_an_upstream_that_refuses(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    for path in ("/u/refused", "/nowhere"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(served, path)
        assert refused.value.status == (502 if path == "/u/refused" else 404)
    await upstream.stop()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(served)
    assert refused.value.status == 502


async def test_a_client_that_vanishes_frees_the_upstream(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    socket = await connect(served)
    await socket.send_str("x")
    await socket.receive(timeout=2)
    assert socket._response.connection is not None
    transport = socket._response.connection.transport
    assert transport is not None
    transport.abort()
    await asyncio.sleep(0.3)
    assert len(upstream.closed_sockets) == 1
    assert served.gateway.counters.in_flight == 0
    await leave(socket)


@pytest.mark.parametrize(
    "lines",
    [
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Version: 99\r\nSec-WebSocket-Key: " + base64.b64encode(b"x" * 16).decode(),
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: !!!",
    ],
)
async def test_a_bad_handshake_reaches_nobody(gate: Gate, upstream: Upstream, lines: str) -> None:
    served = await gate(rule(upstream))
    head = f"GET /u/ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n{lines}\r\n\r\n"
    status, _, document = parse(await served.raw(head.encode(), wait=1))
    assert (status, document["code"]) == (400, "http.bad_request")
    assert upstream.asked == []


async def test_an_upgrade_to_something_else_is_none(
    gate: Gate, upstream: Upstream
) -> None:  # F7: h2c smuggling
    served = await gate(rule(upstream))
    head = "GET /u/x HTTP/1.1\r\nHost: x\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
    answer = await served.raw(head.encode(), wait=1)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not fields(upstream.asked[0], "Upgrade")
    assert not fields(upstream.asked[0], "HTTP2-Settings")


async def test_foreign_pages_may_not_use_a_persons_session(gate: Gate, upstream: Upstream) -> None:  # C26
    served = await gate(rule(upstream, ", auth: {required: true}, cors: {origins: ['https://a.example']}"))
    token = mint(KEY, "system", now=time.time(), role="member")
    bearer = {"Authorization": f"Bearer {token}"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(served)
    assert refused.value.status == 401
    for origin in ("https://evil.example", "null", f"https://127.0.0.1:{served.port}"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(served, headers=bearer, origin=origin)
        assert refused.value.status == 403
    assert upstream.asked == []
    for origin in ("https://a.example", served.url):
        socket = await connect(served, headers=bearer, origin=origin)
        await socket.send_str("x")
        assert await socket.receive_str(timeout=2) == "X"
        await leave(socket)


async def test_messages_have_a_size(gate: Gate, upstream: Upstream) -> None:  # D8
    served = await gate(rule(upstream, ", body_limit: 1000B"))
    socket = await connect(served)
    await socket.send_str("x" * 2000)
    message = await socket.receive(timeout=2)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1009)
    await leave(socket)


async def test_drain_says_goodbye(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    socket = await connect(served)
    draining = asyncio.ensure_future(served.gateway.drain(5))
    message = await socket.receive(timeout=3)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    await leave(socket)
    assert await asyncio.wait_for(draining, 3) is True
