"""Rows in OpenAPI: collection and single row of each entity, their schemas, filters and examples.

Decides what a row looks like in both directions for one caller. Pure; called by ``openapi``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.compiler.emit.body import body_schemas, value_schema
from schemas.compiler.emit.examples import NONE, example_of, example_row
from schemas.compiler.emit.openapi_files import form_body
from schemas.compiler.emit.openapi_history import as_of, not_kept
from schemas.compiler.emit.openapi_parts import (
    IDEMPOTENCY,
    IF_MATCH,
    IF_NONE_MATCH,
    LIST_WORDS,
    PREFER,
    answer,
    json_body,
    operation,
    parameter,
)
from schemas.compiler.emit.visible import EntityView, writable
from schemas.compiler.model import Field
from schemas.compiler.names import URL_WORDS

_CSV, _LINES, _OBJECT = "text/csv", "application/x-ndjson", "application/vnd.pgrst.object+json"
_TEXT = {"type": "string"}
_FILTERS = (
    "column=operator.value; operators: eq neq gt gte lt lte like ilike match imatch in is isdistinct fts "
    "plfts phfts wfts cs cd ov sl sr nxr nxl adj; not. before, (any) or (all) after. Relations and JSON "
    "paths filter alike: customer.name=eq.Acme, meta->>a=eq.1."
)
_PAGE = {
    "Content-Range": "0-24/573: which rows, of how many when counted",
    "Preference-Applied": "preferences that were followed",
    "Next-Cursor": "for after=, when the request pages by cursor and there is more",
}
_ONE_HEADERS = {"ETag": "version of the row, for If-Match"}
_DONE = "Done; Prefer: return=representation answers with the rows."


def row_schemas(views: Iterable[EntityView]) -> dict[str, Any]:
    """Return the schemas of rows read, made and changed, by name."""
    schemas: dict[str, Any] = {}
    for view in views:
        name = view.entity.name
        if view.readable:
            schemas[name] = _row(view)
        bodies = body_schemas(view.entity)
        for verb, fields in (("create", view.creatable), ("update", view.updatable)):
            if fields is not None:
                schemas[f"{name}.{verb}"] = _body(view, bodies[verb], fields, verb)
    return schemas


def row_paths(view: EntityView) -> dict[str, Any]:
    """Return both paths of an entity."""
    name, key = view.entity.name, view.entity.fields[view.entity.key]
    example = example_of(key)
    of_row: dict[str, Any] = {
        "parameters": [
            parameter("id", key.name, "path", value_schema(key), None if example is NONE else example)
        ]
    }
    collection: dict[str, Any] = {}
    if view.readable:
        collection["get"], of_row["get"] = _list(view), _get(view)
    if view.creatable is not None:
        collection["post"] = _create(view)
    if view.updatable is not None:
        collection["patch"], of_row["patch"] = _update(view), _update_one(view)
    if view.creatable is not None and view.updatable is not None:
        of_row["put"] = _put(view)
        which = parameter(key.name, "eq. and the key, which the body has, too.")
        collection["put"] = {**of_row["put"], "operationId": f"replace_{name}"}
        collection["put"]["parameters"] = [which, *of_row["put"]["parameters"]]
    if view.delete:
        collection["delete"], of_row["delete"] = _delete(view), _delete_one(view)
    paths = {f"/{name}": collection} if collection else {}
    if view.transitions:
        word = {"enum": list(view.transitions)}
        parameters = [*of_row["parameters"], parameter("name", "of the transition", "path", word)]
        paths[f"/{name}/{{id}}/transitions/{{name}}"] = {"parameters": parameters, "post": _move(view)}
    return paths | ({f"/{name}/{{id}}": of_row} if len(of_row) > 1 else {})


def _row(view: EntityView) -> dict[str, Any]:
    fields = _shown(view)
    schema: dict[str, Any] = {
        "type": "object",
        "description": view.entity.description or f"A row of {view.entity.name}.",
        "properties": {field.name: _told(field, masked=field.name in view.masked) for field in fields},
    }
    if example := example_row(fields):
        schema["examples"] = [example]
    return schema


def _told(field: Field, *, masked: bool = False, sent: bool = False) -> dict[str, Any]:
    """Return the schema of one value, with what people read of it."""
    schema = dict(value_schema(field))
    if masked and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    text = field.description or field.title.get("en") or next(iter(field.title.values()), "")
    if text:
        schema["description"] = text
    if field.references is not None:
        schema["description"] = f"{text} Key of {field.references.entity}.".strip()
    if field.schema.get("deprecated"):
        schema["deprecated"] = True
    if sent and field.has_default and field.default_value is not None:
        schema["default"] = field.default_value
    if not sent and not writable(field):
        schema["readOnly"] = True
    example = example_of(field)
    return schema if example is NONE else schema | {"examples": [example]}


def _body(view: EntityView, schema: Mapping[str, Any], names: frozenset[str], verb: str) -> dict[str, Any]:
    fields = [field for field in view.entity.fields.values() if field.name in names]
    made = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _told(field, sent=True) for field in fields},
    }
    required = [name for name in schema.get("required", ()) if name in names]
    if required:
        made["required"] = required
    example = example_row(_typical(view, fields, required, verb), required)
    return made | ({"examples": [example]} if example else {})


def _typical(view: EntityView, fields: list[Field], required: list[str], verb: str) -> list[Field]:
    """Return the fields an example shows: those one would write by hand."""
    optional = 3 if verb == "create" else 2
    shown = [field for field in fields if field.name in required and verb == "create"]
    for field in fields:
        if field not in shown and field.name != view.entity.key and field.references is None and optional:
            shown.append(field)
            optional -= 1
    return shown


def _shown(view: EntityView) -> list[Field]:
    return [field for field in view.entity.fields.values() if field.name in view.readable]


def filters(view: EntityView) -> list[dict[str, Any]]:
    """Return a query parameter for each field one can filter by."""
    return [
        parameter(field.name, f"operator.value, e.g. {_sample(field)}")
        for field in _shown(view)
        if field.name not in URL_WORDS
    ]


def _sample(field: Field) -> str:
    value = example_of(field)
    return "is.null" if value is NONE or isinstance(value, dict | list) else f"eq.{value}"


def _list(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    rows = _rows(view)
    others = {_CSV: _TEXT, _LINES: _TEXT, _OBJECT: _reference(view)}
    return operation(
        f"list_{name}", name, f"Read {name}",
        {
            "200": answer("The rows.", rows, headers=_PAGE, others=others),
            "206": answer("Some of the rows that were counted.", rows, headers=_PAGE, others=others),
            "304": answer("Nothing changed."),
        } | not_kept(view),
        parameters=[*LIST_WORDS, *as_of(view), *filters(view), PREFER, _range()], description=_FILTERS,
    )  # fmt: skip


def _get(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    others = {_CSV: _TEXT, _OBJECT: _reference(view)}
    return operation(
        f"get_{name}", name, f"Read one of {name}",
        {
            "200": answer("The row.", _reference(view), headers=_ONE_HEADERS, others=others),
            "304": answer("Nothing changed."),
        } | not_kept(view),
        parameters=[LIST_WORDS[0], *as_of(view), IF_NONE_MATCH],
    )  # fmt: skip


def _create(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    one = {"$ref": f"#/components/schemas/{name}.create"}
    words = [
        parameter("columns", "Take only these fields of the body."),
        parameter("on_conflict", "Fields that decide which row is meant, with Prefer: resolution=…"),
        LIST_WORDS[0],
    ]
    body = json_body({"anyOf": [one, {"type": "array", "items": one}]}, also=(_CSV,))
    body["content"] |= form_body(view)
    return operation(
        f"create_{name}", name, f"Make {name}: one, or a list, all or none",
        _written(view, ("200", "201")), parameters=[*words, PREFER, IDEMPOTENCY], body=body, writes=True,
    )  # fmt: skip


def _update(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    return operation(
        f"update_{name}", name, f"Change the {name} that the filters find",
        _written(view, ("200", "204")), parameters=[*filters(view), LIST_WORDS[0], PREFER, IDEMPOTENCY],
        body=json_body({"$ref": f"#/components/schemas/{name}.update"}), writes=True, description=_FILTERS,
    )  # fmt: skip


def _update_one(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    return operation(
        f"update_one_{name}", name, f"Change one of {name}",
        _written(view, ("200", "204"), many=False),
        parameters=[LIST_WORDS[0], PREFER, IF_MATCH, IDEMPOTENCY],
        body=json_body({"$ref": f"#/components/schemas/{name}.update"}), writes=True,
    )  # fmt: skip


def _put(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    return operation(
        f"put_{name}", name, f"Write one of {name} as a whole; makes it when it is not there",
        _written(view, ("200", "201", "204"), many=False),
        parameters=[LIST_WORDS[0], PREFER, IF_MATCH, IDEMPOTENCY],
        body=json_body({"$ref": f"#/components/schemas/{name}.create"}), writes=True,
    )  # fmt: skip


def _delete(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    return operation(
        f"delete_{name}", name, f"Delete the {name} that the filters find",
        _written(view, ("200", "204")), parameters=[*filters(view), PREFER, IDEMPOTENCY],
        writes=True, description=_FILTERS,
    )  # fmt: skip


def _delete_one(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    return operation(
        f"delete_one_{name}", name, f"Delete one of {name}",
        _written(view, ("200", "204"), many=False), parameters=[PREFER, IF_MATCH, IDEMPOTENCY], writes=True,
    )  # fmt: skip


def _move(view: EntityView) -> dict[str, Any]:
    name = view.entity.name
    body = {"comment": {"type": "string"}, "values": {"type": "object"}}
    moved = {
        "200": answer("The row, moved.", _reference(view), headers=_ONE_HEADERS),
        "202": answer("Others have to agree first.", {"type": "object"}),
        "204": answer("Moved."),
    }
    return operation(
        f"move_{name}", name, f"Move one of {name} to another state", moved,
        parameters=[PREFER, IF_MATCH, IDEMPOTENCY], writes=True,
        body=json_body({"type": "object", "additionalProperties": False, "properties": body}, required=False),
    )  # fmt: skip


def _written(view: EntityView, statuses: tuple[str, ...], *, many: bool = True) -> dict[str, Any]:
    """Return the answers of a write, which hold rows when they are asked for and may be read."""
    schema = _rows(view) if many else _reference(view)
    others = {_CSV: _TEXT, _LINES: _TEXT, _OBJECT: _reference(view)}
    headers = {"Location": "of a row that was made", **_ONE_HEADERS}
    return {
        status: answer(_DONE) if status == "204" else answer(_DONE, schema, headers=headers, others=others)
        for status in statuses
    }


def _reference(view: EntityView) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{view.entity.name}"} if view.readable else {}


def _rows(view: EntityView) -> dict[str, Any]:
    return {"type": "array", "items": _reference(view)}


def _range() -> dict[str, Any]:
    return parameter("Range", "0-24, with Range-Unit: items", "header")
