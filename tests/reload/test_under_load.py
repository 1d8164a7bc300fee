"""Reloads while clients keep asking: no request fails and no answer mixes two versions."""

import asyncio
import json
import random

import aiohttp

from tests.live import Live
from tests.reload.conftest import tenant

RELOADS = 150
CLIENTS = 8


def version(number: int) -> str:
    """Every version has exactly the fields a<n> and b<n>, renamed from the version before."""
    if number == 1:
        return tenant("busy", "a1: { type: integer, default: 1 }\nb1: { type: integer, default: 1 }")
    before = number - 1
    return tenant(
        "busy",
        f"a{number}: {{ type: integer, renamed_from: a{before}, default: 1 }}\n"
        f"b{number}: {{ type: integer, renamed_from: b{before}, default: 1 }}",
    )


async def test_reloads_under_load(live: Live) -> None:
    live.write("busy", version(1))
    await live.until("busy", state="serving")
    failures: list[str] = []
    counts = {"requests": 0}
    stop = asyncio.Event()

    async def client(session: aiohttp.ClientSession, writes: bool) -> None:
        while not stop.is_set():
            if writes:
                request = session.post(
                    f"{live.base('busy')}/items",
                    json={"name": "x"},
                    headers={"Prefer": "return=representation"},
                )
            else:
                request = session.get(f"{live.base('busy')}/items?order=created_at.desc&limit=3")
            async with request as answer:
                text = await answer.text()
                counts["requests"] += 1
                if answer.status not in (200, 201, 206):
                    failures.append(f"{answer.status} {text[:200]}")
                    continue
                for row in json.loads(text):
                    a = {k[1:] for k in row if k[0] == "a" and k[1:].isdigit()}
                    b = {k[1:] for k in row if k[0] == "b" and k[1:].isdigit()}
                    if a != b or len(a) != 1:
                        failures.append(f"mixed: {sorted(row)}")
            await asyncio.sleep(0.005)

    async with live.session("busy") as session:
        tasks = [asyncio.create_task(client(session, writes=n == 0)) for n in range(CLIENTS)]
        chooser = random.Random(7)
        number = 1
        for _ in range(RELOADS):
            if chooser.random() < 0.1:
                live.write("busy", version(number + 1).replace("integer", "intger"))
                await asyncio.sleep(0.05)
                continue
            number += 1
            await live.save("busy", version(number))
        stop.set()
        await asyncio.gather(*tasks)
    print("requests", counts["requests"], "versions", number)
    assert failures == []
