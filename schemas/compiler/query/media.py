"""The Accept header: which shape the answer takes. Pure; called by ``compiler``."""

from functools import lru_cache

from schemas.compiler.query.errors import QueryError

PLAIN = ("json", False, False)
_WANTED = {
    "application/vnd.pgrst.object+json": ("object", True),
    "application/vnd.pgrst.object": ("object", True),
    "application/vnd.pgrst.array+json": ("array", False),
    "application/vnd.pgrst.array": ("array", False),
    "application/json": ("json", False),
    "*/*": ("json", False),
    "application/*": ("json", False),
    "text/csv": ("csv", False),
    "text/*": ("csv", False),
    "application/x-ndjson": ("ndjson", False),
}


@lru_cache(maxsize=256)
def media_of(accept: str) -> tuple[str, bool, bool]:
    """Return media, whether one object is wanted, and whether nulls are left out.

    Raises:
        QueryError: PGRST107 when none of them is made here.
    """
    if not accept:
        return PLAIN
    parts = [part.strip().partition(";") for part in accept.split(",")]
    if "q=" in accept:
        parts = sorted((part for part in parts if _quality(part[2])), key=lambda part: -_quality(part[2]))
    for name, _, parameters in parts:
        found = _WANTED.get(name.strip().lower())
        if found is not None:
            media, singular = found
            strips = media in {"object", "array"} and "nulls=stripped" in parameters
            return media, singular, strips
    raise QueryError("PGRST107", f"None of these media types are available: {accept[:100]}")


def _quality(parameters: str) -> float:
    """Return how much a media type is wanted (RFC 9110, 12.4.2); what cannot be read counts as 1."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 1.0
    return 1.0
