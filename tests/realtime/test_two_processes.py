"""Rooms of two server processes on one database: docs/attacks.md A16."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import asyncpg
import pytest

from actors.features.realtime.rooms import SHOW, SILENT_SECONDS, Rooms, Seat, Word
from actors.features.realtime.wire import CHANNEL
from tests.live import Live
from tests.realtime.conftest import ACME
from tests.realtime.test_channels import wired

SLUG = "two-co"


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[list[Live]]:
    servers = [
        Live(tmp_path_factory.mktemp(name), BACKSAAS_DATABASE_URL=database_url) for name in ("one", "two")
    ]
    for live in servers:
        live.write(SLUG, ACME.replace("acme-co", SLUG))
    await servers[0].start()
    await servers[1].start()
    yield servers
    for live in servers:
        await live.stop()


async def test_people_of_two_processes_hear_and_see_each_other(both: list[Live], database_url: str) -> None:
    key = both[0].command("key", SLUG, "--public").stdout.split()[-1]
    show = {"type": "presence", "event": "track", "payload": {"mood": "fine"}}
    async with wired(both[0], key, SLUG) as ann, wired(both[1], key, SLUG) as bob:
        assert (await ann.join("room", broadcast={"ack": True}, presence={"key": "ann"}))[0] == "ok"
        assert (await ann.asked("realtime:room", "presence", show))[0] == "ok"
        # who comes later is told who is there already, elsewhere too
        assert (await bob.join("room", presence={"key": "bob"}))[0] == "ok"
        diff = (await bob.message("presence_diff"))[4]
        assert diff["joins"]["ann"]["metas"][0]["mood"] == "fine"
        assert (await bob.asked("realtime:room", "presence", show))[0] == "ok"
        while "bob" not in (diff := (await ann.message("presence_diff"))[4])["joins"]:
            pass
        # any role can speak on the channel; nobody hears it
        outsider = await asyncpg.connect(database_url)
        try:
            tenant = await outsider.fetchval("SELECT id::text FROM backsaas.tenants WHERE slug = $1", SLUG)
            for forged in (
                "x",
                f"{tenant} a 1 1 eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
                f"{tenant} a 1 2 !",
                tenant,
            ):
                await outsider.execute("SELECT pg_notify($1, $2)", CHANNEL, forged)
        finally:
            await outsider.close()
        long = "x" * 100_000  # more than a notification holds
        say: dict[str, Any] = {"type": "broadcast", "event": "hello", "payload": {"text": long}}
        assert (await ann.asked("realtime:room", "broadcast", say))[0] == "ok"
        assert (await bob.message("broadcast"))[4] == say
        name = b"realtime:room"
        await bob.socket.send_bytes(bytes((3, 0, 1, len(name), 5, 0, 0)) + b"9" + name + b"bytes" + b"\0\xff")
        async with asyncio.timeout(30):
            while (heard := await ann.socket.receive()).type is not aiohttp.WSMsgType.BINARY:
                assert "forged" not in json.dumps(str(heard.data))
        assert heard.data.endswith(b"\0\xff")
        url = f"{both[1].base(SLUG)}/realtime/v1/api/broadcast/room/events/up"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json={"n": 1}, headers={"apikey": key}) as answer,
        ):
            assert answer.status == 202
        assert (await ann.message("broadcast"))[4]["payload"] == {"n": 1}
        await bob.socket.close()
        while "bob" not in (await ann.message("presence_diff"))[4]["leaves"]:
            pass


def test_whom_a_process_showed_goes_with_it() -> None:
    heard: list[tuple[str, Any]] = []
    rooms = Rooms()
    seat = Seat(
        ("room", False), lambda event, told: heard.append((event, json.loads(told))), lambda *_: None, "me"
    )
    rooms.enter(seat)
    rooms.hear("other", Word(SHOW, seat.room, "ann", {"mood": "fine"}, "s1"), 0.0)
    rooms.beat(SILENT_SECONDS)
    assert json.loads(rooms.present(seat.room)) == {"ann": {"metas": [{"mood": "fine"}]}}
    rooms.beat(SILENT_SECONDS + 1)
    assert json.loads(rooms.present(seat.room)) == {}
    assert heard[-1] == ("presence_diff", {"joins": {}, "leaves": {"ann": {"metas": [{"mood": "fine"}]}}})
