"""What following leaves in a tenant's namespace, and how much of it there may be: docs/attacks.md C26, D8."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import aiohttp
import pytest
from msgspec.structs import replace

from actors.features.auth import realm
from actors.features.realtime import events, log, members, operations
from actors.features.realtime.hub import Hub
from actors.tenant.operations import identify
from tests.api.harness import World, open_world
from tests.realtime.conftest import ACME
from tests.realtime.feed import Feed

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

    await generation.pool.furnish("_changes")
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


@pytest.fixture(scope="module")
async def followed(world: World) -> AsyncIterator[Hub]:
    """The hub of the tenant ``live-co``."""
    tasks: list[asyncio.Task[None]] = []
    generation = await world.tenant("live-co", ACME.replace("acme-co", "live-co"))
    hub = Hub(generation, world.database, identify, lambda work, _: tasks.append(asyncio.ensure_future(work)))
    generation.live = hub
    hub.serve(generation)
    yield hub
    hub.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_as_many_follow_as_may(world: World, followed: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = world.client("live-co", "admin")
    headers = {"Authorization": f"Bearer {boss.token}"}
    monkeypatch.setattr(members, "MOST_FOLLOWERS", 1)
    monkeypatch.setattr(operations, "MOST_SOCKETS", 1)
    socket = f"{boss.base}/realtime/v1/websocket?vsn=2.0.0"
    async with aiohttp.ClientSession(headers=headers) as session:
        async with Feed(session, f"{boss.base}/notes") as feed:
            assert await feed.told() == ("ready", {})
            refused = await boss.get("/notes", Accept="text/event-stream")
            assert (refused.status, refused.json["code"]) == (429, "realtime.too_many")
            assert "Retry-After" in refused.headers
            async with session.ws_connect(socket) as first:
                join = {
                    "config": {"postgres_changes": [{"event": "*", "schema": "public", "table": "notes"}]}
                }
                await first.send_json(["1", "1", "realtime:a", "phx_join", join])
                answer = await first.receive_json()
                assert (answer[4]["status"], "may" in answer[4]["response"]["reason"]) == ("error", True)
                with pytest.raises(aiohttp.WSServerHandshakeError) as full:
                    await session.ws_connect(socket)
                assert full.value.status == 429
        async with asyncio.timeout(30):
            while followed.members.count or followed.rooms.sockets:
                await asyncio.sleep(0.01)
        # whoever left made room
        async with Feed(session, f"{boss.base}/notes") as feed, session.ws_connect(socket):
            assert await feed.told() == ("ready", {})


async def test_silence_is_broken_and_what_is_forgotten_is_told_anew(
    world: World, followed: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    boss = world.client("live-co", "admin")
    url = f"{boss.base}/notes?select=title&order=title"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {boss.token}"}) as session:
        async with session.get(url, headers={"Accept": "text/event-stream"}) as answer, asyncio.timeout(30):
            await answer.content.readuntil(b": still here\n\n")
        async with Feed(session, url) as feed:
            await feed.told()
            assert (await boss.post("/notes", {"title": "one"})).status == 201
            assert await feed.told() == ("insert", {"title": "one"})
            last = feed.last
        for title in ("three", "two"):
            assert (await boss.post("/notes", {"title": title})).status == 201
        async with Feed(session, url, last) as feed:
            assert await feed.told() == ("insert", {"title": "three"})
        monkeypatch.setattr(log, "KEPT_SECONDS", 0)
        async with world.database.owner() as owner:
            await log.forget(owner, followed.generation.identity.namespace, 0)
        async with Feed(session, url, last) as feed:
            kind, told = await feed.told()
        rows = [{"title": title} for title in ("one", "three", "two")]
        assert (kind, told) == ("resync", {"reason": "changes were missed", "rows": rows})


async def test_a_token_that_runs_out_ends_it(
    world: World, followed: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = 0.0
    clock = SimpleNamespace(time=lambda: time.time() + later)
    monkeypatch.setattr(realm, "time", clock)
    kept = followed.generation.realm
    assert kept is not None
    services = replace(kept.services, now=lambda: datetime.now(UTC) + timedelta(seconds=later))
    monkeypatch.setattr(kept, "services", services)
    boss = world.client("live-co", "admin")
    socket = f"{boss.base}/realtime/v1/websocket?vsn=2.0.0"
    join = {"config": {"private": True}, "access_token": boss.token}
    async with aiohttp.ClientSession() as session, session.ws_connect(socket) as wire:
        await wire.send_json(["1", "1", "realtime:a", "phx_join", join])
        assert (await wire.receive_json())[4]["status"] == "ok"
        session.headers["Authorization"] = f"Bearer {boss.token}"
        async with Feed(session, f"{boss.base}/notes") as feed, asyncio.timeout(30):
            assert await feed.told() == ("ready", {})
            later = 400 * 86400.0
            while not wire.closed:
                await wire.receive()
            assert wire.close_code == 4401
            kind, told = await feed.told()
            assert (kind, told["code"]) == ("error", "auth.invalid_token")
            assert await feed.event() is None
