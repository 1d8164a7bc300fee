"""Pages of rows as an Excel workbook (Office Open XML, ECMA-376), written to disk while they come.

Decides how a value looks in a cell: numbers, dates and booleans are what they are, texts are never formulas.
At most one page is converted at a time in the whole process, in a thread, so that requests feel no export.
Called by ``export``.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

MAX_ROWS = 1_048_575
"""Rows a worksheet holds below its header."""
MAX_TEXT = 32_767
"""Characters a cell holds."""
MAX_DIGITS = 15
"""Digits a number keeps in a cell; longer ones are written as text."""
PIECE = 256 * 1024
# numbers keep the digits PostgreSQL gave them
_ROWS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)
_TEXT = msgspec.json.Encoder(decimal_format="number")
_turn = asyncio.Lock()


async def sheet(
    columns: Mapping[str, str], pages: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """Yield a workbook with one worksheet.

    Args:
        columns: names in order, with the kind of the field each shows (``date``, ``datetime``, ... or "").
        pages: JSON arrays of rows.

    Raises:
        ValueError: there are more rows than a worksheet holds.
    """
    with tempfile.TemporaryDirectory(prefix="backsaas-export-") as folder:
        path = Path(folder) / "export.xlsx"
        writer = _Writer(path, columns)
        async with aclosing(pages):
            async for page in pages:
                async with _turn:
                    await asyncio.to_thread(writer.add, page)
        async with _turn:
            await asyncio.to_thread(writer.close)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


class _Writer:
    """One workbook on its way to disk; memory holds one row."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        import xlsxwriter  # noqa: PLC0415 - only those who export pay for it

        options = {
            "constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False,
            "strings_to_numbers": False, "strings_to_urls": False, "remove_timezone": True,
        }  # fmt: skip
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet: Worksheet = self._book.add_worksheet()
        formats = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss"}
        self._formats = {kind: self._book.add_format({"num_format": text}) for kind, text in formats.items()}
        self._columns = tuple(columns.items())
        self._sheet.freeze_panes(1, 0)
        bold = self._book.add_format({"bold": True})
        for number, (name, kind) in enumerate(self._columns):
            self._sheet.set_column(number, number, 20 if kind == "datetime" else 14)
            self._sheet.write_string(0, number, name, bold)
        self._row = 0

    def add(self, page: bytes) -> None:
        """Write a page's rows."""
        for row in _ROWS.decode(page):
            self._row += 1
            if self._row > MAX_ROWS:
                raise ValueError(f"a worksheet holds {MAX_ROWS} rows; export as csv, or filter")
            for number, (name, kind) in enumerate(self._columns):
                value = row.get(name)
                if value is not None:
                    self._write(number, kind, value)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def _write(self, number: int, kind: str, value: Any) -> None:  # noqa: ANN401 - JSON
        at, sheet = (self._row, number), self._sheet
        if isinstance(value, bool):
            sheet.write_boolean(*at, value)
        elif isinstance(value, int | Decimal) and len(Decimal(value).as_tuple().digits) <= MAX_DIGITS:
            sheet.write_number(*at, float(value))
        elif isinstance(value, str) and (moment := _moment(kind, value)) is not None:
            sheet.write_datetime(*at, moment, self._formats[kind])
        else:
            text = value if isinstance(value, str) else _TEXT.encode(value).decode()
            sheet.write_string(*at, text[:MAX_TEXT])


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
