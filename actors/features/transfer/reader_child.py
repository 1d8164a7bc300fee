"""Reads a file of rows (CSV, NDJSON, Excel workbook) in a process of its own that can do nothing else.

Decides what is a row, and its number: the one a spreadsheet shows, the header included. Cells come as they
are in the file; what they mean is ``cells``'s. The file is standard input, opened; on standard output is a
JSON text per line: ``{"header": ...}``, then ``{"rows": [[number, cells], ...], "at": bytes}``, at last
``{"end": true}`` or ``{"error": ...}``. Started by ``source``; never imported by the server.
"""

import codecs
import contextlib
import csv
import io
import itertools
import json
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from actors.features.functions.worker.confine import confine, die_with_parent

MEMORY = 768 << 20
BATCH_ROWS, BATCH_CHARACTERS = 200, 1 << 20
MAX_COLUMNS, MAX_CELL = 2000, 1 << 20
MAX_UNPACKED, MAX_STRINGS, MAX_ENTRIES = 2 << 30, 192 << 20, 10_000
MAX_RATIO, SMALL = 250, 16 << 20
"""A part of a workbook larger than ``SMALL`` that is packed tighter than this is no sheet but a bomb."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS = (
    "cp437",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "latin-1",
    "iso8859-15",
)
_DELIMITERS = ",;\t|"
_CALLED = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}

Cells = list[Any] | str
Row = tuple[int, Cells | None, str]
"""Number, cells (NDJSON: the line), and what is wrong with the row as a whole."""


class FileError(Exception):
    """The file cannot be read, from here on or at all."""


def read_rows(file: IO[bytes], kind: str, options: Mapping[str, str]) -> Iterator[Row]:
    """Yield the header, then every row; what is blank has no cells.

    Raises:
        FileError: it cannot be read.
    """
    match kind:
        case "csv":
            return _csv(file, options)
        case "ndjson":
            return _ndjson(file)
        case _:
            return _workbook(file, options.get("sheet", ""))


# -- CSV (RFC 4180, as spreadsheets write it) -----------------------------------------------------------


def _csv(file: IO[bytes], options: Mapping[str, str]) -> Iterator[Row]:
    head = file.read(64 << 10)
    file.seek(0)
    encoding = options.get("encoding") or next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    number = before = 0
    try:
        start = _start(head, encoding)
        delimiter = options.get("delimiter", "")
        if start.lower().startswith("sep=") and len(start.splitlines()[0]) == 5:
            before, delimiter = 1, delimiter or start[4]
            text.readline()
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(text, delimiter=delimiter or _delimiter(start), strict=True)
        width = 0
        for number, cells in enumerate(reader, before + 1):
            if not width:
                if any(cells):
                    width = len(cells)
                    yield number, cells, ""
            elif not any(cells):
                yield number, [], ""
            elif len(cells) == width:
                yield number, cells, ""
            else:
                yield number, cells, f"the row has {len(cells)} values, the header {width}"
    except UnicodeError:
        name = _CALLED.get(encoding, encoding)
        raise FileError(
            f"the file is not {name} (near row {number + 1}): save it as UTF-8, or say encoding=windows-1252"
        ) from None
    except csv.Error as error:
        told = "a quoted value does not end" if "field limit" in str(error) else str(error)
        raise FileError(f"row {number + 1} cannot be read: {told}") from None


def _start(head: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    return decoder.decode(head).removeprefix("\ufeff").lstrip("\r\n")


def _delimiter(start: str) -> str:
    """Return what separates the header's cells."""
    quoted, counts = False, dict.fromkeys(_DELIMITERS, 0)
    for char in start:
        if char == '"':
            quoted = not quoted
        elif not quoted:
            if char in "\r\n":
                break
            if char in counts:
                counts[char] += 1
    return max(counts, key=lambda one: counts[one])


# -- NDJSON ---------------------------------------------------------------------------------------------


def _ndjson(file: IO[bytes]) -> Iterator[Row]:
    """Yield the texts of objects; the header is the names of the first ones."""
    lines = _lines(file)
    first = list(itertools.islice(lines, 100))
    names: dict[str, None] = {}
    for _, line, _ in first:
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(line) if isinstance(line, str) and line else None
            names |= dict.fromkeys(value if isinstance(value, dict) else ())
    yield 0, list(names), ""
    yield from first
    yield from lines


