"""What following leaves in a tenant's namespace, and that it goes again."""

from collections.abc import AsyncIterator

import pytest

from actors.features.realtime import log
from tests.api.harness import World, open_world
from tests.realtime.conftest import ACME

LATER = "UPDATE {ns}._live SET until = clock_timestamp() - interval '1 second'"
TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgname = '_tell' AND tgrelid = '{ns}.notes'::regclass"
KEPT = "SELECT count(*) FROM {ns}._changes"


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as opened:
        yield opened


async def test_changes_are_recorded_only_while_somebody_listens(world: World) -> None:
    generation = await world.tenant("acme-co", ACME)
    identity, entity = generation.identity, generation.model.entities["notes"]
    boss = world.client("acme-co", "admin")

    async with world.database.owner() as owner:

        async def count(text: str) -> int:
            return int(await owner.fetchval(text.replace("{ns}", f'"{identity.namespace}"')))

        assert (await boss.post("/notes", {"title": "before"})).status == 201
        assert (await count(TRIGGERS), await count(KEPT)) == (0, 0)
        await log.arm(owner, identity, [entity])
        assert (await boss.post("/notes", {"title": "while"})).status == 201
        assert (await count(TRIGGERS), await count(KEPT)) == (1, 1)
        await log.disarm(owner, identity)
        assert await count(TRIGGERS) == 1, "somebody may come back"
        await owner.execute(LATER.replace("{ns}", f'"{identity.namespace}"'))
        assert (await boss.post("/notes", {"title": "after"})).status == 201
        assert await count(KEPT) == 1
        await log.disarm(owner, identity)
        assert await count(TRIGGERS) == 0
        await log.disarm(owner, identity)
