"""Where the tenant ``system`` keeps a table, for those who write into it as the platform's owner.

Called by ``actors.features.billing`` and ``actors.features.metering``.
"""

from actors.tenant.registry import Connection, find_tenant
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.sql import quote


async def system_namespace(connection: Connection, table: str) -> str | None:
    """Return the namespace of the tenant ``system``, None while it has no such table."""
    identity = await find_tenant(connection, SYSTEM_SLUG)
    if identity is None:
        return None
    there = f"{quote(identity.namespace)}.{quote(table)}"
    return identity.namespace if await connection.fetchval("SELECT to_regclass($1)::text", there) else None
