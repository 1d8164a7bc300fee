"""Who is believed about the client's address and scheme; docs/attacks.md A4."""

from pathlib import Path

import pytest

from config.errors import SettingsError
from config.parse import parse as parse_settings
from tests.gateway.conftest import Serve

PATH = "/api/tenants/acme-corp/x"


@pytest.mark.parametrize(
    ("trusted", "headers", "address"),
    [
        ("", ("X-Forwarded-For: 192.0.2.1",), "127.0.0.1"),
        ("10.0.0.0/8", ("X-Forwarded-For: 192.0.2.1",), "127.0.0.1"),
        ("127.0.0.1", ("X-Forwarded-For: 192.0.2.1",), "192.0.2.1"),
        ("127.0.0.0/8", ("X-Forwarded-For: 6.6.6.6, 192.0.2.1",), "192.0.2.1"),
        ("127.0.0.0/8", ("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.1"), "192.0.2.1"),
        (
            "127.0.0.0/8 10.0.0.0/8",
            ("X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.1.1, 127.0.0.9",),
            "192.0.2.1",
        ),
        ("127.0.0.1", ("X-Forwarded-For: 192.0.2.1:4444",), "192.0.2.1"),
        ("127.0.0.1", ("X-Forwarded-For: [2001:db8::1]:4444",), "2001:db8::1"),
        ("127.0.0.1", ("X-Forwarded-For: 192.0.2.1, <script>",), "127.0.0.1"),
        ("127.0.0.1", ("X-Forwarded-For: ",), "127.0.0.1"),
        ("127.0.0.1", ("X-Forwarded-For: unknown",), "127.0.0.1"),
        ("127.0.0.1", ("Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"), "127.0.0.1"),
        ("127.0.0.1", (f"X-Forwarded-For: {'192.0.2.1, ' * 500}127.0.0.1",), "192.0.2.1"),
    ],
)
async def test_whose_address_it_is(
    serve: Serve, trusted: str, headers: tuple[str, ...], address: str
) -> None:
    served = await serve(trusted_proxies=trusted)
    assert (await served.get(PATH, *headers))[2]["address"] == address


@pytest.mark.parametrize(
    ("trusted", "said", "secure"),
    [("", "https", False), ("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("127.0.0.1", "https, http", False), ("127.0.0.1", "gopher", False)],
)  # fmt: skip
async def test_whether_it_came_by_tls(serve: Serve, trusted: str, said: str, secure: bool) -> None:
    served = await serve(trusted_proxies=trusted)
    await served.get("/api/tenants/acme-corp/auth/v1/settings", f"X-Forwarded-Proto: {said}")
    web = served.tenants["acme-corp"].calls[-1].web
    assert web is not None
    assert web.secure is secure


async def test_the_host_is_never_taken_from_a_proxy(serve: Serve) -> None:
    served = await serve(trusted_proxies="127.0.0.1")
    _, _, document = await served.get(
        PATH, "X-Forwarded-Host: globex.api.localhost", "X-Original-URL: /api/tenants/globex/x"
    )
    assert document["slug"] == "acme-corp"


def test_networks_are_checked_at_the_start() -> None:
    for wrong in ("x", "10.0.0.1/8", "10.0.0.0/33", "*"):
        with pytest.raises(SettingsError, match="trusted_proxies"):
            parse_settings({"trusted_proxies": wrong}, {}, Path("/"))
    good = parse_settings({"trusted_proxies": "10.0.0.0/8, ::1"}, {}, Path("/"))
    assert good.trusted_proxies == "10.0.0.0/8, ::1"
