"""Row history in OpenAPI: the paths below a row, and ``as_of`` where rows are read.

Decides that only what has a history shows it. Pure; called by ``openapi_rows``, ``openapi_work`` and
``openapi``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.body import value_schema
from schemas.compiler.emit.openapi_parts import (
    IDEMPOTENCY,
    IF_MATCH,
    PREFER,
    answer,
    list_below_row,
    operation,
    parameter,
)
from schemas.compiler.emit.visible import EntityView

_MOMENT: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_NAME: Mapping[str, Any] = {"type": ["string", "null"]}
_ANY: Mapping[str, Any] = {"type": "object", "properties": {"old": {}, "new": {}}}
_VERSION: Mapping[str, Any] = {
    "type": "object",
    "required": ["version", "at", "operation", "changes"],
    "properties": {
        "version": {"type": "integer"},
        "at": _MOMENT,
        "operation": {"enum": ["create", "update", "delete", "restore", "kept"]},
        **dict.fromkeys(("user_id", "email", "api_key", "function", "request_id"), _NAME),
        "changes": {"type": "object", "additionalProperties": _ANY},
    },
}


def as_of(view: EntityView) -> tuple[dict[str, Any], ...]:
    """Return the parameter that reads rows as they were; none for entities without a history."""
    if "history" not in view.entity.sections:
        return ()
    return (parameter("as_of", "Rows as they were then, e.g. 2026-11-01T00:00:00Z.", schema=_MOMENT),)


def not_kept(view: EntityView) -> dict[str, Any]:
    """Return the answer of a read that asks for what is not kept; none without a history."""
    return {"410": {"$ref": "#/components/responses/refused_410"}} if as_of(view) else {}


def history_paths(view: EntityView) -> dict[str, Any]:
    """Return the paths of an entity's history."""
    if "history" not in view.entity.sections or not view.readable:
        return {}
    name, key = view.entity.name, view.entity.fields[view.entity.key]
    of_row = [parameter("id", key.name, "path", value_schema(key))]
    number = parameter("version", "its number", "path", {"type": "integer", "minimum": 1})
    whole = {**_VERSION, "properties": {**_VERSION["properties"], "data": {"type": ["object", "null"]}}}
    row = {"$ref": f"#/components/schemas/{name}"}
    paths = {
        f"/{name}/{{id}}/history": {
            "parameters": of_row,
            "get": list_below_row(
                f"history_of_{name}", name, "Versions of the row, newest first: what each changed", _VERSION
            ),
        },
        f"/{name}/{{id}}/history/{{version}}": {
            "parameters": [*of_row, number],
            "get": operation(
                f"version_of_{name}", name, "The row as it was in a version",
                {"200": answer("The version.", whole)},
            ),
        },
    }  # fmt: skip
    if view.updatable is not None:
        paths[f"/{name}/{{id}}/history/{{version}}/revert"] = {
            "parameters": [*of_row, number],
            "post": operation(
                f"revert_{name}", name, "Write the row as it was in a version",
                {"200": answer("The row.", row), "201": answer("The row, made again.", row)},
                parameters=[IF_MATCH, PREFER, IDEMPOTENCY], writes=True,
            ),
        }  # fmt: skip
    return paths
