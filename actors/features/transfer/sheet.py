"""Pages of rows as a workbook, written to disk while they come. Called by ``export``."""

import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from actors.workbook import Column, Workbook, in_turn

PIECE = 256 * 1024
# numbers keep the digits PostgreSQL gave them
_ROWS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)


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
        book = Workbook(path, [Column(name, kind) for name, kind in columns.items()])

        def add(page: bytes) -> None:
            for row in _ROWS.decode(page):
                book.add([row.get(name) for name in columns])

        async with aclosing(pages):
            async for page in pages:
                await in_turn(add, page)
        await in_turn(book.close)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
