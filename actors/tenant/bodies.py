"""Request bodies to rows: JSON, CSV and forms, read strictly.

Decides what a body may look like before anything looks at its meaning: no duplicate keys, no NaN, no depth or
width without end; numbers keep every digit. It never looks at the model beyond the kinds that CSV and forms
need to tell a number from a text. Called by ``pipeline``.
"""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from actors.messages import Call, ProblemError
from schemas.compiler.model import Entity

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_ROWS = 10_000
CSV_TYPE, FORM_TYPE = "text/csv", "application/x-www-form-urlencoded"

Row: TypeAlias = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_KEYS = re.compile(rb'"\s*:')
_ESCAPED_NUL = re.compile(rb"\\u0000")
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


def decode_json(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """Read JSON; numbers with a fraction become ``Decimal``.

    Raises:
        ProblemError: PGRST102 for what is no JSON, http.bad_body for what is too deep, too wide or ambiguous.
    """
    if not data:
        raise ProblemError("PGRST102", "the body is empty; JSON was expected")
    try:
        value = _DECODER.decode(data)
    except RecursionError:
        raise ProblemError("http.bad_body", f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeDecodeError, DecimalException) as error:
        raise ProblemError("PGRST102", "the body is not valid JSON", details=_where(error)) from None
    opened = data.count(b"{") + data.count(b"[")
    if opened > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ProblemError("http.bad_body", f"the body is nested deeper than {MAX_DEPTH} levels")
    if opened + data.count(b",") > MAX_NODES and _nodes(value) > MAX_NODES:
        raise ProblemError("http.bad_body", f"the body has more than {MAX_NODES} values")
    # a text in value position that ends in `":` only makes the first count larger, never smaller
    if len(_KEYS.findall(data)) > _count_keys(value) and has_duplicates(data):
        raise ProblemError("http.bad_body", "the body has a key twice in one object")
    if _ESCAPED_NUL.search(data):
        _refuse_nul(value, "")
    return value


def encode_json(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return JSON text in which numbers have all their digits."""
    return _ENCODER.encode(value).decode()


def has_duplicates(data: bytes) -> bool:
    """Whether some object has a key twice; exact, and slower than the suspicion that leads here."""
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in pairs}) != len(pairs)

    json.loads(data, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found


def _where(error: Exception) -> str:
    return str(error)[:200] if isinstance(error, msgspec.DecodeError) else ""


def _count_keys(value: Any) -> int:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        count = len(value)
        for item in value.values():
            if isinstance(item, dict | list):
                count += _count_keys(item)
        return count
    if isinstance(value, list):
        return sum(_count_keys(item) for item in value if isinstance(item, dict | list))
    return 0


def _depth(value: Any) -> int:  # noqa: ANN401 - JSON
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            item
            for holder in level
            if isinstance(holder, dict | list)
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, dict | list)
        ]
    return depth


def _nodes(value: Any) -> int:  # noqa: ANN401 - JSON
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        count += 1
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count


def _refuse_nul(value: Any, path: str) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, str) and "\0" in value:
        error = {"pointer": path, "code": "nul", "detail": "a text cannot hold the character U+0000"}
        raise ProblemError("validation.failed", "a text holds the character U+0000", errors=(error,))
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key, path)
            _refuse_nul(item, f"{path}/{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _refuse_nul(item, f"{path}/{number}")


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
        except ProblemError:
            return text
    return text
