"""A tenant's place in PostgreSQL as it wakes: there, whole, and what was last in force.

Decides nothing about what it will serve. Called by the tenant actor.
"""

from actors.messages import TenantIdentity
from actors.tenant import migrator, registry
from actors.tenant.platform import Platform
from actors.tenant.provision import is_provisioned, provision

BUSY_SECONDS = 1.0
"""How long a tenant waits for another process that migrates it; then it serves what is in force meanwhile."""


async def awaken(
    platform: Platform, slug: str
) -> tuple[TenantIdentity, registry.Deployed, registry.Version | None, bool]:
    """Return a tenant's names, what is in force, its text, and whether a migration is left to complete.

    Makes or mends what is missing.
    """
    async with platform.database.owner() as connection:
        identity = await registry.ensure_tenant(connection, slug)
        try:
            begun = await migrator.resume(connection, identity, complete=False, busy_after=BUSY_SECONDS)
            left = begun is not None and begun.state == "switched"
        except migrator.MigrationBusyError:
            left = True  # whoever is at it may not come to an end
        deployed = await registry.current(connection, identity)
        if not await is_provisioned(connection, identity):
            await provision(connection, identity, platform.password(identity))
        number = deployed.version
        text = await registry.version(connection, identity, number) if number else None
    return identity, deployed, text, left
