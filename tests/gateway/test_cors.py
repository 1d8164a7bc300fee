"""Pages of other origins: exact ones, of the tenant's own list; docs/attacks.md G5."""

import pytest

from gateway.rule_file import parse_rules
from tests.gateway.conftest import Serve, Served, parse

ACME = "/api/tenants/acme-corp"


async def test_a_listed_origin_may_read(served: Served) -> None:
    _, headers, _ = await served.get(f"{ACME}/x", "Origin: https://acme.example")
    assert headers["access-control-allow-origin"] == "https://acme.example"
    assert "Content-Range" in headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in headers
    assert "Origin" in headers["vary"]


async def test_a_listed_origin_may_ask_first(served: Served) -> None:
    request = f"OPTIONS {ACME}/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://acme.example\r\nAccess-Control-Request-Method: PATCH\r\nConnection: close\r\n\r\n"
    status, headers, _ = parse(await served.raw(request.encode()))
    assert status == 204
    assert "PATCH" in headers["access-control-allow-methods"]
    for name in (
        "apikey",
        "Authorization",
        "Prefer",
        "X-Client-Info",
        "Accept-Profile",
        "Range",
        "Idempotency-Key",
    ):
        assert name in headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil-acme.example",
        "https://acme.example.evil",
        "http://acme.example",
        "https://acme.example:444",
        "https://ACME.example",
        "*",
        "",
    ],
)
async def test_no_other_origin_may(served: Served, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        request = (
            f"{method} {ACME}/x HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        )
        _, headers, _ = parse(await served.raw(request.encode()))
        assert not [name for name in headers if name.startswith("access-control")]


async def test_errors_can_be_read_too(served: Served) -> None:
    status, headers, _ = await served.get(f"{ACME}/missing", "Origin: https://acme.example")
    assert status == 404
    assert headers["access-control-allow-origin"] == "https://acme.example"


SUPABASE_JS = (
    "apikey, authorization, x-client-info, x-supabase-api-version, content-profile, accept-profile, prefer, x-retry-count, "
    "content-type, range"
)


def preflight(path: str, origin: str, host: str = "localhost") -> bytes:
    return (
        f"OPTIONS {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n"
        f"Access-Control-Request-Headers: {SUPABASE_JS}\r\nConnection: close\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("path", ["rest/v1/invoices", "auth/v1/token", "functions/v1/total", "invoices"])
async def test_supabase_js_gets_leave(served: Served, path: str) -> None:
    status, headers, _ = parse(await served.raw(preflight(f"{ACME}/{path}?select=*", "https://acme.example")))
    assert (status, headers["access-control-allow-origin"]) == (204, "https://acme.example")
    allowed = {name.strip().lower() for name in headers["access-control-allow-headers"].split(",")}
    assert {name.strip() for name in SUPABASE_JS.split(",")} <= allowed
    assert "POST" in headers["access-control-allow-methods"]
    assert "Origin" in headers["vary"]
    assert "access-control-allow-credentials" not in headers


async def test_a_tenants_origins_are_its_own(serve: Serve) -> None:
    served = await serve()
    served.tenants["globex"].origins = ["https://globex.example"]
    for slug, own, other in (
        ("acme-corp", "https://acme.example", "https://globex.example"),
        ("globex", "https://globex.example", "https://acme.example"),
    ):
        for host, path in (("localhost", f"/api/tenants/{slug}/x"), (f"{slug}.api.localhost", "/x")):
            for ask in (
                preflight(path, own, host),
                preflight(path, own, host).replace(b"OPTIONS", b"GET", 1),
            ):
                assert parse(await served.raw(ask))[1]["access-control-allow-origin"] == own
                _, headers, _ = parse(await served.raw(ask.replace(own.encode(), other.encode())))
                assert not [name for name in headers if name.startswith("access-control")]
                assert "Origin" in headers["vary"]


async def test_a_rules_origins_hold_for_all_behind_it(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(
        parse_rules(
            "- {path: '/api/tenants/{slug}/*', target: 'tenant-api-{slug}', cors: {origins: ['https://tool.example']}}"
        )
    )
    for origin in ("https://tool.example", "https://acme.example"):
        _, headers, _ = parse(await served.raw(preflight(f"{ACME}/x", origin)))
        assert headers["access-control-allow-origin"] == origin
    for origin in ("http://tool.example", "https://tool.example.evil", "https://eviltool.example", "null"):
        _, headers, _ = parse(await served.raw(preflight(f"{ACME}/x", origin)))
        assert "access-control-allow-origin" not in headers


async def test_an_origin_makes_no_header(served: Served) -> None:
    for origin in (
        "https://acme.example\x0bX-A: b",
        "https://acme.example, https://evil.example",
        " https://acme.example/",
    ):
        _, headers, _ = parse(await served.raw(preflight(f"{ACME}/x", origin)))
        assert "access-control-allow-origin" not in headers
    twice = preflight(f"{ACME}/x", "https://evil.example").replace(
        b"Origin:", b"Origin: https://acme.example\r\nOrigin:", 1
    )
    status, headers, _ = parse(await served.raw(twice))
    assert status == 400 or headers["access-control-allow-origin"] != "https://evil.example"
