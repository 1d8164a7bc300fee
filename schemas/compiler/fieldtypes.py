"""The table of field kinds: PostgreSQL type, JSON form, operators, and the keywords each understands.

Decides which column a JSON Schema type becomes. It never reads a file; ``parse`` asks it, and query, layout
and emit read ``FIELD_TYPES``.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from msgspec import Struct

NUMERIC_PRECISION = 38
TEXT_KEYWORDS = frozenset({"minLength", "maxLength", "pattern"})
NUMBER_KEYWORDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
ARRAY_KEYWORDS = frozenset({"items", "minItems", "maxItems", "uniqueItems"})
OBJECT_KEYWORDS = frozenset(
    {"properties", "required", "additionalProperties", "minProperties", "maxProperties"}
)
JSON_KEYWORDS = OBJECT_KEYWORDS | ARRAY_KEYWORDS
FILE_KEYWORDS = frozenset({"accept", "maxSize", "protected"})


class FieldType(Struct, frozen=True):
    """One kind of field.

    Attributes:
        kind: its name in the model.
        pg_type: the column's type as PostgreSQL prints it; ``numeric`` and arrays refine it per field.
        json_type: the JSON Schema type of a value.
        format: the JSON Schema format that selects the kind, or "".
        operators: text | number | range | array | json | boolean | time | uuid | network: which operators
            filter it.
        keywords: the JSON Schema keywords that constrain it.
        says: what it holds, for the reference.
    """

    kind: str
    pg_type: str
    json_type: str
    format: str
    operators: str
    keywords: frozenset[str]
    says: str


def _forms() -> tuple[FieldType, ...]:
    text, number, none = TEXT_KEYWORDS, NUMBER_KEYWORDS, frozenset[str]()
    return (
        FieldType("text", "text", "string", "", "text", text, "a text"),
        FieldType("text", "text", "string", "email", "text", text, "an e-mail address"),
        FieldType("text", "text", "string", "uri", "text", text, "an absolute URI"),
        FieldType("text", "text", "string", "color", "text", none, "a colour such as #0F766E"),
        FieldType("text", "text", "string", "richtext", "text", text, "formatted text, sanitised"),
        FieldType(
            "password", "text", "string", "password", "text", text, "a password: write-only, kept as argon2id"
        ),
        FieldType("file", "text", "string", "file", "text", FILE_KEYWORDS, "a file kept by the server"),
        FieldType("uuid", "uuid", "string", "uuid", "uuid", none, "a UUID"),
        FieldType("date", "date", "string", "date", "time", none, "a calendar day"),
        FieldType("time", "time without time zone", "string", "time", "time", none, "a time of day"),
        FieldType("datetime", "timestamp with time zone", "string", "date-time", "time", none, "an instant"),
        FieldType("inet", "inet", "string", "ipv4", "network", none, "an IPv4 address"),
        FieldType("inet", "inet", "string", "ipv6", "network", none, "an IPv6 address"),
        FieldType("range", "int4range", "string", "int4range", "range", none, "a range of 32-bit integers"),
        FieldType("range", "int8range", "string", "int8range", "range", none, "a range of integers"),
        FieldType("range", "numrange", "string", "numrange", "range", none, "a range of decimals"),
        FieldType("range", "daterange", "string", "daterange", "range", none, "a range of days"),
        FieldType("range", "tstzrange", "string", "tstzrange", "range", none, "a range of instants"),
        FieldType("bigint", "bigint", "integer", "", "number", number, "a 64-bit integer"),
        FieldType("bigint", "bigint", "integer", "int64", "number", number, "a 64-bit integer"),
        FieldType("integer", "integer", "integer", "int32", "number", number, "a 32-bit integer"),
        FieldType("numeric", "numeric", "number", "", "number", number, "an exact decimal"),
        FieldType(
            "double", "double precision", "number", "double", "number", number, "a floating-point number"
        ),
        FieldType(
            "double", "double precision", "number", "float", "number", number, "a floating-point number"
        ),
        FieldType("boolean", "boolean", "boolean", "", "boolean", none, "true or false"),
        FieldType("json", "jsonb", "object", "", "json", JSON_KEYWORDS, "an object, or a list of objects"),
        FieldType("array", "text[]", "array", "", "array", ARRAY_KEYWORDS, "a list of single values"),
    )


FORMS: Mapping[tuple[str, str], FieldType] = {(entry.json_type, entry.format): entry for entry in _forms()}
"""Every form by JSON Schema type and format."""
FIELD_TYPES: Mapping[str, FieldType] = {entry.kind: entry for entry in reversed(_forms())}
"""The plainest form of every kind."""
FORMATS = tuple(sorted({form for _, form in FORMS if form}))
JSON_TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
KEY_KINDS = frozenset({"text", "uuid", "integer", "bigint"})


def field_type(json_type: str, form: str = "") -> FieldType | None:
    """Return the kind for a JSON Schema type and format; None when the format is not of that type."""
    return FORMS.get((json_type, form))


def formats_of(json_type: str) -> tuple[str, ...]:
    """Return the formats of a JSON Schema type."""
    return tuple(sorted(form for kind, form in FORMS if kind == json_type and form))


def numeric_type(multiple_of: object) -> str:
    """Return the numeric column type for a ``multipleOf``, e.g. ``numeric(38,2)`` for 0.01."""
    try:
        exponent = Decimal(str(multiple_of)).normalize().as_tuple().exponent
    except InvalidOperation:
        return "numeric"
    if not isinstance(exponent, int) or exponent < -NUMERIC_PRECISION:
        return "numeric"
    return f"numeric({NUMERIC_PRECISION},{max(0, -exponent)})"
