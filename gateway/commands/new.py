"""``run.py new SLUG --template crm``: make a tenant; the same as ``run.py tenants create``."""

import argparse
import asyncio

from config.settings import Settings
from gateway.commands.hands import hands
from gateway.commands.tenants import create, describe_new


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    describe_new(parser)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make it."""

    async def work() -> None:
        async with hands(settings) as system:
            await create(system, arguments)

    asyncio.run(work())
    return 0
