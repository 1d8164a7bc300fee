"""Hostile and broken bytes on the public port: docs/attacks.md B9 to B11, D1 to D5, G6, H8, H11; docs/faults.md 38 and 44."""

import asyncio
import contextlib
import gzip
import os
import socket
import time

import psutil
import pytest

from tests.gateway.conftest import Serve, Served, parse

ACME = "/api/tenants/acme-corp"
HOST = "Host: localhost\r\n"


def post(extra: str, body: bytes = b"", path: str = f"{ACME}/items") -> bytes:
    return f"POST {path} HTTP/1.1\r\n{HOST}{extra}Connection: close\r\n\r\n".encode("latin-1") + body


@pytest.mark.parametrize(
    "data",
    [
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nabcd",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4_0\r\n\r\nabcd",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: localhost\r\nA\0: b\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: localhost\r\nA: b\0c\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        b"GET /x HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"G@T /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls hello \r\n\r\n",
        b"GET /x\r\n\r\n",
        b"\r\n\r\n\0\0\0\r\n\r\n",
    ],
)
async def test_smuggling_and_garbage_get_one_problem_and_the_door(served: Served, data: bytes) -> None:
    answer = await served.raw(
        data + b"GET /api/tenants/acme-corp/second HTTP/1.1\r\nHost: localhost\r\n\r\n", wait=2
    )
    status, headers, document = parse(answer)
    assert status == 400
    assert (
        answer.count(b"HTTP/1.1 ") - answer.count(b"HTTP/1.1 request") == 1
    )  # what follows is never answered
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert document["request_id"]
    assert not any(call.entity == "second" for call in served.tenants["acme-corp"].calls)


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (f"{ACME}/x?{'a' * 15000}", (), 200, None),
        (f"{ACME}/x?{'a' * 17000}", (), 414, "http.uri_too_long"),
        (f"{ACME}/x", (f"X-Long: {'a' * 17000}",), 431, "http.head_too_large"),
        (f"{ACME}/x", tuple(f"X-{n}: 1" for n in range(140)), 431, "http.head_too_large"),
        (f"{ACME}/x", (f"Authorization: Bearer {'a' * 9000}",), 401, "auth.invalid_token"),
    ],
)
async def test_heads_have_a_size(
    served: Served, path: str, headers: tuple[str, ...], status: int, code: str | None
) -> None:  # D4
    got, _, document = await served.get(path, *headers)
    assert got == status
    assert code is None or document["code"] == code


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
async def test_other_methods_are_refused(served: Served, method: str) -> None:  # H8
    target = "localhost:80" if method == "CONNECT" else f"{ACME}/x"
    status, _, document = parse(
        await served.raw(f"{method} {target} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode(), wait=2)
    )
    assert status in ((400, 405) if method in ("CONNECT", "BREW") else (405,))
    assert document["code"] in ("http.bad_request", "http.bad_path", "http.method_not_allowed", "PGRST117")


async def test_a_body_is_read_up_to_its_limit(serve: Serve) -> None:  # D1
    served = await serve(body_bytes=1024)
    data = b"[" + b"1," * 600 + b"1]"
    json = "Content-Type: application/json\r\n"
    chunked = (
        b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (data[:500], data[500:1000], data[1000:]))
        + b"0\r\n\r\n"
    )
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    before = psutil.Process().memory_info().rss
    for request in (
        post(f"{json}Content-Length: {len(data)}\r\n", data),
        post(f"{json}Content-Length: 99999999999999999\r\n"),
        post(f"{json}Transfer-Encoding: chunked\r\n", chunked),
        post(f"{json}Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n", bomb),
    ):
        status, _, document = parse(await served.raw(request, wait=4))
        assert status == 413, document
        assert document["code"] == "http.body_too_large"
    assert psutil.Process().memory_info().rss - before < 24 << 20
    assert served.tenants["acme-corp"].calls == []
    good = gzip.compress(b"[1]")
    status, _, document = parse(
        await served.raw(post(f"{json}Content-Encoding: gzip\r\nContent-Length: {len(good)}\r\n", good))
    )
    assert (status, document["body"]) == (200, "[1]")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("Content-Type: application/json; charset=utf-16\r\n", b"{}", 415),
        ("Content-Type: application/json; charset=rot13\r\n", b"{}", 415),
        ("Content-Type: text/html\r\n", b"{}", 415),
        ("Content-Type: ////\r\n", b"{}", 415),
        ("Content-Encoding: zstd\r\n", b"{}", 400),
        ("Content-Encoding: br, gzip\r\n", b"{}", 415),
        ("Content-Encoding: compress\r\n", b"{}", 415),
        ("Content-Encoding: gzip\r\n", b"not gzip", 400),
        ("Content-Type: application/json\r\nContent-Type: text/csv\r\n", b"{}", 400),
        ("Idempotency-Key: a\r\nIdempotency-Key: b\r\n", b"{}", 400),
        ("Content-Type: application/json;charset=UTF-8\r\n", b"{}", 200),
        ("", b"{}", 200),
        ("Content-Type: text/csv\r\n", b"a\n1", 200),
    ],
)
async def test_media_types(served: Served, headers: str, body: bytes, status: int) -> None:  # B10
    got, _, document = parse(
        await served.raw(post(f"{headers}Content-Length: {len(body)}\r\n", body), wait=2)
    )
    assert got == status, document


