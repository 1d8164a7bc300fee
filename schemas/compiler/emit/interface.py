"""The schema as interfaces need it: labels, types, relations, views, workflows, dashboards; for one caller.

Decides what pages are built from, so that they hold no code of any tenant. What the caller may not read is
not in it; who may do what with a row is the API's answer. Pure; called by ``actors.tenant.describe``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.compiler.emit.visible import EntityView, visible_entities, visible_functions, writable
from schemas.compiler.expressions.shapes import relation_name
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.model import Field, TenantModel
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.sections.dashboards import Dashboard
from schemas.compiler.sections.functions import Function
from schemas.compiler.sections.reports import Report
from schemas.compiler.sections.tenant import Branding
from schemas.compiler.sections.workflow import Workflow

_SETTLED = frozenset({"roles", "email"})


def branding_of(model: TenantModel) -> dict[str, Any]:
    """Return what everybody may know before they sign in: names, colour, logo, languages."""
    branding: Branding = model.sections.get("branding") or Branding()
    return {
        "service": model.slug,
        "title": dict(branding.name or model.title),
        "color": branding.color,
        "logo": branding.logo,
        "icon": branding.icon,
        "theme": branding.theme,
        "languages": list(model.languages),
    }


def interface_document(model: TenantModel, version: int, base: str, principal: Principal) -> dict[str, Any]:
    """Return the JSON view of the schema.

    Args:
        model: in force.
        version: of the file.
        base: path of the tenant's API.
        principal: who asks.
    """
    views = {view.entity.name: view for view in visible_entities(model, principal)}
    return {
        "service": model.slug,
        "title": dict(model.title),
        "version": version,
        "languages": list(model.languages),
        "timezone": model.timezone,
        "currency": model.currency,
        "base": base,
        "branding": branding_of(model),
        "roles": {name: {"inherits": list(role.inherits)} for name, role in model.roles.items()},
        "entities": {name: _entity(view, views, principal) for name, view in views.items()},
        "dashboards": {
            name: {
                "title": dict(board.title),
                "widgets": [_plain(widget) for widget in board.widgets if widget.entity in views],
            }
            for name, board in _mine(model.sections.get("dashboards"), principal)
        },
        "reports": {
            name: _plain(report)
            for name, report in _mine(model.sections.get("reports"), principal)
            if report.entity in views
        },
        "functions": {function.name: _function(function) for function in visible_functions(model, principal)},
    }


def _mine(
    named: Mapping[str, Dashboard] | Mapping[str, Report] | None, principal: Principal
) -> Iterable[tuple[str, Any]]:
    """Yield what is for the caller's roles."""
    for name, thing in (named or {}).items():
        if _for(thing.roles, principal):
            yield name, thing


def _for(roles: tuple[str, ...], principal: Principal) -> bool:
    return not roles or not principal.roles.isdisjoint({SERVICE_ROLE, *roles})


def _entity(view: EntityView, views: Mapping[str, EntityView], principal: Principal) -> dict[str, Any]:
    entity = view.entity
    writes = view.creatable is not None or view.updatable is not None
    document: dict[str, Any] = {
        "title": dict(entity.title),
        "description": entity.description,
        "key": entity.key,
        "label": entity.label if entity.label in view.readable else None,
        "soft_delete": entity.soft_delete,
        "history": entity.sections.get("history") is not None,
        "comments": bool(entity.sections.get("comments")),
        "added": entity.added,
        "may": list(view.verbs),
        "fields": {
            field.name: _field(field, views)
            for field in entity.fields.values()
            if field.name in view.readable or (field.write_only and writes)
        },
        "inverse": [
            {"entity": other.entity.name, "field": field.name, "relation": relation_name(field.name)}
            for other in views.values()
            for field in other.entity.fields.values()
            if field.references is not None
            and field.references.entity == entity.name
            and field.name in other.readable
        ],
        "views": {
            name: _plain(shown)
            for name, shown in (entity.sections.get("views") or {}).items()
            if _for(shown.roles, principal)
        },
    }
    workflow: Workflow | None = entity.sections.get("workflow")
    if workflow is not None and workflow.field in view.readable:
        document["workflow"] = _workflow(workflow, view.transitions)
    return document


def _field(field: Field, views: Mapping[str, EntityView]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": field.kind,
        "schema": dict(field.schema),
        "required": field.required,
        "nullable": field.nullable,
        "writable": writable(field),
    }
    if field.title:
        document["title"] = dict(field.title)
    if field.description:
        document["description"] = field.description
    for name in ("unique", "searchable", "write_only", "has_default"):
        if getattr(field, name):
            document[name] = True
    if field.computed is not None:
        document["computed"] = True
    if field.generated:
        document["generated"] = field.generated
    if field.default_value is not None:
        document["default"] = field.default_value
    if field.options:
        document["options"] = dict(field.options)
    if field.references is not None:
        other = views.get(field.references.entity)
        label = None if other is None else other.entity.label
        document["references"] = {
            "entity": field.references.entity,
            "field": field.references.field,
            "relation": relation_name(field.name),
            "label": label if other is not None and label in other.readable else None,
        }
    return document


def _workflow(workflow: Workflow, mine: tuple[str, ...]) -> dict[str, Any]:
    return {
        "field": workflow.field,
        "states": {name: _plain(state) for name, state in workflow.states.items()},
        "transitions": {
            name: {
                "sources": list(way.sources),
                "target": way.target,
                "roles": list(way.roles),
                "quorum": way.quorum,
                "allow_self": way.allow_self,
                "comment": way.comment,
                "confirm": way.confirm,
                "title": dict(way.title),
                "guarded": way.guard is not None,
                "mine": name in mine,
            }
            for name, way in workflow.transitions.items()
        },
    }


def _function(function: Function) -> dict[str, Any]:
    return {"args": None if function.args is None else dict(function.args), "read_only": function.read_only}


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a section's value as JSON: who it is for is settled, expressions are their text."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, str | int | float):
        return value
    names: tuple[str, ...] = type(value).__match_args__  # type: ignore[attr-defined]
    return {name: _plain(getattr(value, name)) for name in names if name not in _SETTLED}
