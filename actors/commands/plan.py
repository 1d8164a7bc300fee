"""``run.py plan SLUG``: show what the tenant's file would change in the database, and change nothing."""

import argparse
import asyncio
import sys

from actors.commands.installation import Installation, opened
from actors.messages import TenantIdentity
from actors.sources import Source
from actors.tenant import registry, reload, rollbacks
from actors.tenant.planning import plan_migration
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
    """
    compiled = await reload.compile_file(installation.platform, slug, source)
    async with installation.database.owner() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            # a tenant seen for the first time gets its names only for the length of the plan
            identity: TenantIdentity = await registry.ensure_tenant(connection, slug)
            back = await rollbacks.way_back(connection, identity, source.digest)
            version = await registry.record(
                connection, identity, text=source.text.decode(), digest=source.digest, author="plan"
            )
            return await plan_migration(
                connection,
                identity,
                compiled.model,
                version=version,
                digest=source.digest,
                back_through=back,
            )
        finally:
            await transaction.rollback()


def print_refusal(slug: str, source: Source, error: reload.RejectedError) -> None:
    """Print diagnostics with their lines."""
    for finding in error.diagnostics:
        sys.stdout.write(finding.render(f"{slug}.yaml", source.text.decode(errors="replace")) + "\n")
