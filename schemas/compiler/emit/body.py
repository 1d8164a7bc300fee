"""What a request body may hold, per entity, as JSON Schemas for jsonschema-rs.

Decides which fields may be written and which must be. Unknown fields are refused (``additionalProperties``),
read-only ones too (their schema is ``false``). Access rules are not its business. Called by the write
pipeline and OpenAPI.

Compile them with ``validate_formats=True, pattern_options=RegexOptions()``: no pattern may take exponential
time.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from schemas.compiler.model import Entity, Field

JsonSchema = dict[str, Any]

_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
_RANGE = r"^(empty|[\[(][^,]*,[^,]*[\])])$"
_INTEGER_BITS = {"integer": 31, "bigint": 63}
_SIZES = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
}
_ANNOTATIONS = ("description", "examples", "deprecated")


def body_schemas(entity: Entity, *, trusted: bool = False) -> dict[str, JsonSchema]:
    """Return the schemas of a row to create (``create``) and of changes to one (``update``).

    Args:
        entity: of the rows.
        trusted: for what the tenant's own functions write: ``readOnly`` keeps clients out, not them.
    """
    writable = _settable if trusted else _writable
    properties = {
        field.name: value_schema(field) if writable(field) else False for field in entity.fields.values()
    }
    required = [
        field.name
        for field in entity.fields.values()
        if writable(field) and field.required and not field.has_default and not field.generated
    ]
    update: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"create": update | ({"required": required} if required else {}), "update": update}


class Bounds(Struct, frozen=True):
    """What a number must meet; None for what its schema does not ask."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None
    exclusive_minimum: Decimal | None = None
    exclusive_maximum: Decimal | None = None
    multiple_of: Decimal | None = None

    def admit(self, value: int | Decimal) -> bool:
        """Whether a number is surely within; the schema has the last word on others."""
        try:
            return (
                (self.minimum is None or value >= self.minimum)
                and (self.maximum is None or value <= self.maximum)
                and (self.exclusive_minimum is None or value > self.exclusive_minimum)
                and (self.exclusive_maximum is None or value < self.exclusive_maximum)
                and (self.multiple_of is None or value % self.multiple_of == 0)
            )
        except InvalidOperation:
            return False


def without_bounds(schema: JsonSchema) -> tuple[JsonSchema, Mapping[str, Bounds]]:
    """Take what a body's schema asks of the size of its numbers out of it.

    jsonschema-rs compares a ``Decimal`` in 7 to 15 us, more than everything else about a row together.
    """
    found: dict[str, Bounds] = {}
    properties = dict(schema["properties"])
    for name, value in properties.items():
        if value and (asked := _SIZES.keys() & value.keys()):
            properties[name] = {key: item for key, item in value.items() if key not in asked}
            found[name] = Bounds(**{_SIZES[key]: Decimal(str(value[key])) for key in asked})
    return schema | {"properties": properties}, found


def value_schema(field: Field) -> JsonSchema:
    """Return the schema a value of a field must meet: its own, null where allowed, the column's bounds."""
    schema = {name: value for name, value in field.schema.items() if name not in _ANNOTATIONS}
    form = schema.get("format")
    if form == "time":
        # JSON Schema's time demands an offset, which the column does not keep
        schema = {name: value for name, value in schema.items() if name != "format"} | {"pattern": _TIME}
    elif field.kind == "range":
        schema = {"type": "string", "pattern": _RANGE}
    elif field.kind in _INTEGER_BITS:
        bound = 2 ** _INTEGER_BITS[field.kind]
        schema["minimum"] = max(schema.get("minimum", -bound), -bound)
        schema["maximum"] = min(schema.get("maximum", bound - 1), bound - 1)
    elif field.kind == "numeric" and "(" in field.pg_type:
        precision, _, scale = field.pg_type.partition("(")[2].rstrip(")").partition(",")
        bound = 10 ** (int(precision) - int(scale or 0))
        schema.setdefault("exclusiveMaximum", bound)
        schema.setdefault("exclusiveMinimum", -bound)
    if not field.schema:
        return schema
    return _or_null(schema) if field.nullable else schema


def _or_null(schema: JsonSchema) -> JsonSchema:
    if "const" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = schema | {"type": [schema["type"], "null"]} if "type" in schema else dict(schema)
    if "enum" in schema and None not in schema["enum"]:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _writable(field: Field) -> bool:
    return not (field.read_only or field.computed is not None or field.generated in {"managed", "sequence"})


def _settable(field: Field) -> bool:
    return field.computed is None and field.generated != "managed"
