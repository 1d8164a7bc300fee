"""Files of a tenant that is copied, archived, or made of an archive: what is known of them, and their bytes.

Decides that only files some row names come along, under the ids the rows know them by; a copy's objects are
its own. Called by ``copying`` and ``archive``.
"""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg
import orjson

from actors.features.files.keeper import Files
from actors.features.files.store import PIECE, Key
from actors.messages import ProblemError, TenantIdentity
from actors.tenant.generation import Generation
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

TABLES = ("_files", "_buckets")
BATCH = 500


async def copy_files(
    connection: Connection, files: Files | None, source: TenantIdentity, made: Generation
) -> None:
    """Copy the files that rows of a new tenant name; its rows are there, in the same transaction."""
    target = made.identity
    for table in TABLES:
        origin, place = f"{quote(source.namespace)}.{table}", f"{quote(target.namespace)}.{table}"
        kept = f" WHERE {named(made.model, target.namespace)}" if table == "_files" else ""
        await connection.execute(f"INSERT INTO {place} SELECT f.* FROM {origin} f{kept}")  # noqa: S608 - quoted
    async for row in _each(connection, target.namespace, "id"):
        if files is None:
            raise ProblemError("tenant.not_made", "this process keeps no files")
        await files.store.copy(Key(source.id, row["id"]), Key(target.id, row["id"]))


async def dump_files(
    connection: Connection, archive: zipfile.ZipFile, files: Files | None, source: TenantIdentity,
    model: TenantModel,
) -> int:  # fmt: skip
    """Write files into an archive, piece by piece; returns how many."""
    origin = f"{quote(source.namespace)}"
    buckets = f"SELECT to_jsonb(b)::text FROM {origin}._buckets b ORDER BY id"  # noqa: S608 - quoted
    archive.writestr("buckets.jsonl", "".join(f"{row[0]}\n" for row in await connection.fetch(buckets)))
    kept = named(model, source.namespace)
    query = f"SELECT to_jsonb(f)::text FROM {origin}._files f WHERE {kept} ORDER BY id"  # noqa: S608 - quoted
    lines = [row[0] for row in await connection.fetch(query)]
    archive.writestr("files.jsonl", "".join(f"{line}\n" for line in lines))
    names = [orjson.loads(line) for line in lines]
    for file in names:
        if files is None:
            raise ProblemError("tenant.bad_archive", "this process keeps no files")
        with archive.open(zipfile.ZipInfo(f"files/{file['id']}"), "w", force_zip64=True) as written:
            async for piece in await files.store.open(Key(source.id, file["id"]), 0, file["size"]):
                await asyncio.to_thread(written.write, piece)
    return len(names)


async def load_files(
    connection: Connection, archive: zipfile.ZipFile, files: Files | None, made: Generation
) -> None:
    """Take the files of an archive in; their bytes must be what the archive says.

    Raises:
        ProblemError: tenant.bad_archive.
    """
    there = set(archive.namelist())
    for table in TABLES:
        name = f"{table[1:]}.jsonl"
        if name not in there:
            continue
        lines = archive.read(name).decode().splitlines()
        place = f"{quote(made.identity.namespace)}.{table}"
        for start in range(0, len(lines), BATCH):
            await connection.execute(
                f"INSERT INTO {place} SELECT r.* FROM unnest($1::text[]) doc, "  # noqa: S608 - quoted
                f"LATERAL jsonb_populate_record(NULL::{place}, doc::jsonb) r",
                lines[start : start + BATCH],
            )
    known = f"SELECT count(*) FROM {quote(made.identity.namespace)}._files f"  # noqa: S608 - quoted
    kept = named(made.model, made.identity.namespace)
    if await connection.fetchval(known) != await connection.fetchval(f"{known} WHERE {kept}"):
        raise ProblemError("tenant.bad_archive", "the archive has a file that no row names")
    async for row in _each(connection, made.identity.namespace, "id, size, sha256"):
        await _load(archive, files, made.identity, row)


async def _load(archive: zipfile.ZipFile, files: Files | None, target: TenantIdentity, row: Any) -> None:  # noqa: ANN401 - asyncpg's record
    if files is None:
        raise ProblemError("tenant.bad_archive", "this process keeps no files")
    digest, size = hashlib.sha256(), 0
    try:
        writer = files.store.create(Key(target.id, row["id"]).checked())
        with archive.open(f"files/{row['id']}") as found:
            while piece := await asyncio.to_thread(found.read, PIECE):
                digest.update(piece)
                size += len(piece)
                await writer.write(piece)
    except (KeyError, ValueError) as error:
        raise ProblemError("tenant.bad_archive", "the archive misses a file") from error
    if (digest.hexdigest(), size) != (row["sha256"], row["size"]):
        await writer.abort()
        raise ProblemError("tenant.bad_archive", "a file of the archive is damaged")
    await writer.commit()


def named(model: TenantModel, namespace: str) -> str:
    """Return the condition that a row of the tenant names the file ``f``."""
    found = [
        f"EXISTS (SELECT FROM {quote(namespace)}.{quote(entity.name)} r WHERE r.{quote(field.name)} = f.id)"
        for entity in model.entities.values()
        for field in entity.fields.values()
        if field.kind == "file"
    ]
    return " OR ".join(found) or "false"


async def _each(connection: Connection, namespace: str, columns: str) -> AsyncIterator[Any]:
    after = ""
    while True:
        text = f"SELECT {columns} FROM {quote(namespace)}._files WHERE id > $1 ORDER BY id LIMIT {BATCH}"  # noqa: S608 - quoted
        rows = await connection.fetch(text, after)
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        after = rows[-1]["id"]
