"""``run.py check``: say what is wrong in tenant files, exactly as a reload would.

It touches neither database nor running server. Compiling happens in the disposable worker, and with
``--functions`` the Python file's functions run in their confined processes, so a hostile file costs no more
here than there.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from actors.budget import ConnectionBudget
from actors.compile_worker import CompileWorker
from actors.connections import ConnectError, TenantConnection
from actors.features.functions.host import FunctionHost
from actors.features.functions.launcher import Launcher
from actors.features.functions.silent import silent_services
from actors.features.functions.trials import NoRows, try_functions, try_load
from actors.features.functions.workers import WorkerPool
from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.sources import CODE_SUFFIX
from actors.tenant.generation import Generation
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.compile import slug_of_file
from schemas.compiler.diagnostics import CompileError, Diagnostic
from schemas.compiler.model import TenantModel
from schemas.compiler.query.compiler import QueryCompiler


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: schemas/*.yaml")
    parser.add_argument(
        "--functions", action="store_true", help="load the Python files and run the tests of functions"
    )


def run(arguments: argparse.Namespace, settings: Settings | None) -> int:
    """Check the files; 1 when one has errors."""
    files = arguments.files or sorted(Path("schemas").glob("*.yaml"))
    if not files:
        msg = "no file to check: name some, or run it where schemas/*.yaml are"
        raise StartError(msg)
    memory = (settings or Settings()).functions.memory_mb << 20
    return asyncio.run(_check(files, Launcher(memory) if arguments.functions else None))


async def _check(files: list[Path], launcher: Launcher | None) -> int:
    worker = CompileWorker()
    failed = 0
    try:
        for file in files:
            try:
                text, code = file.read_bytes(), _beside(file)
            except OSError as error:
                msg = f"{file} cannot be read: {error.strerror}"
                raise StartError(msg) from error
            try:
                compiled = await worker.compile(text, slug_of_file(file.stem), code)
                findings: tuple[Diagnostic, ...] = ()
                if launcher is not None:
                    findings = await _try(launcher, compiled.model, code.decode())
            except CompileError as error:
                failed += 1
                _print(error.diagnostics, file, text)
            else:
                failed += bool(findings)
                _print((*compiled.warnings, *findings), file, text)
    finally:
        await worker.close()
        if launcher is not None:
            launcher.close()
    good = len(files) - failed
    sys.stdout.write(f"{good} of {len(files)} file{'' if len(files) == 1 else 's'} good\n")
    return 1 if failed else 0


def _beside(file: Path) -> bytes:
    code = file.with_suffix(CODE_SUFFIX)
    return code.read_bytes() if code.is_file() else b""


async def _try(launcher: Launcher, model: TenantModel, code: str) -> tuple[Diagnostic, ...]:
    """Load a file's functions and run their tests, without any row."""
    services = silent_services()
    host = FunctionHost(services, workers=WorkerPool(launcher, services))
    pool = TenantPool("check", _no_connection, ConnectionBudget(1))
    identity = TenantIdentity("check", model.slug, "check", "check")
    queries = QueryCompiler(model, "check")
    generation = Generation(1, 1, "", identity, model, queries, pool, datetime.now(UTC), code=code)
    try:
        return await try_load(host, generation) or await try_functions(host, generation, NoRows())
    finally:
        host.end()


async def _no_connection() -> TenantConnection:
    raise ConnectError("there is no database in a check", permanent=True)


def _print(diagnostics: tuple[Diagnostic, ...], file: Path, text: bytes) -> None:
    source = text.decode(errors="replace")
    for diagnostic in diagnostics:
        sys.stdout.write(diagnostic.render(str(file), source) + "\n")
