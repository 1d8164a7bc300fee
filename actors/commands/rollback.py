"""``run.py rollback SLUG VERSION``: put an earlier version's text back into the file, and take it.

The text lands in the same file and takes the same way as an editor's save: renames are turned back and
archived columns come out of the archive.
"""

import argparse
import asyncio
import sys

from actors.commands.apply import bring_into_force
from actors.commands.installation import opened
from actors.sources import source_of, write_tenant
from actors.tenant import registry
from config.errors import StartError
from config.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant")
    parser.add_argument(
        "version", type=int, nargs="?", help="number to go back to; without it, the versions are listed"
    )
    parser.add_argument("--confirm", metavar="PLAN_ID", default="", help="the plan you agree to")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Roll back; 1 when the plan waits for a confirmation."""
    return asyncio.run(_rollback(arguments.slug, arguments.version, arguments.confirm, settings))


async def _rollback(slug: str, number: int | None, plan_id: str, settings: Settings) -> int:
    async with opened(settings) as installation:
        identity = await installation.identity(slug)
        async with installation.database.owner() as connection:
            if number is None:
                for version in await registry.history(connection, identity):
                    moment = (version.deployed_at or version.created_at).strftime("%Y-%m-%d %H:%M:%S")
                    row = f"{version.number:>5}  {version.state:<10}  {moment}  {version.author:<12}"
                    sys.stdout.write(f"{row}  {version.digest[:12]}\n")
                return 0
            wanted = await registry.version(connection, identity, number)
        if wanted is None:
            msg = f"{slug} has no version {number}; 'run.py rollback {slug}' lists them"
            raise StartError(msg)
        write_tenant(installation.file(slug), source_of(wanted.text.encode(), wanted.code.encode()))
        return await bring_into_force(installation, slug, plan_id)
