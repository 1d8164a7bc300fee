"""``run.py plan SLUG``: show what the tenant's file would change in the database, and change nothing."""

import argparse
import asyncio
import sys

from actors.commands.installation import Installation, opened
from actors.sources import Source
from actors.tenant import reload
from actors.tenant.dry_run import plan_source
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.migrate.describe import render_plan
from schemas.compiler.migrate.steps import Migration


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the plan; 1 when the file has errors."""
    return asyncio.run(_plan(arguments.slug, settings))


async def _plan(slug: str, settings: Settings) -> int:
    async with opened(settings) as installation:
        source = await installation.source(slug)
        try:
            migration = await planned(installation, slug, source)
        except reload.RejectedError as error:
            print_refusal(slug, source, error)
            return 1
        sys.stdout.write(render_plan(migration, slug) + "\n")
    return 0


async def planned(installation: Installation, slug: str, source: Source) -> Migration:
    """Plan a source against the database as it is.

    Raises:
        reload.RejectedError: the file has errors.
        StartError: a migration is under way.
    """
    try:
        return await plan_source(installation.platform, slug, source)
    except reload.BlockedError as error:
        msg = f"{error}: if no server runs, 'run.py apply {slug}' finishes it"
        raise StartError(msg) from error


def print_refusal(slug: str, source: Source, error: reload.RejectedError) -> None:
    """Print diagnostics with their lines."""
    for finding in error.diagnostics:
        sys.stdout.write(finding.render(f"{slug}.yaml", source.text.decode(errors="replace")) + "\n")
