"""Request bodies to rows: JSON, CSV and forms, read strictly.

Decides what a body may look like before anything looks at its meaning: no duplicate keys, no NaN, no depth or
width without end; numbers keep every digit. It never looks at the model beyond the kinds that CSV and forms
need to tell a number from a text. Called by ``pipeline``.
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct, field

from actors.messages import Call, ProblemError
from schemas.compiler.model import Entity
from schemas.compiler.query.columns import present_name
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json

MAX_ROWS = 10_000
CSV_TYPE, FORM_TYPE = "text/csv", "application/x-www-form-urlencoded"

Row: TypeAlias = dict[str, Any]

_TEXT_KINDS = frozenset({"text", "uuid", "date", "time", "datetime", "inet", "range"})
_WORDS: Mapping[str, bool] = {"true": True, "t": True, "false": False, "f": False}


class Body(Struct, frozen=True):
    """The rows of a body; ``many`` when it was a list, even of one; old names used -> present ones."""

    rows: list[Row]
    many: bool
    renamed: Mapping[str, str] = field(default_factory=dict)


def decode_body(call: Call, entity: Entity, today: date) -> Body:
    """Read a write's body; fields named by an old name that still answers get their present one.

    Raises:
        ProblemError: PGRST102, http.bad_body.
        QueryError: PGRST102 for JSON that is not read.
    """
    if call.content_type == CSV_TYPE:
        names, lines = _csv(call.body)
        renamed = _renamed(entity, names, today)
        return Body([_typed(entity, names, line, renamed, null="NULL") for line in lines], True, renamed)
    if call.content_type == FORM_TYPE:
        names, values = _form(call.body)
        renamed = _renamed(entity, names, today)
        return Body([_typed(entity, names, values, renamed, null=None)], False, renamed)
    value = decode_json(call.body)
    if isinstance(value, dict):
        return _present(Body([value], many=False), entity, today)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ProblemError("PGRST102", "the body is neither an object nor a list of objects")
    if len(value) > MAX_ROWS:
        raise ProblemError("PGRST102", f"a body has at most {MAX_ROWS} rows")
    return _present(Body(value, many=True), entity, today)


def _present(body: Body, entity: Entity, today: date) -> Body:
    """Give the fields of JSON rows their present names."""
    known = entity.fields.keys()
    strange = [name for row in body.rows if not row.keys() <= known for name in row]
    renamed = _renamed(entity, dict.fromkeys(strange), today) if strange else None
    if not renamed:
        return body
    for number, row in enumerate(body.rows):
        _check_once(row, renamed, f"/{number}" if body.many else "")
    rows = [{renamed.get(name, name): value for name, value in row.items()} for row in body.rows]
    return Body(rows, body.many, renamed)


def _renamed(entity: Entity, names: Iterable[str], today: date) -> dict[str, str]:
    """Return the old names among the names, and what they are called now."""
    strange = (name for name in names if name not in entity.fields)
    found = ((name, present_name(entity, name, today)) for name in strange)
    return {name: present for name, present in found if present is not None}


def _check_once(names: Collection[str], renamed: Mapping[str, str], place: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        present = renamed.get(name, name)
        if present in seen:
            message = f"{name}: '{seen[present]}' and '{name}' are one field, given twice"
            finding = {"pointer": f"{place}/{name}", "code": "given_twice", "detail": message}
            raise ProblemError("validation.failed", message, errors=(finding,))
        seen[present] = name


def _csv(data: bytes) -> tuple[list[str], list[list[str]]]:
    text = _text(data).removeprefix("\ufeff")
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise ProblemError("PGRST102", "the body is not valid CSV", details=str(error)) from None
    if not lines:
        raise ProblemError("PGRST102", "the body is empty; CSV with a header line was expected")
    names, *rows = lines
    if len(set(names)) != len(names):
        raise ProblemError("http.bad_body", "the header line names a column twice")
    if len(rows) > MAX_ROWS:
        raise ProblemError("PGRST102", f"a body has at most {MAX_ROWS} rows")
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise ProblemError("PGRST102", f"line {number} has {len(row)} values for {len(names)} columns")
    return names, rows


def _form(data: bytes) -> tuple[list[str], list[str]]:
    try:
        pairs = parse_qsl(_text(data), keep_blank_values=True, strict_parsing=bool(data), errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise ProblemError("PGRST102", "the body is not a valid form") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise ProblemError("validation.failed", "a text holds the character U+0000")
    if len({name for name, _ in pairs}) != len(pairs):
        raise ProblemError("http.bad_body", "the form has a field twice")
    return [name for name, _ in pairs], [value for _, value in pairs]


def _typed(
    entity: Entity, names: list[str], texts: list[str], renamed: Mapping[str, str], *, null: str | None
) -> Row:
    _check_once(names, renamed, "")
    row: Row = {}
    for name, text in zip(names, texts, strict=True):
        present = renamed.get(name, name)
        row[present] = _value(entity, present, text, null=null)
    return row


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ProblemError("PGRST102", "the body is not UTF-8") from None
    if "\0" in text:
        raise ProblemError("validation.failed", "a text holds the character U+0000")
    return text


def _value(entity: Entity, name: str, text: str, *, null: str | None) -> Any:  # noqa: ANN401 - JSON
    """Return what a text in a form stands for, by the kind of its field; the validator judges the outcome."""
    known = entity.fields.get(name)
    kind = known.kind if known is not None else "text"
    if text == null or (not text and kind != "text"):
        return None
    if kind == "boolean":
        return _WORDS.get(text.lower(), text)
    if kind not in _TEXT_KINDS:
        try:
            return decode_json(text.encode())
        except QueryError:
            return text
    return text
