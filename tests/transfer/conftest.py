"""One live process with a tenant whose rows come from files."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.live import Live
from tests.transfer.shop import SLUG, TENANT, Shop


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Shop]:
    live = Live(tmp_path_factory.mktemp("shop"), BACKSAAS_DATABASE_URL=database_url)
    live.write(SLUG, TENANT)
    await live.start("--dev", str(live.directory))
    try:
        async with aiohttp.ClientSession() as session:
            yield Shop(live, session)
    finally:
        await live.stop()
