"""A tenant about itself: index, JSON view of the schema, OpenAPI 3.1; from the model that is in force.

Decides the form of these documents. What a caller may not read or write is not in them. Called by
``operations``; documents are kept in the generation, one per set of roles and scopes.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.messages import Call, Result
from actors.tenant.generation import Generation
from actors.tenant.visible import EntityView, visible_entities, writable
from schemas.compiler.emit.body import body_schemas, value_schema
from schemas.compiler.model import Field
from schemas.compiler.principal import Principal

OPENAPI_TYPE = "application/openapi+json; charset=utf-8"
_KEPT = 64
_PROBLEM = {"$ref": "#/components/responses/problem"}
_FILTERS = (
    "A filter per column: column=op.value with eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, in, "
    "is, isdistinct, fts, plfts, phfts, wfts, cs, cd, ov, sl, sr, nxr, nxl, adj; "
    "not. before, (any) or (all) after."
)


def index(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return what this tenant offers; OpenAPI when asked for it."""
    if "openapi" in call.accept:
        return openapi(generation, call, principal)
    document = _kept(generation, "index", call.base, principal, _index)
    return Result(200, document)


def schema(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return the JSON view of the schema, the one user interfaces are built from."""
    return Result(200, _kept(generation, "schema", call.base, principal, _schema))


def openapi(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return OpenAPI 3.1."""
    return Result(200, _kept(generation, "openapi", call.base, principal, _openapi), OPENAPI_TYPE)


def _kept(generation: Generation, name: str, base: str, principal: Principal, make: Any) -> bytes:  # noqa: ANN401
    key = (name, base, principal.roles, principal.scopes)
    found = generation.documents.get(key)
    if found is None:
        # not orjson: bounds of numeric columns have more than 64 bits
        found = json.dumps(make(generation, base, principal), default=_plain, ensure_ascii=False).encode()
        if len(generation.documents) >= _KEPT:
            generation.documents.clear()
        generation.documents[key] = found
    return found


def _index(generation: Generation, base: str, principal: Principal) -> dict[str, Any]:
    model = generation.model
    return {
        "service": model.slug,
        "title": _text(model.title, model.slug),
        "version": generation.version,
        "entities": {
            view.entity.name: f"{base}/{view.entity.name}" for view in visible_entities(model, principal)
        },
        "openapi": f"{base}/openapi.json",
        "schema": f"{base}/schema",
        "rest": f"{base}/rest/v1",
        "batch": f"{base}/batch",
        "status": f"{base}/status",
    }


def _schema(generation: Generation, base: str, principal: Principal) -> dict[str, Any]:
    model = generation.model
    return {
        "service": model.slug,
        "title": dict(model.title),
        "version": generation.version,
        "languages": list(model.languages),
        "timezone": model.timezone,
        "currency": model.currency,
        "base": base,
        "entities": {view.entity.name: _entity_view(view) for view in visible_entities(model, principal)},
    }


def _entity_view(view: EntityView) -> dict[str, Any]:
    entity = view.entity
    return {
        "title": dict(entity.title),
        "description": entity.description,
        "key": entity.key,
        "label": entity.label,
        "soft_delete": entity.soft_delete,
        "may": [
            verb
            for verb, allowed in (
                ("read", bool(view.readable)),
                ("create", view.create),
                ("update", view.update),
                ("delete", view.delete),
            )
            if allowed
        ],
        "fields": {
            field.name: _field_view(field)
            for field in entity.fields.values()
            if field.name in view.readable or (field.write_only and (view.create or view.update))
        },
    }


def _field_view(field: Field) -> dict[str, Any]:
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
    for name in ("unique", "searchable", "write_only"):
        if getattr(field, name):
            document[name] = True
    if field.references is not None:
        document["references"] = {"entity": field.references.entity, "field": field.references.field}
    return document


def _openapi(generation: Generation, base: str, principal: Principal) -> dict[str, Any]:
    model = generation.model
    views = visible_entities(model, principal)
    schemas: dict[str, Any] = {"problem": _problem_schema()}
    paths: dict[str, Any] = {}
    for view in views:
        name = view.entity.name
        schemas[name] = _row_schema(view)
        bodies = body_schemas(view.entity)
        for verb, allowed in (("create", view.create), ("update", view.update)):
            if allowed:
                schemas[f"{name}.{verb}"] = bodies[verb]
        paths[f"/{name}"] = _collection(view)
        paths[f"/{name}/{{id}}"] = _row(view)
    return {
        "openapi": "3.1.0",
        "info": {"title": _text(model.title, model.slug), "version": str(generation.version)},
        "servers": [{"url": base or "/"}],
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "problem": {
                    "description": "A refusal (RFC 9457).",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}
                    },
                }
            },
        },
    }


