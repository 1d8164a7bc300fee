"""``python3 run.py bench``: every figure the project promises, measured in one run on this machine.

A PostgreSQL of its own, in a temporary directory, durable as in production. Parts can be chosen:
``--only speed,metering,scale,reload,outbox,functions,live,pages``; ``--quick`` takes three minutes and finds
breakage, not figures.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import asyncpg

from actors.cluster import SUPERUSER
from actors.embedded import EmbeddedPostgres
from bench import functions, live, metering, outbox, pages, reloads, report, scale, speed
from bench.processes import Load

PARTS = ("speed", "metering", "scale", "reload", "outbox", "functions", "live", "pages")


def main(arguments: list[str]) -> int:
    """Measure, print, keep; 1 when a request failed."""
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, with commas: {', '.join(PARTS)}")
    chosen = parser.parse_args(arguments)
    parts = chosen.only.split(",")
    unknown = set(parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    report.RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL's own user must reach its directory
        postgres = EmbeddedPostgres(
            folder / "postgres", {"max_connections": "200", "shared_buffers": "256MB"}
        )
        postgres.start()
        load = Load()
        try:
            told = _parts(parts, postgres, folder, load, quick=chosen.quick)
        finally:
            load.stop()
            postgres.stop()
    print(f"\nkept in {report.keep(told)}")
    return 1 if _failures(told) else 0


def _parts(parts: list[str], postgres: EmbeddedPostgres, folder: Path, load: Load, *, quick: bool) -> dict:
    told: dict = {"quick": quick}
    if "speed" in parts:
        dsn = _database(postgres, "speed")
        told["speed"] = asyncio.run(speed.measure(dsn, folder, load, quick=quick))
        print(f"\n== speed ==\n{report.speed(told['speed'])}", flush=True)
    if "metering" in parts:
        told["metering"] = metering.measure(_database(postgres, "metering"), folder, load, quick=quick)
        print(f"\n== metering ==\n{report.metering(told['metering'])}", flush=True)
    if "scale" in parts:
        told["scale"] = scale.measure(_database(postgres, "scale"), folder, quick=quick)
        print(f"\n== many tenants ==\n{report.scale(told['scale'])}", flush=True)
    if "reload" in parts:
        told["reload"] = reloads.measure(_database(postgres, "reload"), folder, load, quick=quick)
        print(f"\n== hot reload ==\n{report.reloads(told['reload'])}", flush=True)
    if "outbox" in parts:
        told["outbox"] = outbox.measure(_database(postgres, "outbox"), folder, quick=quick)
        print(f"\n== after commits ==\n{report.outbox(told['outbox'])}", flush=True)
    if "functions" in parts:
        told["functions"] = functions.measure(_database(postgres, "functions"), folder, quick=quick)
        print(f"\n== functions ==\n{report.functions(told['functions'])}", flush=True)
    if "live" in parts:
        told["live"] = live.measure(_database(postgres, "live"), folder, quick=quick)
        print(f"\n== live data ==\n{report.live(told['live'])}", flush=True)
    if "pages" in parts and not pages.CHROMIUM:
        print("\n== pages ==\nno chromium here: not measured", flush=True)
    elif "pages" in parts:
        told["pages"] = pages.measure(_database(postgres, "pages"), folder, quick=quick)
        print(f"\n== pages ==\n{report.pages(told['pages'])}", flush=True)
    return told


def _database(postgres: EmbeddedPostgres, name: str) -> str:
    """Make a database and return its URL."""

    def url(database: str) -> str:
        cluster = postgres.cluster
        return f"postgresql://{SUPERUSER}:{cluster.password()}@/{database}?host={cluster.socket_dir}"

    async def make() -> None:
        connection = await asyncpg.connect(url("postgres"))
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()

    asyncio.run(make())
    return url(name)


def _failures(told: dict) -> int:
    failures = sum(
        row["failures"]
        for by_connections in told.get("speed", {}).get("figures", {}).values()
        for by_server in by_connections.values()
        for row in by_server.values()
    )
    failures += told.get("metering", {}).get("failures", 0)
    failures += told.get("scale", {}).get("activation_ms", {}).get("failures", 0)
    loaded = told.get("reload", {}).get("under_load", {})
    return failures + loaded.get("failed_requests", 0) + loaded.get("never_live", 0)
