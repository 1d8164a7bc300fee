"""One property of a JSON Schema to one field: its kind, column type, constraints and what our sibling keys say.

Decides which keywords may stand together. It leaves expressions and references to other entities to ``resolve``. Called
by ``parse``.
"""

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any

from schemas.compiler.drafts import FieldDraft
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
from schemas.compiler.grammar.scalars import bytes_of
from schemas.compiler.model import Field, Reference
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs, plain

COLOR_PATTERN = "^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$"
_CONSTRAINTS = TEXT_KEYWORDS | NUMBER_KEYWORDS | ARRAY_KEYWORDS | OBJECT_KEYWORDS
_ANNOTATIONS = ("description", "examples", "deprecated")
_WHOSE = (
    (TEXT_KEYWORDS, "texts"),
    (NUMBER_KEYWORDS, "numbers"),
    (ARRAY_KEYWORDS, "arrays"),
    (OBJECT_KEYWORDS, "objects"),
    (FILE_KEYWORDS, "files (format: file)"),
)
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
_DECISIVE = frozenset({"type", "format", "items", "references", "computed"})
_SEQUENCE_PART = re.compile(r"\{([^{}]*)\}")
_SEQUENCE_NAME = re.compile(r"n(:0[1-9][0-9]?)?|year|month|day", re.ASCII)


@dataclass(slots=True)
class _Form:
    """What the keywords about the value say."""

    type: FieldType
    pg_type: str
    nullable: bool
    schema: dict[str, Any]


def parse_field(
    key: Scalar, node: Mapping, language: str, *, required: bool, findings: Findings
) -> FieldDraft | None:
    """Return the draft of one property; None after reporting why it is refused."""
    # without these the field would be another one, and everything that uses it would look wrong
    form = None if node.dropped & _DECISIVE else _form(key, node, findings)
    if form is None:
        return None
    _check_value_keywords(key, node, form, findings)
    computed, default = node.get("computed"), node.get("default")
    sequence = _text(node, "sequence")
    draft = Field(
        name=key.text,
        kind=form.type.kind,
        pg_type=form.pg_type,
        schema=form.schema,
        title=titles(node.get("title"), language),
        description=_text(node, "description") or "",
        required=required and computed is None,
        nullable=form.nullable or not required,
        unique=_flag(node, "unique"),
        read_only=_flag(node, "readOnly") or sequence is not None or computed is not None,
        write_only=_flag(node, "writeOnly") or form.type.kind == "password",
        searchable=_flag(node, "searchable"),
        personal=_flag(node, "personal"),
        has_default=default is not None and plain(default) is not None,
        generated="sequence" if sequence is not None else "",
        virtual=computed is not None and not _flag(node, "stored"),
        sequence=sequence,
        references=_reference(node),
        renamed_from=_text(node, "renamed_from"),
        alias_until=_text(node, "alias_until"),
        restore_from=_text(node, "restore_from"),
        options=_options(node),
    )
    _check_sibling_keys(key, node, draft, findings)
    return FieldDraft(draft, key, node, default, computed if isinstance(computed, Scalar) else None)


def titles(node: Node | None, language: str) -> dict[str, str]:
    """Return texts by language; a bare text is in the tenant's first language."""
    if isinstance(node, Mapping):
        return {key: str(plain(entry.value)) for key, entry in node.entries.items()}
    return {} if node is None else {language: str(plain(node))}


def _form(key: Scalar, node: Mapping, findings: Findings) -> _Form | None:
    json_type, nullable = _json_type(key, node, findings)
    if json_type is None:
        return None
    written = _text(node, "format") or ""
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
    return _Form(kind, pg_type, nullable, schema)


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
        written = _text(node, "format")
        return next((known for known, form in FORMS if form == written), "string") if written else "string"
    return "object"


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
    element = field_type(declared.text, _text(items, "format") or "")
    if element is None or element.kind in {"json", "array"}:
        return json, json.pg_type
    pg_type = element.pg_type
    if element.kind == "numeric" and (step := items.get("multipleOf")) is not None:
        pg_type = numeric_type(step.text if isinstance(step, Scalar) else "")
    return FIELD_TYPES["array"], f"{pg_type}[]"


def _subschemas(name: str, value: Node) -> Any:
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


def _check_value_keywords(key: Scalar, node: Mapping, form: _Form, findings: Findings) -> None:
    allowed = form.type.keywords
    for name, _ in pairs(node):
        for keywords, whose in _WHOSE:
            if name.text in keywords and name.text not in allowed:
                findings.error(
                    "field.keyword_not_for_type",
                    f"'{name.text}' is for {whose}; '{key.text}' is {form.type.says}",
                    name,
                )
    for least, most in _BOUNDS:
        low, high = node.get(least), node.get(most)
        if isinstance(low, Scalar) and isinstance(high, Scalar) and _number(low) > _number(high):
            findings.error(
                "field.bounds", f"{least} {low.text} is greater than {most} {high.text}: no value fits", high
            )
    step = node.get("multipleOf")
    if isinstance(step, Scalar) and _number(step) <= 0:
        findings.error("field.bounds", "multipleOf must be greater than 0", step)
    _check_enum(key, node, form, findings)
    _check_nested_required(node, node.get("required"), findings)


