"""Live data: how soon an insert reaches everybody who follows, and what that costs those who do not.

A thousand followers of one tenant, by one query they share and by as many queries; a neighbour is asked
meanwhile. Followers and server share this machine's cores.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from bench.processes import Platform

CROWD, QUIET = "crowd", "quiet"
_SCHEMA = "schema: { properties: { name: { type: string }, n: { type: integer } } }"
TENANT = f"""\
version: 1
service: {{ name: NAME }}
entities:
  followed: {{ {_SCHEMA}, access: {{ read: [ admin ], write: [ admin ] }} }}
  plain: {{ {_SCHEMA}, access: {{ read: [ admin ], write: [ admin ] }} }}
"""
PATIENCE = 60.0


def measure(dsn: str, folder: Path, *, quick: bool) -> dict:
    """Return delays in milliseconds."""
    return asyncio.run(_measure(dsn, folder, 100 if quick else 1000, 5 if quick else 30))


async def _measure(dsn: str, folder: Path, followers: int, rounds: int) -> dict:
    place = folder / "live"
    place.mkdir()
    for slug in (CROWD, QUIET):
        (place / f"{slug}.yaml").write_text(TENANT.replace("NAME", slug))
    environment = {"BACKSAAS_LIMITS_SOCKETS_PER_ADDRESS": "0"}
    platform = Platform("live", place, folder / "data-live", dsn, environment)
    try:
        await asyncio.to_thread(platform.wait_for, "/readyz", platform.admin_port, 120)
        root = f"http://127.0.0.1:{platform.port}/api/tenants"
        crowd, quiet = [
            aiohttp.ClientSession(
                f"{root}/{slug}/",
                headers={"apikey": await asyncio.to_thread(platform.key, slug)},
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None),
            )
            for slug in (CROWD, QUIET)
        ]
        async with crowd, quiet:
            told: dict = {"followers": followers, "rounds": rounds}
            told["insert_plain_ms"] = _middle([await _insert(crowd, "plain", -1) for _ in range(200)])
            told["neighbour_alone_ms"] = _middle([await _read(quiet) for _ in range(200)])
            told["one_query"] = await _followed(crowd, quiet, followers, rounds, lambda _: "n=gte.0")
            told["many_queries"] = await _followed(
                crowd, quiet, followers, rounds, lambda number: f"n=neq.{-2 - number}&n=gte.0"
            )
        return told
    finally:
        platform.stop()


async def _followed(
    crowd: aiohttp.ClientSession,
    quiet: aiohttp.ClientSession,
    followers: int,
    rounds: int,
    query: Callable[[int], str],
) -> dict:
    arrived: asyncio.Queue[float] = asyncio.Queue()
    ready: asyncio.Queue[None] = asyncio.Queue()

    async def follow(number: int) -> None:
        headers = {"Accept": "text/event-stream"}
        async with crowd.get(f"followed?{query(number)}&select=id,n", headers=headers) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if line == b"event: insert\n":
                    arrived.put_nowait(time.perf_counter())
                elif line == b"event: ready\n":
                    ready.put_nowait(None)

    async with asyncio.TaskGroup() as group:
        began = time.perf_counter()
        tasks = [group.create_task(follow(number)) for number in range(followers)]
        for _ in range(followers):
            await asyncio.wait_for(ready.get(), PATIENCE)
        joined = time.perf_counter() - began
        last, inserts, neighbour = [], [], []
        for number in range(rounds):
            began = time.perf_counter()
            inserts.append(await _insert(crowd, "followed", number))
            asked = [await _read(quiet)]
            for _ in range(followers):
                moment = await asyncio.wait_for(arrived.get(), PATIENCE)
            last.append(moment - began)
            neighbour += asked
        for task in tasks:
            task.cancel()
    return {
        "joined_seconds": round(joined, 2),
        "last_told_p50_ms": _middle(last),
        "last_told_max_ms": round(max(last) * 1000, 1),
        "insert_ms": _middle(inserts),
        "neighbour_ms": _middle(neighbour),
        "neighbour_max_ms": round(max(neighbour) * 1000, 1),
    }


async def _insert(session: aiohttp.ClientSession, entity: str, number: int) -> float:
    began = time.perf_counter()
    async with session.post(entity, json={"name": "x", "n": number}) as answer:
        answer.raise_for_status()
    return time.perf_counter() - began


async def _read(session: aiohttp.ClientSession) -> float:
    began = time.perf_counter()
    async with session.get("plain?limit=20") as answer:
        answer.raise_for_status()
        await answer.read()
    return time.perf_counter() - began


def _middle(seconds: list[float]) -> float:
    return round(sorted(seconds)[len(seconds) // 2] * 1000, 2)
