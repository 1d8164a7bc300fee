"""``run.py check``: say what is wrong in tenant files, exactly as a reload would.

It touches neither database nor running server. Compiling happens in the disposable worker, so a hostile file
costs no more here than there.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from actors.compile_worker import CompileWorker
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.compile import slug_of_file
from schemas.compiler.diagnostics import CompileError, Diagnostic


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: schemas/*.yaml")


def run(arguments: argparse.Namespace, settings: Settings | None) -> int:
    """Check the files; 1 when one has errors."""
    files = arguments.files or sorted(Path("schemas").glob("*.yaml"))
    if not files:
        msg = "no file to check: name some, or run it where schemas/*.yaml are"
        raise StartError(msg)
    return asyncio.run(_check(files))


async def _check(files: list[Path]) -> int:
    worker = CompileWorker()
    failed = 0
    try:
        for file in files:
            try:
                text = file.read_bytes()
            except OSError as error:
                msg = f"{file} cannot be read: {error.strerror}"
                raise StartError(msg) from error
            try:
                compiled = await worker.compile(text, slug_of_file(file.stem))
            except CompileError as error:
                failed += 1
                _print(error.diagnostics, file, text)
            else:
                _print(compiled.warnings, file, text)
    finally:
        await worker.close()
    good = len(files) - failed
    sys.stdout.write(f"{good} of {len(files)} file{'' if len(files) == 1 else 's'} good\n")
    return 1 if failed else 0


def _print(diagnostics: tuple[Diagnostic, ...], file: Path, text: bytes) -> None:
    source = text.decode(errors="replace")
    for diagnostic in diagnostics:
        sys.stdout.write(diagnostic.render(str(file), source) + "\n")
