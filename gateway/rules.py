"""The rules of ``config/gateway.yaml``: which host and path lead to which actor, and on what conditions.

Decides the form of the file (every error at once, with its place) and the first rule that matches a request.
Pure: reading the file and swapping the rules in is its caller's, ``gateway.server``'s, business.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from schemas.compiler.diagnostics import CompileError, Position
from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence
from schemas.compiler.source import decode, load

Kind = Literal["tenant", "platform", "console", "ui", "auth", "proxy"]

_KEYS = ("host", "path", "target", "auth", "rate_limit", "cors", "timeout")
_ACTORS: dict[str, Kind] = {
    "tenant-api-{slug}": "tenant",
    "platform-api": "platform",
    "admin-console": "console",
    "tenant-ui": "ui",
    "auth-service": "auth",
}
_HOST = re.compile(r"(?:(?:\*|\{slug\})\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)
_PATH_PART = re.compile(r"[A-Za-z0-9_.~-]+|\{slug\}|\*", re.ASCII)
_PORT = re.compile(r"(.*[^/]):[0-9]{1,5}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)
_RATE = re.compile(r"([0-9]{1,7})/([smhd])", re.ASCII)
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MAX_RULES = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``prefix`` holds the parts of the path before what the target sees.

    Attributes:
        host: exact name, or suffix after the first label when ``any_label``.
        path: parts to match; None stands for any one part, the slug where ``slug_part`` says so.
        open_end: whether further parts may follow.
        rate: requests and seconds, or None.
    """

    target: str
    kind: Kind
    host: str = ""
    any_label: bool = False
    path: tuple[str | None, ...] = ()
    slug_part: int = -1
    open_end: bool = True
    required: bool = False
    required_roles: frozenset[str] = frozenset()
    rate: tuple[int, float] | None = None
    origins: frozenset[str] = frozenset()
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matched, the slug it found (``""`` for none), how many parts belong to its base."""

    rule: Rule
    slug: str
    depth: int


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in order; the first that matches decides."""

    rules: tuple[Rule, ...] = field(default=())

    def match(self, host: str, segments: tuple[str, ...]) -> Match | None:
        """Return the first rule for a canonical host and path, None when there is none."""
        for rule in self.rules:
            slug = ""
            if rule.host:
                if not rule.any_label:
                    if host != rule.host:
                        continue
                else:
                    label, _, rest = host.partition(".")
                    if rest != rule.host or not label:
                        continue
                    slug = label
            parts = rule.path
            depth = len(parts)
            if len(segments) < depth or (len(segments) > depth and not rule.open_end):
                continue
            for wanted, given in zip(parts, segments, strict=False):
                if wanted is not None and wanted != given:
                    break
            else:
                if rule.slug_part >= 0:
                    slug = segments[rule.slug_part]
                return Match(rule, slug, depth)
        return None


def parse_rules(text: str | bytes, domain: str = "localhost") -> Rules:
    """Read the rules file.

    Args:
        text: YAML, a list of rules or a map with the key ``routes``.
        domain: what ``DOMAIN`` in a host stands for.

    Raises:
        CompileError: with every finding.
    """
    findings = Findings()
    decoded = decode(text, findings)
    root = load(decoded, findings) if decoded is not None else None
    rules: list[Rule] = []
    if root is not None:
        nodes = root.get("routes") if isinstance(root, Mapping) else root
        if isinstance(root, Mapping):
            _check_keys(root, ("routes",), findings)
        if not isinstance(nodes, Sequence) or not nodes.items:
            findings.error("gateway.form", "expected 'routes:' with a list of rules", root)
        elif len(nodes.items) > MAX_RULES:
            findings.error("gateway.form", f"at most {MAX_RULES} rules", nodes)
        else:
            rules = [_rule(node, domain, findings) for node in nodes.items]
    elif not findings.failed:
        findings.error("gateway.form", "the file is empty", Position(1, 1), "write at least one rule")
    if findings.failed:
        raise CompileError(findings.finish(root))
    return Rules(tuple(rules))


