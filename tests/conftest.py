"""How the suite runs, and the fixtures every room shares: one real PostgreSQL, one database per test module.

The whole suite, and any folder of it, runs in as many processes as there are cores; a file stays in one of them,
and each has a PostgreSQL of its own, so that nothing is shared but the machine.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import asyncpg
import pytest

from actors.cluster import SUPERUSER
from actors.embedded import EmbeddedPostgres
from tests.clusters import place_cluster
from tests.live import Live

StartLive = Callable[..., Awaitable[Live]]
SLOW_FOLDERS = frozenset(
    {"billing", "clients", "docs", "files", "functions", "metering", "monitoring", "oidc", "oracle", "platform",
     "process", "realtime", "reload", "security", "seed", "webhooks", "workflow"}
)  # fmt: skip
"""Where tests start processes; they go first, so that at the end no core waits for the other."""
MOST_PROCESSES = 8
"""Beyond them the longest files decide how long it takes."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes ``-n auto``, our default, means; 0 is this one, in which one can debug and see output."""
    chosen = {str(argument).partition("::")[0] for argument in config.args}
    few = len(chosen) == 1 and next(iter(chosen)).endswith(".py")
    wants_one = few or config.option.keyword or config.option.capture == "no" or config.option.collectonly
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if wants_one or cores == 1 else min(cores, MOST_PROCESSES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal out the slowest files first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent.name not in SLOW_FOLDERS)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each run a directory of its own: below the one pytests share, the next to start locks out PostgreSQL."""
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="backsaas-tests-")
        config.add_cleanup(lambda: _remove_after_success(config))


def _remove_after_success(config: pytest.Config) -> None:
    session = config.pluginmanager.get_plugin("session")
    if session is None or not session.testsfailed:
        shutil.rmtree(config.option.basetemp, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server; not durable, since no test of the suite's own server cuts its power."""
    root = tmp_path_factory.getbasetemp()
    for parent in (root, *root.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)  # PostgreSQL's own user must reach its directory
    place_cluster(root / "postgres")
    server = EmbeddedPostgres(
        Path(root / "postgres"),
        {"full_page_writes": "off", "synchronous_commit": "off", "max_connections": "200"},
    )
    server.start()
    yield server
    server.stop()


def dsn(server: EmbeddedPostgres, database: str = "postgres") -> str:
    """The superuser's URL of one database of the server."""
    return (
        f"postgresql://{SUPERUSER}:{server.cluster.password()}@/{database}?host={server.cluster.socket_dir}"
    )


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """The superuser's URL of the maintenance database."""
    return dsn(postgres)


@contextlib.asynccontextmanager
async def fresh_database(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """Make a database and give its superuser's URL; it is dropped afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(dsn(server))
    await admin.execute(f'CREATE DATABASE "{name}"')
    yield dsn(server, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database for one test module, dropped afterwards."""
    async with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
async def start_live(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StartLive]:
    """Start real processes that live as long as the module: ``live = await start_live({"acme-co": TEXT})``.

    Tenant files by their slugs; keywords are environment variables. Each has its own directory, ports and
    database, the last in the run's PostgreSQL. At the end each must stop by itself with exit code 0.
    """
    async with contextlib.AsyncExitStack() as databases:
        running: list[Live] = []

        async def start(files: Mapping[str, str] = MappingProxyType({}), **env: str) -> Live:
            url = await databases.enter_async_context(fresh_database(postgres))
            live = Live(tmp_path_factory.mktemp("live"), BACKSAAS_DATABASE_URL=url, **env)
            for slug, text in files.items():
                live.write(slug, text)
            await live.start()
            running.append(live)
            return live

        yield start
        for live in running:
            assert await live.stop() == 0, live.output()[-3000:]
