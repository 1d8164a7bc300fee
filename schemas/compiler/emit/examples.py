"""Examples of values, so that descriptions show what a request looks like.

Decides nothing: a field's own ``examples`` come first, then its default, then the plainest value its schema
allows. Pure; called by ``openapi``.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from schemas.compiler.model import Field

_TEXTS = {
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "01900000-0000-7000-8000-000000000001",
    "date": "2026-01-31",
    "time": "09:30:00",
    "date-time": "2026-01-31T09:30:00+00:00",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "color": "#0F766E",
    "int4range": "[1,10)",
    "int8range": "[1,10)",
    "numrange": "[1.5,9.5)",
    "daterange": "[2026-01-01,2026-02-01)",
    "tstzrange": "[2026-01-01T00:00:00Z,2026-02-01T00:00:00Z)",
}
NONE = object()
"""There is no example: only the file's author could tell one."""


def example_row(fields: Iterable[Field], required: Iterable[str] = ()) -> dict[str, Any] | None:
    """Return an example of an object with these fields, None when one that is required has none."""
    values = {field.name: value for field in fields if (value := example_of(field)) is not NONE}
    return values if values.keys() >= set(required) else None


def example_of(field: Field) -> Any:  # noqa: ANN401 - JSON
    """Return an example of a field's value, ``NONE`` when there is none."""
    if field.has_default and field.default_value is not None:
        return field.default_value
    if not field.schema and field.references is not None:
        return _TEXTS["uuid"] if field.kind == "uuid" else NONE
    return _example(field.schema, field.name)


def _example(schema: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    match next((one for one in kind if one != "null"), None) if isinstance(kind, list) else kind:
        case "string":
            return _text(schema, name)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "array":
            items = schema.get("items")
            one = _example(items, name) if isinstance(items, Mapping) else NONE
            return NONE if one is NONE or schema.get("minItems", 0) > 1 else [one]
        case "object":
            return _object(schema)
        case _:
            return NONE


def _object(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    parts = {name: _example(part, name) for name, part in schema.get("properties", {}).items()}
    found = {name: value for name, value in parts.items() if value is not NONE}
    return found if found.keys() >= set(schema.get("required", ())) else NONE


def _text(schema: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    form = schema.get("format")
    if "pattern" in schema or form == "file":
        return NONE
    text = _TEXTS.get(form or "") or name.replace("_", " ").capitalize()
    most = schema.get("maxLength", len(text))
    if form in _TEXTS:
        return text if schema.get("minLength", 0) <= len(text) <= most else NONE
    return text.ljust(schema.get("minLength", 0), "x")[:most]


def _number(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    step = Decimal(str(schema.get("multipleOf", 1)))
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = Decimal(1) if low is None else Decimal(str(low))
    # the first multiple of the step that is not below, or above where that is left out
    value = -(-value // step) * step
    if "exclusiveMinimum" in schema and value <= Decimal(str(schema["exclusiveMinimum"])):
        value += step
    if high is not None and value > Decimal(str(high)):
        value = Decimal(str(high)) // step * step
    return int(value) if value == value.to_integral_value() else float(value)
