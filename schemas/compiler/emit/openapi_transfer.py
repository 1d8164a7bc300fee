"""Rows as files in OpenAPI: exports, and imports.

Decides whom they are shown to: exports go with what may be read, imports with the right to create. Pure;
called by ``openapi``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.compiler.emit.openapi_history import as_of, not_kept
from schemas.compiler.emit.openapi_parts import LIST_WORDS, answer, json_body, operation, parameter
from schemas.compiler.emit.openapi_rows import filters
from schemas.compiler.emit.visible import EntityView

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_FLAG: Mapping[str, Any] = {"type": "boolean"}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_LIST: Mapping[str, Any] = {"type": "array", "items": _OBJECT}
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMATS = ("csv", "ndjson", "json", "xlsx")
_STATES = ("draft", "waiting", "running", "done", "failed", "cancelled")
_WORDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "on_conflict": ("Fields by which a row that is there is known.", _TEXT),
    "mode": ("Every row or none, or what is acceptable.", {"enum": ["all", "skip"]}),
    "dry_run": ("Keep nothing, tell every error.", _FLAG),
    "decimal": ("The sign before decimals.", {"enum": [".", ","]}),
    "dates": ("Order of days written with slashes.", {"enum": ["dmy", "mdy"]}),
    "map": ("Column to field, {field, by}, or null.", _OBJECT),
}
_READ: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "preview": ("Only look at the file.", _FLAG),
    "delimiter": ("Between cells.", {"enum": [",", ";", "|", "tab"]}),
    "encoding": ("Of the text.", _TEXT),
    "sheet": ("Of a workbook: its name or number.", _TEXT),
}
_PREFER = parameter("Prefer", "wait=SECONDS, respond-async, resolution=ignore-duplicates", "header")
_IMPORT: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "state", "rows", "columns"],
    "properties": {
        "id": {"type": "string", "format": "uuid"}, "url": _TEXT, "state": {"enum": list(_STATES)},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "rows": {"type": "object", "properties": dict.fromkeys(("read", "written", "rejected"), _COUNT)},
        "columns": _LIST, "errors": _LIST, "preview": _OBJECT,
    },
}  # fmt: skip
_TOLD = {
    "200": answer("The import: it has ended.", _IMPORT),
    "202": answer("The import: it goes on.", _IMPORT),
}
_BY_ID = [parameter("id", "of the import", "path", {"type": "string", "format": "uuid"})]


def transfer_paths(views: Sequence[EntityView], *, known: bool) -> dict[str, Any]:
    """Return the paths of exports and imports; ``known`` says whether the caller is somebody."""
    paths = {path: item for view in views for path, item in _of_entity(view, known=known).items()}
    return paths | (_of_imports() if known and any(view.creatable is not None for view in views) else {})


def _of_entity(view: EntityView, *, known: bool) -> dict[str, Any]:
    name, item = view.entity.name, dict[str, Any]()
    if view.readable:
        rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
        binary = {"type": "string", "format": "binary"}
        others = {"text/csv": _TEXT, "application/x-ndjson": _TEXT, _SHEET: binary}
        limit = parameter("limit", "Most rows.", schema=_COUNT)
        words = [word for word in LIST_WORDS if word["name"] not in {"limit", "offset", "after"}]
        item["get"] = operation(
            f"export_{name}", name, f"All {name} a query finds, as a file",
            {"200": answer("The file, as a stream.", rows, others=others), **not_kept(view)},
            parameters=[*words, limit, *as_of(view), *filters(view)],
        )  # fmt: skip
    if known and view.creatable is not None:
        form = {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}, "map": _TEXT},
        }
        body = {
            "required": True,
            "content": {"application/octet-stream": {"schema": {}}, "multipart/form-data": {"schema": form}},
        }
        item["post"] = operation(
            f"import_{name}", name, f"Make {name} of the rows of a file (not json)",
            {"201": answer("A draft: what was found in the file.", _IMPORT), **_TOLD},
            parameters=[
                *(parameter(word, about[0], schema=about[1]) for word, about in {**_WORDS, **_READ}.items()),
                _PREFER,
            ],
            body=body, writes=True,
        )  # fmt: skip
    form = parameter("format", "of the file", "path", {"enum": list(_FORMATS)}, "csv")
    return {f"/{name}.{{format}}": {"parameters": [form], **item}} if item else {}


def _of_imports() -> dict[str, Any]:
    told = {word: schema for word, (_, schema) in _WORDS.items()}
    events = {"text/event-stream": _TEXT}
    return {
        "/imports/v1": {
            "get": operation(
                "list_imports", "service", "Imports of mine, newest first", {"200": answer("Imports.", _LIST)}
            )
        },
        "/imports/v1/{id}": {
            "parameters": _BY_ID,
            "get": operation(
                "show_import", "service", "How far an import is",
                {"200": answer("The import; as events until it ends.", _IMPORT, others=events)},
            ),
            "delete": operation(
                "cancel_import", "service", "Stop an import, or forget it", {"204": answer("Done.")},
                writes=True,
            ),
        },
        "/imports/v1/{id}/run": {
            "parameters": _BY_ID,
            "post": operation(
                "run_import", "service", "Run an import that was looked at, tried or failed", _TOLD,
                parameters=[_PREFER], writes=True,
                body=json_body({"type": "object", "properties": told}, {"dry_run": False}, required=False),
            ),
        },
        "/imports/v1/{id}/rejected": {
            "parameters": _BY_ID,
            "get": operation(
                "rejected_rows", "service", "Rows that were not acceptable, and why",
                {"200": answer("The rows.", _LIST, others={"text/csv": _TEXT})},
                parameters=[parameter("after", "Number of a row: those behind it.", schema=_COUNT)],
            ),
        },
    }  # fmt: skip
