"""The moment in which a restored tenant takes the place of what it was, and what has to follow it.

Decides that it is one transaction: until it commits the tenant is what it was, from then on it is what was
restored, under its own id, so that its sealed secrets, links and files stay its own; what it was stays in the
place of the other until that is taken away. Called by ``restoring``, ``complete`` also by ``settling``.
"""

import uuid
from typing import Any, TypeAlias

import asyncpg
from msgspec.structs import replace

from actors.features.platform.bundles import Bundle
from actors.features.platform.rights import hands
from actors.features.platform.undertakings import Undertaking
from actors.features.platform.unpacking import adopt_history
from actors.messages import TenantIdentity
from actors.sources import Source, source_of, write_tenant
from actors.tenant import closing, registry
from actors.tenant.furniture import furnish, furnished
from actors.tenant.generation import Generation
from actors.tenant.journal import CHANNEL, GONE
from actors.tenant.platform import Platform
from actors.tenant.provision import provision
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

_PLACE = "UPDATE backsaas.tenants SET namespace = $2, archive = $3, role = $4 WHERE id = $1::text::uuid"
_SHAPE = """
UPDATE backsaas.tenants SET shape = (SELECT shape FROM backsaas.tenants WHERE id = $2::text::uuid)
WHERE id = $1::text::uuid
"""
_STATUS = "SELECT status, coalesce(status_reason, '') FROM {ns}.tenants WHERE slug = $1"
_LOGS = ("_outbox", "_changes")
"""Their numbers never come twice: followers remember how far they have heard."""


async def exchange(
    platform: Platform, bundle: Bundle, source: Source, tenant: TenantIdentity, fresh: TenantIdentity
) -> TenantIdentity:
    """Give a tenant the place of another one, which gets the tenant's; returns its names from now on.

    Args:
        platform: the hands.
        bundle: what ``fresh`` was made of.
        source: the tenant's file from now on.
        tenant: as it is.
        fresh: with the place that it gets.
    """
    now = replace(tenant, namespace=fresh.namespace, archive=fresh.archive, role=fresh.role)
    connection = await platform.database.dedicated()
    try:
        async with connection.transaction():
            logs = await furnished(connection, tenant.namespace, _LOGS)
            await furnish(connection, fresh, logs)
            for log in sorted(logs):
                await _count_on(connection, tenant.namespace, fresh.namespace, log)
            await connection.execute(_SHAPE, tenant.id, fresh.id)
            other = uuid.uuid4().hex
            await connection.execute(_PLACE, fresh.id, f"t_{other}", f"a_{other}", f"t_{other}")
            await connection.execute(_PLACE, tenant.id, now.namespace, now.archive, now.role)
            await connection.execute(_PLACE, fresh.id, tenant.namespace, tenant.archive, tenant.role)
            await adopt_history(connection, bundle, now, source, keep_after=True)
            await provision(connection, now, platform.password(now))  # its role has another password now
    finally:
        await connection.close()
    return now


async def _count_on(connection: Connection, old: str, new: str, log: str) -> None:
    places = [f"{quote(namespace)}.{log}" for namespace in (old, new)]
    sequence = await connection.fetchval("SELECT pg_get_serial_sequence($1, 'seq')", places[0])
    last = await connection.fetchval(f"SELECT last_value FROM {sequence}")  # noqa: S608 - PostgreSQL quoted it
    await connection.execute("SELECT setval(pg_get_serial_sequence($1, 'seq'), $2)", places[1], last)


async def complete(generation: Generation, undertaking: Undertaking) -> bool:
    """Let a tenant serve what the registry says it has; False while somebody works on it.

    Args:
        generation: of ``system``.
        undertaking: of kind restore.
    """
    platform, slug, detail = hands(generation), undertaking.slug, undertaking.detail
    async with platform.database.owner() as connection:
        state = "SELECT pg_catalog.pg_xact_status($1::text::xid8) = 'in progress'"
        worked_on = undertaking.tx and await connection.fetchval(state, undertaking.tx)
        identity = await registry.find_tenant(connection, slug)
        if worked_on or identity is None:
            return identity is None
        deployed = await registry.current(connection, identity)
        status = await connection.fetchrow(
            _STATUS.replace("{ns}", quote(generation.identity.namespace)), slug
        )
        if identity.namespace == detail["namespace"]:
            source = source_of(str(detail["text"]).encode(), str(detail["code"]).encode())
            if deployed.digest == source.digest:
                write_tenant(platform.file(slug), source)
            # every process has to find its new place
            await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", CHANNEL, f"{GONE} {identity.id}")
        await closing.set_state(connection, identity, *(status or ("active", "")))
    return True
