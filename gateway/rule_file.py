"""Reads ``config/gateway.yaml`` into rules.

Decides the form of the file: every error at once, with its place. Pure; called by ``gateway.serve`` at the
start and by ``gateway.actor`` whenever the file changed.
"""

import re
from typing import NamedTuple

from gateway.proxy.upstream import UPSTREAM_KEYS, Upstream, read_upstream
from gateway.rule_fields import (
    check_keys,
    read_bytes,
    read_flag,
    read_headers,
    read_rate,
    read_seconds,
    read_texts,
)
from gateway.rules import REST, SLUG, Kind, Rule, Rules
from schemas.compiler.diagnostics import CompileError, Position
from schemas.compiler.findings import Findings, TooManyFindingsError, did_you_mean
from schemas.compiler.names import slug_problem
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence
from schemas.compiler.source import decode, load

_PASSING_ON = ("strip_prefix", *UPSTREAM_KEYS)
KEYS = (
    "host", "path", "target", "auth", "rate_limit", "cors", "timeout", "body_limit", "headers", "rewrite",
    *_PASSING_ON,
)  # fmt: skip
_TOP_KEYS = ("routes", "rules")
_ACTORS: dict[str, Kind] = {
    "tenant-api-{slug}": "tenant",
    "platform-api": "platform",
    "admin-console": "console",
    "tenant-ui": "ui",
    "auth-service": "auth",
}
_TENANT = "tenant-api-"
_REWRITABLE = frozenset({"tenant", "platform", "proxy"})
_HOST = re.compile(r"(?:(?:\*|\{slug\})\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)
_PATH_PART = re.compile(r"[A-Za-z0-9_.~-]+|\{slug\}|\*", re.ASCII)
_SEEN_PART = re.compile(r"[A-Za-z0-9_.~-]+|\{slug\}|\{rest\}", re.ASCII)
_DOTS = frozenset({".", ".."})
_PORT = re.compile(r"(.*[^/]):[0-9]{1,5}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)
_SAYS = re.compile(r"^\s*[^#\s]", re.MULTILINE)
"""More than comments."""
_ROLE = re.compile(r"[a-z_][a-z0-9_]*")
MAX_RULES = 200


class _Auth(NamedTuple):
    required: bool = False
    roles: frozenset[str] = frozenset()


def parse_rules(text: str | bytes, domain: str = "localhost") -> Rules:
    """Read the rules file.

    Args:
        text: YAML, a list of rules or a map with the key ``routes`` or ``rules``.
        domain: what ``DOMAIN`` in a host stands for.

    Raises:
        CompileError: with every finding.
    """
    findings = Findings()
    decoded = decode(text, findings)
    root = load(decoded, findings) if decoded is not None and _SAYS.search(decoded) else None
    rules: tuple[Rule, ...] = ()
    if root is not None:
        try:
            rules = _all(root, domain, findings)
        except TooManyFindingsError:
            raise CompileError(findings.finish(root)) from None
    elif not findings.failed:
        findings.error("gateway.form", "the file is empty", Position(1, 1), "write at least one rule")
    if findings.failed:
        raise CompileError(findings.finish(root))
    return Rules(rules)


def _all(root: Node, domain: str, findings: Findings) -> tuple[Rule, ...]:
    nodes: Node | None = root
    if isinstance(root, Mapping):
        check_keys(root, _TOP_KEYS, findings)
        given = [found for key in _TOP_KEYS if (found := root.get(key)) is not None]
        nodes = given[0] if given else None
        if len(given) > 1:
            findings.error("gateway.form", "'routes' and 'rules' are two names of one list", given[1])
    if not isinstance(nodes, Sequence) or not nodes.items:
        findings.error("gateway.form", "expected 'routes:' with a list of rules", root)
        return ()
    if len(nodes.items) > MAX_RULES:
        findings.error("gateway.form", f"at most {MAX_RULES} rules", nodes)
        return ()
    return tuple(rule for node in nodes.items if (rule := _rule(node, domain, findings)) is not None)


def _rule(node: Node, domain: str, findings: Findings) -> Rule | None:
    if not isinstance(node, Mapping):
        findings.error("gateway.form", "a rule is a map with host or path, and target", node)
        return None
    check_keys(node, KEYS, findings)
    host, any_label = _host(node, domain, findings)
    path, slug_part, open_end = _path(node, findings)
    target, kind, fixed, upstream = _target(node, findings)
    if node.get("host") is None and node.get("path") is None:
        findings.error("gateway.form", "a rule needs host or path", node)
    has_slug = slug_part >= 0 or any_label
    if kind in {"tenant", "ui"} and not (has_slug or fixed):
        findings.error("gateway.slug", "nothing in host or path says which tenant is meant", node, "{slug}")
    if kind != "proxy":
        for key in _PASSING_ON:
            entry = node.entries.get(key)
            if entry is not None:
                findings.error("gateway.form", f"{key} is for targets that are URLs", entry.key)
    auth = _auth(node.get("auth"), findings)
    request_headers, response_headers = read_headers(node.get("headers"), findings, passed_on=kind == "proxy")
    strip = kind == "proxy" and read_flag(node.get("strip_prefix"), "strip_prefix", findings)
    rewrite = _rewrite(node.get("rewrite"), kind, findings, has_slug=has_slug)
    if strip and rewrite:
        findings.error("gateway.rewrite", "rewrite says all of the path, strip_prefix adds nothing", node)
    return Rule(
        target=target,
        kind=kind,
        host=host,
        any_label=any_label,
        for_tenants=slug_part >= 0 or _names_slug(node.get("host")),
        path=path,
        slug_part=slug_part,
        slug=fixed,
        open_end=open_end,
        required=auth.required,
        required_roles=auth.roles,
        rate=read_rate(node.get("rate_limit"), findings),
        origins=_origins(node.get("cors"), findings),
        timeout=read_seconds(node.get("timeout"), findings),
        body_limit=read_bytes(node.get("body_limit"), findings),
        request_headers=request_headers,
        response_headers=response_headers,
        strip_prefix=strip,
        rewrite=rewrite,
        upstream=upstream,
    )


def _host(node: Mapping, domain: str, findings: Findings) -> tuple[str, bool]:
    value = node.get("host")
    if value is None:
        return "", False
    text = value.text.removesuffix("/*") if isinstance(value, Scalar) else ""
    if not _HOST.fullmatch(text):
        findings.error("gateway.host", "a host is a name, '*.name' or '{slug}.name'", value)
        return "", False
    text = re.sub(r"\bDOMAIN\b", domain, text).lower()
    for wildcard in ("*.", "{slug}."):
        if text.startswith(wildcard):
            return text.removeprefix(wildcard), True
    return text, False


def _names_slug(host: Node | None) -> bool:
    return isinstance(host, Scalar) and host.text.startswith(SLUG)


def _path(node: Mapping, findings: Findings) -> tuple[tuple[str | None, ...], int, bool]:
    value = node.get("path")
    if value is None:
        return (), -1, True
    text = value.text if isinstance(value, Scalar) else ""
    if not text.startswith("/"):
        findings.error("gateway.path", "a path begins with '/'", value)
        return (), -1, True
    open_end = text.endswith("/*")
    parts = _parts(text.removesuffix("/*"), _PATH_PART, "gateway.path", value, findings)
    slug = parts.index(SLUG) if SLUG in parts else -1
    return tuple(None if part in {"*", SLUG} else part for part in parts), slug, open_end


def _rewrite(node: Node | None, kind: Kind, findings: Findings, *, has_slug: bool) -> tuple[str, ...]:
    if node is None:
        return ()
    text = node.text if isinstance(node, Scalar) else ""
    if not text.startswith("/"):
        findings.error("gateway.rewrite", "a rewrite is a path that begins with '/'", node, "/new/{rest}")
        return ()
    parts = _parts(text, _SEEN_PART, "gateway.rewrite", node, findings)
    if kind not in _REWRITABLE:
        findings.error("gateway.rewrite", "pages and signing in have paths of their own", node)
    if parts.count(REST) > 1:
        findings.error("gateway.rewrite", "{rest} may stand once", node)
    if SLUG in parts and not has_slug:
        findings.error("gateway.slug", "nothing in host or path gives the {slug} of the rewrite", node)
    # an empty part says that there is a rewrite, to the root
    return tuple(parts) or ("",)


def _parts(text: str, form: re.Pattern[str], code: str, at: Node, findings: Findings) -> list[str]:
    parts = [part for part in text.split("/") if part]
    for part in parts:
        if part in _DOTS or not form.fullmatch(part):
            known = "a word, {slug} or " + ("{rest}" if form is _SEEN_PART else "*")
            findings.error(code, f"'{part[:40]}' is no part of a path", at, known)
    return parts


def _target(node: Mapping, findings: Findings) -> tuple[str, Kind, str, Upstream | None]:
    """Return the target's name, its kind, the tenant it names, and the upstream it is."""
    value = node.get("target")
    if not isinstance(value, Scalar):
        findings.error("gateway.target", "a rule needs a target", value or node)
        return "", "console", "", None
    text = value.text
    if "://" in text:
        return text, "proxy", "", read_upstream(value, node, findings)
    if found := _PORT.fullmatch(text):
        text = found[1]
    kind = _ACTORS.get(text)
    if kind is not None:
        return text, kind, "", None
    slug = text.removeprefix(_TENANT)
    if slug != text and not slug_problem(slug):
        return text, "tenant", slug, None
    findings.error("gateway.target", f"there is no target '{text}'", value, did_you_mean(text, _ACTORS))
    return text, "console", "", None


def _auth(node: Node | None, findings: Findings) -> _Auth:
    if node is None:
        return _Auth()
    if not isinstance(node, Mapping):
        findings.error("gateway.form", "auth is a map with required or required_roles", node)
        return _Auth()
    check_keys(node, ("required", "required_roles"), findings)
    roles = frozenset(read_texts(node.get("required_roles"), _ROLE, "a role", findings))
    required = read_flag(node.get("required"), "required", findings)
    return _Auth(required or bool(roles), roles)


def _origins(node: Node | None, findings: Findings) -> frozenset[str]:
    if node is None:
        return frozenset()
    if not isinstance(node, Mapping):
        findings.error("gateway.form", "cors is a map with origins", node)
        return frozenset()
    check_keys(node, ("origins",), findings)
    what = "an origin such as https://acme.example"
    return frozenset(read_texts(node.get("origins"), _ORIGIN, what, findings))
