"""Comments in OpenAPI: the paths below a row.

Decides that only what takes comments shows them. Pure; called by ``openapi_work``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.body import value_schema
from schemas.compiler.emit.openapi_parts import (
    IDEMPOTENCY,
    PREFER,
    answer,
    json_body,
    list_below_row,
    operation,
    parameter,
)
from schemas.compiler.emit.visible import EntityView

_NAME: Mapping[str, Any] = {"type": ["string", "null"]}
_UUID: Mapping[str, Any] = {"type": "string", "format": "uuid"}
_COMMENT: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "text", "at", "may_delete"],
    "properties": {
        "id": _UUID,
        "text": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
        **dict.fromkeys(("user_id", "email", "api_key"), _NAME),
        "may_delete": {"type": "boolean"},
    },
}
_BODY: Mapping[str, Any] = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 10_000}},
    "additionalProperties": False,
}


def comment_paths(view: EntityView) -> dict[str, Any]:
    """Return the paths of the comments on an entity's rows."""
    if not view.entity.sections.get("comments") or not view.readable:
        return {}
    name, key = view.entity.name, view.entity.fields[view.entity.key]
    of_row = [parameter("id", key.name, "path", value_schema(key))]
    return {
        f"/{name}/{{id}}/comments": {
            "parameters": of_row,
            "get": list_below_row(
                f"comments_on_{name}", name, "What people say about the row, newest first", _COMMENT, _UUID
            ),
            "post": operation(
                f"comment_on_{name}", name, "Say something about the row",
                {"201": answer("The comment.", _COMMENT)},
                parameters=[PREFER, IDEMPOTENCY], body=json_body(_BODY), writes=True,
            ),
        },
        f"/{name}/{{id}}/comments/{{comment}}": {
            "parameters": [*of_row, parameter("comment", "its id", "path", _UUID)],
            "delete": operation(
                f"delete_comment_on_{name}", name, "Take back a comment of one's own; anybody's, for admins",
                {"204": answer("It is gone.")}, parameters=[PREFER], writes=True,
            ),
        },
    }  # fmt: skip
