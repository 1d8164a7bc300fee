"""What is known of files: statements on ``_files``, as the tenant.

Decides nothing; names reach SQL from the tenant's identity alone. Called by the operations of files.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from actors.connections import TenantConnection
from actors.tenant.executor import fetch_one, fetch_rows_on
from actors.tenant.generation import Generation
from schemas.compiler.sql import quote

_COLUMNS = "id, entity, field, bucket, path, name, size, media_type, sha256, owner, metadata::text AS metadata, max_age, created_at, updated_at, used_at"  # noqa: E501 - one list


_NOT_YET = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Attributes:
        id: names its bytes; they never change.
        entity, field: what it was uploaded for, "" in a bucket.
        bucket, path: its place in a bucket, "" elsewhere.
        name: as its owner called it.
        size: in bytes.
        media_type: by its bytes.
        sha256: in hex.
        owner: id of the user or key that uploaded it, None for nobody.
        metadata: JSON of its owner, for files in buckets.
        max_age: seconds a client may keep it, None: as we think.
        created_at, updated_at: aware UTC.
        used: a row names it.
    """

    id: str
    size: int
    media_type: str
    sha256: str
    name: str = ""
    entity: str = ""
    field: str = ""
    bucket: str = ""
    path: str = ""
    owner: str | None = None
    metadata: Any = None
    max_age: int | None = None
    created_at: datetime = _NOT_YET
    updated_at: datetime = _NOT_YET
    used: bool = False


async def find(generation: Generation, where: str, *arguments: object) -> File | None:
    """Return the file a condition of ours finds, None when there is none."""
    text = f"SELECT {_COLUMNS} FROM (SELECT) one LEFT JOIN {table(generation)} ON {where}"  # noqa: S608 - ours
    row = await fetch_one(generation.pool, text, arguments, reads=True)  # type: ignore[arg-type]
    return read(row) if row["id"] is not None else None


async def add(connection: TenantConnection, generation: Generation, file: File) -> None:
    """Note a file whose bytes are in the store."""
    text = (
        f"INSERT INTO {table(generation)} (id, entity, field, bucket, path, name, size, media_type, sha256, "  # noqa: S608 - ours
        "owner, metadata, max_age, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7::text::bigint, $8, $9, $10, "
        "$11::text::jsonb, $12::text::integer, CASE WHEN $4 <> '' THEN now() END) RETURNING id"
    )
    await fetch_rows_on(
        connection,
        text,
        (
            file.id, file.entity, file.field, file.bucket, file.path, file.name, str(file.size),
            file.media_type, file.sha256, file.owner,
            None if file.metadata is None else orjson.dumps(file.metadata).decode(),
            None if file.max_age is None else str(file.max_age),
        ),
    )  # fmt: skip


async def forget(connection: TenantConnection, generation: Generation, ids: list[str | None]) -> None:
    """Let files go that no row names; their bytes go after the commit."""
    text = f"DELETE FROM {table(generation)} WHERE id = ANY($1::text[]) AND used_at IS NULL RETURNING id"  # noqa: S608 - ours
    await fetch_rows_on(connection, text, (ids,))


def read(row: Any) -> File:  # noqa: ANN401 - asyncpg's record
    """Return the file of a row."""
    return File(
        id=row["id"], size=row["size"], media_type=row["media_type"], sha256=row["sha256"], name=row["name"],
        entity=row["entity"], field=row["field"], bucket=row["bucket"], path=row["path"], owner=row["owner"],
        metadata=None if row["metadata"] is None else orjson.loads(row["metadata"]),
        max_age=row["max_age"], created_at=row["created_at"], updated_at=row["updated_at"],
        used=row["used_at"] is not None,
    )  # fmt: skip


def table(generation: Generation) -> str:
    """Return the table's name, quoted."""
    return f"{quote(generation.identity.namespace)}._files"
