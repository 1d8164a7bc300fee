"""Where browsers sign in: always outside of what signing in opens, whichever way the rules are written."""

import time
from collections.abc import AsyncIterator

import pytest

from actors.features.auth.dev_tokens import mint
from config.settings import Settings
from gateway.rule_file import parse_rules
from gateway.server import Gateway
from tests.gateway.conftest import KEY, Echo, Served, parse

SEED = """
rules:
  - { host: "admin.example.dev", target: "admin-console:3000", auth: { required_roles: ["platform_admin"] } }
  - { host: "*.example.dev", target: "tenant-ui:3001", auth: { required: true } }
  - { path: "/api/platform/*", target: "platform-api:8000" }
  - { path: "/api/tenants/{slug}/*", target: "tenant-api-{slug}", auth: { required: true } }
  - { path: "/auth/*", target: "auth-service:8080" }
  - { host: "portal.globex.example", path: "/shop/*", target: "http://127.0.0.1:9", auth: { required: true } }
"""
HTML = "Accept: text/html"


@pytest.fixture(scope="module")
async def guarded() -> AsyncIterator[Served]:
    tenants = {slug: Echo(slug) for slug in ("acme-corp", "globex", "system")}
    domains = {"portal.globex.example": "globex"}
    gateway = Gateway(
        Settings(port=0, domain="example.dev"), tenants.get, parse_rules(SEED), domains=domains.get
    )
    _, port = await gateway.start()
    yield Served(gateway, port, tenants)
    await gateway.drain(0.1)


@pytest.mark.parametrize(
    ("host", "path", "slug"),
    [
        ("example.dev", "/api/tenants/globex/items", "globex"),
        ("portal.globex.example", "/shop/a", "globex"),
    ],
)
async def test_the_way_to_sign_in_ends_at_a_page(guarded: Served, host: str, path: str, slug: str) -> None:
    if host.startswith("portal"):
        guarded.gateway.apply(
            parse_rules(
                SEED + "  - { host: '{slug}.api.DOMAIN', target: 'tenant-api-{slug}' }\n", "example.dev"
            )
        )
    status, headers, _ = await guarded.get(path, HTML, host=host)
    assert status == 303
    page, _, back = headers["location"].partition("?redirect_to=")
    assert page.endswith("/auth/v1/login")
    assert back.startswith(path.partition("?")[0].replace("/", "%2F"))
    status, _, document = await guarded.get(headers["location"], HTML, host=host)
    assert (status, document["operation"], document["slug"]) == (200, "auth.login", slug)
    # what the page's forms are sent to
    post = f"POST {document['base']}/auth/v1/login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    status, _, document = parse(await guarded.raw(post.encode()))
    assert (status, document["operation"], document["slug"]) == (200, "auth.login", slug)


async def test_nothing_else_is_opened(guarded: Served) -> None:
    for host, path in (
        ("admin.example.dev", "/auth/v2/login"), ("admin.example.dev", "/auth/v1/login/more/x"), ("admin.example.dev", "/auth"),
        ("acme-corp.example.dev", "/auth/v1/login"), ("acme-corp.example.dev", "/api/tenants/acme-corp/items"),
        ("example.dev", "/api/tenants/globex/items"),
    ):  # fmt: skip
        status, _, document = await guarded.get(path, host=host)
        assert (status, document["code"]) == (401, "auth.required"), path
    status, _, document = await guarded.get("/api/tenants/globex/auth/v1/login", host="acme-corp.example.dev")
    assert status in {400, 401}, document
    assert not any(call.entity for tenant in guarded.tenants.values() for call in tenant.calls)


async def test_signed_in_browsers_see_who_they_are(served: Served) -> None:
    token = _token("system", "member")
    status, _, document = await served.get("/admin/tenants", HTML, token)
    assert (status, document["operation"], document["query"]) == (200, "auth.account", "refused=1")
    status, _, document = await served.get("/admin/tenants", token)
    assert (status, document["code"]) == (403, "auth.forbidden")
    token = _token("system", "platform_admin")
    for path, whose in (("/admin/tenants", token), ("/app/globex/x", _token("globex", "member"))):
        answer = await served.raw(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{HTML}\r\n{whose}\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'<script type="application/json" id="boot">' in answer
    status, _, document = await served.get("/admin/tenants", token)
    assert (status, document["code"]) == (404, "http.not_found")


def _token(slug: str, role: str) -> str:
    return f"Authorization: Bearer {mint(KEY, slug, now=time.time(), role=role)}"
