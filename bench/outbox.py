"""What happens after commits: how fast changes become tasks and are run, and what recording costs a write.

A function that changes a row, and a webhook to a server on this machine that always says yes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from bench.processes import Platform

SLUG = "after"
_ACCESS = "access: { read: [ admin ], write: [ admin ] }"
_SCHEMA = "schema: { properties: { name: { type: string }, amount: { type: integer } } }"
TENANT = f"""\
version: 1
service: {{ name: {SLUG} }}
entities:
  plain: {{ {_SCHEMA}, {_ACCESS} }}
  counted:
    {_SCHEMA}
    {_ACCESS}
    functions:
      note:
        trigger: after_create
        function: create_record
        config: {{ entity: plain, values: {{ name: noted }} }}
  told: {{ {_SCHEMA}, {_ACCESS} }}
webhooks: {{ here: {{ url: "http://127.0.0.1:@PORT@/", events: [told.created], secret: whsec_c2VjcmV0 }} }}
"""
BATCH = 500


def measure(dsn: str, folder: Path, *, quick: bool) -> dict:
    """Return rates per second."""
    return asyncio.run(_measure(dsn, folder, 1_000 if quick else 10_000))


async def _measure(dsn: str, folder: Path, number: int) -> dict:
    heard: list[float] = []

    async def take(request: web.Request) -> web.Response:
        await request.read()
        heard.append(time.perf_counter())
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place = folder / "after"
    place.mkdir()
    (place / f"{SLUG}.yaml").write_text(TENANT.replace("@PORT@", str(runner.addresses[0][1])))
    platform = Platform(
        "after", place, folder / "data-after", dsn, {"BACKSAAS_PRIVATE_NETWORKS": "127.0.0.0/8"}
    )
    try:
        await asyncio.to_thread(platform.wait_for, "/readyz", platform.admin_port, 120)
        headers = {"apikey": await asyncio.to_thread(platform.key, SLUG)}
        base = f"http://127.0.0.1:{platform.port}/api/tenants/{SLUG}"
        async with aiohttp.ClientSession(headers=headers) as session:
            singles = {
                f"insert_{entity}_ms": await _single(session, base, entity) for entity in ("plain", "counted")
            }
            await _until(lambda: _idle(session, base))
            before = await _count(session, base)

            async def noted() -> bool:
                return await _count(session, base) >= before + number

            functions = await _rate(session, base, "counted", number, noted)
            heard.clear()

            async def told() -> bool:
                return len(heard) >= number

            webhooks = await _rate(session, base, "told", number, told)
        return {
            "tasks": number,
            "functions_per_second": functions,
            "webhooks_per_second": webhooks,
            **singles,
        }
    finally:
        platform.stop()
        await runner.cleanup()


async def _rate(
    session: aiohttp.ClientSession, base: str, entity: str, number: int, done: Callable[[], Awaitable[bool]]
) -> float:
    began = time.perf_counter()
    for _ in range(number // BATCH):
        async with session.post(f"{base}/{entity}", json=[{"name": "x"}] * BATCH) as answer:
            answer.raise_for_status()
    await _until(done)
    return round(number / (time.perf_counter() - began), 1)


async def _single(session: aiohttp.ClientSession, base: str, entity: str) -> float:
    times = []
    for _ in range(300):
        began = time.perf_counter()
        async with session.post(f"{base}/{entity}", json={"name": "x"}) as answer:
            answer.raise_for_status()
        times.append(time.perf_counter() - began)
    return round(sorted(times)[len(times) // 2] * 1000, 3)


async def _idle(session: aiohttp.ClientSession, base: str) -> bool:
    async with session.get(f"{base}/tasks/v1?limit=1") as answer:
        return not await answer.json()


async def _count(session: aiohttp.ClientSession, base: str) -> int:
    headers = {"Prefer": "count=exact"}
    async with session.get(f"{base}/plain?limit=1&name=eq.noted", headers=headers) as answer:
        return int(answer.headers["Content-Range"].rpartition("/")[2])


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(600):
        while not await done():
            await asyncio.sleep(0.05)
