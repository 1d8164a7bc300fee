"""supabase-js, Supabase's Python client and channels, against a process started as the README says."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent

from tests.clients.test_supabase import NOTES
from tests.conftest import StartLive

HERE = Path(__file__).parent


def unconfirmed() -> str:
    return NOTES.replace("signup: open", "signup: open\n  confirm: off")


async def test_channels_of_supabase_js(start_live: StartLive) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not on this machine")
    if not (HERE / "node_modules" / "ws").is_dir():
        installing = await asyncio.create_subprocess_exec(
            npm, "ci", "--no-audit", "--no-fund", "--silent", cwd=HERE
        )
        assert await installing.wait() == 0, "npm ci failed"
    live = await start_live({"notes-app": unconfirmed()})
    key = live.command("key", "notes-app", "--public").stdout.split()[-1]
    process = await asyncio.create_subprocess_exec(
        node, "--test", "realtime.test.mjs", cwd=HERE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "BASE": live.base("notes-app"), "KEY": key},
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, output.decode()[-6000:]
    process = await asyncio.create_subprocess_exec(
        node, "reconnect.test.mjs", cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "BASE": live.base("notes-app"), "KEY": key},
    )  # fmt: skip
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(120):
        while b"joined" not in said and (line := await process.stdout.readline()):
            said += line
        await live.restart()
        said += await process.stdout.read()
        assert await process.wait() == 0, said.decode()[-6000:]


async def test_channels_of_the_python_client(start_live: StartLive) -> None:
    live = await start_live({"notes-app": unconfirmed()})
    key = live.command("key", "notes-app", "--public").stdout.split()[-1]
    base = live.base("notes-app")
    async with aiohttp.ClientSession(headers={"apikey": key}) as session:
        person = {"email": "ann@example.com", "password": "correct horse battery 9"}
        async with session.post(f"{base}/auth/v1/signup", json=person) as answer:
            token = (await answer.json())["access_token"]
        heard: asyncio.Queue[Any] = asyncio.Queue()
        client = AsyncRealtimeClient(f"{base}/realtime/v1", key)
        await client.connect()
        try:
            await client.set_auth(token)
            channel = client.channel(
                "notes", {"config": {"broadcast": {"ack": False, "self": True}, "presence": {"key": "ann", "enabled": True}, "private": False}}
            )  # fmt: skip
            joined = asyncio.Event()
            channel.on_postgres_changes(
                RealtimePostgresChangesListenEvent.All, heard.put_nowait, table="notes", schema="public"
            )
            channel.on_broadcast("hello", heard.put_nowait)
            channel.on_presence_sync(lambda: heard.put_nowait("sync"))
            await channel.subscribe(
                lambda state, error: joined.set() if state.value == "SUBSCRIBED" else None
            )

            async def told() -> Any:
                async with asyncio.timeout(30):
                    while (found := await heard.get()) == "sync":
                        pass
                    return found

            async with asyncio.timeout(30):
                await joined.wait()
            mine = {"Authorization": f"Bearer {token}"}
            async with session.post(f"{base}/rest/v1/notes", json={"text": "one"}, headers=mine) as answer:
                assert answer.status == 201
            change = (await told())["data"]
            assert (change["type"], change["record"]["text"]) == ("INSERT", "one")
            await channel.send_broadcast("hello", {"n": 1})
            assert (await told())["payload"] == {"n": 1}
            await channel.track({"mood": "fine"})
            async with asyncio.timeout(30):
                while "ann" not in channel.presence_state():
                    await asyncio.sleep(0.01)
            assert channel.presence_state()["ann"][0]["mood"] == "fine"
        finally:
            await client.close()
