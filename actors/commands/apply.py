"""``run.py apply SLUG [--confirm PLAN_ID]``: bring the file into force, with the yes its plan waits for."""

import argparse
import asyncio
import sys
import time

from actors.commands.installation import Installation, opened
from actors.commands.plan import planned, print_refusal
from actors.messages import TenantIdentity
from actors.sources import Source
from actors.tenant import journal, migrator, registry, reload
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.migrate.describe import render_plan

POLL_SECONDS = 0.1
SERVER_SECONDS = 600.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant")
    parser.add_argument(
        "--confirm", metavar="PLAN_ID", default="", help="the plan you agree to, as 'plan' shows it"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Apply; 1 when the file or its plan is refused or waits for a confirmation."""
    return asyncio.run(_apply(arguments.slug, arguments.confirm, settings))


async def _apply(slug: str, plan_id: str, settings: Settings) -> int:
    async with opened(settings) as installation:
        return await bring_into_force(installation, slug, plan_id)


async def bring_into_force(installation: Installation, slug: str, plan_id: str) -> int:
    """Let the running server take the file, or do what it would do."""
    source = await installation.source(slug)
    if not installation.served:
        await _complete(installation, slug)
    if plan_id:
        migration = await planned(installation, slug, source)
        if migration.plan_id != plan_id:
            again = f"look at it with 'run.py plan {slug}' again"
            raise StartError(f"the file's plan is {migration.plan_id}, not {plan_id}: {again}")
        identity = await installation.provisioned(slug)
        async with installation.database.owner() as connection:
            await registry.confirm(connection, identity, plan_id, "command line")
    async with installation.database.owner() as connection:
        known = await registry.find_tenant(connection, slug)
        if known is not None:
            await registry.reopen(connection, known, source.digest)
            await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", journal.CHANNEL, known.id)
    if installation.served:
        return await _wait_for_server(installation, slug, source)
    return await _deploy(installation, slug, source)


async def _complete(installation: Installation, slug: str) -> None:
    """Finish what a crash interrupted; where a server runs, it has done so."""
    async with installation.database.owner() as connection:
        known = await registry.find_tenant(connection, slug)
        if known is not None:
            await migrator.resume(connection, known)


async def _deploy(installation: Installation, slug: str, source: Source) -> int:
    identity = await installation.provisioned(slug)
    pool = installation.platform.pool(identity)
    try:
        generation = await reload.deploy(installation.platform, identity, pool, source, 1, reload.Stopwatch())
        for note in await reload.contract(installation.platform, identity):
            sys.stdout.write(f"note: {note}\n")
    except reload.RejectedError as error:
        print_refusal(slug, source, error)
        return 1
    except reload.NeedsConfirmationError:
        sys.stdout.write(render_plan(await planned(installation, slug, source), slug) + "\n")
        return 1
    except reload.BlockedError as error:
        raise StartError(f"a table of {slug} is in use, try again: {error}") from error
    finally:
        pool.close()
    sys.stdout.write(f"{slug} is at version {generation.version}\n")
    return 0


async def _wait_for_server(installation: Installation, slug: str, source: Source) -> int:
    """Watch the registry until the running server took or refused the file."""
    deadline = time.monotonic() + SERVER_SECONDS
    identity: TenantIdentity | None = None
    while time.monotonic() < deadline:
        async with installation.database.owner() as connection:
            identity = identity or await registry.find_tenant(connection, slug)
            if identity is not None:
                current = await registry.current(connection, identity)
                if current.digest == source.digest:
                    sys.stdout.write(f"{slug} is at version {current.version}\n")
                    return 0
                newest = next(iter(await registry.history(connection, identity, 1)), None)
                if newest is not None and newest.digest == source.digest and newest.state == "rejected":
                    print_refusal(slug, source, reload.RejectedError(newest.diagnostics))
                    return 1
                waits = newest is not None and newest.digest == source.digest and newest.state == "pending"
                confirmed = (
                    waits
                    and newest is not None
                    and await registry.is_confirmed(connection, identity, str(newest.plan.get("plan_id", "")))
                )
                if waits and not confirmed:
                    sys.stdout.write(render_plan(await planned(installation, slug, source), slug) + "\n")
                    return 1
        await asyncio.sleep(POLL_SECONDS)
    msg = "the running server did not take the file; its log says why"
    raise StartError(msg)