def _row_schema(view: EntityView) -> dict[str, Any]:
    fields = [field for field in view.entity.fields.values() if field.name in view.readable]
    return {"type": "object", "properties": {field.name: value_schema(field) for field in fields}}


def _collection(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    item: dict[str, Any] = {}
    if view.readable:
        item["get"] = {
            "operationId": f"list_{name}",
            "tags": [name],
            "summary": _text(view.entity.title, name),
            "description": _FILTERS,
            "parameters": [_parameter(word, text) for word, text in _READ_WORDS],
            "responses": {"200": _rows(name), "206": _rows(name), "default": _PROBLEM},
        }
    if view.create:
        one = {"$ref": f"#/components/schemas/{name}.create"}
        item["post"] = {
            "operationId": f"create_{name}",
            "tags": [name],
            "parameters": [_IDEMPOTENCY],
            "requestBody": _body({"oneOf": [one, {"type": "array", "items": one}]}),
            "responses": {"201": _rows(name), "default": _PROBLEM},
        }
    if view.update:
        item["patch"] = {
            "operationId": f"update_{name}",
            "tags": [name],
            "parameters": [_IDEMPOTENCY],
            "requestBody": _body({"$ref": f"#/components/schemas/{name}.update"}),
            "responses": {"200": _rows(name), "204": {"description": "Done."}, "default": _PROBLEM},
        }
    if view.delete:
        item["delete"] = {
            "operationId": f"delete_{name}",
            "tags": [name],
            "responses": {"200": _rows(name), "204": {"description": "Done."}, "default": _PROBLEM},
        }
    return item


def _row(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    key = view.entity.fields[view.entity.key]
    item: dict[str, Any] = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": value_schema(key)}]
    }
    if view.readable:
        item["get"] = {
            "operationId": f"get_{name}",
            "tags": [name],
            "responses": {"200": _rows(name, many=False), "404": _PROBLEM, "default": _PROBLEM},
        }
    if view.update:
        item["patch"] = {
            "operationId": f"update_one_{name}",
            "tags": [name],
            "parameters": [_IDEMPOTENCY, _IF_MATCH],
            "requestBody": _body({"$ref": f"#/components/schemas/{name}.update"}),
            "responses": {
                "200": _rows(name, many=False),
                "204": {"description": "Done."},
                "default": _PROBLEM,
            },
        }
    if view.delete:
        item["delete"] = {
            "operationId": f"delete_one_{name}",
            "tags": [name],
            "parameters": [_IF_MATCH],
            "responses": {"204": {"description": "Done."}, "404": _PROBLEM, "default": _PROBLEM},
        }
    return item


def _rows(name: str, *, many: bool = True) -> dict[str, Any]:
    one = {"$ref": f"#/components/schemas/{name}"}
    content = {"application/json": {"schema": {"type": "array", "items": one} if many else one}}
    return {"description": "Rows." if many else "The row.", "content": content}


def _body(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": content}}}


def _parameter(name: str, text: str, where: str = "query") -> dict[str, Any]:
    return {"name": name, "in": where, "description": text, "schema": {"type": "string"}}


def _problem_schema() -> dict[str, Any]:
    texts = ("type", "title", "detail", "instance", "request_id", "code", "message")
    properties: dict[str, Any] = {name: {"type": "string"} for name in texts}
    properties |= {"status": {"type": "integer"}, "details": {}, "hint": {}}
    properties["errors"] = {"type": "array", "items": {"type": "object"}}
    return {"type": "object", "required": ["type", "status", "code", "message"], "properties": properties}


def _text(titles: Mapping[str, str], fallback: str) -> str:
    return titles.get("en") or next(iter(titles.values()), fallback)


_READ_WORDS = (
    ("select", "columns, relations and aggregates: title,customer:customers(name),amount.sum()"),
    ("order", "column.desc.nullslast, ..."),
    ("limit", "most rows"),
    ("offset", "rows to skip"),
    ("after", "cursor of the last row of the page before"),
    ("search", "words in the searchable fields"),
    ("or", "(a.eq.1,b.gt.2)"),
    ("and", "(a.eq.1,b.gt.2)"),
)
_IDEMPOTENCY = _parameter("Idempotency-Key", "repeat a request safely", "header")
_IF_MATCH = _parameter("If-Match", "the ETag the change is based on", "header")


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    return float(value) if isinstance(value, Decimal) else str(value)
