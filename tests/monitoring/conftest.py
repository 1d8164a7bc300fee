"""What the tests of this folder share: a tenant, and how Prometheus reads a page."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.conftest import StartLive
from tests.live import Live

NOTES = """
version: 1
service: { name: NAME }
entities:
  notes:
    schema: { required: [text], properties: { text: { type: string, maxLength: 200 } } }
    access: { read: [ { role: public } ], create: [ { role: public } ] }
"""


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    return await start_live(
        {"acme-co": NOTES.replace("NAME", "acme-co"), "quiet-co": NOTES.replace("NAME", "quiet-co")},
        BACKSAAS_LOG_FORMAT="json",
        BACKSAAS_METERING_FLUSH_SECONDS="0.1",
    )


@pytest.fixture(scope="module")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def samples(page: str) -> Iterator[Sample]:
    """Read a page as Prometheus does."""
    for family in text_string_to_metric_families(page):
        yield from family.samples
