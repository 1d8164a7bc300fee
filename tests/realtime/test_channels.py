"""Websockets of channels, as raw as they come: what they do, and what they refuse."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from actors.features.realtime.outgoing import Outgoing
from tests.live import Live

PATIENCE = 30.0


class Wire:
    """One websocket, version 2.0.0."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._ref = 0

    async def send(self, topic: str, event: str, payload: Any) -> str:
        self._ref += 1
        await self.socket.send_str(json.dumps([None, str(self._ref), topic, event, payload]))
        return str(self._ref)

    async def message(self, *events: str) -> list[Any]:
        """The next message of one of the events."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.socket.receive()
                assert found.type is aiohttp.WSMsgType.TEXT, (found, self.socket.close_code)
                message: list[Any] = json.loads(found.data)
                if message[3] in events:
                    return message

    async def asked(self, topic: str, event: str, payload: Any) -> tuple[str, Any]:
        """Status and answer to a message."""
        ref = await self.send(topic, event, payload)
        while True:
            message = await self.message("phx_reply")
            if message[1] == ref:
                return message[4]["status"], message[4]["response"]

    async def join(self, topic: str, token: str | None = None, **config: Any) -> tuple[str, Any]:
        return await self.asked(f"realtime:{topic}", "phx_join", {"config": config, "access_token": token})

    async def close_code(self) -> int | None:
        async with asyncio.timeout(PATIENCE):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code


@pytest.fixture(scope="module")
def key(live: Live) -> str:
    return live.command("key", "acme-co", "--public").stdout.split()[-1]


@asynccontextmanager
async def wired(live: Live, key: str, slug: str = "acme-co", **headers: str) -> AsyncIterator[Wire]:
    url = f"{live.base(slug)}/realtime/v1/websocket?apikey={key}&vsn=2.0.0"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        yield Wire(socket)


def rows(table: str, event: str = "*", **more: str) -> list[dict[str, str]]:
    return [{"event": event, "schema": "public", "table": table, **more}]


async def test_changes_of_rows(live: Live, key: str) -> None:
    ann = live.token("acme-co", "member", sub="ann")
    async with live.session("acme-co") as admin, wired(live, key) as wire:
        asked = rows("notes", filter='title=in.(one,"t,wo")') + rows("notes", "DELETE")
        status, response = await wire.join("any", ann, postgres_changes=asked)
        assert status == "ok"
        told = response["postgres_changes"]
        assert [{name: one[name] for name in ("event", "table")} for one in told] == [
            {"event": "*", "table": "notes"},
            {"event": "DELETE", "table": "notes"},
        ]
        assert told[0]["filter"] == asked[0]["filter"]
        assert (await wire.message("system"))[4]["status"] == "ok"
        base = live.base("acme-co")
        for title, owner in (("one", "bob"), ("three", "ann"), ("t,wo", "ann")):
            row = {"title": title, "owner": owner, "secret": "s"}
            async with admin.post(
                f"{base}/notes", json=row, headers={"Prefer": "return=representation"}
            ) as answer:
                made = (await answer.json())[0]
        change = (await wire.message("postgres_changes"))[4]
        assert change["ids"] == [told[0]["id"]]
        data = change["data"]
        assert (data["type"], data["schema"], data["table"], data["errors"]) == (
            "INSERT",
            "public",
            "notes",
            None,
        )
        assert data["record"]["title"] == "t,wo"
        assert "secret" not in data["record"]
        assert {"name": "title", "type": "text"} in data["columns"] or {
            "name": "title",
            "type": "varchar",
        } in data["columns"]
        async with admin.delete(f"{base}/notes?id=eq.{made['id']}"):
            pass
        found = [(await wire.message("postgres_changes"))[4] for _ in range(2)]
        assert sorted(one["ids"][0] for one in found) == sorted(one["id"] for one in told)
        assert found[0]["data"]["old_record"] == {"id": made["id"]}


async def test_every_table_at_once_is_every_row_one_may_see(live: Live, key: str) -> None:
    """docs/attacks.md A15: a wildcard reaches no further than its caller."""
    ann, base = live.token("acme-co", "member", sub="ann"), live.base("acme-co")
    async with live.session("acme-co") as admin, wired(live, key) as wire:
        everything = [{"event": "INSERT", "schema": "public"}]
        status, response = await wire.join("all", ann, postgres_changes=everything)
        assert (status, response["postgres_changes"][0]["event"]) == ("ok", "INSERT")
        for table, row in (
            ("notes", {"title": "hidden", "owner": "bob"}),
            ("notes", {"title": "hers", "owner": "ann", "secret": "s"}),
            ("projects", {"title": "house"}),
        ):
            async with admin.post(f"{base}/{table}", json=row) as answer:
                assert answer.status == 201
        told = [(await wire.message("postgres_changes"))[4] for _ in range(2)]
        assert {one["ids"][0] for one in told} == {response["postgres_changes"][0]["id"]}
        assert sorted((one["data"]["table"], one["data"]["record"]["title"]) for one in told) == [
            ("notes", "hers"),
            ("projects", "house"),
        ]
        assert not [one for one in told if "secret" in one["data"]["record"]]


async def test_what_one_may_not_see_is_not_joined(live: Live, key: str) -> None:
    """docs/attacks.md A15: wildcards, hidden fields, other tenants' credentials."""
    ann = live.token("acme-co", "member", sub="ann")
    async with wired(live, key) as wire:
        for config, token in (
            ({"postgres_changes": rows("notes")}, None),
            ({"postgres_changes": rows("*")}, None),
            ({"postgres_changes": rows("*", filter="title=eq.a")}, ann),
            ({"postgres_changes": rows("")}, ann),
            ({"postgres_changes": rows("notes", filter="secret=eq.s")}, ann),
            ({"postgres_changes": [{"event": "*", "schema": "auth", "table": "users"}]}, ann),
            ({"private": True}, None),
            ({}, live.token("other-co", "member", sub="ann")),
            ({}, "nonsense"),
        ):
            status, response = await wire.join("room", token, **config)
            assert (status, bool(response["reason"])) == ("error", True), config
        assert (await wire.asked("realtime:room", "broadcast", {"event": "x"}))[1] == {
            "reason": "unmatched topic"
        }
        assert (await wire.asked("phoenix", "heartbeat", {}))[0] == "ok"