def _check_enum(key: Scalar, node: Mapping, form: _Form, findings: Findings) -> None:
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


def _check_sibling_keys(key: Scalar, node: Mapping, draft: Field, findings: Findings) -> None:
    def refuse(keyword: str, message: str, hint: str = "") -> None:
        findings.error(
            "field.combination", message, node.entries[keyword].key if keyword in node.entries else key, hint
        )

    name, has = key.text, node.entries.keys()
    if "computed" in has:
        for keyword in (
            ("default", "sequence", "references", "writeOnly", "renamed_from")
            if draft.virtual
            else ("default", "sequence", "writeOnly")
        ):
            if keyword in has:
                refuse(keyword, f"the computed field '{name}' cannot have '{keyword}'")
        if draft.virtual and draft.unique:
            refuse("unique", f"the computed field '{name}' has no column to be unique in", "add stored: true")
        if draft.virtual and draft.searchable:
            refuse("searchable", f"the computed field '{name}' has no column to search", "add stored: true")
        if _flag(node, "stored") and _flag(node, "virtual"):
            refuse("virtual", f"'{name}' is either stored or virtual")
    elif {"stored", "virtual"} & has:
        refuse(
            "stored" if "stored" in has else "virtual", f"'{name}' is not computed: it always has a column"
        )
    if "onDelete" in has and "references" not in has:
        refuse("onDelete", f"onDelete needs 'references': '{name}' refers to nothing")
    if draft.references and draft.references.on_delete == "set_null" and not draft.nullable:
        refuse(
            "onDelete", f"'{name}' is required and cannot become null", "write onDelete: restrict or cascade"
        )
    if draft.references and draft.kind not in {"text", "uuid", "integer", "bigint"}:
        refuse("references", f"'{name}' is {FIELD_TYPES[draft.kind].says}: it cannot hold a key")
    if draft.searchable and draft.kind != "text":
        refuse("searchable", f"search= looks into texts; '{name}' is {FIELD_TYPES[draft.kind].says}")
    if draft.unique and draft.kind in {"json", "password", "file"}:
        refuse("unique", f"'{name}' is {FIELD_TYPES[draft.kind].says}: it cannot be unique")
    if "alias_until" in has and "renamed_from" not in has:
        refuse("alias_until", "alias_until needs 'renamed_from'")
    if "restore_from" in has and "renamed_from" in has:
        refuse("restore_from", "a field is either renamed or restored")
    if draft.renamed_from == name:
        refuse("renamed_from", f"'{name}' is renamed from itself")
    if "currency" in has and draft.kind not in {"numeric", "double", "bigint", "integer"}:
        refuse("currency", f"an amount of money is a number; '{name}' is {FIELD_TYPES[draft.kind].says}")
    if draft.read_only and draft.write_only:
        refuse("writeOnly", f"'{name}' is read-only and write-only: nobody could use it")
    if draft.sequence is not None:
        _check_sequence(node, draft, refuse_at=node.get("sequence"), findings=findings)


def _check_sequence(node: Mapping, draft: Field, refuse_at: Node | None, findings: Findings) -> None:
    place = refuse_at or node
    if draft.kind != "text":
        findings.error(
            "field.sequence",
            f"a sequence makes texts; '{draft.name}' is {FIELD_TYPES[draft.kind].says}",
            place,
            "an integer key counts by itself",
        )
    parts = _SEQUENCE_PART.findall(draft.sequence or "")
    for part in parts:
        if not _SEQUENCE_NAME.fullmatch(part):
            findings.error(
                "field.sequence",
                f"'{{{part}}}' is no part of a sequence",
                place,
                "parts are {n}, {n:05}, {year}, {month}, {day}",
            )
    if not any(part == "n" or part.startswith("n:") for part in parts):
        findings.error(
            "field.sequence", "a sequence needs its number: {n}", place, "for example INV-{year}-{n:05}"
        )


def _reference(node: Mapping) -> Reference | None:
    target = _text(node, "references")
    return None if target is None else Reference(target, _text(node, "onDelete") or "restrict")


def _options(node: Mapping) -> dict[str, Any]:
    options = {
        name: plain(value) for name in ("protected", "currency") if (value := node.get(name)) is not None
    }
    if (accept := node.get("accept")) is not None:
        options["accept"] = (
            tuple(str(plain(item)) for item in accept.items) if isinstance(accept, Sequence) else ()
        )
    if (size := node.get("maxSize")) is not None:
        options["maxSize"] = bytes_of(str(plain(size)))
    return options


def _number(node: Scalar) -> float:
    return node.value if isinstance(node.value, int | float) else 0


def _flag(node: Mapping, key: str) -> bool:
    value = node.get(key)
    return isinstance(value, Scalar) and value.value is True


def _text(node: Mapping, key: str) -> str | None:
    value = node.get(key)
    return value.text if isinstance(value, Scalar) and isinstance(value.value, str) else None
