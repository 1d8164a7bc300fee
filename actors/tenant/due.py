"""Which tenants have work, kept in the control schema: found again after a crash, woken when it is due.

A tenant that may have work has a row: with the holder's number while a process runs its relay, with 0 and a
time while it sleeps until then. A holder proves to be alive by an advisory lock on a connection of its own,
which PostgreSQL releases when the process ends, however it ends; then its rows are anybody's. A tenant
without a row costs nothing. Called by the tenant actors and by the clock.
"""

import contextlib
import secrets
import uuid
from typing import Any

import asyncpg

from actors.database import Database
from actors.messages import TenantIdentity

LOCK_CLASS = 0x62736475
SLEEPING = 0
_LIVES = """
EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $1::bigint::oid
  AND l.objid = d.holder::bigint::oid AND l.objsubid = 2 AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
"""
_TAKE = f"""
WITH found AS (
  SELECT d.tenant, d.holder FROM backsaas.due d
  WHERE (d.holder = {SLEEPING} AND d.at <= now()) OR (d.holder NOT IN ({SLEEPING}, $2) AND NOT {_LIVES})
  ORDER BY d.at LIMIT $3 FOR UPDATE SKIP LOCKED),
taken AS (
  DELETE FROM backsaas.due d USING found WHERE d.tenant = found.tenant AND d.holder = found.holder),
held AS (
  INSERT INTO backsaas.due (tenant, holder, at) SELECT DISTINCT tenant, $2::integer, now() FROM found
  ON CONFLICT (tenant, holder) DO NOTHING)
SELECT DISTINCT t.slug FROM found JOIN backsaas.tenants t ON t.id = found.tenant
"""  # noqa: S608 - our own names


class DueBook:
    """One process's part of it.

    Args:
        database: the platform's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.holder = secrets.randbelow(2**31 - 1) + 1
        self._held: set[str] = set()

    async def hold(self, identity: TenantIdentity) -> None:
        """Note that this process looks after the tenant's work."""
        self._held.add(identity.id)
        async with self._database.owner() as connection:
            await self._hold(connection, [identity.id])

    async def release(self, identity: TenantIdentity, seconds: float | None) -> None:
        """Note that nobody need look after it for so long; None: at all, before something happens there."""
        self._held.discard(identity.id)
        async with self._database.owner() as connection, connection.transaction():
            tenant = uuid.UUID(identity.id)
            if seconds is not None:
                await connection.execute(
                    "INSERT INTO backsaas.due (tenant, holder, at) VALUES ($1, 0, now() + "
                    "make_interval(secs => $2)) ON CONFLICT (tenant, holder) DO UPDATE SET at = "
                    "least(backsaas.due.at, excluded.at)",
                    tenant,
                    seconds,
                )
            await connection.execute(
                "DELETE FROM backsaas.due WHERE tenant = $1 AND holder = $2", tenant, self.holder
            )

    async def appear(self, connection: "asyncpg.Connection[Any]") -> None:
        """Be alive for as long as this connection is."""
        await connection.execute("SELECT pg_catalog.pg_advisory_lock_shared($1, $2)", LOCK_CLASS, self.holder)
        # somebody may have taken this process for dead while the connection was away
        await self._hold(connection, list(self._held))

    async def take(self, connection: "asyncpg.Connection[Any]", most: int) -> list[str]:
        """Take tenants over whose time has come or whose holder is gone; returns their slugs."""
        rows = await connection.fetch(_TAKE, LOCK_CLASS, self.holder, most)
        return [row["slug"] for row in rows]

    async def _hold(self, connection: "asyncpg.Connection[Any]", tenants: list[str]) -> None:
        with contextlib.suppress(asyncpg.ForeignKeyViolationError):  # removed meanwhile
            await connection.execute(
                "INSERT INTO backsaas.due (tenant, holder, at) SELECT unnest($1::uuid[]), $2, now() "
                "ON CONFLICT (tenant, holder) DO NOTHING",
                tenants,
                self.holder,
            )