def _lines(file: IO[bytes]) -> Iterator[Row]:
    number = 0
    while line := file.readline(MAX_CELL * 4):
        number += 1
        if len(line) >= MAX_CELL * 4:
            raise FileError(f"line {number} is too long")
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").strip(), ""
        except UnicodeDecodeError:
            yield number, None, "the line is not UTF-8"


# -- workbooks (Office Open XML, ECMA-376) --------------------------------------------------------------


def _workbook(file: IO[bytes], wanted: str) -> Iterator[Row]:
    import openpyxl  # noqa: PLC0415 - CSV is read without it

    _check_parts(file)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = _sheet_of(book, wanted)
        sheet.reset_dimensions()  # what the file says of its size is not believed
        width = 0
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = [_cell(value) for value in values[:MAX_COLUMNS]]
            while cells and cells[-1] in {None, ""}:
                cells.pop()
            if not width:
                if cells:
                    width = len(cells)
                    yield number, ["" if cell is None else str(cell) for cell in cells], ""
            elif len(cells) > width:
                yield number, cells, f"the row has {len(cells)} values, the header {width}"
            else:
                yield number, cells and cells + [None] * (width - len(cells)), ""
    except FileError:
        raise
    except MemoryError:
        raise FileError("the workbook takes too much memory; save it as CSV") from None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is no workbook we read
        raise FileError(f"the workbook cannot be read ({type(error).__name__})") from None


def _check_parts(file: IO[bytes]) -> None:
    """Look at what the archive says of its parts before any is unpacked; none is read beyond that."""
    try:
        parts = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise FileError("this is no .xlsx workbook") from None
    if len(parts) > MAX_ENTRIES or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise FileError("the workbook is too large when it is unpacked; save it as CSV")
    for part in parts:
        if part.file_size > SMALL and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise FileError("the workbook unpacks to far more than it is; save it as CSV")
        if part.filename.endswith("sharedStrings.xml") and part.file_size > MAX_STRINGS:
            raise FileError("the workbook has too many texts; save it as CSV")
    file.seek(0)


def _sheet_of(book: Any, wanted: str) -> Any:  # noqa: ANN401 - openpyxl has no types
    names = [sheet.title for sheet in book.worksheets]
    if not names:
        raise FileError("the workbook has no sheet")
    if not wanted:
        return book.worksheets[0]
    if wanted in names:
        return book.worksheets[names.index(wanted)]
    if wanted.isdecimal() and 0 < int(wanted) <= len(names):
        return book.worksheets[int(wanted) - 1]
    raise FileError(f"there is no sheet '{wanted[:60]}'; there are {', '.join(names[:10])}")


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell's
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value if value is None or isinstance(value, str | bool | int) else str(value)


# -- the process ----------------------------------------------------------------------------------------


def main(kind: str, skip: int, options: Mapping[str, str], out: IO[str]) -> None:
    """Read standard input to its end; rows up to the number ``skip`` are read over."""

    def say(**what: Any) -> None:  # noqa: ANN401 - JSON
        out.write(json.dumps(what, ensure_ascii=True, separators=(",", ":")) + "\n")
        out.flush()

    file = os.fdopen(0, "rb", closefd=False)
    try:
        rows = read_rows(file, kind, options)
        number, header, _ = next(rows, (0, [], ""))
        if not header or len(header) > MAX_COLUMNS:
            say(error=f"no header with 1 to {MAX_COLUMNS} columns was found")
            return
        say(header=header, number=number)
        batch: list[Any] = []
        size = 0
        for number, cells, wrong in rows:
            if number <= skip or (not cells and not wrong):
                continue
            batch.append([number, cells, wrong] if wrong else [number, cells])
            size += len(cells) if isinstance(cells, str) else sum(len(str(cell)) for cell in cells or ())
            if len(batch) >= BATCH_ROWS or size > BATCH_CHARACTERS:
                say(rows=batch, at=os.lseek(0, 0, os.SEEK_CUR))
                batch, size = [], 0
        if batch:
            say(rows=batch, at=os.lseek(0, 0, os.SEEK_CUR))
        say(end=True)
    except FileError as error:
        say(error=str(error))


if __name__ == "__main__":
    if sys.argv[1] == "xlsx":
        import openpyxl.reader.excel  # noqa: F401 - before the process is shut in
    for _name in _ENCODINGS:
        codecs.lookup(_name)
    die_with_parent()
    confine(MEMORY, 3)
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), sys.stdout)
