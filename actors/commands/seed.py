"""``run.py seed SLUG``: fill a tenant with believable data, through the same operations a request runs."""

import argparse
import asyncio
import sys

from actors.commands.installation import generation_in_force, opened
from actors.messages import Call, Result
from actors.seed.send import seed_tenant
from actors.tenant.operations import execute
from config.errors import StartError
from config.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant")
    parser.add_argument("--rows", type=int, default=1000, help="about how many rows in all; default: 1000")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other data; default: 1")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Fill the tenant; 1 when rows were refused."""
    if arguments.rows < 1:
        msg = "--rows is at least 1"
        raise StartError(msg)
    return asyncio.run(_seed(arguments.slug, arguments.rows, arguments.seed, settings))


async def _seed(slug: str, rows: int, seed: int, settings: Settings) -> int:
    async with opened(settings) as installation:
        identity = await installation.provisioned(slug)
        pool = installation.platform.pool(identity)
        try:
            generation = await generation_in_force(installation, slug, pool)

            async def call(request: Call) -> Result:
                return await execute(generation, request)

            def progress(entity: str, _: int, done: int) -> None:
                sys.stderr.write(f"\r{done:>8} rows, {entity:<40}")

            report = await seed_tenant(call, generation.model, rows, seed, progress)
        finally:
            pool.close()
    sys.stderr.write("\n")
    for entity, count in report.sent.items():
        refused = report.refused.get(entity, 0)
        sys.stdout.write(f"{entity:<30}{count:>8} rows{f', {refused} refused' if refused else ''}\n")
    for reason in report.reasons:
        sys.stdout.write(f"refused: {reason}\n")
    return 1 if any(report.refused.values()) else 0
