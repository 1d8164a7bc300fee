"""Texts that were in force before: what going back to one undoes, and whether a file is behind by itself.

Decides nothing; it reads the registry with the owner's connection. Called by ``reload``, ``intake`` and
whoever plans a migration.
"""

import json
import uuid

from actors.messages import TenantIdentity
from actors.tenant.registry import Connection
from schemas.compiler.migrate.steps import Record


async def way_back(connection: Connection, identity: TenantIdentity, digest: str) -> list[Record] | None:
    """Return what every migration since a text was in force did to names, oldest first; None for a new text.

    Putting an earlier text back is a rollback: what was archived since then comes back.
    """
    earlier = await earlier_version(connection, identity, digest)
    return None if earlier is None else await records_since(connection, identity, earlier)


async def earlier_version(connection: Connection, identity: TenantIdentity, digest: str) -> int | None:
    """Return the newest version that was in force once with this very text: putting it back is a rollback."""
    number: int | None = await connection.fetchval(
        """
        SELECT max(number) FROM backsaas.versions WHERE tenant = $1 AND digest = $2 AND state = 'superseded'
        """,
        uuid.UUID(identity.id),
        digest,
    )
    return number


async def records_since(connection: Connection, identity: TenantIdentity, number: int) -> list[Record]:
    """Return what every migration after version ``number`` did to names, oldest first."""
    rows = await connection.fetch(
        "SELECT record::text FROM backsaas.migrations WHERE tenant = $1 AND version > $2 "
        "AND state IN ('switched', 'done') ORDER BY version, started_at",
        uuid.UUID(identity.id),
        number,
    )
    return [Record(**json.loads(row[0])) for row in rows]


async def replaced_by(
    connection: Connection, identity: TenantIdentity, digest: str, saved_at: float
) -> tuple[int, int] | None:
    """Say whether a text was in force and has been replaced after a moment.

    Args:
        connection: the owner's.
        identity: the tenant.
        digest: of the text.
        saved_at: wall clock, seconds.

    Returns:
        The version it was and the version in force, or None.
    """
    row = await connection.fetchrow(
        """
        SELECT max(earlier.number), now.number FROM backsaas.tenants t
        JOIN backsaas.versions now ON now.tenant = t.id AND now.number = t.version
        JOIN backsaas.versions earlier ON earlier.tenant = t.id AND earlier.state = 'superseded'
        WHERE t.id = $1 AND t.digest <> $2 AND earlier.digest = $2 AND now.created_at > to_timestamp($3)
        GROUP BY now.number
        """,
        uuid.UUID(identity.id),
        digest,
        saved_at,
    )
    return None if row is None else (row[0], row[1])
