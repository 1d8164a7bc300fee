"""``run.py seed`` against a live process: both example tenants take every row, and taking them twice changes nothing."""

import shutil
from collections.abc import AsyncIterator

import pytest

from tests.live import ROOT, Live


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Live]:
    live = Live(tmp_path_factory.mktemp("seeded"), BACKSAAS_DATABASE_URL=database_url)
    for slug in ("acme-corp", "sample-crm"):
        for suffix in ("py", "yaml"):
            shutil.copy(ROOT / "schemas" / f"{slug}.{suffix}", live.schemas)
    await live.start()
    yield live
    await live.stop()


async def total(live: Live, slug: str, entity: str) -> int:
    async with (
        live.session(slug) as session,
        session.get(f"{live.base(slug)}/{entity}?limit=1", headers={"Prefer": "count=exact"}) as answer,
    ):
        return int(answer.headers["Content-Range"].rpartition("/")[2])


@pytest.mark.parametrize(("slug", "entity"), [("acme-corp", "invoices"), ("sample-crm", "deals")])
async def test_seeding_twice_is_seeding_once(live: Live, slug: str, entity: str) -> None:
    first = live.command("seed", slug, "--rows", "700")
    assert first.returncode == 0, first.stdout + first.stderr
    count = await total(live, slug, entity)
    assert count > 50
    again = live.command("seed", slug, "--rows", "700")
    assert again.returncode == 0, again.stdout + again.stderr
    assert await total(live, slug, entity) == count
