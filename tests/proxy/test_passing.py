"""Requests to upstreams and their answers back, over real sockets; docs/attacks.md F5 to F7, H8."""

import asyncio
import gzip
import json
import socket
from typing import Any

import aiohttp
import psutil
import pytest

from gateway.rule_file import parse_rules
from tests.gateway.conftest import Served, parse
from tests.proxy.conftest import Gate, Upstream

HOST = "Host: shop.example\r\n"


def rule(upstream: Upstream, more: str = "") -> str:
    return f"- {{path: '/u/*', target: 'http://127.0.0.1:{upstream.port}/base' {more}}}"


async def ask(
    served: Served, head: str, body: bytes = b"", wait: float = 3
) -> tuple[int, dict[str, str], bytes]:
    answer = await served.raw(
        f"{head}\r\n{HOST}Connection: close\r\n\r\n".encode("latin-1") + body, wait=wait
    )
    start, _, rest = answer.partition(b"\r\n\r\n")
    status, headers, _ = parse(start + b"\r\n\r\n")
    return status, headers, rest


def fields(note: dict[str, Any], name: str) -> list[str]:
    return [value for key, value in note["headers"] if key.lower() == name.lower()]


@pytest.mark.parametrize(
    ("more", "path", "seen"),
    [
        ("", "/u/a/b?x=1&y=%20", "/base/u/a/b?x=1&y=%20"),
        (", strip_prefix: true", "/u/a/b/", "/base/a/b/"),
        (", strip_prefix: true", "/u", "/base"),
        (", strip_prefix: true", "/u/", "/base/"),
        (", rewrite: '/v2/{rest}/x'", "/u/a?q", "/base/v2/a/x?q"),
        (", strip_prefix: true", "/u/caf%C3%A9/a+b,c", "/base/caf%C3%A9/a+b,c"),
        (", strip_prefix: true", "http://shop.example/u/abs", "/base/abs"),
    ],
)
async def test_the_path_an_upstream_sees(
    gate: Gate, upstream: Upstream, more: str, path: str, seen: str
) -> None:
    served = await gate(rule(upstream, more))
    status, _, body = await ask(served, f"GET {path} HTTP/1.1")
    assert (status, json.loads(body)["path"]) == (200, seen)


@pytest.mark.parametrize(
    "path", ["/u/../admin", "/u/%2e%2e/x", "/u/a%2fb", "/u//x", "/u/%00", "/u/a;b", "/u/x?a#b", "/u/x?\xff"]
)
async def test_paths_that_mean_two_things_stay_outside(
    gate: Gate, upstream: Upstream, path: str
) -> None:  # A7
    served = await gate(rule(upstream))
    assert (await ask(served, "GET /u/x?a HTTP/1.1"))[0] == 200
    assert (await ask(served, f"GET {path} HTTP/1.1"))[0] == 400
    assert len(upstream.asked) == 1


async def test_who_asks_is_said_by_us(gate: Gate, upstream: Upstream) -> None:  # F7, A4
    served = await gate(rule(upstream))
    lies = (
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Prefix: /p\r\n"
        "Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n"
        "X_Forwarded_For: 6.6.6.6\r\nProxy: http://evil\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"
        "Proxy-Authorization: Basic x\r\nTrue-Client-IP: 6.6.6.6\r\nConnection: close, X-Hop, X-Forwarded-For\r\n"
        "X-Hop: 1\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\ntraceparent: 00-zz\r\nX-Kept: yes\r\nX-Kept: twice\r\n"
        "Cookie: a=1; bs_system=secret; bsd_system=secret; __Host-bs_acme-corp=secret; b=2\r\nAccept-Encoding: br\r\n"
    )
    status, _, body = await ask(served, f"GET /u/x HTTP/1.1\r\n{lies}".removesuffix("\r\n"))
    note = json.loads(body)
    assert status == 200
    assert fields(note, "X-Forwarded-For") == ["127.0.0.1"]
    assert fields(note, "X-Forwarded-Proto") == ["http"]
    assert fields(note, "X-Forwarded-Host") == ["shop.example"]
    assert fields(note, "Host") == [f"127.0.0.1:{upstream.port}"]
    assert fields(note, "Via") == ["1.1 backsaas"]
    assert fields(note, "Cookie") == ["a=1; b=2"]
    assert fields(note, "X-Kept") == ["yes", "twice"]
    assert fields(note, "Accept-Encoding") == ["br"]
    assert len(fields(note, "X-Request-Id")) == 1
    for name in (
        "X-Forwarded-Prefix", "Forwarded", "X-Real-IP", "X-Original-URL", "X-Rewrite-URL", "X_Forwarded_For", "Proxy",
        "TE", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "True-Client-IP", "X-Hop", "Upgrade",
        "HTTP2-Settings", "traceparent", "User-Agent",
    ):  # fmt: skip
        assert not fields(note, name), name
    assert "6.6.6.6" not in body.decode()
    assert "secret" not in body.decode()


