"""Which tenant a request is for: docs/attacks.md A1 to A8, at the socket."""

import time

import pytest

from actors.features.auth.dev_tokens import mint
from tests.gateway.conftest import KEY, Served, parse

ACME = "/api/tenants/acme-corp"


@pytest.mark.parametrize(
    ("path", "host", "slug", "base"),
    [
        (f"{ACME}/invoices", "localhost", "acme-corp", ACME),
        (f"{ACME}/invoices", "example.org:8000", "acme-corp", ACME),
        (f"{ACME}/invoices/", "127.0.0.1", "acme-corp", ACME),
        (f"{ACME}/rest/v1/invoices", "[::1]:8000", "acme-corp", ACME),
        ("/invoices", "acme-corp.api.localhost", "acme-corp", ""),
        ("/invoices", "ACME-corp.api.LocalHost.:8000", "acme-corp", ""),
        (f"{ACME}/invoices", "acme-corp.localhost:8000", "acme-corp", ACME),
        ("/api/platform/invoices", "localhost", "system", "/api/platform"),
        ("http://localhost/api/tenants/acme-corp/invoices", "localhost", "acme-corp", ACME),
    ],
)
async def test_every_way_to_a_tenant(served: Served, path: str, host: str, slug: str, base: str) -> None:
    status, _, document = await served.get(path, host=host)
    assert status == 200
    assert (document["slug"], document["entity"], document["base"]) == (slug, "invoices", base)


@pytest.mark.parametrize(
    ("path", "host"),
    [
        (f"{ACME}/invoices", "globex.api.localhost"),  # A3: host says one, path the other
        (f"{ACME}/invoices", "globex.localhost"),
        ("/api/platform/tenants", "globex.localhost"),
        ("http://globex.api.localhost/invoices", "acme-corp.api.localhost"),
        ("http://evil.example/api/tenants/acme-corp/invoices", "localhost"),
        ("http://user@localhost/api/tenants/acme-corp/x", "localhost"),
        ("ftp://localhost/x", "localhost"),
        # A5
        (f"{ACME}/invoices", "local host"), (f"{ACME}/invoices", "user@localhost"), (f"{ACME}/invoices", "localhost:80@b"),
        (f"{ACME}/invoices", "localhost:x"), (f"{ACME}/invoices", "localhost:99999"), (f"{ACME}/invoices", "local\thost"),
        (f"{ACME}/invoices", "localhost.."), (f"{ACME}/invoices", ""), (f"{ACME}/invoices", "a/b"), (f"{ACME}/invoices", "loc\xe4l"),
        # A7
        ("/api/tenants/acme-corp/../globex/invoices", "localhost"), ("/api/tenants/%2e%2e/x", "localhost"),
        ("/api/tenants/acme-corp%2finvoices", "localhost"), ("/api/tenants/acme-corp/%2F", "localhost"),
        ("//api/tenants/acme-corp/invoices", "localhost"), ("/api//tenants/acme-corp/invoices", "localhost"),
        ("/api/tenants/acme-corp\\invoices", "localhost"), ("/api/tenants/acme-corp%5cinvoices", "localhost"),
        ("/api/tenants/acme-corp/invoices%00", "localhost"), ("/api/tenants/acme-corp/invoices;x=1", "localhost"),
        ("/api/tenants/acme-corp/%252e%252e/x", "localhost"), ("/api/tenants/acme-corp/%zz", "localhost"),
        ("/api/tenants/acme-corp/%ff", "localhost"), ("/api/tenants/./acme-corp/x", "localhost"),
        ("/api/tenants/acme-corp/a%0d%0aX:1", "localhost"), ("/api/tenants/acme-corp/%e2%80%a8", "localhost"),
    ],
)  # fmt: skip
async def test_what_could_mean_two_things_is_refused(served: Served, path: str, host: str) -> None:
    before = {slug: len(tenant.calls) for slug, tenant in served.tenants.items()}
    status, headers, document = await served.get(path, host=host)
    assert status == 400, document
    assert headers["content-type"] == "application/problem+json"
    assert document["status"] == 400
    assert document["code"].startswith("http.")
    assert {slug: len(tenant.calls) for slug, tenant in served.tenants.items()} == before


async def test_two_hosts_or_none_are_refused(served: Served) -> None:
    for hosts in ("", "Host: localhost\r\nHost: globex.api.localhost\r\n"):
        status, _, document = parse(
            await served.raw(f"GET {ACME}/x HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode())
        )
        assert status == 400
        assert document["code"].startswith("http.")


@pytest.mark.parametrize(
    "slug",
    ["Acme-Corp", "acme_corp", "%61cme-corpx", "acme%E2%80%8B-corp", "%EF%BD%81cme-corp", "%EF%AC%81rm", "xn--acme", "ac", "system",
     "admin", "api", "www", "public", "pg-x", "nobody", "acme-corp-", "-acme"],
)  # fmt: skip
async def test_no_such_tenant(served: Served, slug: str) -> None:  # A6, A8
    status, _, document = await served.get(f"/api/tenants/{slug}/invoices")
    assert status == 404
    assert document["code"] == "tenant.not_found"


async def test_headers_and_parameters_name_no_tenant(served: Served) -> None:  # A2, A4
    status, _, document = await served.get(
        f"{ACME}/invoices?tenant_id=globex", "X-Tenant-ID: globex", "X-Forwarded-Host: globex.api.localhost",
        "X-Forwarded-For: 1.2.3.4", "X-Original-URL: /api/tenants/globex/x", "X-Rewrite-URL: /x", "Forwarded: host=globex.api.localhost",
    )  # fmt: skip
    assert status == 200
    assert document["slug"] == "acme-corp"


async def test_a_token_is_good_for_its_own_tenant_only(served: Served) -> None:  # A1
    token = mint(KEY, "globex", now=time.time())
    for path, host in (
        (f"{ACME}/x", "localhost"),
        ("/x", "acme-corp.api.localhost"),
        ("/api/platform/x", "localhost"),
    ):
        status, _, document = await served.get(path, f"Authorization: Bearer {token}", host=host)
        assert (status, document["code"]) == (401, "auth.invalid_token")
    status, _, document = await served.get("/api/tenants/globex/x", f"Authorization: Bearer {token}")
    assert status == 200
    assert document["roles"] == ["admin", "authenticated", "public"]


@pytest.mark.parametrize(
    ("path", "host", "code"),
    [("/", "localhost", None), ("/", "admin.localhost", "auth.required"), ("/admin/", "localhost", "auth.required"), ("/auth/login", "localhost", "PGRST125"),
     ("/app/acme-corp/", "localhost", "auth.required"), ("/nothing/here", "localhost", "http.not_found"),
     (f"{ACME}/a/b/c/d", "localhost", "PGRST125"), ("/x", "a.b.api.localhost", "http.not_found")],
)  # fmt: skip
async def test_what_is_not_built_says_so(served: Served, path: str, host: str, code: str | None) -> None:
    status, _, document = await served.get(path, host=host)
    if code is None:
        assert status == 200
    else:
        assert (status >= 400, document["code"]) == (True, code)
