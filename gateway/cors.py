"""Which web pages of other origins may call: exact origins only, nothing by default.

Decides the CORS headers of an answer. It never allows an origin by pattern and never ``*``. Called by
``gateway.server`` for requests that carry an Origin.
"""

from collections.abc import Collection

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
