"""What a cell of a file means: values of fields from what people and spreadsheets write.

Decides which writings are understood, and that none is guessed: ``1,234`` and ``3/4/2026`` mean two things,
so they are refused until somebody says which. Whether a value is acceptable is the write's to say. Pure.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.compiler.model import Field
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json

EMPTY = object()
"""What a cell with nothing in it means."""
_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "on", "x", "wahr", "ja", "vrai", "oui"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "off", "falsch", "nein", "faux", "non"), False),
}
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(G\d{3})+(\.\d*)?", re.ASCII)
_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T]+(\d{1,2}:\d{2}(?::\d{2})?))?", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]?[\d.,\s']+", re.ASCII)
_FORMULA = tuple("=+-@\t\r")
_SHOWN = 60


class CellError(Exception):
    """A cell that does not hold what its field holds; the message says why."""


class Writing(Struct, frozen=True):
    """How values are written in a file.

    Attributes:
        decimal: the sign before decimals: ``.`` or ``,``; "" when nobody said: then thousands have no sign.
        dates: order of days with slashes or dashes: ``dmy`` or ``mdy``; "" when nobody said.
        timezone: of moments without one.
        csv: texts that a spreadsheet would run may be marked with an apostrophe, as exports do it.
    """

    decimal: str = ""
    dates: str = ""
    timezone: str = "UTC"
    csv: bool = False


def read_cell(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    """Return the value of a cell, ``EMPTY`` for none.

    Raises:
        CellError: it is not what the field holds.
    """
    if cell is None or cell == "":
        return EMPTY
    if isinstance(cell, str):
        if cell in _ERRORS:
            raise CellError(f"the cell shows {cell}")
        if "\0" in cell:
            raise CellError("the text holds the character U+0000")
    if field.kind == "text" or field.kind not in _READERS:
        return _text(field, cell, writing)
    if isinstance(cell, str):
        cell = cell.strip()
        if not cell:
            return EMPTY
    try:
        return _READERS[field.kind](field, cell, writing)
    except CellError:
        if field.write_only:
            raise CellError("the value is not acceptable") from None
        raise


def _shown(cell: Any) -> str:  # noqa: ANN401 - JSON
    text = str(cell)
    return f"'{text[:_SHOWN]}…'" if len(text) > _SHOWN else f"'{text}'"


def _text(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    if isinstance(cell, bool):
        cell = "true" if cell else "false"
    if isinstance(cell, list | dict):
        return cell  # of a JSON file: the schema says what is wrong with it
    text = str(cell)
    if writing.csv and text[0] == "'" and text[1:2] in _FORMULA:
        text = text[1:]
    choices = field.schema.get("enum")
    if not choices or text in choices:
        return text
    wanted = text.strip().casefold()
    for choice in choices:
        if isinstance(choice, str) and choice.casefold() == wanted:
            return choice
    listed = ", ".join(str(choice) for choice in choices[:10] if choice is not None)
    raise CellError(f"{_shown(text)} is none of {listed}{', …' if len(choices) > 10 else ''}")


def _boolean(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    del field, writing
    found = cell if isinstance(cell, bool) else _WORDS.get(str(cell).casefold())
    if found is None:
        raise CellError(f"{_shown(cell)} is neither true nor false")
    return found


def _number(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    if isinstance(cell, bool):
        raise CellError(f"{_shown(cell)} is no number")
    value = _digits(cell, writing) if isinstance(cell, str) else Decimal(str(cell))
    if field.kind in {"integer", "bigint"}:
        if not value.is_finite() or value != value.to_integral_value() or value.adjusted() > 30:
            raise CellError(f"{_shown(cell)} is no whole number")
        return int(value)
    return value


def _digits(text: str, writing: Writing) -> Decimal:
    plain = text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-")
    if writing.decimal:
        group = "." if writing.decimal == "," else ","
        grouped = re.sub(f"[{re.escape(group)} ']", "G", plain).replace(writing.decimal, ".")
        plain = grouped.replace("G", "") if _GROUPED.fullmatch(grouped) else grouped
    if not _NUMBER.fullmatch(plain):
        hint = "" if writing.decimal or not _AMBIGUOUS.fullmatch(plain) else ": say decimal=, or decimal=."
        raise CellError(f"{_shown(text)} is no number{hint}")
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise CellError(f"{_shown(text)} is no number") from None


def _date(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    del field
    text = str(cell)
    try:
        return datetime.fromisoformat(_iso(text, writing)).date().isoformat()
    except ValueError:
        raise CellError(f"{_shown(text)} is no date{_order(text, writing)}") from None


def _datetime(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    del field
    text = str(cell)
    try:
        moment = datetime.fromisoformat(_iso(text, writing))
    except ValueError:
        raise CellError(f"{_shown(text)} is no date with a time{_order(text, writing)}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(writing.timezone))
    return moment.isoformat()


def _iso(text: str, writing: Writing) -> str:
    """Return a day as ISO 8601 has it, where it is clear which day is meant."""
    found = _DAY.fullmatch(text)
    if found is None:
        return text
    first, sign, second, year, clock = found.groups()
    order = "dmy" if sign == "." else writing.dates
    if not order:
        raise ValueError(text)
    day, month = (first, second) if order == "dmy" else (second, first)
    return f"{date(int(year), int(month), int(day)).isoformat()}{f' {clock:0>5}' if clock else ''}"


def _order(text: str, writing: Writing) -> str:
    return ": say dates=dmy or dates=mdy" if not writing.dates and _DAY.fullmatch(text) else ""


def _time(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    del field, writing
    try:
        return time.fromisoformat(f"{cell:0>5}" if isinstance(cell, str) else str(cell)).isoformat()
    except ValueError:
        raise CellError(f"{_shown(cell)} is no time of day") from None


def _uuid(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    del field, writing
    try:
        return str(UUID(str(cell)))
    except ValueError:
        raise CellError(f"{_shown(cell)} is no UUID") from None


def _json(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    del field, writing
    if not isinstance(cell, str):
        return cell
    try:
        return decode_json(cell.encode())
    except QueryError:
        raise CellError(f"{_shown(cell)} is no JSON text") from None


def _array(field: Field, cell: Any, writing: Writing) -> Any:  # noqa: ANN401 - JSON
    """Return a list: JSON, or values separated by semicolons or commas."""
    if not isinstance(cell, str):
        return cell if isinstance(cell, list) else [cell]
    if cell.startswith("["):
        return _json(field, cell, writing)
    items = [item.strip() for item in cell.split(";" if ";" in cell else ",")]
    kind = (field.schema.get("items") or {}).get("type")
    if kind in {"number", "integer"}:
        return [
            int(value) if kind == "integer" and value == int(value) else value
            for value in (_digits(item, writing) for item in items)
        ]
    return [item for item in items if item]


_READERS = {
    "boolean": _boolean, "integer": _number, "bigint": _number, "numeric": _number, "double": _number,
    "date": _date, "datetime": _datetime, "time": _time, "uuid": _uuid, "json": _json, "array": _array,
}  # fmt: skip