async def test_rooms_belong_to_their_tenant(live: Live, key: str) -> None:
    """docs/attacks.md A15, A22: the same topic of another tenant, or not private, is another room."""
    theirs = live.command("key", "other-co", "--public").stdout.split()[-1]
    ann = live.token("acme-co", "member", sub="ann")
    async with wired(live, key) as one, wired(live, key) as two, wired(live, theirs, "other-co") as other:
        assert (await one.join("room", broadcast={"self": True, "ack": True}, presence={"key": "one"}))[
            0
        ] == "ok"
        assert (await two.join("room", presence={"key": "two"}))[0] == "ok"
        assert (await two.join("room2", ann, private=True))[0] == "ok"
        assert (await other.join("room", presence={"key": "other"}))[0] == "ok"
        assert (await other.message("presence_state"))[4] == {}
        say = {"type": "broadcast", "event": "hello", "payload": {"n": 1}}
        assert await one.asked("realtime:room", "broadcast", say) == ("ok", {})
        assert (await two.message("broadcast"))[4] == say
        show = {"type": "presence", "event": "track", "payload": {"mood": "fine"}}
        await one.send("realtime:room", "presence", show)
        diff = (await two.message("presence_diff"))[4]
        assert diff["joins"]["one"]["metas"][0]["mood"] == "fine"
        assert list(diff["leaves"]) == []
        await one.send("realtime:room", "presence", {**show, "event": "untrack"})
        assert list((await two.message("presence_diff"))[4]["leaves"]) == ["one"]
        await one.send("realtime:room", "presence", show)
        await two.message("presence_diff")
        await one.socket.close()
        assert list((await two.message("presence_diff"))[4]["leaves"]) == ["one"]
        # what the neighbour hears next is its own
        await other.send("realtime:room", "presence", show)
        assert list((await other.message("presence_diff", "broadcast"))[4]["joins"]) == ["other"]


