"""What is known of files: statements on ``_files``, as the tenant.

Decides nothing; names reach SQL from the tenant's identity alone. Called by the operations of files.
"""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from actors.connections import TenantConnection
from actors.tenant.executor import fetch_one, fetch_rows_on
from actors.tenant.generation import Generation
from schemas.compiler.sql import quote

_COLUMNS = "id, entity, field, name, size, media_type, sha256, owner, created_at"
_NOT_YET = datetime.min.replace(tzinfo=UTC)


class File(Struct, frozen=True):
    """One file.

    Attributes:
        id: names its bytes; they never change.
        size: in bytes.
        media_type: by its bytes.
        sha256: in hex.
        name: as its owner called it.
        entity, field: what it was uploaded for.
        owner: id of the user or key that uploaded it, None for nobody.
        created_at: aware UTC.
    """

    id: str
    size: int
    media_type: str
    sha256: str
    name: str = ""
    entity: str = ""
    field: str = ""
    owner: str | None = None
    created_at: datetime = _NOT_YET


async def find(generation: Generation, where: str, *arguments: object) -> File | None:
    """Return the file a condition of ours finds, None when there is none."""
    text = f"SELECT {_COLUMNS} FROM (SELECT) one LEFT JOIN {table(generation)} ON {where}"  # noqa: S608 - ours
    row = await fetch_one(generation.pool, text, arguments, reads=True)  # type: ignore[arg-type]
    return read(row) if row["id"] is not None else None


async def add(connection: TenantConnection, generation: Generation, file: File) -> None:
    """Note a file whose bytes are in the store."""
    text = (
        f"INSERT INTO {table(generation)} (id, entity, field, name, size, media_type, sha256, owner) "  # noqa: S608 - ours
        "VALUES ($1, $2, $3, $4, $5::text::bigint, $6, $7, $8) RETURNING id"
    )
    values = (
        file.id,
        file.entity,
        file.field,
        file.name,
        str(file.size),
        file.media_type,
        file.sha256,
        file.owner,
    )
    await fetch_rows_on(connection, text, values)


async def forget(connection: TenantConnection, generation: Generation, ids: list[str | None]) -> None:
    """Let files go that no row names; their bytes go after the commit."""
    text = f"DELETE FROM {table(generation)} WHERE id = ANY($1::text[]) AND used_at IS NULL RETURNING id"  # noqa: S608 - ours
    await fetch_rows_on(connection, text, (ids,))


def read(row: Any) -> File:  # noqa: ANN401 - asyncpg's record
    """Return the file of a row."""
    return File(
        id=row["id"], size=row["size"], media_type=row["media_type"], sha256=row["sha256"], name=row["name"],
        entity=row["entity"], field=row["field"], owner=row["owner"], created_at=row["created_at"],
    )  # fmt: skip


def table(generation: Generation) -> str:
    """Return the table's name, quoted."""
    return f"{quote(generation.identity.namespace)}._files"
