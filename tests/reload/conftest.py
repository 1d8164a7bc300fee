"""One live process for the module's tests, with one small tenant per test."""

import asyncio
import json
import time
from collections.abc import Callable

import aiohttp
import pytest

from tests.conftest import StartLive
from tests.live import Live


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    return await start_live()


def tenant(slug: str, fields: str = "", rest: str = "", *, required: str = "[name]") -> str:
    """A tenant with one entity ``items``; ``fields`` are further properties, one per line."""
    extra = "".join(f"        {line}\n" for line in fields.splitlines() if line.strip())
    return (
        f"version: 1\nservice: {{ name: {slug} }}\nentities:\n  items:\n    schema:\n      type: object\n"
        f"      required: {required}\n      properties:\n        name: {{ type: string, maxLength: 100 }}\n{extra}{rest}"
    )


async def eventually(true: Callable[[], bool], live: Live) -> None:
    """Wait for something of the process to be true."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, live.output()[-3000:]
        await asyncio.sleep(0.02)


async def measured(live: Live, line: str) -> None:
    """Wait for a line of the process's metrics, which are made anew once a second."""
    deadline = time.monotonic() + 30
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{live.admin_url}/metrics") as answer:
                if line in (await answer.text()).splitlines():
                    return
            assert time.monotonic() < deadline, line
            await asyncio.sleep(0.1)


async def warnings(live: Live) -> list[str]:
    """What operators are told by a server that is ready."""
    async with aiohttp.ClientSession() as session, session.get(f"{live.admin_url}/readyz") as answer:
        assert answer.status == 200
        return list(json.loads(await answer.text())["warnings"])
