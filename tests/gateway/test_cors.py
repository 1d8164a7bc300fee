"""Pages of other origins: exact ones, of the tenant's own list; THREATS.md G5."""

import pytest

from tests.gateway.conftest import Served, parse

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
