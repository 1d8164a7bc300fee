"""``run.py restore``: bring tenants back from backups or archives, beside a running server or without one."""

import argparse
import asyncio
import sys
from pathlib import Path

from config.settings import Settings
from gateway.commands.hands import hands


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("file", type=Path, nargs="?", help="a backup or archive; without: list backups")
    parser.add_argument("--as", dest="slug", default="", metavar="SLUG", help="as a new tenant of that name")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="in place of what the tenant is now, which is lost when it serves",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with hands(settings) as system:
        if arguments.file is None:
            for told in await system.rpc("list_backups", {}):
                verified = "verified" if told["verified_at"] else "not verified"
                sys.stdout.write(f"{told['file']:<60}  {told['bytes']:>14,} bytes  {verified}\n")
            return 0
        there = arguments.file.exists()
        wanted = {"file": str(arguments.file.resolve() if there else arguments.file)}
        row = await system.rpc(
            "restore_tenant", {**wanted, "as": arguments.slug, "replace": arguments.replace}
        )
        sys.stdout.write(f"{row['slug']}: restored\n")
    return 0
