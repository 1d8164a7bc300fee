"""The paths of files: of rows, by links, and of buckets.

Decides which route a path has. Called by ``routes``.
"""

from gateway.route import Route

FILE_ROUTES: tuple[Route, ...] = (
    Route("files/v1/signed/{token}", {"GET": "file.signed"}, "a file, for whoever has the link"),
    Route("files/v1/{entity}/{field}", {"POST": "file.upload"}, "upload a file before its row"),
    Route(
        "{entity}/{id}/{field}",
        {"GET": "file.get", "PUT": "file.put"},
        "a row's file: a field of the format file; `Range`, `ETag`, `?download=NAME`",
    ),
    Route("{entity}/{id}/{field}/sign", {"POST": "file.sign"}, "a link to it that is good for a while"),
)
FILE_PLACES = frozenset({("files", "v1")})
"""What paths that are about files alone begin with; no row has the key ``v1``."""

_SIGNED, _UPLOAD, _OF_ROW, _SIGN = FILE_ROUTES

Named = tuple[Route, str, str | None, str]
"""A route, and what stands for its entity, key and action."""


def find_file(parts: tuple[str, ...]) -> Named | None:
    """Return the route for a path that begins with one of ``FILE_PLACES``."""
    if len(parts) != 4:
        return None
    if parts[2] == "signed":
        return _SIGNED, "", parts[3], ""
    return _UPLOAD, parts[2], None, parts[3]


def find_of_row(parts: tuple[str, ...]) -> Named | None:
    """Return the route for what is below a row."""
    if len(parts) == 3:
        return _OF_ROW, parts[0], parts[1], parts[2]
    if len(parts) == 4 and parts[3] == "sign":
        return _SIGN, parts[0], parts[1], parts[2]
    return None
