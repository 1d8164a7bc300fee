"""Supabase's storage API in OpenAPI: objects and buckets.

Decides whom it is shown to: where a tenant has buckets, to who may do something with objects, and making them
to admins. Pure; called by ``openapi``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.openapi_files import LINK, SENT, SHOWN, UPLOAD
from schemas.compiler.emit.openapi_parts import answer, json_body, operation, parameter
from schemas.compiler.emit.visible import EntityView
from schemas.compiler.principal import ADMIN_ROLE, Principal

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_LIST: Mapping[str, Any] = {"type": "array", "items": _OBJECT}
_WORDS: Mapping[str, Any] = {"prefix": _TEXT, "limit": _COUNT}


_BUCKET = parameter("bucket", "its name", "path", example="avatars")
_AT = [_BUCKET, parameter("path", "of the object, with slashes", "path", example="ada/face.png")]
_DONE: Mapping[str, Any] = {"200": answer("Done.", _OBJECT)}
_LINKED: Mapping[str, Any] = {"200": answer("The link.", _OBJECT)}
_UPSERT = parameter("x-upsert", "true: in the place of one that is there.", "header")


def storage_paths(view: EntityView | None, principal: Principal) -> dict[str, Any]:
    """Return ``storage/v1``, as far as the caller may do something there.

    Args:
        view: of the entity of objects; None: the caller may do nothing with any.
        principal: who asks.
    """
    paths = _public()
    if view is not None:
        reads = _reads() if view.readable else {}
        for part in (reads, _writes(view), _removes() if view.delete else {}):
            for path, item in part.items():
                paths[path] = paths.get(path, {}) | item
    if ADMIN_ROLE in principal.roles and principal.scopes is None:
        paths |= _buckets()
    return paths


def _get(name: str, summary: str, *, token: bool = False) -> dict[str, Any]:
    words = [parameter("token", "of the link"), *SHOWN] if token else SHOWN
    return {"parameters": _AT, "get": operation(name, "storage", summary, SENT, parameters=words)}


def _post(
    name: str, summary: str, at: list[dict[str, Any]], body: Mapping[str, Any] | None,
    answers: Mapping[str, Any], method: str = "post", *, words: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:  # fmt: skip
    made = operation(name, "storage", summary, answers, parameters=words, body=body, writes=True)
    return {"parameters": at, method: made} if at else {method: made}


def _public() -> dict[str, Any]:
    """Return what needs no right but a link, or a public bucket."""
    at = "/storage/v1/object"
    return {
        f"{at}/public/{{bucket}}/{{path}}": _get("object_public", "An object of a public bucket"),
        "/storage/v1/render/image/public/{bucket}/{path}": _get("picture_public", "A picture of one"),
        f"{at}/sign/{{bucket}}/{{path}}": _get("object_by_link", "An object, by a link", token=True),
        "/storage/v1/render/image/sign/{bucket}/{path}": _get("picture_by_link", "A picture", token=True),
        f"{at}/upload/sign/{{bucket}}/{{path}}": _post(
            "upload_by_link", "Upload an object, by a link", _AT, UPLOAD, _DONE, "put",
            words=(parameter("token", "of the link"),),
        ),
    }  # fmt: skip


def _reads() -> dict[str, Any]:
    at = "/storage/v1/object"
    listed = json_body(
        {
            "type": "object",
            "properties": {
                "prefix": _TEXT,
                "search": _TEXT,
                "limit": _COUNT,
                "offset": _COUNT,
                "sortBy": _OBJECT,
            },
        },
        {"prefix": "ada", "limit": 100},
    )
    paged = json_body(
        {
            "type": "object",
            "properties": {
                "prefix": _TEXT,
                "cursor": _TEXT,
                "limit": _COUNT,
                "with_delimiter": {"type": "boolean"},
            },
        },
        {"prefix": "ada", "limit": 100},
    )
    links = json_body(
        {
            "type": "object",
            "required": ["expiresIn", "paths"],
            "properties": {
                "expiresIn": {"type": "integer"},
                "paths": {"type": "array", "items": _TEXT, "maxItems": 1000},
            },
        },
        {"expiresIn": 60, "paths": ["ada/face.png"]},
    )
    entries = {"200": answer("Objects and folders.", _LIST)}
    told = {"200": answer("Its description.", _OBJECT)}
    return {
        f"{at}/{{bucket}}/{{path}}": _get("object", "An object, to who may read it"),
        f"{at}/authenticated/{{bucket}}/{{path}}": _get("object_authenticated", "The same"),
        "/storage/v1/render/image/authenticated/{bucket}/{path}": _get("picture", "A picture"),
        f"{at}/info/{{bucket}}/{{path}}": {
            "parameters": _AT,
            "get": operation("object_info", "storage", "What is known of an object", told),
        },
        f"{at}/list/{{bucket}}": _post("list_objects", "A folder's objects", [_BUCKET], listed, entries),
        f"{at}/list-v2/{{bucket}}": _post("list_page", "Objects, page by page", [_BUCKET], paged, _DONE),
        f"{at}/sign/{{bucket}}": _post(
            "sign_objects", "Links to several objects", [_BUCKET], links, {"200": answer("Links.", _LIST)}
        ),
        f"{at}/sign/{{bucket}}/{{path}}": _post("sign_object", "A link to an object", _AT, LINK, _LINKED),
    }  # fmt: skip


def _writes(view: EntityView) -> dict[str, Any]:
    at, one = "/storage/v1/object", "/storage/v1/object/{bucket}/{path}"
    names = ("bucketId", "sourceKey", "destinationKey")
    places = json_body(
        {
            "type": "object",
            "required": list(names),
            "properties": dict.fromkeys((*names, "destinationBucket"), _TEXT),
        },
        {"bucketId": "avatars", "sourceKey": "ada/face.png", "destinationKey": "ada/old.png"},
    )
    paths: dict[str, Any] = {}
    if view.creatable is not None:
        paths = {
            one: _post("upload_object", "Upload an object", _AT, UPLOAD, _DONE, words=(_UPSERT,)),
            f"{at}/copy": _post("copy_object", "Copy an object", [], places, _DONE),
            f"{at}/upload/sign/{{bucket}}/{{path}}": _post(
                "sign_upload", "A link to upload one object", _AT, None, _LINKED, words=(_UPSERT,)
            ),
        }
    if view.updatable is not None:
        put = _post("replace_object", "Put an object in the place of one", _AT, UPLOAD, _DONE, "put")
        paths[one] = paths.get(one, {}) | put
        paths[f"{at}/move"] = _post("move_object", "Give an object another place", [], places, _DONE)
    return paths


def _removes() -> dict[str, Any]:
    several = json_body(
        {
            "type": "object",
            "required": ["prefixes"],
            "properties": {"prefixes": {"type": "array", "items": _TEXT, "maxItems": 1000}},
        },
        {"prefixes": ["ada/face.png"]},
    )
    removed = {"200": answer("Those that are gone.", _LIST)}
    return {
        "/storage/v1/object/{bucket}/{path}": _post(
            "remove_object", "Remove an object", _AT, None, _DONE, "delete"
        ),
        "/storage/v1/object/{bucket}": _post(
            "remove_objects", "Remove several objects", [_BUCKET], several, removed, "delete"
        ),
    }


def _buckets() -> dict[str, Any]:
    settings = {
        "public": {"type": "boolean"},
        "file_size_limit": {"type": ["integer", "string", "null"]},
        "allowed_mime_types": {"type": ["array", "null"], "items": _TEXT},
    }
    body = json_body({"type": "object", "properties": settings}, {"public": False})
    new = json_body(
        {"type": "object", "required": ["id"], "properties": {"id": _TEXT, "name": _TEXT, **settings}},
        {"id": "papers", "public": False},
    )
    found, one = {"200": answer("Buckets.", _LIST)}, {"200": answer("The bucket.", _OBJECT)}
    shown = {
        "get": operation("show_bucket", "storage", "One bucket", one),
        "put": operation("update_bucket", "storage", "Change a bucket", _DONE, body=body, writes=True),
        "delete": operation("delete_bucket", "storage", "Delete an empty bucket", _DONE, writes=True),
    }
    return {
        "/storage/v1/bucket": {
            "get": operation("list_buckets", "storage", "Buckets", found),
            "post": operation("create_bucket", "storage", "Make a bucket", _DONE, body=new, writes=True),
        },
        "/storage/v1/bucket/{bucket}": {"parameters": [_BUCKET], **shown},
        "/storage/v1/bucket/{bucket}/empty": _post(
            "empty_bucket", "Remove all of a bucket", [_BUCKET], None, _DONE
        ),
    }
