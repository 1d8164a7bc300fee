"""``run.py tenants``: every tenant with its version and state."""

import argparse
import asyncio
import sys

from actors.commands.installation import opened
from actors.tenant import registry
from config.settings import Settings


def configure(_: argparse.ArgumentParser) -> None:
    """There are no arguments."""


def run(_: argparse.Namespace, settings: Settings) -> int:
    """List the tenants."""
    return asyncio.run(_list(settings))


async def _list(settings: Settings) -> int:
    async with opened(settings) as installation:
        async with installation.database.owner() as connection:
            found = await registry.tenants(connection)
        for tenant in found:
            slug = tenant.identity.slug
            state = "active" if installation.file(slug).exists() else "paused"
            sys.stdout.write(
                f"{slug:<40}  version {tenant.version:<5}  {state:<7}  {tenant.identity.namespace}\n"
            )
        if not found:
            sys.stdout.write(
                f"no tenants yet: put a YAML file into {settings.schemas_dir} and start the server\n"
            )
    return 0
