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
MAX_LINE, PIECE = 64 << 20, 256 << 10
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
        limit=PIECE,
    )  # fmt: skip
    try:
        said = _said(process)
        first = await anext(said)
        batches = _batches(said)
        async with contextlib.aclosing(batches):
            yield Reading(first["header"], batches)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _batches(said: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[Batch, None]:
    async with contextlib.aclosing(said):
        async for one in said:
            if "end" in one:
                return
            yield Batch([RawRow(*row) for row in one["rows"]], one["at"])


async def _said(process: asyncio.subprocess.Process) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what the reader says; what it has not yet been asked for waits in the pipe."""
    if process.stdout is None:
        raise RuntimeError("a reader without a pipe")
    parts, size = [b""], 0
    while True:
        line, found, rest = parts[-1].partition(b"\n")
        if found:
            one = _LINES.decode(b"".join([*parts[:-1], line]))
            if "error" in one:
                raise ProblemError(UNREADABLE, one["error"])
            yield one
            parts, size = [rest], len(rest)
            continue
        try:
            async with asyncio.timeout(SECONDS):
                piece = await process.stdout.read(PIECE)
        except TimeoutError:
            raise ProblemError(UNREADABLE, "the file takes too long to read") from None
        size += len(piece)
        if not piece or size > MAX_LINE:
            raise ProblemError(UNREADABLE, "the file takes too much memory or time to read; save it as CSV")
        parts.append(piece)
