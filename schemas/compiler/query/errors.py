"""Why a request is refused before it reaches the database: one closed family with PostgREST's codes.

It knows no HTTP: ``gateway.problems`` maps codes to statuses. Raised by every module of this package.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class QueryError(Exception):
    """A refusal.

    Attributes:
        code: ``PGRSTnnn``, a SQLSTATE or ``area.reason``.
        message, details, hint: PostgREST's fields; "" when there is nothing to say.
        errors: one ``{pointer, code, detail}`` per field.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: str = "",
        hint: str = "",
        errors: tuple[dict[str, Any], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.errors = errors


def parse_error(what: str, text: str) -> QueryError:
    """Return the error for a part of the query string that cannot be read."""
    shown = text if len(text) <= 100 else text[:100] + "..."
    return QueryError(
        "PGRST100", f'"failed to parse {what} ({shown})"', details=f"{what} is not understood: {shown}"
    )


def unknown_field(entity: str, name: str, known: Iterable[str]) -> QueryError:
    """Return the error for a field that is not there, or that the caller may not read: both look the same."""
    near = get_close_matches(name, list(known), 1)
    return QueryError(
        "PGRST204",
        f"column {entity}.{name[:100]} does not exist",
        hint=f"Perhaps you meant '{near[0]}'" if near else "",
    )


def forbidden(names: list[str]) -> QueryError:
    """Return the error for fields the caller may not write."""
    return QueryError(
        "42501",
        f"permission denied to write {', '.join(names)[:200]}",
        errors=tuple(
            {"pointer": f"/{name}", "code": "forbidden_field", "detail": "you may not write this field"}
            for name in names
        ),
    )
