"""Reports in OpenAPI: each that is for the caller, with its parameters.

Decides whom they are shown to: those with a report's ``roles`` who may read what it is about. Pure; called by
``openapi``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.compiler.emit.openapi_parts import answer, operation, parameter
from schemas.compiler.emit.visible import EntityView
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.sections.reports import Report

_OBJECT: Mapping[str, Any] = {"type": "object"}
_OBJECTS: Mapping[str, Any] = {"type": "array", "items": _OBJECT}
_BINARY: Mapping[str, Any] = {"type": "string", "format": "binary"}
_MADE: Mapping[str, Any] = {
    "type": "object",
    "required": ["name", "columns", "rows", "total", "complete"],
    "properties": {
        "name": {"type": "string"}, "entity": {"type": "string"}, "parameters": _OBJECT,
        "columns": _OBJECTS, "rows": _OBJECTS, "subtotals": _OBJECTS, "total": {"type": ["object", "null"]},
        "complete": {"type": "boolean"}, "made_at": {"type": "string", "format": "date-time"},
    },
}  # fmt: skip
_FILES: Mapping[str, Mapping[str, Any]] = {
    "text/csv": {"type": "string"},
    "application/pdf": _BINARY,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
}
_OURS = frozenset({"title", "references", "$comment"})
"""Keywords that are for pages."""


def report_paths(model: TenantModel, views: Sequence[EntityView], principal: Principal) -> dict[str, Any]:
    """Return the paths of the caller's reports."""
    readable = {view.entity.name for view in views if view.readable}
    reports: Mapping[str, Report] = model.sections.get("reports") or {}
    mine = {
        name: report
        for name, report in reports.items()
        if report.entity in readable and (not report.roles or principal.roles & {SERVICE_ROLE, *report.roles})
    }
    if not mine:
        return {}
    paths: dict[str, Any] = {
        "/reports/v1": {
            "get": operation(
                "list_reports", "service", "Reports of mine", {"200": answer("Reports.", _OBJECTS)}
            )
        }
    }
    for name, report in mine.items():
        title = report.title.get("en") or next(iter(report.title.values()), name)
        asked = [_parameter(key, schema) for key, schema in report.params.items()]
        paths[f"/reports/v1/{name}"] = {
            "get": operation(
                f"report_{name.replace('-', '_')}", report.entity, f"Report: {title}",
                {"200": answer("The report; by Accept, or .csv, .xlsx, .pdf: a file.", _MADE, others=_FILES)},
                parameters=asked,
            )
        }  # fmt: skip
        if report.mailed and principal.roles & {ADMIN_ROLE, SERVICE_ROLE} and principal.scopes is None:
            paths[f"/reports/v1/{name}/mail"] = {
                "post": operation(
                    f"mail_report_{name.replace('-', '_')}", report.entity, f"Mail the report now: {title}",
                    {"202": answer("It will be mailed.", _OBJECT)}, writes=True,
                )
            }  # fmt: skip
    return paths


def _parameter(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    default = schema.get("default")
    shown = {word: value for word, value in schema.items() if word not in _OURS}
    text = str(schema.get("description") or "")
    if isinstance(default, Expression):
        del shown["default"]
        text = f"{text} {default.text} by default.".strip()
    return parameter(name, text or "Conditions on it count when it has a value.", schema=shown)
