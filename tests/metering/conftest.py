"""A platform whose counts are written at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.platform.conftest import Platform, installation

PLANS = """
currency: EUR
tax_rate: 0.19
plans:
  tiny: { title: Tiny, price: 0, quotas: { requests: 40, rows: 10, users: 2, entities: 3, rate: 1000, connections: 2 } }
  metered:
    title: Metered
    price: 10.00
    quotas: { requests: 5, rows: 1000 }
    overage: { requests: { per: 1, price: 0.01 } }
  slow: { title: Slow, price: 0, quotas: { rate: 2 } }
  full: { title: Full, price: 0, quotas: { storage: 1 } }
"""
NOTES = """
version: 1
service: { name: NAME, title: Notes }
auth: { signup: open }
entities:
  notes:
    schema: { required: [text], properties: { text: { type: string, maxLength: 200 } } }
    access: { read: [ { role: public, aggregate: true } ], create: [ { role: public } ], delete: [ { role: admin } ] }
"""


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    live = installation(tmp_path_factory.mktemp("metering"))
    live.env |= {
        "BACKSAAS_METERING_FLUSH_SECONDS": "0.1",
        "BACKSAAS_METERING_MEASURE_SECONDS": "0.2",
        "BACKSAAS_LOG_ACCESS": "true",
        "BACKSAAS_LOG_FORMAT": "json",
    }
    (live.config / "plans.yaml").write_text(PLANS)
    platform = Platform(live)
    await platform.start()
    yield platform
    await live.stop()


async def add_notes(platform: Platform, slug: str, text: str = NOTES) -> None:
    """Make a tenant with notes, and wait until the platform has its row."""
    platform.live.write(slug, text.replace("NAME", slug))
    for _ in range(200):
        status, _ = await platform.inside(slug, "GET", "notes")
        _, rows = await platform.call("GET", f"tenants?slug=eq.{slug}")
        if rows and status == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the tenant has no row")


async def plan(platform: Platform, slug: str, name: str) -> None:
    status, told = await platform.call("POST", "rpc/set_plan", {"tenant": slug, "plan": name})
    assert status == 200, told
