"""``run.py backup``: write backups of tenants or of everything, beside a running server or without one."""

import argparse
import asyncio
import sys
from pathlib import Path

from actors.whole import back_up_all
from actors.works import backups_of
from config.settings import Settings
from gateway.commands.hands import hands
from schemas.compiler.compile import SYSTEM_SLUG


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", nargs="*", help="default: every tenant")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: where the settings say")
    parser.add_argument(
        "--all", action="store_true", help="the whole installation: database, files, tenants' files, settings"
    )
    parser.add_argument(
        "--unverified",
        action="store_true",
        help="do not restore them for a look, which takes most of the time",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Back up."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with hands(settings) as system:
        if arguments.all:
            folder = arguments.out or backups_of(settings).folder
            place = await asyncio.to_thread(back_up_all, settings, folder.resolve())
            sys.stdout.write(f"{place}\n")
            return 0
        slugs = arguments.slug or [
            row["slug"] for row in await system.rpc("list_tenants", {}) if row["slug"] != SYSTEM_SLUG
        ]
        for slug in slugs:
            wanted = {"slug": slug, "verify": not arguments.unverified}
            if arguments.out is not None:
                wanted["to"] = str(arguments.out.resolve())
            told = await system.rpc("backup_tenant", wanted)
            state = "restored and compared" if told["verified_at"] else "not tried out"
            sys.stdout.write(f"{told['file']}: {told['bytes']:,} bytes, {told['rows']:,} rows, {state}\n")
    return 0
