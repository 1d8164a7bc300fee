"""``run.py restore``: bring tenants back from backups or archives, beside a running server or without one.

A folder that ``backup --all`` made, or ``--to``, restores the whole installation, which must not run.
"""

import argparse
import asyncio
import shutil
import sys
from datetime import datetime
from pathlib import Path

from actors.commands.installation import Installation, opened
from actors.sources import source_of, write_tenant
from actors.tenant import registry
from actors.whole import newest_before, restore_all
from actors.works import backups_of
from config.errors import StartError
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
    parser.add_argument(
        "--to", metavar="TIME", help="everything as it was then, such as 2026-11-28T23:00:00Z; or: latest"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore."""
    if arguments.to or (arguments.file is not None and arguments.file.is_dir()):
        return asyncio.run(_whole(arguments, settings))
    return asyncio.run(_run(arguments, settings))


async def _whole(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        to = datetime.fromisoformat(arguments.to) if arguments.to not in {None, "latest"} else None
    except ValueError:
        raise StartError(f"--to: '{arguments.to}' is no time such as 2026-11-28T23:00:00Z") from None
    if to is not None and to.tzinfo is None:
        raise StartError("--to: say the time zone, too, such as 2026-11-28T23:00:00Z")
    place = arguments.file or newest_before(backups_of(settings).folder, to)
    kept = restore_all(settings, place, to)
    async with opened(settings) as installation:
        await write_back(installation, kept)
    sys.stdout.write(f"restored from {place}; what was there before is in {kept}\n")
    return 0


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


async def write_back(installation: Installation, kept: Path) -> None:
    """Let the tenants' files say what was in force; those that say something else are kept aside."""
    aside = kept / "schemas"
    aside.mkdir(mode=0o700)
    files: dict[Path, tuple[bytes, bytes]] = {}
    async with installation.database.owner() as connection:
        for tenant in await registry.tenants(connection):
            version = await registry.version(connection, tenant.identity, tenant.version)
            if version is not None:
                path = installation.file(tenant.identity.slug)
                files[path] = (version.text.encode(), version.code.encode())
    for path in installation.settings.schemas_dir.glob("*.yaml"):
        beside = path.with_suffix(".py")
        there = path.read_bytes(), beside.read_bytes() if beside.exists() else b""
        if files.get(path) == there:
            del files[path]
            continue
        for one in (path, beside):
            if one.exists():
                shutil.move(one, aside / one.name)
    for path, (text, code) in files.items():
        write_tenant(path, source_of(text, code))
