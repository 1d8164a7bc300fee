"""The paths of rows' files in OpenAPI.

Decides whom they are shown to: who may read or write a field may read or write its files. Pure; called by
``openapi``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.body import value_schema
from schemas.compiler.emit.openapi_parts import IF_MATCH, answer, json_body, operation, parameter
from schemas.compiler.emit.visible import EntityView
from schemas.compiler.model import Field

_TEXT: Mapping[str, Any] = {"type": "string"}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_BYTES = {"description": "The bytes.", "content": {"*/*": {"schema": {}}}}
_UPLOADED: Mapping[str, Any] = {
    "type": "object",
    "properties": dict.fromkeys(("id", "name", "type", "sha256", "unused_until"), _TEXT) | {"size": _COUNT},
}
_FORM: Mapping[str, Any] = {
    "type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}},
}  # fmt: skip
UPLOAD = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {}}, "multipart/form-data": {"schema": _FORM}},
}
LINK = json_body(
    {"type": "object", "properties": {"expiresIn": {"type": "integer", "minimum": 1, "maximum": 604800}}},
    {"expiresIn": 60}, required=False,
)  # fmt: skip
SHOWN = [
    parameter("download", "As a download, under this name if there is one."),
    *(
        parameter(name, f"{name.capitalize()} of a smaller picture, in pixels.", schema=_COUNT)
        for name in ("width", "height")
    ),
    parameter("resize", "How it fits.", schema={"enum": ["cover", "contain", "fill"]}),
    parameter("quality", "Of the WebP.", schema={"type": "integer", "minimum": 20, "maximum": 100}),
    parameter("Range", "bytes=0-99", "header"),
]
SENT = {
    "200": _BYTES,
    "206": {**_BYTES, "description": "Some of the bytes."},
    "304": answer("Nothing changed."),
}


def file_paths(view: EntityView) -> dict[str, Any]:
    """Return the paths of an entity's files: the caller's, field by field."""
    paths: dict[str, Any] = {}
    for field in view.entity.fields.values():
        if field.kind == "file":
            paths |= _of_field(view, field)
    return paths


def form_body(view: EntityView) -> dict[str, Any]:
    """Return a new row as a form, by media type; nothing when it has no files."""
    fields = [field for field in view.entity.fields.values() if field.name in (view.creatable or ())]
    if all(field.kind != "file" for field in fields):
        return {}
    file = {"type": "string", "format": "binary"}
    parts = {field.name: file if field.kind == "file" else _TEXT for field in fields}
    return {"multipart/form-data": {"schema": {"type": "object", "properties": parts}}}


def signed_path() -> dict[str, Any]:
    """Return where links to files of rows lead."""
    return {
        "/files/v1/signed/{token}": {
            "parameters": [parameter("token", "of the link", "path")],
            "get": operation(
                "open_link", "files", "A file, for whoever has the link", SENT, parameters=SHOWN
            ),
        }
    }


def _of_field(view: EntityView, field: Field) -> dict[str, Any]:
    name, key = view.entity.name, view.entity.fields[view.entity.key]
    label = f"{name}_{field.name}"
    by_row = [parameter("id", key.name, "path", value_schema(key))]
    item: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    if field.name in view.readable:
        if not field.options.get("protected"):
            item["get"] = operation(
                f"read_file_{label}", name, f"The file '{field.name}' of one of {name}", SENT,
                parameters=SHOWN,
            )  # fmt: skip
        made = {"type": "object", "properties": {"url": _TEXT, "expires_at": _TEXT}}
        paths[f"/{name}/{{id}}/{field.name}/sign"] = {
            "parameters": by_row,
            "post": operation(
                f"sign_file_{label}", name, "A link to it that is good for a while",
                {"200": answer("The link.", made)}, body=LINK, writes=True,
            ),
        }  # fmt: skip
    if not field.read_only and field.name in (view.updatable or ()):
        item["put"] = operation(
            f"put_file_{label}", name, f"Put a file in the place of '{field.name}'",
            {"200": answer("What was kept.", _UPLOADED)}, parameters=[IF_MATCH], body=UPLOAD, writes=True,
        )  # fmt: skip
    if not field.read_only and field.name in {*(view.creatable or ()), *(view.updatable or ())}:
        paths[f"/files/v1/{name}/{field.name}"] = {
            "post": operation(
                f"upload_{label}", name, f"Upload a file for '{field.name}', ahead of its row",
                {"201": answer("What was kept; a row may name its id.", _UPLOADED)},
                body=UPLOAD, writes=True,
            )
        }  # fmt: skip
    if item:
        paths[f"/{name}/{{id}}/{field.name}"] = {"parameters": by_row, **item}
    return paths