async def test_a_broken_chunk_is_a_400(served: Served) -> None:
    answer = await served.raw(post("Transfer-Encoding: chunked\r\n", b"zz\r\nabc\r\n0\r\n\r\n"), wait=2)
    assert parse(answer)[0] == 400


async def test_slow_heads_and_bodies_are_cut_off(serve: Serve) -> None:  # D3
    served = await serve(head_seconds=1, body_seconds=1)
    began = time.monotonic()
    head, body, trickle = await asyncio.gather(
        served.raw(b"GET /api/tenants/acme-corp/x HTTP/1.1\r\nHost: loc", wait=6),
        served.raw(post("Content-Length: 10\r\n", b"{"), wait=6),
        _trickle(served),
    )
    assert time.monotonic() - began < 5
    assert parse(head)[0] == 408
    assert parse(body)[0] == 408
    assert trickle < 4


async def _trickle(served: Served) -> float:
    """One byte of a head at a time, on a connection that was used before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"GET {ACME}/x HTTP/1.1\r\n{HOST}\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while not reader.at_eof() and time.monotonic() - began < 6:
            writer.write(b"G"[:1])
            await asyncio.sleep(0.1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(4096), 0.05)
    writer.close()
    return time.monotonic() - began


async def test_a_reader_that_does_not_read_is_cut_off(serve: Serve) -> None:  # D3
    served = await serve(write_seconds=1)
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", served.port))
        await loop.sock_sendall(sock, f"GET {ACME}/big HTTP/1.1\r\n{HOST}\r\n".encode())
        await asyncio.sleep(2.5)
        assert served.gateway.connections[0] == 0
        assert served.gateway.counters.in_flight == 0


async def test_connections_are_capped_and_room_comes_back(serve: Serve) -> None:  # D5
    served = await serve(sockets=20)
    idle = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(20)]
    await asyncio.sleep(0.05)
    status, headers, document = await served.get(f"{ACME}/x")
    assert (status, document["code"]) == (503, "http.overloaded")
    assert "retry-after" in headers
    for _, writer in idle:
        writer.close()
    await asyncio.sleep(0.1)
    assert (await served.get(f"{ACME}/x"))[0] == 200


async def test_connections_per_address_are_capped(serve: Serve) -> None:
    served = await serve(sockets_per_address=2)
    held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert (await served.get(f"{ACME}/x"))[0] == 503
    for _, writer in held:
        writer.close()


async def test_a_pipelining_flood_is_answered_in_order(served: Served) -> None:  # D4
    one = f"GET {ACME}/p{{}} HTTP/1.1\r\n{HOST}\r\n"
    answer = await served.raw(
        "".join(one.format(n) for n in range(200)).encode() + b"GET / HTTP/1.0\r\n\r\n", wait=2
    )
    places = [answer.find(f'"entity":"p{n}"'.encode()) for n in range(200)]
    assert min(places) > 0
    assert places == sorted(places)


async def test_faults_of_ours_tell_nothing(served: Served) -> None:
    status, headers, document = await served.get(f"{ACME}/broken")
    assert (status, document["code"]) == (500, "http.internal")
    assert "secret" not in str(document)
    assert "server" not in headers  # H11: no banner


async def test_no_value_makes_a_header(served: Served) -> None:  # B12
    _, headers, _ = await served.get(f"{ACME}/splitting")
    assert "set-cookie" not in headers
    assert headers["location"] == "/x  Set-Cookie: a=b"


async def test_request_ids_and_traces(served: Served) -> None:
    _, headers, document = await served.get(
        f"{ACME}/missing", "X-Request-Id: my-request-1", f"traceparent: 00-{'a' * 32}-{'b' * 16}-01"
    )
    assert headers["x-request-id"] == document["request_id"] == "my-request-1"
    assert headers["traceparent"].startswith(f"00-{'a' * 32}-")
    assert "b" * 16 not in headers["traceparent"]
    _, headers, _ = await served.get(f"{ACME}/x", "X-Request-Id: <script>\x1b[31m", "traceparent: 00-zz")
    assert "script" not in headers["x-request-id"]
    assert "traceparent" not in headers


async def test_admin_pages_are_not_public(served: Served) -> None:  # H11
    for path in ("/metrics", "/livez", "/readyz", "/debug", "/tenant-metrics"):
        assert (await served.get(path))[0] == 404


async def test_a_row_one_may_not_see_is_like_one_that_is_not_there(served: Served) -> None:
    answers = []
    for key in ("0197c0de-0000-7000-8000-000000000001", "0197c0de-0000-7000-8000-000000000002"):
        status, _, document = await served.get(f"{ACME}/missing/{key}")
        assert status == 404
        del document["request_id"]
        answers.append(document)
    assert answers[0] == answers[1]


async def test_methods_of_a_path(served: Served) -> None:
    status, headers, document = parse(
        await served.raw(f"PUT {ACME}/schema HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
    )
    assert (status, document["code"]) == (405, "PGRST117")
    assert headers["allow"] == "GET, HEAD, OPTIONS"
    answer = await served.raw(f"HEAD {ACME}/x HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: " in head
    assert body == b""


async def test_a_read_nobody_waits_for_ends_and_a_write_goes_on(serve: Serve) -> None:  # docs/faults.md 44
    served = await serve()
    tenant = served.tenants["acme-corp"]
    for method in ("GET", "POST"):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"{method} {ACME}/slow HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n".encode())
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert tenant.cancelled == 1
    assert served.gateway.counters.in_flight == 1
    tenant.release.set()
    await asyncio.sleep(0.05)
    assert served.gateway.counters.in_flight == 0


async def test_drain_finishes_what_runs(serve: Serve) -> None:  # docs/faults.md 38
    served = await serve()
    running = asyncio.ensure_future(served.raw(f"GET {ACME}/slow HTTP/1.1\r\n{HOST}\r\n".encode()))
    await asyncio.sleep(0.1)
    draining = asyncio.ensure_future(served.gateway.drain(5))
    await asyncio.sleep(0.1)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", served.port)
    assert served.gateway.draining
    served.tenants["acme-corp"].release.set()
    assert await draining is True
    answer = await running
    assert parse(answer)[0] == 200
    assert b"Connection: close" in answer


async def test_drain_ends_in_time(serve: Serve) -> None:
    served = await serve()
    running = asyncio.ensure_future(served.raw(f"GET {ACME}/slow HTTP/1.1\r\n{HOST}\r\n".encode()))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert await served.gateway.drain(0.2) is False
    assert time.monotonic() - began < 4
    await running


async def test_expectations(served: Served) -> None:
    answer = await served.raw(post("Expect: 100-continue\r\nContent-Length: 2\r\n"), wait=0.3)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert parse(await served.raw(post("Expect: magic\r\nContent-Length: 2\r\n"), wait=0.5))[0] == 417


async def test_random_bytes_never_make_a_500(served: Served) -> None:
    for seed in range(40):
        noise = os.urandom(200 + seed)
        answer = await served.raw(
            f"GET {ACME}/x?".encode()
            + noise.replace(b"\r", b"a").replace(b"\n", b"b")
            + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            wait=0.05,
        )
        assert not answer or parse(answer)[0] < 500