def _rule(node: Node, domain: str, findings: Findings) -> Rule:
    fallback = Rule("", "tenant")
    if not isinstance(node, Mapping):
        findings.error("gateway.form", "a rule is a map with host or path, and target", node)
        return fallback
    _check_keys(node, _KEYS, findings)
    host, any_label = _host(node, domain, findings)
    path, slug_part, open_end = _path(node, findings)
    target, kind = _target(node, findings)
    if not host and node.get("path") is None:
        findings.error("gateway.form", "a rule needs host or path", node)
    if kind == "tenant" and slug_part < 0 and not any_label:
        findings.error("gateway.slug", "nothing in host or path gives the {slug} of the target", node)
    auth = node.get("auth")
    required, roles = False, frozenset[str]()
    if isinstance(auth, Mapping):
        _check_keys(auth, ("required", "required_roles"), findings)
        flag = auth.get("required")
        roles = frozenset(
            _texts(auth.get("required_roles"), re.compile(r"[a-z_][a-z0-9_]*"), "a role", findings)
        )
        required = bool(roles)
        if flag is not None:
            if isinstance(flag, Scalar) and isinstance(flag.value, bool):
                required = flag.value or bool(roles)
            else:
                findings.error("gateway.form", "required is true or false", flag)
    elif auth is not None:
        findings.error("gateway.form", "auth is a map with required or required_roles", auth)
    cors = node.get("cors")
    origins: tuple[str, ...] = ()
    if isinstance(cors, Mapping):
        _check_keys(cors, ("origins",), findings)
        origins = _texts(cors.get("origins"), _ORIGIN, "an origin such as https://acme.example", findings)
    elif cors is not None:
        findings.error("gateway.form", "cors is a map with origins", cors)
    return Rule(
        target, kind, host, any_label, path, slug_part, open_end, required, roles,
        _rate(node.get("rate_limit"), findings), frozenset(origins), _seconds(node.get("timeout"), findings),
    )  # fmt: skip


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


def _path(node: Mapping, findings: Findings) -> tuple[tuple[str | None, ...], int, bool]:
    value = node.get("path")
    if value is None:
        return (), -1, True
    text = value.text if isinstance(value, Scalar) else ""
    if not text.startswith("/"):
        findings.error("gateway.path", "a path begins with '/'", value)
        return (), -1, True
    open_end = text.endswith("/*")
    parts = [part for part in text.removesuffix("/*").split("/") if part]
    for part in parts:
        if not _PATH_PART.fullmatch(part):
            findings.error("gateway.path", f"'{part}' is no part of a path", value, "a word, {slug} or *")
    slug = parts.index("{slug}") if "{slug}" in parts else -1
    return tuple(None if part in {"*", "{slug}"} else part for part in parts), slug, open_end


def _target(node: Mapping, findings: Findings) -> tuple[str, Kind]:
    value = node.get("target")
    if not isinstance(value, Scalar):
        findings.error("gateway.target", "a rule needs a target", value or node)
        return "", "tenant"
    text = value.text
    if text.startswith(("http://", "https://")):
        return text, "proxy"
    if found := _PORT.fullmatch(text):
        text = found[1]
    kind = _ACTORS.get(text)
    if kind is None:
        findings.error("gateway.target", f"there is no target '{text}'", value, did_you_mean(text, _ACTORS))
        return text, "ui"
    return text, kind


def _rate(node: Node | None, findings: Findings) -> tuple[int, float] | None:
    if node is None:
        return None
    found = _RATE.fullmatch(node.text) if isinstance(node, Scalar) else None
    if found is None or int(found[1]) < 1:
        findings.error("gateway.rate", "a rate is a number per time", node, "such as 60/m")
        return None
    return int(found[1]), _SECONDS[found[2]]


def _seconds(node: Node | None, findings: Findings) -> float | None:
    if node is None:
        return None
    if isinstance(node, Scalar):
        found = _TIME.fullmatch(node.text)
        number = (
            node.value if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None
        )
        seconds = float(found[1]) * _SECONDS[found[2]] if found else number
        if seconds is not None and 0 < seconds <= 600:
            return float(seconds)
    findings.error("gateway.timeout", "a timeout is a time up to 10 minutes", node, "such as 5s")
    return None


def _texts(node: Node | None, pattern: re.Pattern[str], what: str, findings: Findings) -> tuple[str, ...]:
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        findings.error("gateway.form", f"expected a list; each item is {what}", node)
        return ()
    texts: list[str] = []
    for item in node.items:
        if isinstance(item, Scalar) and pattern.fullmatch(item.text):
            texts.append(item.text)
        else:
            findings.error("gateway.form", f"this is not {what}", item)
    return tuple(texts)


def _check_keys(node: Mapping, known: tuple[str, ...], findings: Findings) -> None:
    for name, entry in node.entries.items():
        if name not in known:
            findings.error(
                "gateway.unknown_key", f"'{name}' is not known here", entry.key, did_you_mean(name, known)
            )
