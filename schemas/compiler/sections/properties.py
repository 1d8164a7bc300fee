"""``schema``: the shape of an entity in JSON Schema 2020-12, the subset we read, and the keys beside it.

Decides which keywords exist. What they mean together is decided in ``parse``; which column they become, in
``fieldtypes``.
"""

import jsonschema_rs
from typing_extensions import override

from schemas.compiler.fieldtypes import FORMATS, JSON_TYPES
from schemas.compiler.findings import Findings
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Either, FormerNames, Later, Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import DATE, SIZE
from schemas.compiler.grammar.scalars import ANY, BOOLEAN, NUMBER, TEXT, Choice, Integer, Text
from schemas.compiler.grammar.shape import Shape
from schemas.compiler.grammar.slots import Cel
from schemas.compiler.names import FIELD_PATTERN
from schemas.compiler.nodes import Node, Scalar

MAX_FIELDS = 200


class Pattern(Text):
    """A regular expression that RE2 accepts: linear time, no look-around, no back references."""

    def __init__(self) -> None:
        super().__init__("a regular expression", most=1000, examples=("^[A-Z]{2}[0-9]+$",))

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.wrong_kind(node, findings)
            return None
        return super().check(node, findings)

    @override
    def _fits(self, node: Scalar, text: str, findings: Findings) -> bool:
        if not super()._fits(node, text, findings):
            return False
        import re2  # noqa: PLC0415 - 3 MB that servers, whose compiler is another process, do not need

        try:
            options = re2.Options()
            options.log_errors = False
            re2.compile(text, options)
        except re2.error as error:
            reason = (
                error.args[0].decode("utf-8", "replace")
                if isinstance(error.args[0], bytes)
                else str(error.args[0])
            )
            findings.error(
                "field.pattern",
                f"RE2 does not accept this pattern: {reason}",
                node,
                "look-around and back references take exponential time",
            )
            return False
        try:
            jsonschema_rs.Draft202012Validator(
                {"pattern": text}, pattern_options=jsonschema_rs.RegexOptions()
            )
        except (ValueError, jsonschema_rs.ValidationError):
            findings.error(
                "field.pattern",
                "request bodies cannot be checked with this pattern",
                node,
                "write it simpler",
            )
            return False
        return True


class FieldNames(Many):
    """``required``: names of properties."""

    def __init__(self) -> None:
        super().__init__(TEXT, "property names", most=MAX_FIELDS)

    @override
    def wrong_kind(self, node: Node, findings: Findings, hint: str = "") -> None:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            hint = "JSON Schema lists required properties beside 'properties': required: [name]"
        super().wrong_kind(node, findings, hint)


def _nested() -> Shape:
    return _NESTED


def _subschema() -> Shape:
    return SUBSCHEMA


_TYPE = Choice(JSON_TYPES, "a JSON Schema type")
_COUNT = Integer(0, 10_000_000)

_SUGGEST = {
    "nullable": 'write type: [string, "null"]',
    "$ref": "write the form out: there are no $defs here",
    "oneOf": "write the form out; alternatives are a rule: rules: [{rule: ...}]",
    "anyOf": "write the form out; alternatives are a rule: rules: [{rule: ...}]",
    "allOf": "write the form out",
    "not": "write a rule: rules: [{rule: ...}]",
    "if": "write a rule: rules: [{rule: ...}]",
    "patternProperties": "write additionalProperties: true",
    "primaryKey": "the entity's 'key' names its key field",
    "foreignKey": "write references: <entity>",
    "relation": "write references: <entity>",
    "ref": "write references: <entity>",
    "required_if": "form conditions stand in views.form.fields",
    "auto_increment": "an integer key counts by itself; for numbers with text: sequence",
    "index": "indexes stand beside the schema: indexes: [{fields: [...]}]",
    "hidden": "write hide in access, or writeOnly: true",
}

VALUE_KEYWORDS = {
    "type": Key(
        Either(single=_TYPE, many=Many(_TYPE, "types", least=1, most=2)),
        'JSON type; [x, "null"] may be null.',
        examples=("string", ["string", "null"]),
    ),
    "format": Key(
        Choice(FORMATS, "a format we know"), "What the text or number holds; it decides the column's type."
    ),
    "title": Key(Titles(), "What people read, perhaps per language."),
    "description": Key(Text("a text", most=10_000), "Explanation for people."),
    "examples": Key(Many(ANY, "examples"), "Example values."),
    "enum": Key(
        Many(ANY, "values", least=1, most=500), "The only values allowed.", examples=(["draft", "sent"],)
    ),
    "const": Key(ANY, "The only value allowed."),
    "minLength": Key(_COUNT, "Least number of characters."),
    "maxLength": Key(_COUNT, "Most characters."),
    "pattern": Key(Pattern(), "RE2 regular expression a text must contain; anchor it with ^ and $."),
    "minimum": Key(NUMBER, "Least value."),
    "maximum": Key(NUMBER, "Greatest value."),
    "exclusiveMinimum": Key(NUMBER, "The value must be greater."),
    "exclusiveMaximum": Key(NUMBER, "The value must be less."),
    "multipleOf": Key(
        NUMBER, "The step; 0.01 also makes the column a decimal of two places.", examples=(0.01,)
    ),
    "minItems": Key(_COUNT, "Least number of items."),
    "maxItems": Key(_COUNT, "Most items."),
    "uniqueItems": Key(BOOLEAN, "No item twice."),
    "properties": Key(Later(_nested, "properties by name"), "Properties of an object."),
    "required": Key(FieldNames(), "Properties an object must have."),
    "additionalProperties": Key(
        BOOLEAN, "Whether an object may have other properties; false by default when it declares some."
    ),
    "minProperties": Key(_COUNT, "Least number of properties."),
    "maxProperties": Key(_COUNT, "Most properties."),
    "items": Key(Later(_subschema, "the form of the items"), "The form of an array's items."),
    "deprecated": Key(BOOLEAN, "Still there, but on its way out."),
    "$comment": Key(TEXT, "A remark nobody else reads."),
}

