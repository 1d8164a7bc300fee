"""Which web pages of other origins may call: exact origins only, nothing by default.

Decides the CORS headers of an answer. It never allows an origin by pattern and never ``*``. Called by
``gateway.server`` for requests that carry an Origin.
"""

import time
from collections.abc import Collection

import orjson
from aiohttp.web_request import BaseRequest

from actors.messages import Call, ProblemError
from gateway.places import Place
from gateway.ports import Resolve
from gateway.proxy.proxy import METHODS
from gateway.rules import Rule

ALLOWED_HEADERS = (
    "Authorization, apikey, Content-Type, Accept, Prefer, Range, Range-Unit, If-Match, If-None-Match, "
    "Idempotency-Key, Accept-Profile, Content-Profile, X-Client-Info, X-Request-Id, X-Retry-Count, "
    "X-Supabase-Api-Version, traceparent"
)
EXPOSED_HEADERS = (
    "Content-Range, Content-Location, Location, Link, Next-Cursor, ETag, Preference-Applied, X-Request-Id, "
    "Retry-After, Deprecation, Sunset, Warning, Idempotency-Replayed, RateLimit, RateLimit-Policy"
)
MAX_AGE = 600
_KNOWN_SECONDS = 1.0
_MAX_KNOWN = 4096


class Cors:
    """Answers pages of other origins: what the rule allows, and what the tenant allows.

    Args:
        resolve: slug to tenant.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    async def lines(self, place: Place, origin: str, method: str) -> str:
        """Return the header lines for a page's request; empty for pages nobody allowed."""
        rule = place.match.rule
        if not allowed(origin, rule.origins) and not allowed(origin, await self._tenant_origins(place)):
            return ""
        if method == "OPTIONS" and (place.found is not None or rule.kind == "proxy"):
            return preflight_lines(origin, methods(place))
        return answer_lines(origin)

    async def _tenant_origins(self, place: Place) -> frozenset[str]:
        """Return the origins a tenant allows, asking for them at most once a second."""
        known = self._known.get(place.slug)
        now = time.monotonic()
        if known is not None and known[0] > now:
            return known[1]
        port = self._resolve(place.slug) if place.found is not None else None
        if port is None:
            return frozenset()
        try:
            result = await port.call(Call("origins", base=place.base))
        except ProblemError:
            return frozenset()
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        origins = frozenset[str](orjson.loads(result.body))
        self._known[place.slug] = (now + _KNOWN_SECONDS, origins)
        return origins


def methods(place: Place) -> str:
    """Return what may be asked of a place.

    Raises:
        ProblemError: PGRST125, nothing.
    """
    if place.found is not None:
        return place.found.route.methods
    if place.match.rule.kind == "proxy":
        return ", ".join(sorted(METHODS))
    raise ProblemError("PGRST125", "there is nothing at this path")


def asks_first(rule: Rule, request: BaseRequest) -> bool:
    """Whether OPTIONS is answered here; an upstream whose rule names no origins answers for itself."""
    if rule.kind != "proxy":
        return True
    return bool(rule.origins) and "Access-Control-Request-Method" in request.headers


def allowed(origin: str | None, origins: Collection[str]) -> bool:
    """Whether a page of this origin may read our answers."""
    return origin is not None and origin != "null" and origin in origins


def answer_lines(origin: str) -> str:
    """Return the header lines for an answer to an allowed origin."""
    return f"Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Expose-Headers: {EXPOSED_HEADERS}\r\n"


def preflight_lines(origin: str, methods: str) -> str:
    """Return the header lines that allow what a page asks to send."""
    return (
        f"Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Methods: {methods}\r\n"
        f"Access-Control-Allow-Headers: {ALLOWED_HEADERS}\r\nAccess-Control-Max-Age: {MAX_AGE}\r\n"
    )
