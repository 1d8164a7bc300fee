"""A file of rows, read batch by batch by ``reader_child`` while the batches before are written.

Decides how long a reader may take, and that one ends with whoever reads. Memory holds one batch, on either
side of the pipe. Called when an import begins, and by its run.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import orjson

from actors.messages import ProblemError

UNREADABLE = "import.unreadable"
SECONDS = 120.0
"""Within which a reader has to come up with its next batch."""
MAX_LINE = 64 << 20
_ROOT = Path(__file__).resolve().parents[3]
_LINES = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class RawRow(NamedTuple):
    """A row as it is in the file.

    Attributes:
        number: as a spreadsheet shows it.
        cells: in the order of the header; the text of an object for NDJSON; None for what cannot be shown.
        wrong: why it is no row of the file, "" otherwise.
    """

    number: int
    cells: list[Any] | str | None
    wrong: str = ""


class Batch(NamedTuple):
    """Some rows; ``at`` is how many bytes of the file were read for them and all before."""

    rows: list[RawRow]
    at: int


class Reading:
    """A file that is being read.

    Args:
        header: names of the columns.
        batches: what follows, in order; closing it ends the reader.
    """

    def __init__(self, header: list[str], batches: AsyncGenerator[Batch, None]) -> None:
        self.header = header
        self.batches = batches


@contextlib.asynccontextmanager
async def spooled(pieces: AsyncIterator[bytes]) -> AsyncIterator[IO[bytes]]:
    """Put an object of the store where a reader can go back and forth in it, for the length of a block."""
    with tempfile.TemporaryFile(prefix="backsaas-import-") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
        file.flush()
        yield file


@contextlib.asynccontextmanager
async def opened(
    file: IO[bytes], kind: str, options: Mapping[str, str], after: int = 0
) -> AsyncIterator[Reading]:
    """Read a file, for the length of a block.

    Args:
        file: on disk.
        kind: csv, ndjson or xlsx.
        options: delimiter, encoding, sheet.
        after: number of the last row that is not wanted.

    Raises:
        ProblemError: import.unreadable.
    """
    file.seek(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "actors.features.transfer.reader_child",
        kind, str(after), orjson.dumps(dict(options)).decode(),
        cwd=_ROOT, env={}, stdin=file, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        limit=MAX_LINE,
    )  # fmt: skip
    try:
        first = await _line(process)
        batches = _batches(process)
        async with contextlib.aclosing(batches):
            yield Reading(first["header"], batches)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _batches(process: asyncio.subprocess.Process) -> AsyncGenerator[Batch, None]:
    while "end" not in (said := await _line(process)):
        yield Batch([RawRow(*row) for row in said["rows"]], said["at"])


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    if process.stdout is None:
        raise RuntimeError("a reader without a pipe")
    try:
        async with asyncio.timeout(SECONDS):
            line = await process.stdout.readline()
    except (TimeoutError, ValueError):
        raise ProblemError(UNREADABLE, "the file takes too long to read") from None
    if not line:
        raise ProblemError(UNREADABLE, "the file takes too much memory or time to read; save it as CSV")
    said = _LINES.decode(line)
    if "error" in said:
        raise ProblemError(UNREADABLE, said["error"])
    return said
