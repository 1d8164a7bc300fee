"""Every key of a rule in ``gateway.yaml``: what it may say, and that mistakes are told with their place."""

import contextlib
import random
import re

import pytest

from gateway.proxy.addresses import refused
from gateway.rule_fields import HeaderEdit, Rate
from gateway.rule_file import KEYS, parse_rules
from gateway.rules import Rule, Rules
from schemas.compiler.diagnostics import CompileError
from tests.docs.consoles import blocks
from tests.live import ROOT

SEED = """
routes:
  - host: "admin.example.dev"
    target: "admin-console:3000"
    auth: {required_roles: ["platform_admin"]}
  - host: "*.example.dev"
    target: "tenant-ui:3001"
    auth: {required: true}
  - path: "/api/platform/*"
    target: "platform-api:8000"
  - path: "/api/tenants/{slug}/*"
    target: "tenant-api-{slug}"
  - path: "/auth/*"
    target: "auth-service:8080"
"""

FULL = """
- path: /shop/{slug}/*
  target: https://shop.internal:8443/base/
  auth: { required_roles: [member] }
  rate_limit: { limit: 600/m, per: tenant }
  cors: { origins: ["https://a.example"] }
  timeout: 250ms
  body_limit: 5MiB
  headers:
    request: { add: { X-A: b c }, remove: [Cookie] }
    response: { add: { Cache-Control: "max-age=60" }, remove: [Server, X-Powered-By] }
  rewrite: "/v2/{slug}/{rest}"
  retries: 3
  breaker: { failures: 2, open: 30s }
  health: { path: "/healthz?full=1", interval: 5s }
"""


def one(text: str, domain: str = "localhost") -> Rule:
    (rule,) = parse_rules(f"- {text}", domain).rules
    return rule


