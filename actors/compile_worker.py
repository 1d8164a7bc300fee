"""Compiles tenant files in a disposable process with time and memory limits.

Decides that no byte sequence in a file can stall or end this process. It never reads files. Called by the tenants'
reload and by ``run.py check``.
"""

import asyncio
import pickle  # noqa: S403 - both ends are this program
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from schemas.compiler.diagnostics import CompileError, Diagnostic, Position
from schemas.compiler.migrate.catalog import Catalog
from schemas.compiler.model import TenantModel

CHILD = Path(__file__).with_name("compile_child.py")
TIME_LIMIT = 2.0
"""Seconds one file may take once the process is warm."""
START_LIMIT = 15.0
"""Seconds the process may take to import the compiler and answer its first job."""
MAX_SOURCE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a good file means: its model, the catalog it wants and warnings for its author."""

    model: TenantModel
    catalog: Catalog
    warnings: tuple[Diagnostic, ...]


class CompileWorker:
    """One warm compiler process; jobs are done one after another in the order they were asked for."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._warm = False

    async def compile(self, text: bytes, slug: str) -> Compiled:
        """Compile a file's text.

        Raises:
            CompileError: with every finding; also when the text is too large, or the process died or overran on it.
        """
        if len(text) > MAX_SOURCE_BYTES:
            raise _refusal("source.too_large", f"the file has {len(text):,} bytes; at most 1 MiB is read")
        async with self._turn:
            try:
                diagnostics, result = await self._ask(slug, text)
            except TimeoutError:
                await self._discard()
                raise _refusal("source.too_slow", f"compiling took more than {TIME_LIMIT:g} s") from None
            except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError):
                await self._discard()
                raise _refusal("source.too_complex", "the file exhausted the compiler's memory or stack") from None
            except asyncio.CancelledError:
                # an answer nobody waits for would be read by the next job
                await self._discard()
                raise
        if diagnostics is not None:
            raise CompileError(diagnostics)
        return Compiled(*result)

    async def warm_up(self) -> None:
        """Start the process and load the compiler, so that the first file does not wait for it."""
        try:
            await self.compile(b"", "warm-up")
        except CompileError:
            return

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            await self._discard()

    async def _ask(self, slug: str, text: bytes) -> tuple[tuple[Diagnostic, ...] | None, tuple[object, ...]]:
        if self._process is None or self._process.returncode is not None:
            self._warm = False
            # -I keeps the environment's PYTHON* settings and the working directory out
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(CHILD), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env={}
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise BrokenPipeError
        job = pickle.dumps((slug, text))
        async with asyncio.timeout(TIME_LIMIT if self._warm else START_LIMIT):
            stdin.write(struct.pack("!I", len(job)) + job)
            await stdin.drain()
            header = await stdout.readexactly(4)
            answer = await stdout.readexactly(struct.unpack("!I", header)[0])
        self._warm = True
        return pickle.loads(answer)  # type: ignore[no-any-return]  # noqa: S301

    async def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _refusal(code: str, message: str) -> CompileError:
    return CompileError((Diagnostic(code, message, Position(1, 1)),))
