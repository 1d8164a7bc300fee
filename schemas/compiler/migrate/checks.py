"""CHECK constraints from a field's JSON Schema: what PostgreSQL can hold to without another row or a request.

What it can't say the same way (RE2-only patterns, sub-schemas of objects, formats) is validated in process
alone.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.compiler.expressions.patterns import translate
from schemas.compiler.migrate.catalog import Ref, Template
from schemas.compiler.migrate.literals import NotConstantError, json_literal, text_literal
from schemas.compiler.model import Field

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "double precision")
_STORED_OTHERWISE = ("password", "file")
"""Kinds whose column holds something else (a hash, a reference) than what the schema describes."""
_COMPARISONS = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))


def field_checks(item: Field) -> Iterator[tuple[str, Template]]:
    """Yield ``(kind, condition)`` for every check of a field's column."""
    schema, column, pg_type = item.schema, Ref(item.name), item.pg_type
    if item.kind in _STORED_OTHERWISE:
        return
    try:
        if (members := _members(schema)) is not None:
            yield "enum", _one_of(column, members, pg_type)
        if pg_type.endswith("[]"):
            yield from _array_checks(schema, column, pg_type)
        elif pg_type == "text" or pg_type.startswith("character varying"):
            yield from _text_checks(schema, column)
        elif pg_type.startswith(_NUMBERS):
            yield from _number_checks(schema, column, pg_type)
        elif pg_type == "jsonb" and schema.get("type") in ("object", "array"):
            yield "type", ("jsonb_typeof(", column, f") = {text_literal(schema['type'])}")
    except NotConstantError:
        return  # a NUL inside an enum: no row can hold it, and the request is refused in process


def _members(schema: Mapping[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    members = schema.get("enum")
    return None if members is None else [member for member in members if member is not None]


def _one_of(column: Ref, members: list[Any], pg_type: str) -> Template:
    if not members:
        return (column, " IS NULL")
    if pg_type == "double precision":
        return (column, " IN (", ", ".join(json_literal(member, pg_type) for member in members), ")")
    element = "numeric" if pg_type.startswith("numeric") else pg_type
    listed = ", ".join(json_literal(member, element) for member in members)
    return (column, f" IN ({listed})")


def _bounds(schema: Mapping[str, Any], least: str, most: str, measure: Template) -> Template:
    parts: list[Template] = []
    if isinstance(schema.get(least), int) and schema[least] > 0:
        parts.append((*measure, f" >= {schema[least]}"))
    if isinstance(schema.get(most), int):
        parts.append((*measure, f" <= {schema[most]}"))
    return _all(parts)


def _all(parts: list[Template]) -> Template:
    joined: list[str | Ref] = []
    for part in parts:
        joined.extend((" AND ", *part) if joined else part)
    return tuple(joined)


def _text_checks(schema: Mapping[str, Any], column: Ref) -> Iterator[tuple[str, Template]]:
    if length := _bounds(schema, "minLength", "maxLength", ("char_length(", column, ")")):
        yield "length", length
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (translated := translate(pattern)) is not None:
        yield "pattern", (column, f" ~ {text_literal(translated)}")


def _array_checks(schema: Mapping[str, Any], column: Ref, pg_type: str) -> Iterator[tuple[str, Template]]:
    if items := _bounds(schema, "minItems", "maxItems", ("cardinality(", column, ")")):
        yield "items", items
    of = schema.get("items")
    members = _members(of) if isinstance(of, dict) else None
    if members:
        yield "members", (column, f" <@ {json_literal(members, pg_type)}")


def _number_checks(schema: Mapping[str, Any], column: Ref, pg_type: str) -> Iterator[tuple[str, Template]]:
    literal_type = "double precision" if pg_type == "double precision" else "numeric"
    parts: list[Template] = [
        (column, f" {operator} {json_literal(schema[keyword], literal_type)}")
        for keyword, operator in _COMPARISONS
        if isinstance(schema.get(keyword), int | float | Decimal)
        and not isinstance(schema.get(keyword), bool)
    ]
    if parts:
        yield "range", _all(parts)
    step = schema.get("multipleOf")
    if step is not None and pg_type != "double precision" and not _is_scale(step, pg_type):
        yield "multiple", ("mod(", column, f"::numeric, {json_literal(step, 'numeric')}) = 0")


def _is_scale(step: object, pg_type: str) -> bool:
    """Whether ``step`` is 10**-scale of ``numeric(p,scale)``, which then holds by itself."""
    try:
        number = Decimal(str(step))
    except InvalidOperation:
        return True
    if pg_type in ("smallint", "integer", "bigint"):
        return number == 1
    _, _, scale = pg_type.rstrip(")").partition(",")
    return scale.isdigit() and number == Decimal(1).scaleb(-int(scale))
