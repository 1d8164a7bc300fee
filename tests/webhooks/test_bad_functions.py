"""Functions at their worst in the real program (docs/faults.md 31 to 34, 46): nobody else notices."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from tests.live import Live

FILE = """
version: 1
service: { name: SLUG }
functions:
  run: { trigger: rpc, roles: [public], timeout: 1s }
entities:
  notes: { schema: { properties: { text: { type: string } } }, access: { read: [ { role: public } ], write: [ { role: public } ] } }
  orders:
    schema: { properties: { title: { type: string } } }
    access: { read: [ { role: public } ], write: [ { role: public } ] }
    functions:
      noted: { trigger: after_create, function: create_record, config: { entity: notes, values: { text: "{{ self.title }}" } } }
"""
CODE = """
import re, asyncio

async def run(args, ctx):
    match args["do"]:
        case "raise":
            1 / 0
        case "loop":
            while True:
                pass
        case "in C":
            10 ** 10 ** 8
        case "regex":
            re.fullmatch("(a+)+b", "a" * 64)
        case "leak":
            kept = []
            while True:
                kept.append(bytearray(1 << 20))
        case "fork":
            import os
            os.fork()
        case "open":
            return open("/etc/passwd").read()
        case "exit":
            raise SystemExit(3)
        case "wait":
            await asyncio.sleep(0.5)
    return "well"
"""
WORST = ("raise", "loop", "in C", "regex", "leak", "fork", "open", "exit")


async def test_one_tenants_worst_functions_hurt_nobody(tmp_path: Path, database_url: str) -> None:
    bad, good = (f"{name}-{secrets.token_hex(4)}" for name in ("bad", "good"))
    live = Live(tmp_path, BACKSAAS_DATABASE_URL=database_url)
    for slug in (bad, good):
        (live.schemas / f"{slug}.py").write_text(CODE)
        patience = "1s" if slug == bad else "20s"
        live.write(slug, FILE.replace("SLUG", slug).replace("timeout: 1s", f"timeout: {patience}"))
    await live.start()
    failures: list[Any] = []
    asked = 0
    stop = asyncio.Event()
    try:
        async with aiohttp.ClientSession() as session:

            async def call(slug: str, do: str) -> tuple[int, Any]:
                async with session.post(f"{live.base(slug)}/rpc/run", json={"do": do}) as answer:
                    return answer.status, await answer.json()

            async def until_well(slug: str) -> None:
                async with asyncio.timeout(30):
                    while await call(slug, "") != (200, "well"):
                        await asyncio.sleep(0.05)

            async def neighbour() -> None:
                nonlocal asked
                while not stop.is_set():
                    async with session.get(f"{live.base(good)}/notes") as answer:
                        asked += 1
                        if answer.status != 200:
                            failures.append(await answer.text())

            watching = asyncio.get_running_loop().create_task(neighbour())
            await until_well(bad)
            for do in WORST:
                status, told = await call(bad, do)
                assert status in {422, 500, 503, 504}, (do, status, told)
                assert "Traceback" not in str(told)
                assert "line" not in str(told), told
            # all at once, and more than there is room for: the other tenant's own functions get their share
            crowd = [asyncio.get_running_loop().create_task(call(bad, "loop")) for _ in range(12)]
            assert await call(good, "wait") == (200, "well")
            assert {status for status, _ in await asyncio.gather(*crowd)} <= {503, 504}
            await until_well(bad)
            stop.set()
            await watching
            assert asked > 10
            assert failures == []
        assert await live.stop() == 0
    finally:
        stop.set()
        await live.stop()


async def test_work_that_cannot_be_done_is_told_and_done_when_it_can(
    tmp_path: Path, database_url: str
) -> None:
    slug = f"t-{secrets.token_hex(4)}"
    live = Live(tmp_path, BACKSAAS_DATABASE_URL=database_url)
    live.write(
        slug,
        FILE.replace("SLUG", slug).replace(
            "functions:\n  run: { trigger: rpc, roles: [public], timeout: 1s }\n", "", 1
        ),
    )
    await live.start()
    owner = await asyncpg.connect(database_url)
    try:
        namespace = await owner.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = $1", slug)
        await owner.execute(f'ALTER TABLE "{namespace}"._tasks RENAME TO _gone')
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{live.base(slug)}/orders", json={"title": "kept"}) as answer:
                assert answer.status == 201, await answer.text()
            async with asyncio.timeout(30):
                while "relay." not in live.output():
                    await asyncio.sleep(0.05)
            async with session.get(f"{live.base(slug)}/orders") as answer:
                assert answer.status == 200, "requests are not its business"
            await owner.execute(f'ALTER TABLE "{namespace}"._gone RENAME TO _tasks')
            async with asyncio.timeout(60):
                while True:
                    async with session.get(f"{live.base(slug)}/notes?select=text") as answer:
                        if await answer.json() == [{"text": "kept"}]:
                            break
                    await asyncio.sleep(0.05)
    finally:
        await owner.close()
        await live.stop()
