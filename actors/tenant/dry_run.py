"""What a text would change, planned from the tables as they are; whatever it writes is taken back.

Decides that no plan is made of tables a migration is still changing: it would name what is gone a moment
later, and nobody could agree to it. Called by the platform's functions and by the command line's ``plan``.
"""

import asyncio

import asyncpg

from actors.messages import TenantIdentity
from actors.sources import Source
from actors.tenant import journal, registry, reload, rollbacks
from actors.tenant.migrator import StalePlanError
from actors.tenant.planning import plan_migration
from actors.tenant.platform import Platform
from schemas.compiler.migrate.steps import Migration
from schemas.compiler.model import TenantModel

PATIENCE = 10.0
"""Seconds to wait for a migration that is under way."""
_PAUSE = 0.05


async def plan_source(platform: Platform, slug: str, source: Source) -> Migration:
    """Plan a text; a tenant seen for the first time gets its names only for the length of the plan.

    Raises:
        reload.RejectedError: it does not compile.
        reload.BlockedError: a migration of the tenant stays under way.
    """
    compiled = await reload.compile_file(platform, slug, source)
    clock = asyncio.get_running_loop().time
    deadline = clock() + PATIENCE
    while True:
        try:
            return await _once(platform, slug, source, compiled.model)
        except (StalePlanError, asyncpg.SerializationError) as error:
            if clock() > deadline:
                raise reload.BlockedError("a migration of this tenant is still under way") from error
        await asyncio.sleep(_PAUSE)


async def _once(platform: Platform, slug: str, source: Source, model: TenantModel) -> Migration:
    async with platform.database.owner() as connection:
        # one look at journal and catalog: either none of a step is seen, or all of it
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        try:
            identity: TenantIdentity = await registry.ensure_tenant(connection, slug)
            if await journal.open_migration(connection, identity) is not None:
                raise StalePlanError("a migration is under way")
            back = await rollbacks.way_back(connection, identity, source.digest)
            version = await registry.record(
                connection, identity, text=source.text.decode(), digest=source.digest, author="plan"
            )
            return await plan_migration(
                connection, identity, model, version=version, digest=source.digest, back_through=back
            )
        finally:
            await transaction.rollback()
