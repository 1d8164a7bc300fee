"""A database with its doors closed, and tenants in it."""

from collections.abc import AsyncIterator

import pytest

from actors.database import Database
from config.settings import DatabaseSettings
from tests.isolation.world import Tenants, opened


@pytest.fixture(scope="module")
async def database(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(url=database_url), tmp_path_factory.mktemp("none"))
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
async def tenants(database: Database) -> AsyncIterator[Tenants]:
    async with opened(database) as made:
        yield made