SUBSCHEMA = Record(
    "value schema",
    "The form of a value inside a JSON field: the JSON Schema subset without our sibling keys.",
    VALUE_KEYWORDS
    | {"default": Key(ANY, "Documented default; the server does not fill values inside JSON.")},
    code="field.unknown_keyword",
    suggest=_SUGGEST,
)
_NESTED = Keyed("property", SUBSCHEMA, pattern=r".{1,200}", says="1 to 200 characters", most=MAX_FIELDS)

FIELD = Record(
    "field",
    "A field: JSON Schema keywords, and beside them what JSON Schema cannot say.",
    VALUE_KEYWORDS
    | {
        "default": Key(
            ANY,
            "Value when the request leaves it out: a literal, or CEL over user, tenant and now.",
            examples=("draft", "user.id", "today()"),
        ),
        "readOnly": Key(BOOLEAN, "Set by the server or by functions; refused in requests."),
        "writeOnly": Key(BOOLEAN, "Accepted and never shown."),
        "unique": Key(BOOLEAN, "No two rows have the same value; rows without one do not count."),
        "searchable": Key(BOOLEAN, "search= looks here."),
        "personal": Key(BOOLEAN, "Personal data: masked in clones and logs."),
        "references": Key(
            TEXT,
            "Entity whose key this field holds; customer_id also makes the relation customer.",
            examples=("customers",),
        ),
        "onDelete": Key(
            Choice(
                {
                    "restrict": "the row it refers to cannot be deleted",
                    "cascade": "this row is deleted too",
                    "set_null": "the reference becomes null",
                }
            ),
            "What happens when the row it refers to is deleted; restrict by default.",
        ),
        "sequence": Key(
            Text("a sequence pattern", most=120),
            "Gapless number made at creation: {n}, {n:05}, {year}, {month}, {day}.",
            examples=("INV-{year}-{n:05}",),
        ),
        "computed": Key(
            Cel(Use("a computed field", "any", "sql")),
            "CEL over the row; never written.",
            examples=("self.net * 1.19",),
        ),
        "stored": Key(
            BOOLEAN,
            "Keep the value in a column (it may only read its own row).",
        ),
        "virtual": Key(BOOLEAN, "Compute when read: the default."),
        "renamed_from": Key(
            FormerNames(FIELD_PATTERN),
            "The field's former name: its data moves along. All its former names, when it had several.",
            examples=("vat", ["vat_no", "vat"]),
        ),
        "alias_until": Key(DATE, "The old names keep answering until this day, with a Deprecation header."),
        "restore_from": Key(
            Text("the archived field's name", pattern=FIELD_PATTERN, most=63),
            "Bring an archived field's data back.",
        ),
        "accept": Key(
            Many(
                Text(
                    "a media type",
                    pattern=r"[a-z]+/(\*|[a-z0-9.+\-]+)",
                    examples=("application/pdf", "image/*"),
                ),
                "media types",
                least=1,
                most=50,
                single=True,
            ),
            "Media types a file may have.",
        ),
        "maxSize": Key(SIZE, "Largest file.", examples=("5MiB",)),
        "protected": Key(BOOLEAN, "The file is only handed out by signed, expiring links."),
        "currency": Key(
            Text("a currency code", pattern=r"[A-Z]{3}", examples=("EUR",)),
            "Currency of an amount; the tenant's by default.",
        ),
    },
    code="field.unknown_keyword",
    suggest=_SUGGEST,
)

ENTITY_SCHEMA = Record(
    "entity schema",
    "The shape of an entity's rows, in JSON Schema 2020-12.",
    {
        "$schema": Key(TEXT, "JSON Schema dialect; 2020-12."),
        "$id": Key(TEXT, "Ignored."),
        "$comment": Key(TEXT, "A remark nobody else reads."),
        "type": Key(Choice(("object",), "object: an entity's rows are objects"), "object."),
        "title": Key(Titles(), "What people read; the entity's title wins."),
        "description": Key(Text("a text", most=10_000), "Explanation for people."),
        "required": Key(FieldNames(), "Fields a row must have."),
        "properties": Key(Keyed("field", FIELD, pattern=FIELD_PATTERN, most=MAX_FIELDS), "Fields by name."),
        "additionalProperties": Key(BOOLEAN, "Requests with unknown fields are refused in any case."),
    },
    suggest={
        "indexes": "indexes stand beside the schema, in the entity",
        "key": "key stands beside the schema, in the entity",
    },
)
