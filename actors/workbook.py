"""One table as an Excel workbook (Office Open XML, ECMA-376), written to disk row by row.

Decides how a value looks in a cell: numbers, dates and booleans are what they are, texts are never formulas.
Used by exports and reports, in a thread and one at a time (``in_turn``), so that requests feel none of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

P = ParamSpec("P")
T = TypeVar("T")

MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS = 1_048_575
"""Rows a worksheet holds below its header."""
MAX_TEXT = 32_767
"""Characters a cell holds."""
MAX_DIGITS = 15
"""Digits a number keeps in a cell; longer ones are written as text."""
_MOMENTS = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss"}
_TEXT = msgspec.json.Encoder(decimal_format="number")
_turn = asyncio.Lock()


async def in_turn(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work that takes the processor for a while in a thread; one at a time in the whole process."""
    async with _turn:
        return await asyncio.to_thread(work, *args, **kwargs)


class Column(Struct, frozen=True):
    """One column: its heading, its values' kind as fields have it, the decimals its numbers show."""

    title: str
    kind: str = ""
    digits: int | None = None


class Workbook:
    """A workbook of one worksheet on its way to disk; memory holds one row.

    Args:
        path: to write; temporary files go beside it.
        columns: in order.
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        import xlsxwriter  # noqa: PLC0415 - only those who export pay for it

        options = {
            "constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False,
            "strings_to_numbers": False, "strings_to_urls": False, "remove_timezone": True,
        }  # fmt: skip
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet: Worksheet = self._book.add_worksheet()
        self._columns = tuple(columns)
        self._formats: dict[tuple[str, bool], Format] = {}
        self._sheet.freeze_panes(1, 0)
        for number, column in enumerate(self._columns):
            width = 20 if column.kind == "datetime" else 14
            self._sheet.set_column(number, number, max(width, min(40, len(column.title) + 2)))
            self._sheet.write_string(0, number, column.title, self._format("", bold=True))
        self._row = 0

    def add(self, values: Sequence[Any], *, bold: bool = False) -> None:
        """Write a row of values, None for an empty cell.

        Raises:
            ValueError: there are more rows than a worksheet holds.
        """
        self._row += 1
        if self._row > MAX_ROWS:
            raise ValueError(f"a worksheet holds {MAX_ROWS} rows; export as csv, or filter")
        for number, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            if value is not None:
                self._write(number, column, value, bold=bold)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def _format(self, shown: str, *, bold: bool) -> "Format | None":
        if not shown and not bold:
            return None
        if (shown, bold) not in self._formats:
            made: dict[str, Any] = {"bold": True} if bold else {}
            made |= {"num_format": shown} if shown else {}
            self._formats[shown, bold] = self._book.add_format(made)
        return self._formats[shown, bold]

    def _write(self, number: int, column: Column, value: Any, *, bold: bool) -> None:  # noqa: ANN401 - JSON
        at, sheet, plain = (self._row, number), self._sheet, self._format("", bold=bold)
        if isinstance(value, bool):
            sheet.write_boolean(*at, value, plain)
        elif isinstance(value, int | Decimal) and len(Decimal(value).as_tuple().digits) <= MAX_DIGITS:
            shown = "" if column.digits is None else f"#,##0{'.' * bool(column.digits)}{'0' * column.digits}"
            sheet.write_number(*at, float(value), self._format(shown, bold=bold))
        elif isinstance(value, str) and (moment := _moment(column.kind, value)) is not None:
            sheet.write_datetime(*at, moment, self._format(_MOMENTS[column.kind], bold=bold))
        else:
            text = value if isinstance(value, str) else _TEXT.encode(value).decode()
            sheet.write_string(*at, text[:MAX_TEXT], plain)


def _moment(kind: str, text: str) -> date | datetime | None:
    """Return a date as a cell has it (from 1900, without a zone); None for one that no cell can hold."""
    reader = {"date": date, "datetime": datetime}.get(kind)
    if reader is None:
        return None
    try:
        moment = reader.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.year >= 1900 else None
