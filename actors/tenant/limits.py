"""How often callers of one tenant may ask: the file's ``api.rate_limit``, a key's own limit, and signing in.

Decides whether one more request is one too many. Counted over the tenant's generations, per process. Called
for every request before its operation.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from actors.messages import Call, ProblemError
from runtime.buckets import Buckets, Taken, network, rate_headers
from schemas.compiler.principal import Principal
from schemas.compiler.sections.api import Api, RateLimit

if TYPE_CHECKING:
    from actors.tenant.generation import Generation

Headers = tuple[tuple[str, str], ...]

_VERBS = {
    "list": "read",
    "get": "read",
    "export": "read",
    "create": "create",
    "import": "create",
    "update": "update",
    "replace": "create",
    "delete": "delete",
}
_AREAS = {"batch": "batch", "call": "rpc"}
_AUTH = "auth."
SIGNING_IN: Mapping[str, tuple[int, float]] = {
    "auth.signup": (120, 3600.0),
    "auth.token": (600, 300.0),
    "auth.verify": (300, 3600.0),
    "auth.recover": (60, 3600.0),
    "auth.otp": (60, 3600.0),
    "auth.magiclink": (60, 3600.0),
    "auth.resend": (60, 3600.0),
    "auth.login": (300, 300.0),
    "auth.setup": (30, 3600.0),
    "auth.session.create": (300, 300.0),
}
"""Requests and seconds per network: these cost us work or mail before anybody has proven anything."""


class TenantLimits:
    """Counts a tenant's callers."""

    def __init__(self) -> None:
        self._buckets = Buckets()

    def check(self, generation: "Generation", call: Call, principal: Principal) -> Headers:
        """Count one call; returns the headers its answer carries.

        Raises:
            ProblemError: http.rate_limited, saying when to come back.
        """
        section = generation.model.sections.get("api")
        rules = section.rate_limit if isinstance(section, Api) else ()
        operation = call.operation
        signing_in = SIGNING_IN.get(operation) if operation.startswith(_AUTH) else None
        if not rules and signing_in is None and principal.rate is None:
            return ()
        taken: dict[str, Taken] = {}
        if signing_in is not None and call.method not in {"GET", "HEAD"}:
            taken["auth"] = self._buckets.take((operation, network(call.address)), *signing_in)
        if principal.rate is not None:
            taken["own-key"] = self._buckets.take(("own-key", principal.key), *principal.rate)
        rule = _first(rules, call)
        if rule is not None:
            counted = (rule.match, rule.per, _who(rule, call, principal))
            taken[rule.per] = self._buckets.take(counted, rule.limit.limit, float(rule.limit.seconds))
        headers = rate_headers(taken)
        for one in taken.values():
            if not one.allowed:
                raise ProblemError("http.rate_limited", "too many requests; see RateLimit", headers=headers)
        return headers


def _first(rules: tuple[RateLimit, ...], call: Call) -> RateLimit | None:
    """Return the first rule a call is counted by."""
    for rule in rules:
        if rule.match == "*" or _fits(rule.match, call):
            return rule
    return None


def _fits(match: str, call: Call) -> bool:
    name, _, verb = match.partition(":")
    operation = call.operation
    if operation.startswith(_AUTH):
        return name == "auth" and verb in {"", "*", operation.removeprefix(_AUTH).partition(".")[0]}
    if operation in _AREAS:
        return name == _AREAS[operation] and verb in {"", "*", call.entity}
    does = _VERBS.get(operation)
    return (
        does is not None
        and name == call.entity
        and (verb in {"", "*", does} or (verb == "write" and does in {"create", "update"}))
    )


def _who(rule: RateLimit, call: Call, principal: Principal) -> str | None:
    match rule.per:
        case "tenant":
            return None
        case "user":
            return principal.id or principal.key or network(call.address)
        case "key":
            return principal.key or network(call.address)
        case _:
            return network(call.address)
