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
STORAGE_ROUTES: tuple[Route, ...] = (
    Route(
        "storage/v1/bucket",
        {"GET": "storage.buckets", "POST": "storage.bucket.create"},
        "buckets (admins)",
    ),
    Route(
        "storage/v1/bucket/{bucket}",
        {"GET": "storage.bucket", "PUT": "storage.bucket.update", "DELETE": "storage.bucket.delete"},
        "one bucket (admins)",
    ),
    Route("storage/v1/bucket/{bucket}/empty", {"POST": "storage.bucket.empty"}, "remove all of it (admins)"),
    Route("storage/v1/object/list/{bucket}", {"POST": "storage.list"}, "a folder's objects and folders"),
    Route("storage/v1/object/list-v2/{bucket}", {"POST": "storage.list_page"}, "objects, page by page"),
    Route("storage/v1/object/move", {"POST": "storage.move"}, "give an object another place"),
    Route("storage/v1/object/copy", {"POST": "storage.copy"}, "copy an object"),
    Route(
        "storage/v1/object/upload/sign/{bucket}/{path}",
        {"POST": "storage.upload.sign", "PUT": "storage.upload.signed"},
        "a link to upload one object; the upload",
    ),
    Route("storage/v1/object/info/{bucket}/{path}", {"GET": "storage.info"}, "what is known of an object"),
    Route(
        "storage/v1/object/public/{bucket}/{path}",
        {"GET": "storage.get.public"},
        "an object of a public bucket",
    ),
    Route(
        "storage/v1/object/authenticated/{bucket}/{path}",
        {"GET": "storage.get"},
        "an object, to who may read it",
    ),
    Route(
        "storage/v1/render/image/public/{bucket}/{path}",
        {"GET": "storage.get.public"},
        "a picture of a public bucket; `width`, `height`, `resize`, `quality`",
    ),
    Route("storage/v1/render/image/authenticated/{bucket}/{path}", {"GET": "storage.get"}, "a picture"),
    Route("storage/v1/render/image/sign/{bucket}/{path}", {"GET": "storage.get.signed"}, "one by a link"),
    Route("storage/v1/object/sign/{bucket}", {"POST": "storage.sign"}, "links to several objects"),
    Route(
        "storage/v1/object/sign/{bucket}/{path}",
        {"GET": "storage.get.signed", "POST": "storage.sign"},
        "a link to an object; the object by a link",
    ),
    Route("storage/v1/object/{bucket}", {"DELETE": "storage.remove"}, "remove several objects"),
    Route(
        "storage/v1/object/{bucket}/{path}",
        {
            "GET": "storage.get",
            "POST": "storage.upload",
            "PUT": "storage.upload",
            "DELETE": "storage.remove",
        },
        "an object, to who may read, write or remove it",
    ),
)
FILE_PLACES = frozenset({("files", "v1"), ("storage", "v1")})
"""What paths that are about files alone begin with; no row has the key ``v1``."""

_SIGNED, _UPLOAD, _OF_ROW, _SIGN = FILE_ROUTES
_STORAGE = tuple((route, tuple(route.path.split("/")[2:])) for route in STORAGE_ROUTES)

Named = tuple[Route, str, str | None, str]
"""A route, and what stands for its entity, key and action."""


def find_file(parts: tuple[str, ...]) -> Named | None:
    """Return the route for a path that begins with one of ``FILE_PLACES``."""
    if parts[0] == "storage":
        return _find_storage(parts[2:])
    if len(parts) != 4:
        return None
    if parts[2] == "signed":
        return _SIGNED, "", parts[3], ""
    return _UPLOAD, parts[2], None, parts[3]


def _find_storage(parts: tuple[str, ...]) -> Named | None:
    for route, wanted in _STORAGE:
        open_end = wanted[-1] == "{path}"
        place = wanted.index("{bucket}") if "{bucket}" in wanted else len(wanted)
        if len(parts) < len(wanted) or (len(parts) > len(wanted) and not open_end):
            continue
        if parts[:place] != wanted[:place]:
            continue
        if not open_end and len(wanted) > place + 1 and parts[place + 1 :] != wanted[place + 1 :]:
            continue
        bucket = parts[place] if place < len(wanted) else ""
        return route, bucket, "/".join(parts[place + 1 :]) if open_end else None, ""
    return None


def find_of_row(parts: tuple[str, ...]) -> Named | None:
    """Return the route for what is below a row."""
    if len(parts) == 3:
        return _OF_ROW, parts[0], parts[1], parts[2]
    if len(parts) == 4 and parts[3] == "sign":
        return _SIGN, parts[0], parts[1], parts[2]
    return None
