"""The Prefer header (RFC 7240) as PostgREST uses it. Pure; called by the operations of a tenant."""

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from schemas.compiler.query.errors import QueryError

_CHOICES = {
    "return": ("minimal", "headers-only", "representation"),
    "count": ("exact", "planned", "estimated"),
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "missing": ("default", "null"),
    "handling": ("strict", "lenient"),
    "tx": ("commit", "rollback"),
}


class Preferences(Struct, frozen=True):
    """What the caller prefers; "" where nothing was said.

    Attributes:
        returning: minimal, headers-only or representation.
        applied: the preferences as they are echoed in ``Preference-Applied``.
    """

    returning: str = ""
    count: str = ""
    resolution: str = ""
    missing: str = ""
    handling: str = ""
    tx: str = ""
    max_affected: int | None = None
    timezone: str = ""
    applied: tuple[str, ...] = ()


NONE = Preferences()
_FIELDS = {"return": "returning"}


@lru_cache(maxsize=256)
def parse_preferences(prefer: str) -> Preferences:
    """Read all Prefer headers joined with commas; the first mention of a preference counts.

    Raises:
        QueryError: PGRST122 for something unknown under ``handling=strict``.
    """
    if not prefer:
        return NONE
    found: dict[str, object] = {}
    applied: list[str] = []
    unknown: list[str] = []
    for part in prefer.split(","):
        text = part.strip()
        name, _, value = text.partition("=")
        value = value.strip().strip('"')
        field = _FIELDS.get(name, name).replace("-", "_")
        if field in found or not text:
            continue
        if name in _CHOICES and value in _CHOICES[name]:
            found[field] = value
        elif name == "max-affected" and value.isascii() and value.isdigit() and len(value) < 10:
            found[field] = int(value)
        elif name == "timezone" and value:
            found[field] = value
        else:
            unknown.append(text)
            continue
        applied.append(f"{name}={value}")
    if unknown and found.get("handling") == "strict":
        raise QueryError(
            "PGRST122",
            "Invalid preferences given with handling=strict",
            details=f"Invalid preferences: {', '.join(unknown)[:200]}",
        )
    if found.get("handling") != "strict" and found.pop("max_affected", None) is not None:
        applied = [text for text in applied if not text.startswith("max-affected")]
    return replace(NONE, **found, applied=tuple(applied))
