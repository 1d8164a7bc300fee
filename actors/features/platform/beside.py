"""A tenant that is made of an archive beside the others, where nobody sees it: to be tried, or to move in.

Decides that it lives as long as who made it: the transaction that is open meanwhile says so, and when it
ends, in whatever way, everything of the tenant is taken away, by this process or, after a crash, by the next.
Called by ``restoring``.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

from msgspec import Struct
from msgspec.structs import replace

from actors.features.platform import making, settling, undertakings
from actors.features.platform.archive import source_in
from actors.features.platform.bundles import Bundle
from actors.features.platform.rights import hands
from actors.features.platform.undertakings import Undertaking
from actors.features.platform.unpacking import adopt_history, unpack
from actors.messages import ProblemError, TenantIdentity
from actors.sources import Source
from actors.tenant import registry, reload
from actors.tenant.generation import Generation
from actors.tenant.provision import provision

PREFIX = "_"
"""What such tenants are called begins with it; no other slug does, and no list has them."""


class Beside(Struct):
    """A tenant that nobody sees.

    Attributes:
        row: its own entry of the registry.
        made: its generation, under the slug the archive has.
        source: its file.
        tx: the transaction that is open while it lives.
        kept: it stays when whoever made it is done: somebody has to look at it.
    """

    row: TenantIdentity
    made: Generation
    source: Source
    tx: str
    kept: bool = False


@contextlib.asynccontextmanager
async def beside(system: Generation, bundle: Bundle, *, secrets: str) -> AsyncIterator[Beside]:
    """Make a tenant of an archive for the length of a block.

    Args:
        system: generation of the tenant ``system``.
        bundle: verified.
        secrets: of the archive, those that are taken.

    Raises:
        ProblemError: tenant.bad_archive, tenant.busy; nothing of it stays.
    """
    platform, slug = hands(system), f"{PREFIX}{uuid.uuid4().hex}"
    connection = await platform.database.dedicated()
    undertaking: Undertaking | None = None
    found: Beside | None = None
    try:
        async with connection.transaction():
            tx = await connection.fetchval("SELECT pg_catalog.pg_current_xact_id()::text")
            async with platform.database.owner() as owner:
                undertaking = await undertakings.begin(owner, slug, undertakings.MAKE, tx, digest=slug)
            found = await _make(system, bundle, slug, tx, secrets)
            yield found
    finally:
        await connection.close()
        if undertaking is not None:
            await asyncio.shield(_end(system, undertaking, kept=found is not None and found.kept))


async def _end(system: Generation, undertaking: Undertaking, *, kept: bool) -> None:
    if kept:
        async with hands(system).database.owner() as owner:
            await undertakings.end(owner, undertaking)
    else:
        await settling.settle(system, undertaking)


async def _make(system: Generation, bundle: Bundle, slug: str, tx: str, secrets: str) -> Beside:
    platform, source = hands(system), source_in(bundle)
    async with platform.database.owner() as owner:
        row = await registry.ensure_tenant(owner, slug)
        await provision(owner, row, platform.password(row))
    named = replace(row, slug=str(bundle.manifest["slug"]))
    pool = platform.database.tenant_pool(row, platform.password(row))
    connection = await platform.database.dedicated()
    try:
        made = await reload.deploy(platform, named, pool, source, 1, reload.Stopwatch())
        await unpack(connection, bundle, made, platform.files, secrets=secrets)
        async with connection.transaction():
            await adopt_history(connection, bundle, named, source)
    except reload.RejectedError as error:
        raise making.refused(named.slug, error) from error
    except (reload.NeedsConfirmationError, reload.BlockedError) as error:
        raise ProblemError("tenant.not_made", "the tenant could not be made; try again") from error
    finally:
        await connection.close()
        pool.close()
    return Beside(row, made, source, tx)
