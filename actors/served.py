"""Whether a server runs on a database: the command line then leaves changes of tenants to it.

Decides it by an advisory lock, which ends with the server however it ends. Held by the directory, asked by
the command line.
"""

from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[Any]"

SERVED_LOCK = 0x62736C7376
"""Advisory lock that every server of the database shares."""


async def hold_served(connection: Connection) -> None:
    """Show, for as long as this connection lives, that a server takes changes of tenant files."""
    await connection.execute("SELECT pg_catalog.pg_advisory_lock_shared($1)", SERVED_LOCK)


async def is_served(connection: Connection) -> bool:
    """Whether a server runs on this database."""
    alone: bool = await connection.fetchval("SELECT pg_catalog.pg_try_advisory_lock($1)", SERVED_LOCK)
    if alone:
        await connection.execute("SELECT pg_catalog.pg_advisory_unlock($1)", SERVED_LOCK)
    return not alone
