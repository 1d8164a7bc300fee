"""The paths in OpenAPI that every tenant has beside rows: functions, batch, broadcasts, descriptions.

Decides how they are described. The page of the documentation and the descriptions of the schema themselves
are not. Pure; called by ``openapi``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.compiler.emit.openapi_parts import IDEMPOTENCY, answer, json_body, operation, parameter
from schemas.compiler.sections.functions import Function

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_BATCH: Mapping[str, Any] = {
    "type": "object",
    "required": ["operations"],
    "additionalProperties": False,
    "properties": {
        "operations": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["method", "path"],
                "additionalProperties": False,
                "properties": {
                    "id": _TEXT,
                    "method": {"enum": ["GET", "POST", "PATCH", "PUT", "DELETE"]},
                    "path": _TEXT,
                    "body": {},
                    "headers": {"type": "object", "additionalProperties": _TEXT},
                },
            },
        }
    },
}
_BATCH_EXAMPLE = {
    "operations": [
        {"id": "c", "method": "POST", "path": "customers", "body": {"name": "Acme"}},
        {"method": "POST", "path": "invoices", "body": {"customer_id": "$ref:c.id"}},
    ]
}


def function_paths(functions: Iterable[Function], own: Sequence[str]) -> dict[str, Any]:
    """Return the functions that can be called by name: of the file, and of the platform."""
    paths: dict[str, Any] = {}
    for function in functions:
        args = dict(function.args or _OBJECT)
        item = {"post": _call(function.name, args)}
        if function.read_only:
            properties = args.get("properties", {})
            item["get"] = operation(
                f"get_{function.name}", "functions", f"Call {function.name}", _RESULT,
                parameters=[_argument(name, schema) for name, schema in properties.items()],
                writes=True,
            )  # fmt: skip
        paths[f"/rpc/{function.name}"] = item
    paths |= {f"/rpc/{name}": {"post": _call(name, _OBJECT)} for name in own}
    return paths


def fixed_paths() -> dict[str, Any]:
    """Return what every tenant has."""
    read = {"200": answer("The document.", _OBJECT)}
    return {
        "/batch": {
            "post": operation(
                "batch", "service", "Several operations in one transaction",
                {"200": answer("What each answered.", _OBJECT)},
                parameters=[IDEMPOTENCY], body=json_body(_BATCH, _BATCH_EXAMPLE), writes=True,
            )
        },
        "/me": {"get": operation("me", "service", "Who I am and what I may do", read)},
        "/schema": {"get": operation("schema", "service", "The live schema as JSON", read)},
        "/branding": {"get": operation("branding", "service", "Name, colours and logo", read)},
        "/status": {"get": operation("status", "service", "Version in force, and the last edit", read)},
        **_broadcasts(),
    }  # fmt: skip


def _broadcasts() -> dict[str, Any]:
    message = {"topic": _TEXT, "event": _TEXT, "payload": {}, "private": {"type": "boolean"}}
    one = {"type": "object", "required": ["topic", "event"], "properties": message}
    several = {"type": "array", "items": one, "maxItems": 100}
    said = {"202": answer("Said.")}
    at = "/realtime/v1/api/broadcast"
    example = {"topic": "orders", "event": "cursor", "payload": {"x": 1}}
    return {
        at: {
            "post": operation(
                "broadcast", "service", "Say something in channels", said, writes=True,
                body=json_body(
                    {"type": "object", "required": ["messages"], "properties": {"messages": several}},
                    {"messages": [example]},
                ),
            )
        },
        f"{at}/{{topic}}/events/{{event}}": {
            "parameters": [
                parameter("topic", "of the channel", "path", example="orders"),
                parameter("event", "its name", "path", example="cursor"),
            ],
            "post": operation(
                "broadcast_one", "service", "Say something in one channel", said, writes=True,
                parameters=[parameter("private", "Whether the channel is.", schema={"type": "boolean"})],
                body=json_body({}, {"x": 1}),
            ),
        },
    }  # fmt: skip


_RESULT = {"200": answer("What it returned.", {}), "204": answer("It returned nothing.")}


def _argument(name: str, schema: Mapping[str, Any] | bool) -> dict[str, Any]:  # noqa: FBT001 - a JSON Schema, too
    if isinstance(schema, bool):
        return parameter(name, "Any value.", schema={})
    return parameter(name, schema.get("description", ""), schema=schema)


def _call(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return operation(
        f"call_{name}", "functions", f"Call {name}", _RESULT,
        parameters=[IDEMPOTENCY], body=json_body(args, required=False), writes=True,
    )  # fmt: skip
