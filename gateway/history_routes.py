"""The paths of row history, below a row.

Decides which operation answers. Called by ``routes``.
"""

from gateway.route import Route

HISTORY_ROUTES: tuple[Route, ...] = (
    Route("{entity}/{id}/history", {"GET": "history"}, "its versions: who, when, and what each changed"),
    Route("{entity}/{id}/history/{version}", {"GET": "history.get"}, "the row as it was in a version"),
    Route(
        "{entity}/{id}/history/{version}/revert", {"POST": "history.revert"}, "write the row as it was then"
    ),
)
HISTORY_WORD = "history"
_ALL, _ONE, _REVERT = HISTORY_ROUTES


def find_history(parts: tuple[str, ...]) -> tuple[Route, str, str | None, str] | None:
    """Return the route for what is below a row's history, with entity, key and version."""
    match parts:
        case (entity, key, _):
            return _ALL, entity, key, ""
        case (entity, key, _, version):
            return _ONE, entity, key, version
        case (entity, key, _, version, "revert"):
            return _REVERT, entity, key, version
        case _:
            return None
