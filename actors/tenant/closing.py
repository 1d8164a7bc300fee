"""Opening, closing and forgetting tenants in the registry, announced to every process.

Decides nothing; the platform's functions do. What a closed tenant answers is ``standing``'s.
"""

import uuid
from typing import Any, TypeAlias

import asyncpg

from actors.messages import TenantIdentity
from actors.tenant.journal import CHANNEL, GONE

Connection: TypeAlias = "asyncpg.Connection[Any]"


async def set_state(connection: Connection, identity: TenantIdentity, state: str, reason: str = "") -> None:
    """Open or close a tenant, everywhere; what changes nothing is not announced."""
    await connection.execute(
        "UPDATE backsaas.tenants SET state = $2, reason = $3, updated_at = now() "
        "WHERE id = $1 AND (state, reason) <> ($2, $3) RETURNING pg_notify($4, id::text)",
        uuid.UUID(identity.id),
        state,
        reason,
        CHANNEL,
    )


async def announce(connection: Connection, identity: TenantIdentity) -> None:
    """Let every process look at the registry: somebody agreed to a plan."""
    await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", CHANNEL, identity.id)


async def remove(connection: Connection, identity: TenantIdentity) -> None:
    """Forget a tenant and its history; its place in PostgreSQL is ``provision``'s. Safe to repeat."""
    tenant = uuid.UUID(identity.id)
    async with connection.transaction():
        for table in ("confirmations", "migrations", "versions"):
            await connection.execute(f"DELETE FROM backsaas.{table} WHERE tenant = $1", tenant)  # noqa: S608
        await connection.execute("DELETE FROM backsaas.tenants WHERE id = $1", tenant)
        await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", CHANNEL, f"{GONE} {tenant}")
