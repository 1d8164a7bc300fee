"""The types of expressions, and which PostgreSQL type carries each."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from typing_extensions import override


class CelType(Struct, frozen=True):
    """A type.

    Attributes:
        kind: bool, int, decimal, double, string, timestamp, date, time, duration, list, object, json, null,
            entity, any.
        element: of a list.
        entity: of an entity row.
        fields: of an object with declared properties (a JSON value).
        stored: ``json`` for a list held as a JSON array, else "".
    """

    kind: str
    element: "CelType | None" = None
    entity: str = ""
    fields: tuple[tuple[str, "CelType"], ...] = ()
    stored: str = ""

    @override
    def __str__(self) -> str:
        if self.kind == "list":
            return f"list({self.element})"
        if self.kind == "entity":
            return f"{self.entity} row"
        return {"object": "json", "decimal": "number"}.get(self.kind, self.kind)


BOOL = CelType("bool")
INT = CelType("int")
DECIMAL = CelType("decimal")
DOUBLE = CelType("double")
STRING = CelType("string")
TIMESTAMP = CelType("timestamp")
DATE = CelType("date")
TIME = CelType("time")
DURATION = CelType("duration")
JSON = CelType("json")
NULL = CelType("null")
ANY = CelType("any")

NUMBERS = ("int", "decimal", "double")
_SCALAR_PG = {
    "bool": "boolean",
    "int": "bigint",
    "decimal": "numeric",
    "double": "double precision",
    "string": "text",
    "timestamp": "timestamptz",
    "date": "date",
    "time": "time",
    "duration": "numeric",
    "json": "jsonb",
    "object": "jsonb",
    "any": "text",
    "null": "text",
}
_KINDS = {
    "text": STRING,
    "uuid": STRING,
    "inet": STRING,
    "citext": STRING,
    "character varying": STRING,
    "smallint": INT,
    "integer": INT,
    "bigint": INT,
    "numeric": DECIMAL,
    "real": DOUBLE,
    "double precision": DOUBLE,
    "boolean": BOOL,
    "date": DATE,
    "time": TIME,
    "time without time zone": TIME,
    "timestamptz": TIMESTAMP,
    "timestamp with time zone": TIMESTAMP,
    "json": JSON,
    "jsonb": JSON,
}


def list_of(element: CelType, stored: str = "") -> CelType:
    """Return the type of a list."""
    return CelType("list", element=element, stored=stored)


def entity_type(name: str) -> CelType:
    """Return the type of a row of an entity."""
    return CelType("entity", entity=name)


def pg_type_of(kind: CelType) -> str:
    """Return the PostgreSQL type that carries values of this type when no column says otherwise."""
    if kind.kind == "list":
        if kind.stored == "json" or kind.element is None:
            return "jsonb"
        return pg_type_of(kind.element) + "[]"
    return _SCALAR_PG[kind.kind]


def base_pg_type(pg_type: str) -> str:
    """Return a column type without modifiers, spelled as for casts: ``numeric(12,2)`` -> ``numeric``."""
    array = pg_type.endswith("[]")
    name = pg_type.removesuffix("[]").split("(")[0].strip()
    name = {
        "timestamp with time zone": "timestamptz",
        "time without time zone": "time",
        "character varying": "text",
        "integer": "bigint",
        "smallint": "bigint",
        "real": "double precision",
        "json": "jsonb",
    }.get(name, name)
    return name + "[]" if array else name


def type_of_column(pg_type: str, schema: Mapping[str, Any] | None = None) -> CelType:
    """Return the type of a column from its PostgreSQL type and, for JSON, its JSON Schema."""
    if pg_type.endswith("[]"):
        return list_of(type_of_column(pg_type[:-2]))
    kind = _KINDS.get(pg_type.split("(", maxsplit=1)[0].strip(), ANY)
    if kind == JSON and schema:
        return type_of_schema(schema)
    return STRING if kind == ANY else kind


def type_of_schema(schema: Mapping[str, Any]) -> CelType:
    """Return the type of a JSON value described by a JSON Schema; what says too little is json."""
    declared = schema.get("type")
    names = [name for name in (declared if isinstance(declared, list) else [declared]) if name != "null"]
    match names:
        case ["string"]:
            return STRING
        case ["integer"]:
            return INT
        case ["number"]:
            return DECIMAL
        case ["boolean"]:
            return BOOL
        case ["array"]:
            items = schema.get("items")
            return list_of(type_of_schema(items) if isinstance(items, Mapping) else JSON, "json")
        case ["object"]:
            properties = schema.get("properties")
            if not isinstance(properties, Mapping) or not properties:
                return JSON
            fields = tuple(
                (str(key), type_of_schema(value))
                for key, value in properties.items()
                if isinstance(value, Mapping)
            )
            return CelType("object", fields=fields)
        case _:
            return JSON