async def test_broadcasts_without_a_websocket(live: Live, key: str) -> None:
    base = f"{live.base('acme-co')}/realtime/v1/api/broadcast"
    async with wired(live, key) as wire, aiohttp.ClientSession() as nobody:
        assert (await wire.join("news"))[0] == "ok"
        message = {"topic": "news", "event": "up", "payload": {"n": 1}}
        for url, body, headers, status in (
            (base, {"messages": [message]}, {}, 401),
            (base, {"messages": [{**message, "private": True}]}, {"apikey": key}, 401),
            (base, {"messages": [{"topic": 1}]}, {"apikey": key}, 400),
            (base, {"messages": [message]}, {"apikey": key}, 202),
            (f"{base}/news/events/down", {"n": 2}, {"apikey": key}, 202),
        ):
            async with nobody.post(url, json=body, headers=headers) as answer:
                assert answer.status == status, await answer.text()
        assert (await wire.message("broadcast"))[4] == {
            "type": "broadcast",
            "event": "up",
            "payload": {"n": 1},
        }
        assert (await wire.message("broadcast"))[4]["event"] == "down"


async def test_a_handshake_needs_the_right_page_and_key(live: Live, key: str) -> None:
    """docs/attacks.md C26: foreign pages, secrets and tokens in the address."""
    secret = live.command("key", "acme-co").stdout.split()[-1]
    token = live.token("acme-co", "member", sub="ann")
    base = f"{live.base('acme-co')}/realtime/v1/websocket"
    for query, headers, status in (
        (f"apikey={key}&vsn=2.0.0", {"Origin": "https://evil.example"}, 403),
        (f"apikey={key}&vsn=2.0.0", {"Origin": "null"}, 403),
        (f"apikey={secret}", {}, 400),
        (f"apikey={token}", {}, 400),
        (f"apikey={key[:-4]}0000", {}, 401),
        (f"apikey={key}&vsn=9.0.0", {}, 400),
    ):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{base}?{query}", headers=headers)
            assert refused.value.status == status, query
    async with aiohttp.ClientSession() as session, session.get(f"{base}?apikey={key}") as answer:
        assert answer.status == 400
    async with wired(live, key, Origin=live.url) as wire:
        assert (await wire.join("room"))[0] == "ok"


async def test_a_connection_has_limits(live: Live, key: str) -> None:
    """docs/attacks.md D8: joins, sizes, rates."""
    async with wired(live, key) as wire:
        await wire.socket.send_str("x" * (300 * 1024))
        assert await wire.close_code() == 1009
    async with wired(live, key) as wire:
        with contextlib.suppress(aiohttp.ClientConnectionResetError):
            for _ in range(150):
                await wire.send("phoenix", "heartbeat", {})
        # messages that were still under way may break the connection before its code is read
        assert await wire.close_code() in {1006, 1008}
    async with wired(live, key) as wire:
        await wire.socket.send_str("{}")
        assert await wire.close_code() == 1008
    async with wired(live, key) as wire:
        status, _ = await wire.asked("other:room", "phx_join", {})
        assert status == "error"


async def test_who_leaves_too_much_unread_is_told_nothing_more() -> None:
    """docs/attacks.md D8: 1 MiB, then the end."""
    out = Outgoing("2.0.0")
    for _ in range(6):
        out.queue("x" * 256 * 1024)
    assert (out.code, out.over, await out.piece(0)) == (1013, True, None)


async def test_a_revoked_credential_ends_it(live: Live, key: str) -> None:
    """docs/attacks.md A15, C26: at once, with a code that says why."""
    base = live.base("acme-co")
    async with live.session("acme-co") as admin:
        async with admin.post(f"{base}/auth/v1/keys", json={"name": "soon gone", "role": "member"}) as answer:
            made = await answer.json()
        async with wired(live, key) as wire:
            assert (await wire.join("room", made["key"], postgres_changes=rows("counts")))[0] == "ok"
            async with admin.delete(f"{base}/auth/v1/keys/{made['id']}"):
                pass
            assert await wire.close_code() == 4401


async def test_a_restart_says_so(live: Live, key: str) -> None:
    async with wired(live, key) as wire:
        assert (await wire.join("room"))[0] == "ok"
        restarting = asyncio.ensure_future(live.restart())
        assert await wire.close_code() == 1012
        await restarting
