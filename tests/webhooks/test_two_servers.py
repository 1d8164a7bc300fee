"""Two server processes on one database: what is due is done once, and goes on when one of them is killed."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.live import Live

FILE = """
version: 1
service: { name: SLUG }
entities:
  notes: { schema: { properties: { text: { type: string }, order_id: { type: string } } } }
  orders:
    schema: { properties: { title: { type: string } } }
    functions:
      noted: { trigger: after_create, function: create_record, config: { entity: notes, values: { text: order, order_id: "{{ self.id }}" } } }
jobs:
  tick: { every: 1s, missed: skip, enabled: ENABLED, function: create_record, config: { entity: notes, values: { text: tick } } }
"""


async def ask(live: Live, slug: str, method: str, path: str, body: object = None) -> Any:
    async with live.session(slug) as session, session.request(
        method, f"{live.base(slug)}/{path}", json=body, headers={"Prefer": "return=representation"}
    ) as answer:  # fmt: skip
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def until(look: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while not wanted(found := await look()):
            await asyncio.sleep(0.05)
    return found


async def test_jobs_and_functions_run_once_and_outlive_a_server(tmp_path: Path, database_url: str) -> None:
    slug = f"t-{secrets.token_hex(4)}"
    text = FILE.replace("SLUG", slug)
    first, second = (Live(tmp_path / name, BACKSAAS_DATABASE_URL=database_url) for name in "ab")
    for live in (first, second):
        live.write(slug, text.replace("ENABLED", "true"))
    await first.start()
    await second.start()

    async def ticks() -> int:
        return len(await ask(second, slug, "GET", "notes?text=eq.tick&select=id&limit=1000"))

    async def under_way() -> list[Any]:
        return [
            *(await ask(second, slug, "GET", "tasks/v1?state=ready")),
            *(await ask(second, slug, "GET", "tasks/v1?state=running")),
        ]

    try:
        orders = await asyncio.gather(
            *(
                ask(live, slug, "POST", "orders", {"title": str(n)})
                for n in range(10)
                for live in (first, second)
            )
        )
        await until(ticks, lambda number: number >= 4)
        for live in (first, second):
            live.write(slug, text.replace("ENABLED", "false"))
        for live in (first, second):
            async with asyncio.timeout(60):
                while "job" in {task["kind"] for task in await under_way()} or (
                    {
                        job["name"]
                        for job in await ask(live, slug, "GET", "jobs/v1")
                        if job.get("enabled", True)
                    }
                ):
                    await asyncio.sleep(0.05)
        await until(under_way, lambda found: found == [])
        done = await ask(second, slug, "GET", "tasks/v1?kind=job&name=tick&state=done&limit=1000")
        assert await ticks() == len(done)
        noted = await ask(second, slug, "GET", "notes?text=eq.order&select=order_id&limit=1000")
        assert sorted(note["order_id"] for note in noted) == sorted(order[0]["id"] for order in orders)
        for live in (first, second):
            live.write(slug, text.replace("ENABLED", "true"))
        await until(ticks, lambda number: number > len(done))
        assert first.process is not None
        first.process.kill()
        first.process.wait()
        number = await ticks()
        await until(ticks, lambda found: found >= number + 3)
    finally:
        for live in (first, second):
            await live.stop()
