"""Compiles tenant files in a disposable process with time and memory limits.

Decides that no byte sequence in a file can stall or end this process. It never reads files. Called by the
tenants' reload and by ``run.py check``.
"""

import asyncio
import contextlib
import pickle
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from schemas.compiler.diagnostics import CompileError, Diagnostic, Position
from schemas.compiler.model import TenantModel

CHILD = Path(__file__).with_name("compile_child.py")
TIME_LIMIT = 10.0
"""Seconds one file may take once the process is warm; what it may compute is ``compile_child.CPU_LIMIT``."""
ENDING = 1.0
"""Seconds a process that hung up has until it is gone."""
START_LIMIT = 15.0
"""Seconds the process may take to import the compiler and answer its first job."""
MAX_SOURCE_BYTES = 1 << 20


class CompilerDiedError(Exception):
    """The compiler process cannot run; its own message is in the log."""


class Compiled(Struct, frozen=True):
    """What a good file means.

    Attributes:
        model: the tenant.
        warnings: for the file's author.
    """

    model: TenantModel
    warnings: tuple[Diagnostic, ...]


class CompileWorker:
    """One warm compiler process; jobs are done one after another in the order they were asked for."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._warm = False

    async def compile(self, text: bytes, slug: str, code: bytes | None = None) -> Compiled:
        """Compile a file's text, and look at the Python file beside it.

        Raises:
            CompileError: with every finding; also when the text is too large, or the process died or overran
                on it.
            CompilerDiedError: the process does not start.
        """
        if len(text) > MAX_SOURCE_BYTES:
            raise _refusal("source.too_large", f"the file has more than {MAX_SOURCE_BYTES:,} bytes")
        diagnostics, result = await self._ask((slug, text, code))
        if diagnostics is not None:
            raise CompileError(diagnostics)
        return Compiled(*result)

    async def locate(self, text: bytes, paths: Sequence[str]) -> Mapping[str, Position]:
        """Find where paths such as ``entities.invoices.schema.properties.net`` stand in a text that compiles.

        Returns:
            For every path its place, or that of the nearest key that leads to it.
        """
        return await self._ask((tuple(paths), text, None))  # type: ignore[no-any-return]

    async def launch(self) -> asyncio.subprocess.Process:
        """Start the process unless it runs; it loads the compiler while we do something else."""
        if self._process is None or self._process.returncode is not None:
            self._warm = False
            # -I keeps the environment's PYTHON* settings and the working directory out
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(CHILD),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={},
                start_new_session=True,  # Ctrl-C is ours to hear
            )
        return self._process

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

    async def _ask(self, job: object) -> Any:  # noqa: ANN401 - each kind of job has its own answer
        async with self._turn:
            try:
                return await self._exchange(pickle.dumps(job))
            except TimeoutError:
                await self._discard()
                raise _too_slow() from None
            except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError):
                warm = self._warm
                if await self._ended() == -signal.SIGPROF:
                    raise _too_slow() from None
                if not warm:
                    # not the file's fault: no file of ours needs more than loading the compiler itself
                    raise CompilerDiedError("the compiler process ended before it could answer") from None
                raise _refusal(
                    "source.too_complex", "the file exhausted the compiler's memory or stack"
                ) from None
            except asyncio.CancelledError:
                # an answer nobody waits for would be read by the next job
                await self._discard()
                raise

    async def _exchange(self, job: bytes) -> object:
        process = await self.launch()
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise BrokenPipeError
        async with asyncio.timeout(TIME_LIMIT if self._warm else START_LIMIT):
            stdin.write(struct.pack("!I", len(job)) + job)
            await stdin.drain()
            header = await stdout.readexactly(4)
            answer = await stdout.readexactly(struct.unpack("!I", header)[0])
        self._warm = True
        return pickle.loads(answer)  # noqa: S301

    async def _ended(self) -> int | None:
        """Return the exit code of a process that hung up."""
        process = self._process
        if process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDING):
                    await process.wait()
        await self._discard()
        return None if process is None else process.returncode

    async def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _too_slow() -> CompileError:
    return _refusal("source.too_slow", "compiling the file takes too long")


def _refusal(code: str, message: str) -> CompileError:
    return CompileError((Diagnostic(code, message, Position(1, 1)),))
