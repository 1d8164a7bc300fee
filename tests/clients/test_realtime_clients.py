"""Channels of supabase-js, and Supabase's Python clients of channels and storage, against one running process."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from realtime import AsyncRealtimeClient, RealtimePostgresChangesListenEvent
from storage3 import AsyncStorageClient
from storage3.exceptions import StorageApiError

from tests.clients.test_supabase import NOTES
from tests.conftest import StartLive
from tests.files.conftest import PNG
from tests.live import Live

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    return await start_live({"notes-app": NOTES.replace("signup: open", "signup: open\n  confirm: off")})


@pytest.fixture(scope="module")
def key(live: Live) -> str:
    return live.command("key", "notes-app", "--public").stdout.split()[-1]


async def signed_up(live: Live, key: str) -> tuple[str, str]:
    """A new person's token and id."""
    person = {"email": f"{secrets.token_hex(4)}@example.com", "password": "correct horse battery 9"}
    url = f"{live.base('notes-app')}/auth/v1/signup"
    async with (
        aiohttp.ClientSession() as nobody,
        nobody.post(url, json=person, headers={"apikey": key}) as answer,
    ):
        made = await answer.json()
    return made["access_token"], made["user"]["id"]


async def test_channels_of_supabase_js(live: Live, key: str) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not on this machine")
    if not (HERE / "node_modules" / "ws").is_dir():
        installing = await asyncio.create_subprocess_exec(
            npm, "ci", "--no-audit", "--no-fund", "--silent", cwd=HERE
        )
        assert await installing.wait() == 0, "npm ci failed"
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


async def test_channels_of_the_python_client(live: Live, key: str) -> None:
    base = live.base("notes-app")
    token, _ = await signed_up(live, key)
    async with aiohttp.ClientSession(headers={"apikey": key}) as session:
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


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


async def test_storage_of_the_python_client(live: Live, key: str, http: httpx.AsyncClient) -> None:
    base = f"{live.base('notes-app')}/storage/v1/"
    token, person = await signed_up(live, key)
    storage = AsyncStorageClient(base, {"apikey": key, "Authorization": f"Bearer {token}"}, http_client=http)
    other, _ = await signed_up(live, key)
    stranger = AsyncStorageClient(base, {"apikey": key, "Authorization": f"Bearer {other}"}, http_client=http)
    papers, path = storage.from_("papers"), f"{person}/a folder/bericht.txt"
    made = await papers.upload(path, b"one", {"content-type": "text/plain", "cache-control": "60"})
    assert (made.path, made.full_path) == (path, f"papers/{path}")
    with pytest.raises(StorageApiError) as again:
        await papers.upload(path, b"two")
    assert str(again.value.status) == "409"
    await papers.upload(path, b"two", {"upsert": "true", "content-type": "text/plain"})
    await papers.update(path, b"three", {"content-type": "text/plain"})
    assert await papers.download(path) == b"three"
    assert (await papers.info(path))["size"] == 5
    assert [await one.from_("papers").exists(path) for one in (storage, stranger)] == [True, False]
    with pytest.raises(StorageApiError):
        await stranger.from_("papers").download(path)
    await papers.move(path, f"{person}/b.txt")
    await papers.copy(f"{person}/b.txt", f"{person}/c.txt")
    assert [one["name"] for one in await papers.list(person)] == ["b.txt", "c.txt"]
    page = await papers.list_v2({"prefix": f"{person}/", "limit": 1})
    assert (page.hasNext, [one.name for one in page.objects]) == (True, ["b.txt"])
    with pytest.raises(StorageApiError, match="second") as never:
        await papers.create_signed_url(f"{person}/b.txt", 10**8)
    assert "Unable to parse" not in str(never.value)
    links = [await papers.create_signed_url(f"{person}/b.txt", 60)]
    links += await papers.create_signed_urls([f"{person}/c.txt"], 60)
    avatars = storage.from_("avatars")
    await avatars.upload(f"{person}.png", PNG, {"content-type": "image/png"})
    place = await avatars.create_signed_upload_url(f"{person}-2.png")
    await stranger.from_("avatars").upload_to_signed_url(place["path"], place["token"], PNG)
    addresses = [link["signedURL"] for link in links]
    addresses += [await avatars.get_public_url(f"{person}{end}.png") for end in ("", "-2")]
    async with aiohttp.ClientSession() as nobody:
        for address, body in zip(addresses, (b"three", b"three", PNG, PNG), strict=True):
            async with nobody.get(address) as answer:
                assert (answer.status, await answer.read()) == (200, body), address
    removed = await papers.remove([f"{person}/b.txt", f"{person}/none.txt"])
    assert [one["name"] for one in removed] == [f"{person}/b.txt"]
