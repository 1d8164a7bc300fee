"""What people write in cells, and what is not guessed."""

from decimal import Decimal
from typing import Any

import pytest

from actors.features.transfer.cells import EMPTY, CellError, Writing, read_cell
from schemas.compiler.model import Field

GERMAN = Writing(decimal=",", dates="dmy", timezone="Europe/Berlin", csv=True)
PLAIN = Writing()


def field(kind: str, **schema: Any) -> Field:
    return Field("f", kind, "text", schema)


@pytest.mark.parametrize(
    ("kind", "cell", "writing", "value"),
    [
        ("integer", "12", PLAIN, 12),
        ("integer", "12.0", PLAIN, 12),
        ("integer", "1.234", GERMAN, 1234),
        ("bigint", "12\u00a0345", GERMAN, 12345),
        ("numeric", "1.234,50", GERMAN, Decimal("1234.50")),
        ("numeric", "-0,5", GERMAN, Decimal("-0.5")),
        ("numeric", "1,234.5", Writing(decimal="."), Decimal("1234.5")),
        ("double", "1e3", PLAIN, Decimal(1000)),
        ("boolean", "WAHR", PLAIN, True),
        ("boolean", 0, PLAIN, False),
        ("date", "3.2.2026", PLAIN, "2026-02-03"),
        ("date", "3/2/2026", GERMAN, "2026-02-03"),
        ("date", "3/2/2026", Writing(dates="mdy"), "2026-03-02"),
        ("date", "2026-02-03T00:00:00", PLAIN, "2026-02-03"),
        ("datetime", "3.7.2026 8:30", GERMAN, "2026-07-03T08:30:00+02:00"),
        ("datetime", "2026-01-02T03:04:05Z", GERMAN, "2026-01-02T03:04:05+00:00"),
        ("time", "8:30", PLAIN, "08:30:00"),
        ("array", "a; b;", PLAIN, ["a", "b"]),
        ("array", '["a, b"]', PLAIN, ["a, b"]),
        ("json", '{"a": [1]}', PLAIN, {"a": [1]}),
        ("text", "'=1+1", GERMAN, "=1+1"),
        ("text", "'tis", GERMAN, "'tis"),
        ("text", 12, PLAIN, "12"),
        ("integer", "  ", PLAIN, EMPTY),
        ("text", "", PLAIN, EMPTY),
    ],
)
def test_what_is_understood(kind: str, cell: Any, writing: Writing, value: Any) -> None:
    found = read_cell(field(kind), cell, writing)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "cell", "writing", "told"),
    [
        ("numeric", "1,234", PLAIN, "say decimal=, or decimal=."),
        ("numeric", "1.23,4", GERMAN, "is no number"),
        ("integer", "1.5", PLAIN, "is no whole number"),
        ("numeric", "12 EUR", PLAIN, "'12 EUR' is no number"),
        ("date", "3/2/2026", PLAIN, "say dates=dmy or dates=mdy"),
        ("date", "31.2.2026", PLAIN, "is no date"),
        ("datetime", "soon", PLAIN, "is no date with a time"),
        ("boolean", "perhaps", PLAIN, "is neither true nor false"),
        ("json", "{a}", PLAIN, "is no JSON text"),
        ("uuid", "Acme", PLAIN, "is no UUID"),
        ("text", "a\0b", PLAIN, "holds the character U"),
        ("text", "#REF!", PLAIN, "the cell shows #REF!"),
    ],
)
def test_what_is_not_guessed(kind: str, cell: Any, writing: Writing, told: str) -> None:
    with pytest.raises(CellError, match=told.replace(".", r"\.")):
        read_cell(field(kind), cell, writing)


def test_choices_whatever_their_capitals() -> None:
    choice = field("text", enum=["open", "paid", None])
    assert read_cell(choice, " Paid ", PLAIN) == "paid"
    with pytest.raises(CellError, match="'gone' is none of open, paid"):
        read_cell(choice, "gone", PLAIN)
