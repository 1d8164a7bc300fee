"""One live process with a tenant that has reports."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.live import Live
from tests.reports.ledger import SLUG, TENANT, Ledger


@pytest.fixture(scope="module")
async def ledger(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Ledger]:
    live = Live(tmp_path_factory.mktemp("ledger"), BACKSAAS_DATABASE_URL=database_url)
    live.write(SLUG, TENANT)
    await live.start("--dev", str(live.directory))
    try:
        async with aiohttp.ClientSession() as session:
            ledger = Ledger(live, session)
            await ledger.fill()
            yield ledger
    finally:
        await live.stop()
