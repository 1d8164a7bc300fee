"""A tenant's own domain; docs/attacks.md A3, A8, A23."""

from collections.abc import AsyncIterator

import pytest

from config.settings import Settings
from gateway.rule_file import parse_rules
from gateway.server import Gateway
from tests.gateway.conftest import RULES, Echo, Served, parse

DOMAINS = {"acme.example": "acme-corp", "shop.globex.example": "globex", "sys.example": "system"}


@pytest.fixture
async def owned() -> AsyncIterator[Served]:
    tenants = {slug: Echo(slug) for slug in ("acme-corp", "globex", "system")}
    gateway = Gateway(Settings(port=0), tenants.get, RULES, domains=DOMAINS.get)
    _, port = await gateway.start()
    yield Served(gateway, port, tenants)
    await gateway.drain(0.1)


@pytest.mark.parametrize(
    ("path", "base", "entity"),
    [
        ("/rest/v1/invoices", "", "invoices"),
        ("/api/invoices", "/api", "invoices"),
        ("/api/rest/v1/invoices", "/api", "invoices"),
        ("/api/tenants/acme-corp/invoices", "/api/tenants/acme-corp", "invoices"),
        ("/functions/v1/total", "", "total"),
    ],
)
async def test_the_api_on_an_own_domain(owned: Served, path: str, base: str, entity: str) -> None:
    for host in ("acme.example", "ACME.example:8000", "acme.example."):
        status, _, document = await owned.get(path, host=host)
        assert (status, document["slug"], document["base"], document["entity"]) == (
            200,
            "acme-corp",
            base,
            entity,
        )


async def test_signing_in_on_an_own_domain(owned: Served) -> None:
    status, _, document = await owned.get("/auth/v1/settings", host="acme.example")
    assert (status, document["slug"], document["operation"]) == (200, "acme-corp", "auth.settings")
    status, _, document = await owned.get("/welcome", host="acme.example")
    assert (status, document["code"]) == (401, "auth.required")


@pytest.mark.parametrize("path", ["/api/tenants/globex/x", "/api/platform/tenants", "/api/tenants/system/x"])
async def test_a_path_of_another_tenant_is_refused(owned: Served, path: str) -> None:  # A3
    status, _, document = await owned.get(path, host="acme.example")
    assert (status, document["code"]) == (400, "http.tenant_mismatch")
    assert not any(tenant.calls for tenant in owned.tenants.values())


async def test_the_consoles_are_elsewhere(owned: Served) -> None:
    for path in ("/admin/x", "/app/globex/x", "/auth/setup"):
        status, _, document = await owned.get(path, host="acme.example")
        # a page of the tenant, whatever its name
        assert (status, document["code"]) == (401, "auth.required")
    assert (await owned.get("/rest/v1/x", host="sys.example"))[0] == 404
    assert not owned.tenants["system"].calls


async def test_the_names_of_hosts_are_exact(owned: Served) -> None:
    for host in ("www.acme.example", "acme.example.evil", "evilacme.example", "other.example"):
        assert (await owned.get("/rest/v1/x", host=host))[0] == 404
    assert (await owned.get("/rest/v1/x", host="shop.globex.example"))[2]["slug"] == "globex"


async def test_domains_move_at_once(owned: Served) -> None:  # A23
    for owner in ("acme-corp", "globex", None, "acme-corp"):
        if owner is None:
            DOMAINS.pop("acme.example")
        else:
            DOMAINS["acme.example"] = owner
        for _ in range(2):
            status, _, document = await owned.get("/rest/v1/x", host="acme.example")
            assert (status, document.get("slug")) == ((200, owner) if owner else (404, None))
    # and a path that any other host has is the owner's alone
    assert (await owned.get("/api/tenants/globex/x", host="new.example"))[0] == 200
    DOMAINS["new.example"] = "acme-corp"
    assert (await owned.get("/api/tenants/globex/x", host="new.example"))[0] == 400
    del DOMAINS["new.example"]


async def test_a_rule_for_the_host_comes_first(owned: Served) -> None:
    owned.gateway.apply(
        parse_rules(
            "- {host: acme.example, path: '/api/*', target: platform-api}\n- {host: '{slug}.api.DOMAIN', target: 'tenant-api-{slug}'}"
        )
    )
    assert (await owned.get("/api/tenants", host="acme.example"))[2]["slug"] == "system"
    assert (await owned.get("/rest/v1/x", host="acme.example"))[2]["slug"] == "acme-corp"


async def test_cors_is_the_owners(owned: Served) -> None:  # G5
    request = b"OPTIONS /rest/v1/x HTTP/1.1\r\nHost: acme.example\r\nOrigin: https://acme.example\r\nConnection: close\r\n\r\n"
    status, headers, _ = parse(await owned.raw(request))
    assert (status, headers["access-control-allow-origin"]) == (204, "https://acme.example")
