"""The paths in OpenAPI that are not rows: functions, batch, signing in, descriptions; and the platform's own.

Decides which of them are described: those programs call. Pages for people are not. Pure; called by
``openapi``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.compiler.emit.openapi_parts import IDEMPOTENCY, IF_MATCH, answer, json_body, operation, parameter
from schemas.compiler.sections.functions import Function

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_PASSWORD = {"email": "ada@example.com", "password": "correct horse battery staple"}
_CREDENTIALS: Mapping[str, Any] = {
    "type": "object",
    "properties": {"email": _TEXT, "password": _TEXT, "refresh_token": _TEXT, "data": _OBJECT},
}
_SESSION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "access_token": _TEXT, "token_type": _TEXT, "expires_in": {"type": "integer"},
        "expires_at": {"type": "integer"}, "refresh_token": _TEXT, "user": _OBJECT,
    },
}  # fmt: skip
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
                parameters=[
                    parameter(name, schema.get("description", ""), schema=schema)
                    for name, schema in properties.items()
                ],
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
        "/status": {"get": operation("status", "service", "Version in force, and the last edit", read)},
        **_sign_in(),
    }  # fmt: skip


def platform_paths() -> dict[str, Any]:
    """Return what only the platform has, for whom its rules admit."""
    slug = parameter("slug", "of the tenant", "path", example="acme-corp")
    yaml: dict[str, Any] = {"application/yaml": {"schema": {}}}
    file = {"description": "The file.", "content": yaml}
    json = {"200": answer("The document.", {})}
    write = operation(
        "write_schema", "service", "Write a tenant's file; takes the path of every save",
        {"200": answer("In force.", {}), "202": answer("Being worked on.", {})},
        parameters=[IF_MATCH, parameter("plan_id", "Agrees to the plan of this id.")], writes=True,
        body={"required": True, "content": yaml},
    )  # fmt: skip
    return {
        "/tenants/check-slug": {
            "get": operation(
                "check_slug", "service", "Whether a slug is free", json,
                parameters=[parameter("slug", "the slug", example="acme-corp")],
            )
        },
        "/tenants/{slug}/schema": {
            "parameters": [slug],
            "get": operation("read_schema", "service", "A tenant's file", {"200": file}),
            "put": write,
        },
        "/tenants/{slug}/schema/status": {
            "parameters": [slug],
            "get": operation("schema_status", "service", "How its last edit came out", json),
        },
        "/tenants/{slug}/schema/history": {
            "parameters": [slug],
            "get": operation("schema_history", "service", "Its versions, with diffs", json),
        },
    }  # fmt: skip


_RESULT = {"200": answer("What it returned.", {}), "204": answer("It returned nothing.")}


def _call(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return operation(
        f"call_{name}", "functions", f"Call {name}", _RESULT,
        parameters=[IDEMPOTENCY], body=json_body(args, required=False), writes=True,
    )  # fmt: skip


def _sign_in() -> dict[str, Any]:
    grant = parameter(
        "grant_type", "What is exchanged for a session.",
        schema={"enum": ["password", "refresh_token", "pkce", "id_token"]}, example="password",
    )  # fmt: skip
    session = {"200": answer("A session.", _SESSION)}
    done = {"200": answer("Done, or mailed.", {}), "204": answer("Done.")}
    body = json_body(_CREDENTIALS, _PASSWORD)
    return {
        "/auth/v1/token": {
            "post": operation(
                "sign_in", "service", "Sign in", session, parameters=[grant], body=body, writes=True
            )
        },
        "/auth/v1/signup": {
            "post": operation(
                "sign_up", "service", "Sign up", {"200": answer("The account, or a session.", _OBJECT)},
                body=body, writes=True,
            )
        },
        "/auth/v1/logout": {"post": operation("sign_out", "service", "Sign out", done, writes=True)},
        "/auth/v1/user": {
            "get": operation("account", "service", "My account", {"200": answer("The account.", _OBJECT)})
        },
        "/auth/v1/settings": {
            "get": operation(
                "settings", "service", "How one signs in here", {"200": answer("The settings.", _OBJECT)}
            )
        },
    }  # fmt: skip
