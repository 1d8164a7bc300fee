"""What metering costs: the platform as it is, and one that counts nothing, take turns on one database.

The request is the cheapest there is, one row by its key, so that counting weighs the most. On a machine that
does other things the difference drowns; what a request does for metering is therefore measured alone, too.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path

from actors.messages import Result
from actors.tenant.usage import UsageBook
from bench import speed
from bench.processes import Load, Platform
from gateway.actor import read_rules
from gateway.counters import Counters
from gateway.places import Place
from gateway.routes import find

ROWS = 2_000
AT_ONCE = 16
OPERATION = "get one"


def measure(dsn: str, folder: Path, load: Load, *, quick: bool) -> dict:
    """Return processor time and rate of both, and by how much they differ, in percent."""
    seconds, rounds = (0.5, 4) if quick else (2.0, 20)
    schemas = folder / "metering"
    schemas.mkdir()
    (schemas / f"{speed.SLUG}.yaml").write_bytes((Path(__file__).parent / f"{speed.SLUG}.yaml").read_bytes())
    servers: dict[str, Platform] = {}
    try:
        for name, program in (("metered", ["run.py", "serve"]), ("unmetered", ["-m", "bench.unmetered"])):
            # tokens are believed where they say they are from: both are the same installation
            same = {"BACKSAAS_URL": "http://localhost"}
            servers[name] = Platform(name, schemas, folder / f"data-{name}", dsn, same, program)
            servers[name].wait_for("/readyz", servers[name].admin_port)
            servers[name].wait_for(f"/api/tenants/{speed.SLUG}")
        _, ids, customers = asyncio.run(speed.prepare(dsn, ROWS))
        base = f"/api/tenants/{speed.SLUG}"
        head = f"Authorization: Bearer {speed.sign_in(servers['metered'], base)}\r\n"
        plan = speed.requests(base, head, ids, customers)[OPERATION]
        return _compare(servers, plan, load, seconds, rounds)
    finally:
        for server in servers.values():
            server.stop()


def _compare(servers: dict[str, Platform], plan: list[str], load: Load, seconds: float, rounds: int) -> dict:
    for server in servers.values():
        load.run(server.port, plan, AT_ONCE, seconds)
    taken: dict[str, list[speed.Tally]] = {name: [] for name in servers}
    for turn in range(rounds):
        for name in sorted(servers, reverse=bool(turn % 2)):
            tally = speed.Tally()
            speed.one_round(servers[name], plan, AT_ONCE, seconds, load, tally)
            taken[name].append(tally)
            for sample in tally.samples[:1]:
                print(f"! {name}: {sample}", file=sys.stderr)
    cpu = {name: [1000 * one.cpu / one.count for one in tallies] for name, tallies in taken.items()}
    rate = {name: [one.count / one.seconds for one in tallies] for name, tallies in taken.items()}
    # rounds that follow each other share their minute: their differences say more than those of sums
    more = [
        100 * (with_it / without - 1)
        for with_it, without in zip(cpu["metered"], cpu["unmetered"], strict=True)
    ]
    alone = counting_us()
    quiet = statistics.quantiles(cpu["metered"], n=4)[0]
    return {
        "counting_us": round(alone, 3),
        "counting_percent": round(alone / (10 * quiet), 2),
        "rounds": rounds,
        "requests": sum(one.count for tallies in taken.values() for one in tallies),
        "failures": sum(one.failures for tallies in taken.values() for one in tallies),
        "cpu_ms_per_request": {name: round(statistics.median(values), 4) for name, values in cpu.items()},
        "requests_per_second": {name: round(statistics.median(values), 1) for name, values in rate.items()},
        "cost_percent": round(statistics.median(more), 2),
        "cost_percent_quartiles": [round(value, 2) for value in statistics.quantiles(more, n=4)[::2]],
    }


def counting_us() -> float:
    """Return the microseconds of processor time that counting one request takes, the best of some tries."""

    async def nobody(*_: object) -> int:
        return 0

    book = UsageBook(nobody)
    usage = book.of(speed.SLUG)
    segments = ("api", "tenants", speed.SLUG, "invoices", "1")
    match = read_rules(Path(), "localhost").match("localhost", segments)
    assert match is not None
    place = Place(match, speed.SLUG, f"/api/tenants/{speed.SLUG}", find(segments[3:]))
    counters, result = Counters(usage=book), Result(200, b"x" * 300)
    number, best = 20_000, float("inf")
    for _ in range(20):
        began = time.process_time()
        for _ in range(number):
            usage.seen("somebody")
            counters.count(place, "GET", result, 0.0007, "", "", "")
        best = min(best, (time.process_time() - began) / number)
    return best * 1e6