async def test_a_trusted_proxy_is_believed(gate: Gate, upstream: Upstream) -> None:  # A4
    served = await gate(rule(upstream), trusted_proxies="127.0.0.0/8, 10.0.0.0/8")
    said = "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1\r\nX-Forwarded-Proto: http, https\r\nX-Forwarded-Host: evil"
    _, _, body = await ask(served, f"GET /u/x HTTP/1.1\r\n{said}")
    note = json.loads(body)
    assert fields(note, "X-Forwarded-For") == ["192.0.2.7"]
    assert fields(note, "X-Forwarded-Proto") == ["https"]
    assert fields(note, "X-Forwarded-Host") == ["shop.example"]


async def test_rules_edit_headers_both_ways(gate: Gate, upstream: Upstream) -> None:
    served = await gate(
        rule(
            upstream,
            ", headers: {request: {add: {Authorization: Bearer operator, X-Forwarded-For: 1.1.1.1}, remove: [Cookie]},"
            " response: {add: {X-Frame-Options: DENY}, remove: [X-Powered-By, X-Outer]}}",
        )
    )
    _, headers, _ = await ask(served, "GET /u/fields HTTP/1.1\r\nAuthorization: Bearer mine\r\nCookie: a=1")
    note = upstream.asked[-1]
    assert fields(note, "Authorization") == ["Bearer operator"]
    assert fields(note, "X-Forwarded-For") == ["1.1.1.1"]
    assert not fields(note, "Cookie")
    assert headers["x-frame-options"] == "DENY"
    assert not {"x-powered-by", "x-outer"} & headers.keys()


