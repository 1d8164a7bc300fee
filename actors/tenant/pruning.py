"""What removed fields and entities left behind in a tenant's archive, and dropping it for good.

Decides how old it is (by the version that archived it, which its name carries), that nothing is dropped while
a migration is open, and that an audit log never is. Called by ``actors.features.platform.archived``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
from msgspec import Struct

from actors.messages import TenantIdentity
from actors.tenant import journal
from actors.tenant.introspect import introspect
from actors.tenant.migrator import MigrationBusyError, only_one
from actors.tenant.step_runner import Pace
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"
PATIENCE = 5.0
"""Seconds to wait for a migration of the tenant, and for its busy tables."""

_FOUND = r"""
WITH things AS (
  SELECT c.relname AS name, NULL AS table_name, pg_catalog.pg_total_relation_size(c.oid) AS size_bytes
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $2 AND c.relkind = 'r'
  UNION ALL
  SELECT a.attname, c.relname, NULL FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $3 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped)
SELECT t.name, t.table_name, t.size_bytes, v.number AS version, v.deployed_at AS archived_at
FROM things t JOIN backsaas.versions v
  ON v.tenant = $1::text::uuid AND v.number = substring(t.name FROM '^_arch_[^~].*_([0-9]{1,9})$')::integer
WHERE v.deployed_at <= $4 AND t.name !~ '^_arch_audit_log_[0-9]+$' ORDER BY t.table_name NULLS FIRST, t.name
"""


class Archived(Struct, frozen=True):
    """A removed field's column, or a removed entity's table.

    Attributes:
        name: in the archive.
        table: that has the column; "" for a table.
        version: of the file that removed it.
        archived_at: when that version came into force.
        size_bytes: of a table.
    """

    name: str
    table: str
    version: int
    archived_at: datetime
    size_bytes: int | None


async def archived(connection: Connection, identity: TenantIdentity, before: datetime) -> list[Archived]:
    """Return what was archived before a moment; the columns of archived tables go with them."""
    rows = await connection.fetch(_FOUND, identity.id, identity.archive, identity.namespace, before)
    return [
        Archived(row["name"], row["table_name"] or "", row["version"], row["archived_at"], row["size_bytes"])
        for row in rows
    ]


async def drop(connection: Connection, identity: TenantIdentity, things: Sequence[Archived]) -> None:
    """Drop them, all or none.

    Raises:
        MigrationBusyError: a migration is open, or a table was busy for too long.
    """
    async with only_one(connection, identity, Pace(patience=PATIENCE)):
        if await journal.open_migration(connection, identity) is not None:
            raise MigrationBusyError(identity.slug)
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE:.0f}s'")
                for thing in things:
                    await connection.execute(_statement(identity, thing))
                touched = sorted({thing.table for thing in things if thing.table})
                catalog = await introspect(connection, identity.namespace, touched)
                shape = {name: table.digest for name, table in catalog.tables.items()}
                await journal.set_shape(connection, identity, touched, shape)
        except asyncpg.LockNotAvailableError:
            raise MigrationBusyError(identity.slug) from None


def _statement(identity: TenantIdentity, thing: Archived) -> str:
    if not thing.table:
        return f"DROP TABLE {quote(identity.archive)}.{quote(thing.name)}"
    return f"ALTER TABLE {quote(identity.namespace)}.{quote(thing.table)} DROP COLUMN {quote(thing.name)}"
