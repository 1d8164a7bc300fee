"""The JSON Schema keywords of a property: the kind, the column's type, the schema its values must meet.

Decides what a missing ``type`` means and which keywords constrain which types. Called by ``fields``.
"""

from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct

from schemas.compiler.fieldtypes import (
    ARRAY_KEYWORDS,
    FIELD_TYPES,
    FILE_KEYWORDS,
    FORMS,
    NUMBER_KEYWORDS,
    OBJECT_KEYWORDS,
    TEXT_KEYWORDS,
    FieldType,
    field_type,
    formats_of,
    numeric_type,
)
from schemas.compiler.findings import Findings, did_you_mean, quoted
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs, plain

COLOR_PATTERN = "^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$"
_ANY = "any"
_CONSTRAINTS = TEXT_KEYWORDS | NUMBER_KEYWORDS | ARRAY_KEYWORDS | OBJECT_KEYWORDS
_ANNOTATIONS = ("description", "examples", "deprecated")
_WHOSE = {
    **dict.fromkeys(TEXT_KEYWORDS, "texts"),
    **dict.fromkeys(NUMBER_KEYWORDS, "numbers"),
    **dict.fromkeys(ARRAY_KEYWORDS, "arrays"),
    **dict.fromkeys(OBJECT_KEYWORDS, "objects"),
    **dict.fromkeys(FILE_KEYWORDS, "files (format: file)"),
}
_BOUNDS = (
    ("minLength", "maxLength"),
    ("minimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
_PYTHON_TYPES: MappingType[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


class Form(Struct):
    """What the keywords about the value say."""

    type: FieldType
    pg_type: str
    nullable: bool
    schema: dict[str, Any]


def form_of(key: Scalar, node: Mapping, findings: Findings) -> Form | None:
    """Return what a property's keywords say about its values; None after reporting a refusal."""
    json_type, nullable = _json_type(key, node, findings)
    if json_type is None:
        return None
    if json_type == _ANY:
        anything = FIELD_TYPES["json"]
        return Form(anything, anything.pg_type, nullable=True, schema={})
    written = text_of(node, "format") or ""
    kind = field_type(json_type, written)
    place = node.get("format") or key
    if kind is None:
        fits = quoted(sorted({known for known, form in FORMS if form == written}))
        hint = f"'{written}' is a format of {fits}" if fits else did_you_mean(written, formats_of(json_type))
        findings.error("field.format", f"format '{written}' is not for the type {json_type}", place, hint)
        return None
    pg_type = kind.pg_type
    if kind.kind == "numeric" and (step := node.get("multipleOf")) is not None:
        pg_type = numeric_type(step.text if isinstance(step, Scalar) else "")
    schema: dict[str, Any] = {"type": json_type} | ({"format": written} if written else {})
    if kind.format == "color":
        schema["pattern"] = COLOR_PATTERN
    if kind.kind == "array":
        kind, pg_type = _array(node)
    for name, value in pairs(node):
        if name.text in _CONSTRAINTS or name.text in {"enum", "const"} or name.text in _ANNOTATIONS:
            schema[name.text] = _subschemas(name.text, value)
    _close(schema)
    form = Form(kind, pg_type, nullable, schema)
    _check_value_keywords(key, node, form, findings)
    return form


def _json_type(key: Scalar, node: Mapping, findings: Findings) -> tuple[str | None, bool]:
    declared = node.get("type")
    if declared is None:
        return _inferred(key, node, findings), False
    names = [declared.text] if isinstance(declared, Scalar) else []
    if isinstance(declared, Sequence):
        names = [item.text for item in declared.items if isinstance(item, Scalar)]
    rest = [name for name in names if name != "null"]
    if len(rest) != 1:
        findings.error(
            "field.type",
            f"'{key.text}' must have one type besides null",
            declared,
            "write the type it mostly has, and a rule for the rest",
        )
        return None, False
    return rest[0], len(rest) != len(names)


def _inferred(key: Scalar, node: Mapping, findings: Findings) -> str | None:
    """Return the type that other keywords imply; any value when they imply none."""
    if "computed" in node.entries:
        findings.error(
            "field.type",
            f"the computed field '{key.text}' needs a type",
            key,
            "add type: number, for example",
        )
        return None
    examples = node.get("enum") or node.get("const")
    if examples is not None:
        values = (
            [plain(item) for item in examples.items] if isinstance(examples, Sequence) else [plain(examples)]
        )
        for name in ("string", "boolean", "integer", "number", "array", "object"):
            if all(_is_type(value, name) for value in values):
                return name
    for keywords, name in ((ARRAY_KEYWORDS, "array"), (NUMBER_KEYWORDS, "number"), (TEXT_KEYWORDS, "string")):
        if keywords & node.entries.keys():
            return name
    if {"format", "references", "sequence"} & node.entries.keys():
        written = text_of(node, "format")
        return next((known for known, form in FORMS if form == written), "string") if written else "string"
    return "object" if OBJECT_KEYWORDS & node.entries.keys() else _ANY


def _is_type(value: object, name: str) -> bool:
    if isinstance(value, bool) and name != "boolean":
        return False
    if isinstance(value, float) and name == "integer":
        return value.is_integer()
    return isinstance(value, _PYTHON_TYPES[name])


def _array(node: Mapping) -> tuple[FieldType, str]:
    """Return an array's kind and column: a PostgreSQL array of single values, JSON for the rest."""
    items = node.get("items")
    json = FIELD_TYPES["json"]
    if not isinstance(items, Mapping):
        return json, json.pg_type
    declared = items.get("type")
    if not isinstance(declared, Scalar):
        return json, json.pg_type
    element = field_type(declared.text, text_of(items, "format") or "")
    if element is None or element.kind in {"json", "array"}:
        return json, json.pg_type
    pg_type = element.pg_type
    if element.kind == "numeric" and (step := items.get("multipleOf")) is not None:
        pg_type = numeric_type(step.text if isinstance(step, Scalar) else "")
    return FIELD_TYPES["array"], f"{pg_type}[]"


def _subschemas(name: str, value: Node) -> object:
    """Return a keyword's plain value; nested schemas lose remarks and gain strictness."""
    if name == "items" and isinstance(value, Mapping):
        return _subschema(value)
    if name == "properties" and isinstance(value, Mapping):
        return {key: _subschema(entry.value) for key, entry in value.entries.items()}
    return plain(value)


def _subschema(node: Node) -> dict[str, Any]:
    entries = node.entries if isinstance(node, Mapping) else {}
    schema = {
        name: _subschemas(name, entry.value)
        for name, entry in entries.items()
        if name not in {"$comment", "title"}
    }
    _close(schema)
    return schema


def _close(schema: dict[str, Any]) -> None:
    """Refuse undeclared properties of an object that declares some and does not say otherwise."""
    if schema.get("properties"):
        schema.setdefault("additionalProperties", False)


def _check_value_keywords(key: Scalar, node: Mapping, form: Form, findings: Findings) -> None:
    allowed = form.type.keywords
    limited = node.entries.keys() & _WHOSE.keys()
    for name in limited - allowed:
        message = f"'{name}' is for {_WHOSE[name]}; '{key.text}' is {form.type.says}"
        findings.error("field.keyword_not_for_type", message, node.entries[name].key)
    if len(limited) > 1:
        _check_bounds(node, findings)
    step = node.get("multipleOf")
    if isinstance(step, Scalar) and _number(step) <= 0:
        findings.error("field.bounds", "multipleOf must be greater than 0", step)
    _check_enum(key, node, form, findings)
    _check_nested_required(node, node.get("required"), findings)


def _check_bounds(node: Mapping, findings: Findings) -> None:
    for least, most in _BOUNDS:
        low, high = node.get(least), node.get(most)
        if isinstance(low, Scalar) and isinstance(high, Scalar) and _number(low) > _number(high):
            findings.error(
                "field.bounds", f"{least} {low.text} is greater than {most} {high.text}: no value fits", high
            )


def _check_enum(key: Scalar, node: Mapping, form: Form, findings: Findings) -> None:
    json_type = form.schema["type"]
    seen: list[object] = []
    enum, const = node.get("enum"), node.get("const")
    values = list(enum.items) if isinstance(enum, Sequence) else []
    for item in values + ([const] if const is not None else []):
        value = plain(item)
        if not _is_type(value, json_type) and not (value is None and form.nullable):
            text = item.text if isinstance(item, Scalar) else "this"
            hint = f'quote it: "{text}"' if json_type == "string" and isinstance(item, Scalar) else ""
            findings.error("field.enum", f"{text} is no {json_type}, the type of '{key.text}'", item, hint)
        elif item is not const and value in seen:
            findings.error("field.enum", f"{value!r} is listed twice", item)
        seen.append(value)


def _check_nested_required(node: Mapping, names: Node | None, findings: Findings) -> None:
    properties = node.get("properties")
    known = properties.entries if isinstance(properties, Mapping) else {}
    for item in names.items if isinstance(names, Sequence) else []:
        name = str(plain(item))
        if name not in known:
            findings.error(
                "field.required",
                f"'{name}' is required but not among the properties",
                item,
                did_you_mean(name, known),
            )


def text_of(node: Mapping, key: str) -> str | None:
    """Return the text a key holds, or None."""
    value = node.get(key)
    return value.text if isinstance(value, Scalar) and isinstance(value.value, str) else None


def former_names(node: Mapping) -> tuple[str, ...]:
    """Return the names ``renamed_from`` lists."""
    listed = node.get("renamed_from")
    return tuple(str(plain(item)) for item in listed.items) if isinstance(listed, Sequence) else ()


def _number(node: Scalar) -> float:
    return node.value if isinstance(node.value, int | float) else 0
