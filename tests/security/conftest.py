"""One process for everything that is attacked over the wire: starting it costs more than any attack."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from actors.embedded import EmbeddedPostgres
from tests.conftest import dsn
from tests.security.wire import House, open_house


@pytest.fixture(scope="session")
async def house(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    name = f"test_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(dsn(postgres))
    await admin.execute(f'CREATE DATABASE "{name}"')
    house = await open_house(tmp_path_factory.mktemp("house"), dsn(postgres, name))
    try:
        yield house
    finally:
        await house.stop()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def unharmed(house: House) -> AsyncIterator[None]:
    """Whatever the test does changes nothing of either tenant."""
    async with house.unharmed():
        yield
