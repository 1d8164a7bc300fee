"""The caller's values as parameters; a claim that does not fit the type it meets is absent.

So a claim can never make a statement fail. Called by ``sql`` when binds are resolved and by ``to_python``.
"""

from schemas.compiler.expressions import values
from schemas.compiler.expressions.celtypes import type_of_column


def claim_text(value: str | list[str | None] | None, pg_type: str) -> str | list[str | None] | None:
    """Return a claim as the text that is sent for ``pg_type``, None when it is not one."""
    if value is None:
        return None
    if pg_type.endswith("[]"):
        if not isinstance(value, list):
            return None
        element = pg_type[:-2]
        return [None if item is None else _scalar(item, element) for item in value]
    return _scalar(value, pg_type) if isinstance(value, str) else None


def _scalar(value: str, pg_type: str) -> str | None:
    if pg_type in {"text", "citext", "uuid", "inet"}:
        return values.canonical_text(value, pg_type)
    kind = type_of_column(pg_type)
    return None if values.parse_text(value, kind) is None else value
