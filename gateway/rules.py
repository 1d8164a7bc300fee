"""The rules of ``config/gateway.yaml``: which host and path lead to which actor or server, and when.

Decides the first rule that matches a request, and the path its target sees. Pure; the form of the file is
``gateway.rule_file``'s, reading it and swapping the rules in is ``gateway.actor``'s business.
"""

from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from gateway.proxy.upstream import Upstream
from gateway.rule_fields import UNCHANGED, HeaderEdit, Rate

Kind = Literal["tenant", "platform", "console", "ui", "auth", "proxy"]
REST, SLUG = "{rest}", "{slug}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        target: as written, without a port after an actor's name.
        host: exact name, or suffix after the first label when ``any_label``.
        any_label: the host's first label is free; it is the slug.
        for_tenants: ``{slug}`` stands in host or path: a tenant's people may be asked for.
        path: parts to match; None stands for any one part, the slug where ``slug_part`` says so.
        slug: the tenant where the target names it; "" where host or path do.
        open_end: whether further parts may follow.
        required: only with a credential.
        required_roles: all of them.
        rate: how many requests may come, or None.
        origins: pages of these may call.
        timeout: seconds until the answer begins, or None.
        body_limit: bytes, or None.
        request_headers: what to change in the request.
        response_headers: what to change in the answer.
        strip_prefix: a URL target sees only what follows the matched parts.
        rewrite: the parts the target sees instead, ``{rest}`` and ``{slug}`` filled in; empty for none.
        upstream: of a URL target.
        fingerprint: the same for rules that say the same.
    """

    target: str
    kind: Kind
    host: str = ""
    any_label: bool = False
    for_tenants: bool = False
    path: tuple[str | None, ...] = ()
    slug_part: int = -1
    slug: str = ""
    open_end: bool = True
    required: bool = False
    required_roles: frozenset[str] = frozenset()
    rate: Rate | None = None
    origins: frozenset[str] = frozenset()
    timeout: float | None = None
    body_limit: int | None = None
    request_headers: HeaderEdit = UNCHANGED
    response_headers: HeaderEdit = UNCHANGED
    strip_prefix: bool = False
    rewrite: tuple[str, ...] = ()
    upstream: Upstream | None = None
    fingerprint: int = field(init=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Hash once what is counted under at every request."""
        object.__setattr__(self, "fingerprint", hash(self))


class Match(Struct, frozen=True):
    """A rule that matched, the slug it found (``""`` for none), how many parts belong to its base."""

    rule: Rule
    slug: str
    depth: int

    def seen(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        """Return the parts the target sees of a path."""
        rule, rest = self.rule, segments[self.depth :]
        if rule.rewrite:
            seen: list[str] = []
            for part in rule.rewrite:
                if part == REST:
                    seen += rest
                elif part:
                    seen.append(self.slug if part == SLUG else part)
            return tuple(seen)
        return segments if rule.kind == "proxy" and not rule.strip_prefix else rest


class Rules(Struct, frozen=True):
    """All rules in order; the first that matches decides."""

    rules: tuple[Rule, ...] = ()

    def match(self, host: str, segments: tuple[str, ...], *, hosted: bool = False) -> Match | None:
        """Return the first rule for a canonical host and path, None when there is none.

        Args:
            host: canonical.
            segments: decoded parts of the path.
            hosted: look only at rules that name a host.
        """
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
            elif hosted:
                continue
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
                return Match(rule, rule.slug or slug, depth)
        return None
