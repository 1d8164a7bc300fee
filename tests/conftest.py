"""Fixtures every room shares: one real PostgreSQL for the whole run, one database per test module."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from actors.cluster import SUPERUSER
from actors.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server; not durable, since no test of the suite's own server cuts its power."""
    root = tmp_path_factory.getbasetemp()
    for parent in (root, *root.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)  # PostgreSQL's own user must reach its directory
    server = EmbeddedPostgres(
        Path(root / "postgres"),
        {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "200"},
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


@pytest.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database for one test module, dropped afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(dsn(postgres))
    await admin.execute(f'CREATE DATABASE "{name}"')
    yield dsn(postgres, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()
