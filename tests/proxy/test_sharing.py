"""Pages of other origins, credentials and limits in front of upstreams; docs/attacks.md G5, G8, D11."""

import json
import time

import pytest

from actors.features.auth.dev_tokens import mint
from tests.gateway.conftest import KEY, Served, parse
from tests.proxy.conftest import Gate, Upstream
from tests.proxy.test_passing import ask, fields, rule

ORIGIN = "https://a.example"


def preflight(origin: str) -> str:
    return f"OPTIONS /u/fields HTTP/1.1\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT"


async def test_the_rules_origins_are_answered_here(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, f", cors: {{origins: ['{ORIGIN}']}}"))
    status, headers, _ = await ask(served, preflight(ORIGIN))
    assert (status, headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "PUT" in headers["access-control-allow-methods"]
    for origin in ("null", "https://a.example.evil", "http://a.example"):
        status, headers, _ = await ask(served, preflight(origin))
        assert (status, headers.get("access-control-allow-origin")) == (204, None)
    assert upstream.asked == []
    # and what the upstream says about it does not count
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        answer = await served.raw(
            f"GET /u/fields HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.count(b"Access-Control-Allow-Origin") == (allowed is not None)
        assert b"\r\nVary: Origin\r\n" in answer
        assert (
            parse(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")[1].get("access-control-allow-origin")
            == allowed
        )


async def test_without_them_the_upstream_answers(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    status, headers, _ = await ask(served, preflight("https://any.example"))
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert upstream.asked[0]["method"] == "OPTIONS"


async def test_who_may_not_pass_reaches_nobody(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", auth: {required_roles: [manager]}"))
    assert await _code(served, "") == (401, "auth.required")
    member = mint(KEY, "system", now=time.time(), role="member")
    assert await _code(served, f"\r\nAuthorization: Bearer {member}") == (403, "auth.forbidden")
    other = mint(KEY, "globex", now=time.time(), role="manager")
    assert await _code(served, f"\r\nAuthorization: Bearer {other}") == (401, "auth.invalid_token")
    status, headers, _ = await ask(served, "GET /u/x HTTP/1.1\r\nAccept: text/html")
    assert (status, headers["location"]) == (303, "/auth/v1/login?redirect_to=%2Fu%2Fx")
    assert upstream.asked == []
    manager = mint(KEY, "system", now=time.time(), role="manager")
    status, headers, _ = await ask(served, f"GET /u/x HTTP/1.1\r\nAuthorization: Bearer {manager}")
    assert (status, headers["cache-control"]) == (200, "no-store, private")


async def _code(served: Served, lines: str) -> tuple[int, str]:
    status, _, body = await ask(served, f"GET /u/x HTTP/1.1{lines}")
    return status, json.loads(body)["code"]


@pytest.mark.parametrize("where", ["path: '/t/{slug}/*'", "host: '{slug}.shop.example'"])
async def test_a_slug_asks_for_the_tenants_people(gate: Gate, upstream: Upstream, where: str) -> None:
    target = f"http://127.0.0.1:{upstream.port}"
    served = await gate(
        f"- {{{where}, target: '{target}', rewrite: '/{{slug}}/{{rest}}', auth: {{required: true}}}}"
    )
    token = mint(KEY, "globex", now=time.time(), role="member")
    for slug, status in (("globex", 200), ("acme-corp", 401), ("nobody", 404)):
        path = f"/t/{slug}/x" if "path" in where else "/x"
        host = "localhost" if "path" in where else f"{slug}.shop.example"
        got, _, document = await served.get(path, f"Authorization: Bearer {token}", host=host)
        assert got == status
        if status == 200:
            assert document["path"] == "/globex/x"


async def test_host_and_path_name_one_tenant(gate: Gate, upstream: Upstream) -> None:  # A3
    served = await gate(f"- {{path: '/t/{{slug}}/*', target: 'http://127.0.0.1:{upstream.port}'}}")
    assert (await served.get("/t/globex/x", host="globex.localhost"))[0] == 200
    status, _, document = await served.get("/t/globex/x", host="acme-corp.localhost")
    assert (status, document["code"]) == (400, "http.tenant_mismatch")
    assert len(upstream.asked) == 1


async def test_limits_hold_in_front_of_upstreams(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream, ", rate_limit: 2/h"))
    for left in (1, 0):
        status, headers, _ = await ask(served, "GET /u/x HTTP/1.1")
        assert (status, headers["ratelimit"].split(";")[1]) == (200, f"r={left}")
    status, headers, body = await ask(served, "GET /u/x HTTP/1.1")
    assert (status, json.loads(body)["code"]) == (429, "http.rate_limited")
    assert int(headers["retry-after"]) > 1000
    assert len(upstream.asked) == 2


async def test_ids_and_traces_go_on(gate: Gate, upstream: Upstream) -> None:
    served = await gate(rule(upstream))
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    _, headers, _ = await ask(
        served, f"GET /u/x HTTP/1.1\r\nX-Request-Id: my-request-1\r\ntraceparent: {trace}"
    )
    note = upstream.asked[0]
    assert headers["x-request-id"] == "my-request-1"
    assert fields(note, "X-Request-Id") == ["my-request-1"]
    (sent,) = fields(note, "traceparent")
    assert sent.startswith(f"00-{'a' * 32}-")
    assert "b" * 16 not in sent


async def test_other_methods_stay_outside(gate: Gate, upstream: Upstream) -> None:  # H8
    served = await gate(rule(upstream))
    assert (await ask(served, "GET /u/x HTTP/1.1"))[0] == 200
    for method in ("TRACE", "PROPFIND"):
        assert (await ask(served, f"{method} /u/x HTTP/1.1"))[0] == 405
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    "frame",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked", "Content-Length: 4\r\nContent-Length: 5", "Content-Length: +4",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\n , identity", "Content-Length: 0x4", "Transfer-Encoding: gzip, chunked",
    ],
)  # fmt: skip
async def test_no_frame_reaches_an_upstream_that_could_be_read_twice(
    gate: Gate, upstream: Upstream, frame: str
) -> None:
    served = await gate(rule(upstream))
    smuggled = b"0\r\n\r\nGET /base/u/evil HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await served.raw(
        f"POST /u/x HTTP/1.1\r\nHost: x\r\n{frame}\r\n\r\n".encode() + smuggled, wait=0.5
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert upstream.asked == []  # F7, H8