async def test_what_of_an_answer_ends_here(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    answer = await served.raw(f"GET /u/fields HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
    _, headers, _ = await ask(served, "GET /u/fields HTTP/1.1")
    assert not {"x-inner", "server", "alt-svc", "proxy-authenticate"} & headers.keys()
    assert (headers["etag"], headers["x-outer"], headers["connection"]) == ('"1"', "2", "close")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-content-type-options"] == "nosniff"
    assert answer.count(b"Set-Cookie") == 1
    assert b"stolen" not in answer


async def test_bodies_and_codings_cross_untouched(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    _, headers, body = await ask(served, "GET /u/gzip HTTP/1.1")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b"hello " * 1000
    _, _, body = await ask(served, "POST /u/x HTTP/1.1\r\nContent-Length: 5\r\nContent-Type: a/b", b"hello")
    note = json.loads(body)
    assert (note["method"], note["body"], fields(note, "Content-Length")) == ("POST", "hello", ["5"])
    assert fields(note, "Content-Type") == ["a/b"]
    _, _, body = await ask(
        served, "POST /u/x HTTP/1.1\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"
    )
    note = json.loads(body)
    assert (note["body"], fields(note, "Transfer-Encoding"), fields(note, "Content-Length")) == (
        "hello",
        ["chunked"],
        [],
    )
    packed = gzip.compress(b"hello")
    _, _, body = await ask(
        served, f"POST /u/x HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}", packed
    )
    note = json.loads(body)
    assert (note["body"], fields(note, "Content-Encoding")) == ("hello", [])
    _, _, body = await ask(served, "POST /u/x HTTP/1.1")
    assert fields(json.loads(body), "Content-Length") in ([], ["0"])


async def test_answers_without_a_body(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    status, headers, body = await ask(served, "HEAD /u/x HTTP/1.1")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0
    status, headers, body = await ask(served, "GET /u/empty HTTP/1.1")
    assert (status, body) == (204, b"")
    assert "content-length" not in headers
    assert "transfer-encoding" not in headers


async def test_what_is_passed_on_counts_as_sent(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    sizes = [
        len((await ask(served, f"{line} HTTP/1.1"))[2]) for line in ("GET /u/x", "GET /u/fields", "HEAD /u/x")
    ]
    sizes.append(len((await ask(served, "HEAD /api/tenants/acme-corp/x HTTP/1.1"))[2]))
    counted = served.gateway.counters.elsewhere.requests
    assert min(sizes[:2]) > 0
    assert sizes[2:] == [0, 0]
    assert sum(size for (_, route, _, _), (_, _, size) in counted.items() if route == "proxy") == sum(sizes)
    assert [size for (method, *_), (_, _, size) in counted.items() if method == "HEAD"] == [0, 0]


async def test_one_connection_brings_many_requests(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    async with aiohttp.ClientSession(served.url) as session:
        for number in range(20):
            async with session.post("/u/x", data=b"x" * number) as answer:
                assert (await answer.json())["body"] == "x" * number
        assert served.gateway.connections[0] == 1


async def test_old_clients_get_the_end_of_the_connection(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    upstream.release.set()
    answer = await served.raw(b"GET /u/stream HTTP/1.0\r\nHost: x\r\n\r\n")
    assert b"Transfer-Encoding" not in answer
    assert answer.endswith(b"data: first\n\ndata: second\n\n")


async def test_redirects_are_not_followed(gate: Gate, upstream: Upstream) -> None:  # F3
    served = await gate(rule(upstream))
    status, headers, _ = await ask(served, "GET /u/redirect HTTP/1.1")
    assert (status, headers["location"]) == (302, "http://169.254.169.254/latest")
    assert len(upstream.asked) == 1


async def test_pieces_arrive_as_they_are_sent(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    async with aiohttp.ClientSession(served.url) as session, session.get("/u/stream") as answer:
        assert await asyncio.wait_for(answer.content.readany(), 2) == b"data: first\n\n"
        upstream.release.set()
        assert await asyncio.wait_for(answer.content.readany(), 2) == b"data: second\n\n"


async def test_large_bodies_take_no_memory(gate: Gate, upstream: Upstream) -> None:  # D1
    served = await gate(rule(upstream, ", body_limit: 100MiB"))
    size, process = 64 << 20, psutil.Process()
    before = process.memory_info().rss
    most = 0

    async def pieces() -> Any:
        nonlocal most
        for _ in range(size >> 16):
            yield b"z" * 65536
            most = max(most, process.memory_info().rss)

    async with aiohttp.ClientSession(served.url) as session:
        async with session.put("/u/count", data=pieces()) as answer:
            assert await answer.json() == {"received": size}
        async with session.get("/u/big") as answer:
            received = 0
            async for piece in answer.content.iter_any():
                received += len(piece)
                most = max(most, process.memory_info().rss)
    assert received == size
    assert most - before < 24 << 20


async def test_bodies_have_the_rules_limit(gate: Gate, upstream: Upstream) -> None:  # D1
    served = await gate(rule(upstream, ", body_limit: 10B"))
    status, _, body = await ask(served, "POST /u/count HTTP/1.1\r\nContent-Length: 11", b"x" * 11)
    assert (status, json.loads(body)["code"]) == (413, "http.body_too_large")
    chunks = b"8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n"
    status, _, body = await ask(served, "POST /u/count HTTP/1.1\r\nTransfer-Encoding: chunked", chunks)
    assert (status, json.loads(body)["code"]) == (413, "http.body_too_large")
    bomb = gzip.compress(b" " * 50_000_000)[:2000]
    status, _, body = await ask(
        served, "POST /u/count HTTP/1.1\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked",
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb),
    )  # fmt: skip
    assert status == 413
    assert upstream.received <= 100
    assert (await ask(served, "POST /u/count HTTP/1.1\r\nContent-Length: 10", b"x" * 10))[0] == 200


async def test_a_client_that_reads_nothing_makes_the_upstream_wait(
    gate: Gate, upstream: Upstream
) -> None:  # D3
    served = await gate(rule(upstream), write_seconds=1)
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", served.port))
        await loop.sock_sendall(sock, f"GET /u/endless HTTP/1.1\r\n{HOST}\r\n".encode())
        await asyncio.sleep(0.5)
        sent = upstream.received
        assert sent < 16 << 20
        await asyncio.wait_for(upstream.cancelled.wait(), 5)
    assert upstream.received - sent < 1 << 20
    assert served.gateway.counters.in_flight == 0


async def test_a_client_that_leaves_ends_the_upstreams_work(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    for path in ("slow", "endless"):
        upstream.cancelled.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"GET /u/{path} HTTP/1.1\r\n{HOST}\r\n".encode())
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.wait_for(upstream.cancelled.wait(), 3)
    await asyncio.sleep(0.05)
    assert served.gateway.counters.in_flight == 0


async def test_an_answer_before_the_body_is_done(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", body_limit: 1GiB"))
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST /u/early HTTP/1.1\r\n{HOST}Content-Length: 100000000\r\n\r\nsome".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 3)
    assert b" 403 " in head
    writer.close()


async def test_slow_bodies_are_the_clients_fault(gate: Gate, upstream: Upstream) -> None:  # D3
    served = await gate(rule(upstream, ", timeout: 200ms"), body_seconds=1)
    status, _, body = await ask(served, "POST /u/count HTTP/1.1\r\nContent-Length: 10", b"x")
    assert (status, json.loads(body)["code"]) == (408, "http.timeout")


async def test_expectations_are_met_by_us(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST /u/x HTTP/1.1\r\n{HOST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 3) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ok")
    assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 3)
    writer.close()
    assert not fields(upstream.asked[-1], "Expect")


async def test_circles_end(gate: Gate) -> None:
    served = await gate("- {path: '/x', target: platform-api}")
    served.gateway.apply(
        parse_rules(f"- {{path: '/u/*', target: 'http://127.0.0.1:{served.port}', retries: 0}}")
    )
    status, _, body = await ask(served, "GET /u/x HTTP/1.1")
    assert (status, json.loads(body)["code"]) == (508, "proxy.loop")
