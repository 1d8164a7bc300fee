"""What functions cost: inserts with a Python function before them, with a CEL rule, with neither, in one run;
and what one tenant's endless loop costs another.
"""

import asyncio
import contextlib
import time
from pathlib import Path

import aiohttp

from bench.processes import Platform

LOUD, QUIET = "loud", "quiet"
_ACCESS = "access: { read: [ public ], write: [ admin ] }"
_SCHEMA = "schema: { properties: { name: { type: string }, amount: { type: integer } } }"
TENANT = f"""\
version: 1
functions:
  spin: {{ trigger: rpc, timeout: 1s }}
  echo: {{ trigger: rpc }}
entities:
  plain: {{ {_SCHEMA}, {_ACCESS} }}
  ruled: {{ {_SCHEMA}, {_ACCESS}, rules: [ {{ rule: "self.amount > 0 && self.name != ''" }} ] }}
  filled:
    {_SCHEMA}
    {_ACCESS}
    functions:
      fill:
        trigger: before_create
        function: set_fields
        config: {{ amount: "{{{{ self.amount + 1 }}}}" }}
  hooked: {{ {_SCHEMA}, {_ACCESS}, functions: {{ price: {{ trigger: before_create }} }} }}
"""
CODE = """\
def price(record, ctx):
    record["amount"] = record["amount"] + len(record["name"])

def spin(args, ctx):
    while True:
        pass

def echo(args, ctx):
    return 1
"""
KINDS = ("plain", "ruled", "filled", "hooked")


def measure(dsn: str, folder: Path, *, quick: bool) -> dict:
    """Return milliseconds and processor time by kind, and the neighbour's latencies."""
    return asyncio.run(_measure(dsn, folder, 200 if quick else 2_000))


async def _measure(dsn: str, folder: Path, number: int) -> dict:
    place = folder / "functions"
    place.mkdir()
    for slug in (LOUD, QUIET):
        (place / f"{slug}.py").write_text(CODE)
        (place / f"{slug}.yaml").write_text(TENANT)
    platform = Platform("functions", place, folder / "data-functions", dsn)
    try:
        await asyncio.to_thread(platform.wait_for, "/readyz", platform.admin_port, 120)
        keys = {slug: await asyncio.to_thread(platform.key, slug) for slug in (LOUD, QUIET)}
        base = f"http://127.0.0.1:{platform.port}/api/tenants"
        async with aiohttp.ClientSession() as session:
            loud, quiet = ({"apikey": keys[slug]} for slug in (LOUD, QUIET))
            first = await _timed(session, f"{base}/{LOUD}/rpc/echo", loud, 1)
            warm = await _timed(session, f"{base}/{LOUD}/rpc/echo", loud, number)
            told = {"first_call_ms": first[0], "warm_call_ms": _at(warm, 0.5), "inserts": {}}
            for kind in KINDS:
                await _timed(session, f"{base}/{LOUD}/{kind}", loud, 50)
                used = platform.cpu_seconds()
                times = await _timed(session, f"{base}/{LOUD}/{kind}", loud, number)
                cpu = (platform.cpu_seconds() - used) * 1000 / number
                told["inserts"][kind] = {
                    "p50_ms": _at(times, 0.5),
                    "p99_ms": _at(times, 0.99),
                    "cpu_ms": round(cpu, 3),
                }
            reads = f"{base}/{QUIET}/plain"
            told["neighbour"] = {"alone": _both(await _reads(session, reads, quiet, number))}
            spinning = [
                asyncio.create_task(_spin(session, f"{base}/{LOUD}/rpc/spin", loud)) for _ in range(4)
            ]
            await asyncio.sleep(1)
            told["neighbour"]["beside_loops"] = _both(
                await _reads(session, f"{base}/{QUIET}/plain", quiet, number)
            )
            for task in spinning:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        return told
    finally:
        platform.stop()


async def _timed(session: aiohttp.ClientSession, url: str, headers: dict, number: int) -> list[float]:
    times = []
    row = {"name": "x", "amount": 1} if "/rpc/" not in url else {}
    for _ in range(number):
        began = time.perf_counter()
        async with session.post(url, json=row, headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()
        times.append((time.perf_counter() - began) * 1000)
    return times


async def _reads(session: aiohttp.ClientSession, url: str, headers: dict, number: int) -> list[float]:
    times = []
    for _ in range(number):
        began = time.perf_counter()
        async with session.get(f"{url}?limit=1", headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()
        times.append((time.perf_counter() - began) * 1000)
    return times


async def _spin(session: aiohttp.ClientSession, url: str, headers: dict) -> None:
    while True:
        async with session.post(url, json={}, headers=headers) as answer:
            await answer.read()


def _at(times: list[float], share: float) -> float:
    return round(sorted(times)[min(int(len(times) * share), len(times) - 1)], 3)


def _both(times: list[float]) -> dict[str, float]:
    return {"p50_ms": _at(times, 0.5), "p99_ms": _at(times, 0.99)}
