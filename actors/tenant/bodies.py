"""Request bodies to rows: JSON, CSV and forms, read strictly.

Decides what a body may look like before anything looks at its meaning: no duplicate keys, no NaN, no depth or
width without end; numbers keep every digit. It never looks at the model beyond the kinds that CSV and forms
need to tell a number from a text. Called by ``pipeline``.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from actors.messages import Call, ProblemError
from schemas.compiler.model import Entity
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json

MAX_ROWS = 10_000
CSV_TYPE, FORM_TYPE = "text/csv", "application/x-www-form-urlencoded"

Row: TypeAlias = dict[str, Any]

_TEXT_KINDS = frozenset({"text", "uuid", "date", "time", "datetime", "inet", "range"})
_WORDS: Mapping[str, bool] = {"true": True, "t": True, "false": False, "f": False}


@dataclass(frozen=True, slots=True)
class Body:
    """The rows of a body; ``many`` when it was a list, even of one."""

    rows: list[Row]
    many: bool


def decode_body(call: Call, entity: Entity) -> Body:
    """Read a write's body.

    Raises:
        ProblemError: PGRST102, http.bad_body.
        QueryError: PGRST102 for JSON that is not read.
    """
    if call.content_type == CSV_TYPE:
        return Body(_csv_rows(call.body, entity), many=True)
    if call.content_type == FORM_TYPE:
        return Body([_form_row(call.body, entity)], many=False)
    value = decode_json(call.body)
    if isinstance(value, dict):
        return Body([value], many=False)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ProblemError("PGRST102", "the body is neither an object nor a list of objects")
    if len(value) > MAX_ROWS:
        raise ProblemError("PGRST102", f"a body has at most {MAX_ROWS} rows")
    return Body(value, many=True)


def _csv_rows(data: bytes, entity: Entity) -> list[Row]:
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
    return [
        {name: _value(entity, name, text, null="NULL") for name, text in zip(names, row, strict=True)}
        for row in rows
    ]


def _form_row(data: bytes, entity: Entity) -> Row:
    try:
        pairs = parse_qsl(_text(data), keep_blank_values=True, strict_parsing=bool(data), errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise ProblemError("PGRST102", "the body is not a valid form") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise ProblemError("validation.failed", "a text holds the character U+0000")
    if len({name for name, _ in pairs}) != len(pairs):
        raise ProblemError("http.bad_body", "the form has a field twice")
    return {name: _value(entity, name, text, null=None) for name, text in pairs}


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
    field = entity.fields.get(name)
    kind = field.kind if field is not None else "text"
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