def errors(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(CompileError) as refusal:
        parse_rules(text)
    return [(found.position.line, found.position.column, found.code) for found in refusal.value.diagnostics]


def test_the_seed_form_loads_unchanged() -> None:
    rules = parse_rules(SEED)
    assert [rule.kind for rule in rules.rules] == ["console", "ui", "platform", "tenant", "auth"]
    assert [rule.required for rule in rules.rules] == [True, True, False, False, False]
    assert rules == parse_rules(SEED.replace("routes:", "rules:"))
    found = rules.match("acme.example.dev", ("invoices",))
    assert found is not None
    assert (found.rule.kind, found.slug) == ("ui", "acme")


def test_one_list_has_one_name() -> None:
    both = SEED + SEED.replace("routes:", "rules:")
    assert [code for _, _, code in errors(both)] == ["gateway.form"]


def test_everything_a_rule_can_say() -> None:
    (rule,) = parse_rules(FULL).rules
    assert (rule.kind, rule.required, rule.rate) == ("proxy", True, Rate(600, 60.0, "tenant"))
    assert (rule.timeout, rule.body_limit) == (0.25, 5 << 20)
    assert rule.request_headers == HeaderEdit(frozenset({"cookie", "x-a"}), (("X-A", "b c"),))
    assert rule.response_headers.remove == {"server", "x-powered-by", "cache-control"}
    upstream = rule.upstream
    assert upstream is not None
    assert (upstream.origin, upstream.base) == ("https://shop.internal:8443", "/base")
    assert (upstream.retries, upstream.failures, upstream.open_seconds) == (3, 2, 30.0)
    assert (upstream.health_path, upstream.health_seconds) == ("/healthz?full=1", 5.0)
    found = Rules((rule,)).match("x", ("shop", "acme", "a", "b"))
    assert found is not None
    assert found.seen(("shop", "acme", "a", "b")) == ("v2", "acme", "a", "b")


@pytest.mark.parametrize(
    ("rule", "path", "seen"),
    [
        ("{path: /a/*, target: 'http://x'}", "a/b/c", "a/b/c"),
        ("{path: /a/*, target: 'http://x', strip_prefix: true}", "a/b/c", "b/c"),
        ("{path: /a/*, target: 'http://x', strip_prefix: true}", "a", ""),
        ("{path: /a/*, target: 'http://x', rewrite: '/'}", "a/b/c", ""),
        ("{path: /a/*, target: 'http://x', rewrite: '/{rest}/end'}", "a/b/c", "b/c/end"),
        ("{path: /a, target: 'http://x', rewrite: /b}", "a", "b"),
        ("{path: '/v1/{slug}/*', target: 'tenant-api-{slug}', rewrite: '/rest/v1/{rest}'}", "v1/acme/x", "rest/v1/x"),
        ("{path: '/v1/{slug}/*', target: 'tenant-api-{slug}'}", "v1/acme/x", "x"),
    ],
)  # fmt: skip
def test_what_the_target_sees(rule: str, path: str, seen: str) -> None:
    segments = tuple(path.split("/"))
    found = Rules((one(rule),)).match("x", segments)
    assert found is not None
    assert found.seen(segments) == tuple(part for part in seen.split("/") if part)


@pytest.mark.parametrize(
    ("target", "origin", "base"),
    [
        ("http://10.0.0.1:8080/x", "http://10.0.0.1:8080", "/x"),
        ("http://127.0.0.1", "http://127.0.0.1", ""),
        ("https://[::1]:9/", "https://[::1]:9", ""),
        ("http://my_service:80/a/b/", "http://my_service:80", "/a/b"),
    ],
)
def test_upstreams(target: str, origin: str, base: str) -> None:
    upstream = one(f"{{path: /*, target: '{target}'}}").upstream
    assert upstream is not None
    assert (upstream.origin, upstream.base, upstream.retries, upstream.failures) == (origin, base, 1, 5)


@pytest.mark.parametrize(
    "target",
    [
        "ftp://x", "file:///etc/passwd", "gopher://x:70", "unix:///run/x", "http://", "http://u:p@x", "http://x?a=b",
        "http://x#f", "http://x:99999", "http://x:0", "http://a b", "http://x/../y", "http://x//y", "HTTP//x",
        "http://169.254.169.254/latest", "http://[fe80::1]", "http://[::ffff:169.254.169.254]", "http://0.0.0.0",
        "http://[64:ff9b::a9fe:a9fe]", "http://100.100.100.200", "http://[::]:80", "http://224.0.0.1",
        "http://2852039166", "http://0xa9fea9fe", "http://127.1", "http://0251.0376.0251.0376", "http://x.0x7f", "http://[:::]",
    ],
)  # fmt: skip
def test_no_upstream(target: str) -> None:  # F4, F5
    assert errors(f"- {{path: /*, target: '{target}'}}")[0][2] == "gateway.target"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{path: /x/*, target: tenant-api-system}", "gateway.target"),
        ("{path: /x/*, target: tenant-api-Acme}", "gateway.target"),
        ("{path: /x/*, target: 'tenant-api-'}", "gateway.target"),
        ("{path: /x/*, target: 'tenant-api-{slug}'}", "gateway.slug"),
        ("{path: /x/*, target: tenant-ui}", "gateway.slug"),
        ("{host: x.example, target: tenant-ui}", "gateway.slug"),
    ],
)
def test_a_tenant_has_to_be_meant(rule: str, code: str) -> None:
    assert [problem for _, _, problem in errors(f"- {rule}")] == [code]


def test_an_address_of_the_link_can_be_meant() -> None:
    rule = one("{path: /*, target: 'http://169.254.1.2', allow_link_local: true}")
    assert rule.upstream is not None
    assert rule.upstream.allow_link_local
    assert refused("169.254.1.2")
    assert not refused("10.0.0.1")
    assert not refused("example.org")


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("rate_limit: 0/m", "gateway.rate"), ("rate_limit: {limit: 5/m, per: person}", "gateway.rate"),
        ("rate_limit: {per: ip}", "gateway.rate"), ("rate_limit: {limits: 5/m}", "gateway.unknown_key"),
        ("timeout: 11m", "gateway.timeout"), ("timeout: true", "gateway.timeout"), ("body_limit: 5MB", "gateway.size"),
        ("body_limit: -1", "gateway.size"), ("body_limit: true", "gateway.size"),
        ("headers: {request: {add: {Host: x}}}", "gateway.headers"),
        ("headers: {request: {remove: [Content-Length]}}", "gateway.headers"),
        ('headers: {request: {add: {X-A: "b\\r\\nX-B: c"}}}', "gateway.headers"),
        ("headers: {request: {add: {'X A': b}}}", "gateway.headers"),
        ("headers: {response: {add: {Transfer-Encoding: chunked}}}", "gateway.headers"),
        ("headers: {requests: {}}", "gateway.unknown_key"), ("headers: [1]", "gateway.headers"),
        ("retries: 6", "gateway.form"), ("retries: x", "gateway.form"), ("breaker: true", "gateway.form"),
        ("breaker: {failures: 0}", "gateway.form"), ("health: /x", "gateway.form"), ("health: {path: x}", "gateway.form"),
        ("health: {path: 'http://evil'}", "gateway.form"), ("rewrite: x", "gateway.rewrite"),
        ("rewrite: '/{rest}/{rest}'", "gateway.rewrite"), ("rewrite: '/../x'", "gateway.rewrite"),
        ("rewrite: '/{slug}'", "gateway.slug"), ("rewrite: '/x', strip_prefix: true", "gateway.rewrite"),
        ("strip_prefix: perhaps", "gateway.form"), ("auth: {required: maybe}", "gateway.form"),
        ("cors: {origins: ['null']}", "gateway.form"), ("cors: {origins: ['*']}", "gateway.form"),
        ("allow_link_local: 1", "gateway.form"),
    ],
)  # fmt: skip
def test_mistakes(rule: str, code: str) -> None:
    found = errors(f"- {{path: /a, target: platform-api}}\n- {{path: /x/*, target: 'http://x', {rule}}}")
    assert {line for line, _, _ in found} == {2}
    assert code in {problem for _, _, problem in found}


@pytest.mark.parametrize("key", ["strip_prefix: true", "retries: 2", "health: {path: /x}", "breaker: false"])
def test_what_is_for_urls_only(key: str) -> None:
    assert errors(f"- {{path: /x/*, target: platform-api, {key}}}") == [(1, 38, "gateway.form")]
    assert one(f"{{path: /x/*, target: 'http://x', {key}}}").kind == "proxy"


def test_answers_of_actors_keep_their_own_fields() -> None:
    text = "- {path: /x, target: TARGET, headers: {response: {add: {Cache-Control: public}}}}"
    assert errors(text.replace("TARGET", "platform-api"))[0][2] == "gateway.headers"
    parse_rules(text.replace("TARGET", "http://x"))


def test_places_are_told_with_line_and_column() -> None:
    text = "routes:\n  - path: /x\n    target: platform-api\n    timeout: soon\n    rate_limit: many\n    colour: red\n"
    assert errors(text) == [
        (4, 14, "gateway.timeout"),
        (5, 17, "gateway.rate"),
        (6, 5, "gateway.unknown_key"),
    ]


@pytest.mark.parametrize("text", ["", " \n\n", "# only words\n"])
def test_an_empty_file_is_told_what_rules_look_like(text: str) -> None:
    with pytest.raises(CompileError) as refusal:
        parse_rules(text)
    assert "version" not in str([found.hint for found in refusal.value.diagnostics])


def test_a_flood_of_mistakes_has_an_end() -> None:
    rule = ", ".join(f"k{number}: 1" for number in range(10))
    found = errors("\n".join(f"- {{path: /x, target: x, {rule}}}" for _ in range(100)))
    assert len(found) == 500


def test_no_edit_breaks_the_reader() -> None:
    generator = random.Random(11)
    pieces = [
        "{slug}",
        "{rest}",
        "http://",
        "169.254.1.1",
        "[::",
        "null",
        "true",
        "1e400",
        "5MiB",
        "-1",
        *"{}[]:-#'\"/*.%$@\n 0",
    ]
    for _ in range(1500):
        text = list(generator.choice([FULL, SEED]))
        for _ in range(generator.randint(1, 8)):
            place = generator.randrange(len(text))
            text[place : place + generator.randint(0, 5)] = generator.choice([[], [generator.choice(pieces)]])
        with contextlib.suppress(CompileError):
            parse_rules("".join(text))


def test_the_page_about_rules_is_true() -> None:
    page = (ROOT / "docs" / "gateway.md").read_text()
    examples = [block.text for block in blocks(page) if block.language == "yaml"]
    assert len(examples) >= 6
    for example in examples:
        parse_rules(example)
    named = set(re.findall(r"`(\w+)[`:]", page))
    assert set(KEYS) <= named
    shipped = (ROOT / "config" / "gateway.yaml").read_text()
    assert set(KEYS) <= set(re.findall(r"(\w+)", shipped))
