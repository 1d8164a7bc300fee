"""One world per test module."""

from collections.abc import AsyncIterator

import pytest

from tests.api.harness import World, open_world


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as opened:
        yield opened
