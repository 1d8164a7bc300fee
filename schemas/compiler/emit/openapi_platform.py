"""The platform's own paths in OpenAPI: tenants' files and archives, series for charts, the process.

Decides what is described beside the platform's rows; who may use which of it is decided when it is asked.
Pure; called by ``openapi``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.openapi_parts import IF_MATCH, answer, json_body, operation, parameter

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_SLUG = parameter("slug", "of the tenant", "path", example="acme-corp")
_SERIES: Mapping[str, str] = {
    "requests": "Requests and errors",
    "latency": "p50, p95 and p99 of latency",
    "active_users": "People a day",
    "rows": "Rows",
    "storage": "Bytes of storage",
    "egress": "Bytes sent",
    "function_time": "Milliseconds of functions",
    "revenue": "What was invoiced and paid",
    "growth": "New tenants and people",
    "top": "Tenants or routes that use most",
}
_RANGE = (
    parameter("tenant", "Slug; absent: all, for administrators."),
    parameter("from", "A moment; a day ago unless given.", example="2027-01-31T12:00:00Z"),
    parameter("to", "A moment; now unless given."),
    parameter("step", "Width of a point.", schema={"enum": ["minute", "hour", "day", "month"]}),
)
_TOP = (
    parameter("by", "What is listed.", schema={"enum": ["tenant", "route", "status"]}),
    parameter(
        "order", "By what.", schema={"enum": ["requests", "errors", "egress_bytes", "milliseconds"]}
    ),
    parameter("limit", "Most entries.", schema={"type": "integer", "minimum": 1, "maximum": 100}),
)  # fmt: skip
_POINTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "from": _TEXT, "to": _TEXT, "step": _TEXT, "tenant": {"type": ["string", "null"]},
        "points": {"type": "array", "items": _OBJECT},
    },
}  # fmt: skip


def platform_paths() -> dict[str, Any]:
    """Return what only the platform has, for whom its rules admit."""
    return {**_files(), **_archives(), **_charts(), **_process(), **_people(), **_billing()}


def _files() -> dict[str, Any]:
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
            "parameters": [_SLUG],
            "get": operation(
                "read_schema", "service", "A tenant's file", {"200": file, "304": answer("Nothing changed.")}
            ),
            "put": write,
        },
        "/tenants/{slug}/schema/status": {
            "parameters": [_SLUG],
            "get": operation("schema_status", "service", "How its last edit came out", json),
        },
        "/tenants/{slug}/schema/history": {
            "parameters": [_SLUG],
            "get": operation("schema_history", "service", "Its versions, with diffs", json),
        },
    }  # fmt: skip


def _archives() -> dict[str, Any]:
    zipped: dict[str, Any] = {"application/zip": {"schema": {}}}
    return {
        "/tenants/{slug}/export": {
            "parameters": [_SLUG],
            "get": operation(
                "export_tenant_archive", "service", "Everything of a tenant in one archive",
                {"200": {"description": "The archive.", "content": zipped}},
            ),
        },
        "/tenants/{slug}/import": {
            "parameters": [parameter("slug", "what it will be called; -: as in the archive", "path")],
            "post": operation(
                "import_tenant_archive", "service", "A tenant from such an archive",
                {"200": answer("Made.", _OBJECT), "201": answer("Made.", _OBJECT)},
                parameters=[parameter("owner_email", "Who is invited as its owner.")],
                body={"required": True, "content": zipped}, writes=True,
            ),
        },
    }  # fmt: skip


def _charts() -> dict[str, Any]:
    return {
        f"/metrics/{name}": {
            "get": operation(
                f"series_{name}", "service", f"{what}, as a series for charts",
                {"200": answer("The points.", _POINTS)},
                parameters=[*_RANGE, *(_TOP if name == "top" else ())],
            )
        }
        for name, what in _SERIES.items()
    }  # fmt: skip


def _process() -> dict[str, Any]:
    def shown(name: str, summary: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        return {"get": operation(name, "service", summary, {"200": answer("As it is now.", schema)})}

    return {
        "/runtime": shown("runtime", "Actors, event loop and connections", _OBJECT),
        "/runtime/errors": shown("runtime_errors", "The latest errors of the process", {}),
        "/runtime/slow": shown("runtime_slow", "The latest slow statements", {}),
        "/runtime/lag": shown("runtime_lag", "How late the event loop was, the last hour", {}),
        "/runtime/reloads": shown("runtime_reloads", "The latest reloads by phase", {}),
        "/runtime/log": shown("runtime_log", "The latest lines of the log", {}),
    }


def _people() -> dict[str, Any]:
    session = {"200": answer("A session.", _OBJECT), "204": answer("A browser's session, as a cookie.")}
    return {
        "/auth/v1/tenants": {
            "get": operation(
                "my_tenants", "service", "Tenants I belong to",
                {"200": answer("They.", {"type": "array", "items": _OBJECT})},
            )
        },
        "/auth/v1/tenants/{slug}/session": {
            "parameters": [_SLUG],
            "post": operation(
                "enter_tenant", "service", "A session in a tenant", session, writes=True,
                body=json_body(
                    {"type": "object", "properties": {"cookie": {"type": "boolean"}}}, {"cookie": False},
                    required=False,
                ),
            ),
        },
    }  # fmt: skip


def _billing() -> dict[str, Any]:
    papers: dict[str, Any] = {"application/pdf": {"schema": {}}, "text/csv": {"schema": {}}}
    which = parameter("format", "of the paper", "path", {"enum": ["pdf", "csv"]}, "pdf")
    return {
        "/invoices/{id}/{format}": {
            "parameters": [
                parameter("id", "of the invoice", "path", {"type": "string", "format": "uuid"}), which
            ],
            "get": operation(
                "invoice_paper", "service", "An invoice on paper",
                {"200": {"description": "The paper.", "content": papers}},
            ),
        },
        "/webhooks/{provider}/notices": {
            "parameters": [parameter("provider", "of payments", "path", example="stripe")],
            "post": operation(
                "payment_notice", "service", "What a payment provider tells us, signed",
                {"200": answer("Taken.", {}), "202": answer("Taken.", {}), "204": answer("Taken.")},
                body=json_body(_OBJECT), writes=True,
            ),
        },
    }  # fmt: skip
