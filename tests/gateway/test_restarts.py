"""The routes outlive a restart of the actors around them, whatever the file says by then."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from config.settings import DatabaseSettings, Settings
from gateway.serve import Server
from tests.live import free_port

GOOD = "routes:\n  - { path: '/p/*', target: platform-api }\n"


@pytest.fixture
async def running(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Server, Settings]]:
    """A whole server in this process, so that a test can end one of its actors."""
    settings = Settings(
        port=free_port(), admin_port=free_port(), data_dir=tmp_path / "data", schemas_dir=tmp_path / "schemas",
        config_dir=tmp_path / "config", drain_seconds=0.5, database=DatabaseSettings(url=database_url),
    )  # fmt: skip
    for directory in (settings.data_dir, settings.schemas_dir, settings.config_dir):
        directory.mkdir()
    (settings.config_dir / "gateway.yaml").write_text(GOOD)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    server = Server(settings, {})
    serving = asyncio.ensure_future(server.run())
    await until_ready(settings, serving)
    yield server, settings
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def until_ready(settings: Settings, serving: "asyncio.Future[None] | None" = None) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            assert serving is None or not serving.done(), serving.exception()
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{settings.port}/nothing") as answer:
                    assert answer.status == 404
                    return
            await asyncio.sleep(0.05)
    raise AssertionError("it never listened")


async def statuses(settings: Settings, *paths: str) -> list[int]:
    found = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{settings.port}") as session:
        for path in paths:
            async with session.get(path) as answer:
                found.append(answer.status)
    return found


@pytest.mark.parametrize("name", ["watcher", "gateway"])
async def test_the_last_good_routes_outlive_a_restart(running: tuple[Server, Settings], name: str) -> None:
    server, settings = running
    file = settings.config_dir / "gateway.yaml"
    # no tenant is there: a path that leads to the platform and one that leads nowhere differ in the code
    async with aiohttp.ClientSession(f"http://127.0.0.1:{settings.port}") as session:
        async with session.get("/p/tenants") as answer:
            assert (await answer.json(content_type=None))["code"] == "tenant.not_found"
        file.write_text("routes:\n  - { path: '/p/*', target: nothing-like-that }\n")
        actor = server._actor(name)
        if name == "watcher":
            actor.kill()
        else:
            actor.tell("what it does not understand")
        await asyncio.sleep(0.2)
        await until_ready(settings)
        async with session.get("/p/tenants") as answer:
            assert (await answer.json(content_type=None))["code"] == "tenant.not_found"
        # and it still hears of the next edit
        file.write_text(GOOD + "  - { path: '/q/*', target: platform-api }\n")
        for _ in range(200):
            async with session.get("/q/tenants") as answer:
                code = (await answer.json(content_type=None))["code"]
            if code == "tenant.not_found":
                return
            await asyncio.sleep(0.05)
        raise AssertionError(code)


@pytest.mark.parametrize("name", ["clock", "system", "metering", "backup"])
async def test_what_serves_no_request_fails_behind_an_open_port(
    running: tuple[Server, Settings], name: str
) -> None:
    server, settings = running
    actor, gateway = server._actor(f"upkeep/{name}"), server._gateway
    for _ in range(4):
        actor.kill()
        assert set(await statuses(settings, *["/nothing"] * 10)) == {404}
        await actor.ready()
    assert server._gateway is gateway
