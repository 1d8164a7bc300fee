"""``config/gateway.yaml``: every error at once, the first rule wins, edits take effect."""

import pytest

from gateway.rule_fields import Rate
from gateway.rule_file import parse_rules
from gateway.rules import Rules
from gateway.tenancy import tenant_of_host
from schemas.compiler.diagnostics import CompileError
from tests.gateway.conftest import RULES, Serve

ORIGINAL = """
routes:
  - { host: admin.DOMAIN, target: "admin-console:3000", auth: { required: true, required_roles: [platform_admin] } }
  - { path: "/api/platform/*", target: platform-api }
  - { path: "/api/tenants/{slug}/*", target: "tenant-api-{slug}:9000", rate_limit: 60/m, timeout: 5s, cors: { origins: ["https://a.example"] } }
  - { host: "*.api.DOMAIN/*", target: "tenant-api-{slug}" }
  - { path: "/legacy/*", target: "http://10.0.0.1:8080/x" }
"""


def test_rules_of_the_other_layout_load_unchanged() -> None:
    rules = parse_rules(ORIGINAL, "example.org").rules
    assert [rule.kind for rule in rules] == ["console", "platform", "tenant", "tenant", "proxy"]
    assert (rules[0].host, rules[0].required, rules[0].required_roles) == (
        "admin.example.org",
        True,
        {"platform_admin"},
    )
    assert (rules[2].rate, rules[2].timeout, rules[2].origins) == (Rate(60, 60.0), 5.0, {"https://a.example"})


def test_the_first_match_decides() -> None:
    rules = parse_rules(ORIGINAL, "example.org")
    found = rules.match("anything", ("api", "tenants", "acme", "x"))
    assert found is not None
    assert (found.slug, found.depth) == ("acme", 3)
    found = rules.match("acme.api.example.org", ("x",))
    assert found is not None
    assert (found.slug, found.depth) == ("acme", 0)
    assert rules.match("a.b.api.example.org", ("x",)) is None
    assert rules.match("example.org", ("x",)) is None
    assert Rules().match("x", ()) is None


def test_every_error_is_told_at_once() -> None:
    with pytest.raises(CompileError) as refused:
        parse_rules(
            "routes:\n"
            "  - { path: api, target: tenant-api }\n"
            "  - { target: platform-api, hots: x }\n"
            "  - { host: 'a b', target: platform-api, timeout: never, rate_limit: lots }\n"
            "  - { path: '/x/*', target: 'tenant-api-{slug}', auth: yes-please, cors: { origins: ['*'] } }\n"
            "  - 5\n"
        )
    found = {(item.position.line, item.code) for item in refused.value.diagnostics}
    assert {(2, "gateway.path"), (2, "gateway.target"), (3, "gateway.form"), (3, "gateway.unknown_key"), (4, "gateway.host"), (4, "gateway.timeout"),
            (4, "gateway.rate"), (5, "gateway.slug"), (5, "gateway.form"), (6, "gateway.form")} <= found  # fmt: skip
    assert any("did you mean 'host'" in item.hint for item in refused.value.diagnostics)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "routes: []",
        "x",
        "routes: x",
        "a: &a [*a]",
        "routes:\n\t- x",
        b"\xff",
        "[" * 5000,
        "routes: 1\nroutes: 2",
    ],
)
def test_no_text_breaks_the_reader(text: str | bytes) -> None:
    with pytest.raises(CompileError):
        parse_rules(text)


async def test_new_rules_take_effect_at_once(serve: Serve) -> None:
    served = await serve()
    assert (await served.get("/v1/acme-corp/x"))[0] == 404
    served.gateway.apply(parse_rules('routes:\n  - { path: "/v1/{slug}/*", target: "tenant-api-{slug}" }\n'))
    status, _, document = await served.get("/v1/acme-corp/x")
    assert (status, document["base"]) == (200, "/v1/acme-corp")
    assert (await served.get("/api/tenants/acme-corp/x"))[0] == 404
    served.gateway.apply(RULES)
    assert (await served.get("/v1/acme-corp/x"))[0] == 404


async def test_rules_can_demand_a_credential(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(
        parse_rules(
            'routes:\n  - { path: "/api/tenants/{slug}/*", target: "tenant-api-{slug}", auth: { required: true } }\n'
        )
    )
    status, headers, document = await served.get("/api/tenants/acme-corp/x")
    assert (status, document["code"]) == (401, "auth.required")
    assert "www-authenticate" in headers


def test_the_slug_of_a_host() -> None:
    assert tenant_of_host("acme-corp.localhost", "localhost") == "acme-corp"
    assert tenant_of_host("acme-corp.api.localhost", "localhost") == "acme-corp"
    for host in (
        "localhost",
        "a.b.localhost",
        "api.localhost",
        "admin.localhost",
        "system.localhost",
        "xlocalhost",
        "acme-corp.localhost.evil",
    ):
        assert tenant_of_host(host, "localhost") is None
