"""OpenAPI 3.1 of a tenant's API, as one caller sees it: what it may not do is not in it.

Decides the document's frame: info, security schemes, refusals by status. The paths are those of its
neighbours ``openapi_…``: rows, reports, files, storage, accounts, work (what goes with rows, and of admins),
platform, and ``openapi_paths`` for all others. Every operation lists each status it can answer; there is no
``default``. Pure; called by ``actors.tenant.describe``.

References:
    OpenAPI 3.1.1; RFC 9457.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.compiler.emit.openapi_accounts import account_paths
from schemas.compiler.emit.openapi_files import file_paths, signed_path
from schemas.compiler.emit.openapi_paths import fixed_paths, function_paths
from schemas.compiler.emit.openapi_platform import platform_paths
from schemas.compiler.emit.openapi_reports import report_paths
from schemas.compiler.emit.openapi_rows import row_paths, row_schemas
from schemas.compiler.emit.openapi_storage import storage_paths
from schemas.compiler.emit.openapi_transfer import transfer_paths
from schemas.compiler.emit.openapi_work import admin_paths, paths_of_entity
from schemas.compiler.emit.visible import visible_entities, visible_functions, visible_objects
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import ANONYMOUS_ROLE, Principal

_REFUSALS: Mapping[str, tuple[str, str, str]] = {
    "300": ("Several relations fit: name one.", "PGRST201", "Relation ambiguous"),
    "400": ("The request is not understood.", "PGRST100", "Query not understood"),
    "401": ("The credential is missing or not accepted.", "auth.required", "Sign in first"),
    "402": ("The room of the plan is used up.", "quota.rows", "Rows of the plan used up"),
    "403": ("The caller may not do this.", "42501", "Not allowed"),
    "404": ("There is no such thing, or not for this caller.", "row.not_found", "No such row"),
    "410": ("What rows were then is not kept.", "history.not_kept", "Not kept any more, or not yet"),
    "405": ("Not by this method.", "PGRST101", "Method not allowed for functions"),
    "406": ("No such media type or profile, or not exactly one row.", "PGRST116", "Not exactly one row"),
    "408": ("The request came too slowly.", "http.timeout", "Request took too long"),
    "409": ("In conflict with other rows or requests.", "23505", "Value already taken"),
    "412": ("The row was changed meanwhile.", "row.version_mismatch", "Row changed meanwhile"),
    "413": ("The body is too large.", "http.body_too_large", "Body too large"),
    "414": ("The request line is too long.", "http.uri_too_long", "Request line too long"),
    "415": ("The body's media type is not read here.", "http.media_type", "Media type not supported"),
    "416": ("The range lies beyond the last row.", "PGRST103", "Range not satisfiable"),
    "422": ("Values or rules are not met; see errors.", "validation.failed", "Values not acceptable"),
    "428": ("If-Match is required.", "row.precondition_required", "If-Match required"),
    "429": ("Too many requests; see Retry-After.", "http.rate_limited", "Too many requests"),
    "500": ("An error of ours; it is recorded.", "http.internal", "Internal error"),
    "502": ("A server behind failed.", "function.upstream", "Server called by a function failed"),
    "503": ("Not now; see Retry-After.", "tenant.overloaded", "Tenant too busy"),
    "504": ("Not answered in time.", "query_timeout", "Query took too long"),
}  # fmt: skip


def openapi_document(
    model: TenantModel,
    version: int,
    base: str,
    principal: Principal,
    *,
    cookie: str = "",
    own_functions: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the document.

    Args:
        model: the version in force.
        version: its number.
        base: the API's root as the client addressed it.
        principal: who asks, with every role its roles include.
        cookie: name of the session cookie, "" where there are no sessions.
        own_functions: of the platform, which can be called beside the file's.
    """
    views = visible_entities(model, principal)
    functions = visible_functions(model, principal)
    paths: dict[str, Any] = {}
    for view in views:
        paths |= row_paths(view) | paths_of_entity(view) | file_paths(view)
    paths |= transfer_paths(views, known=bool(principal.roles - {ANONYMOUS_ROLE}))
    if any(field.kind == "file" for view in views for field in view.entity.fields.values()):
        paths |= signed_path()
    if "storage" in model.sections:
        paths |= storage_paths(visible_objects(model, principal), principal)
    paths |= report_paths(model, views, principal)
    paths |= function_paths(functions, own_functions)
    if own_functions:
        paths |= platform_paths()
    paths |= fixed_paths() | account_paths() | admin_paths(principal)
    schemes = _schemes(cookie)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title_of(model.title, model.slug),
            "version": str(version),
            "description": "Generated from the schema that is in force, for what the caller may do.",
        },
        "servers": [{"url": base or "/"}],
        "security": [{}, *({name: []} for name in schemes)],
        "tags": [_tag(view.entity.name, view.entity.title, view.entity.description) for view in views]
        + [{"name": name} for name in _used(paths, ("functions", "accounts", "files", "storage", "service"))],
        "paths": paths,
        "components": {
            "schemas": row_schemas(views) | {"problem": _problem_schema()},
            "securitySchemes": schemes,
            "responses": {f"refused_{status}": _refusal(status) for status in _REFUSALS},
        },
    }


def title_of(titles: Mapping[str, str], fallback: str) -> str:
    """Return the English title, or any."""
    return titles.get("en") or next(iter(titles.values()), fallback)


def _used(paths: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    used = {
        tag
        for item in paths.values()
        for method, operation in item.items()
        if method != "parameters"
        for tag in operation["tags"]
    }
    return [name for name in names if name in used]


def _tag(name: str, titles: Mapping[str, str], description: str) -> dict[str, str]:
    text = description or title_of(titles, "")
    return {"name": name, "description": text} if text else {"name": name}


def _schemes(cookie: str) -> dict[str, Any]:
    schemes: dict[str, Any] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of POST /auth/v1/token, or an API key.",
        },
        "apikey": {
            "type": "apiKey",
            "in": "header",
            "name": "apikey",
            "description": "bsk_pub_… or bsk_sec_…",
        },
    }
    if cookie:
        schemes["session"] = {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "A browser's session; unsafe methods also send X-CSRF-Token from GET /me.",
        }
    return schemes


def _refusal(status: str) -> dict[str, Any]:
    description, code, title = _REFUSALS[status]
    example = {
        "type": f"/problems/{code}",
        "title": title,
        "status": int(status),
        "detail": description,
        "code": code,
        "message": description,
        "details": None,
        "hint": None,
        "request_id": "01900000000070008000000000000001",
    }
    schema = {"$ref": "#/components/schemas/problem"}
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
    if status in {"429", "503"}:
        answer["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        }
    return answer


def _problem_schema() -> dict[str, Any]:
    texts = ("type", "title", "detail", "instance", "request_id", "message")
    properties: dict[str, Any] = {name: {"type": "string"} for name in texts}
    properties["code"] = {
        "type": ["string", "integer"],
        "description": "A number only in GoTrue's older form.",
    }
    properties |= {"status": {"type": "integer"}, "details": {}, "hint": {"type": ["string", "null"]}}
    error = {name: {"type": "string"} for name in ("pointer", "code", "detail")}
    properties["errors"] = {"type": "array", "items": {"type": "object", "properties": error}}
    return {
        "type": "object",
        "description": "RFC 9457, with PostgREST's code, message, details and hint.",
        "required": ["type", "title", "status", "code", "message"],
        "properties": properties,
    }
