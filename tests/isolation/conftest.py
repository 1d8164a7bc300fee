"""A database with its doors closed, and tenants in it."""

from collections.abc import AsyncIterator

import pytest

from actors.database import Database
from actors.tenant.provision import deprovision
from config.settings import DatabaseSettings
from tests.isolation.world import Tenants


@pytest.fixture(scope="module")
async def database(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(url=database_url), tmp_path_factory.mktemp("none"))
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
async def tenants(database: Database) -> AsyncIterator[Tenants]:
    async with database.owner() as owner:
        made = Tenants(database, owner)
        limit = database.budget.limit
        yield made
        for pool, _ in made.made:
            pool.close()
        database.budget.limit = limit
        for _, identity in made.made:
            await deprovision(owner, identity)
    assert database.budget.open == 0, "a test kept a connection"
