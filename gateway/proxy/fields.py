"""Header fields of what is passed on: hop-by-hop ones end here, the ones that say who asks are ours.

Decides every field an upstream gets and every field of its answer a client gets. Pure; called by ``proxy``,
``relay`` and ``websocket``.

References:
    RFC 9110 sections 7.6.1 and 7.6.3; RFC 9112 section 6.
"""

import re

from msgspec import Struct
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.rule_fields import HeaderEdit

PSEUDONYM = "backsaas"
MAX_HOPS = 5
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_NOT_SENT = _HOP_BY_HOP | {
    "content-length", "expect", "forwarded", "host", "http2-settings", "proxy", "traceparent",
    "true-client-ip", "via", "x-client-ip", "x-cluster-client-ip", "x-original-host", "x-original-url",
    "x-real-ip", "x-request-id", "x-rewrite-url",
}  # fmt: skip
"""Fields of a request that end here: servers believe them, and only we know the truth."""
_NOT_GIVEN = _HOP_BY_HOP | {"alt-svc", "content-length", "proxy-status", "server", "x-request-id"}
"""Fields of an answer that end here."""
_FORWARDED = "x-forwarded-"
_WEBSOCKET = "sec-websocket-"
_OUR_COOKIE = re.compile(r"\s*(?:__Host-)?bsd?_", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Origin(Struct, frozen=True):
    """Where a request came from, as an upstream is told.

    Attributes:
        address: of the client.
        scheme: the client used.
        host: the client asked for.
        request_id: names the request in our logs.
        trace: ``traceparent`` to continue, or "".
    """

    address: str
    scheme: str
    host: str
    request_id: str
    trace: str = ""


def hops(headers: CIMultiDictProxy[str]) -> int:
    """Return how often a request came through this gateway already."""
    return sum(value.lower().count(PSEUDONYM) for value in headers.getall("Via", ()))


def request_fields(headers: CIMultiDictProxy[str], edit: HeaderEdit, origin: Origin) -> CIMultiDict[str]:
    """Return the fields an upstream gets, without those of the body's frame.

    Args:
        headers: as the client sent them.
        edit: of the rule; what it puts in is sent whatever the client says.
        origin: who really asks.
    """
    named = _named(headers)
    fields: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        # servers that hand fields on as variables cannot tell X_Forwarded_For from X-Forwarded-For
        plain = name.lower().replace("_", "-")
        if plain in _NOT_SENT or plain.startswith((_FORWARDED, _WEBSOCKET)) or name.lower() in named:
            continue
        if plain in edit.remove:
            continue
        if plain == "cookie":
            value = _their_cookies(value)  # noqa: PLW2901 - without ours
            if not value:
                continue
        fields.add(name, value)
    via = [*headers.getall("Via", ()), f"1.1 {PSEUDONYM}"]
    fields["Via"] = ", ".join(via)
    fields["X-Forwarded-For"] = origin.address
    fields["X-Forwarded-Proto"] = origin.scheme
    fields["X-Forwarded-Host"] = origin.host
    fields["X-Request-Id"] = origin.request_id
    if origin.trace:
        fields["traceparent"] = origin.trace
    for name, value in edit.add:
        fields[name] = value
    return fields


def answer_lines(headers: CIMultiDictProxy[str], edit: HeaderEdit, *, cors_is_ours: bool) -> list[str]:
    """Return the header lines of an upstream's answer that a client gets.

    Args:
        headers: as the upstream sent them.
        edit: of the rule.
        cors_is_ours: the rule says which origins may read; what the upstream says about it is dropped.
    """
    named = _named(headers)
    lines: list[str] = []
    for name, value in headers.items():
        plain = name.lower()
        if plain in _NOT_GIVEN or plain in named or plain in edit.remove or not _NAME.fullmatch(name):
            continue
        if cors_is_ours and plain.startswith("access-control-"):
            continue
        # nobody but we hands out the cookies that mean a session here
        if plain == "set-cookie" and _OUR_COOKIE.match(value):
            continue
        lines.append(f"{name}: {_CONTROL.sub(' ', value)}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in edit.add]
    if not any(line.lower().startswith("x-content-type-options:") for line in lines):
        lines.append("X-Content-Type-Options: nosniff\r\n")
    return lines


def _named(headers: CIMultiDictProxy[str]) -> frozenset[str]:
    """Return the fields that ``Connection`` declares hop-by-hop."""
    values = headers.getall("Connection", ())
    return frozenset(name.strip().lower() for value in values for name in value.split(","))


def _their_cookies(value: str) -> str:
    """Return a Cookie field without our sessions."""
    return ";".join(part for part in value.split(";") if not _OUR_COOKIE.match(part)).strip()
