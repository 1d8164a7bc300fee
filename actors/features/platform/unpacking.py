"""Rows, history and files of an archive, put into a tenant that was just made of the archive's file.

Decides that all of it comes in or nothing: one transaction, keys between tables checked at its end, and every
count compared. Values meet PostgreSQL's own reading of CSV, names only columns that are there. Called by
``archive`` and ``restoring``.
"""

import asyncio
import csv
import uuid
from collections.abc import AsyncIterator
from typing import IO, Any, TypeAlias

import asyncpg
import orjson

from actors.features.files.keeper import Files
from actors.features.files.store import PIECE, Key
from actors.features.files.tables import FILES_TABLES
from actors.features.platform import bundles, packing, structure
from actors.features.platform.bundles import MAX_TEXT, Bundle, bad
from actors.messages import ProblemError, TenantIdentity
from actors.sources import Source
from actors.tenant import journal
from actors.tenant.furniture import furnish, furnished, named_in
from actors.tenant.generation import Generation
from actors.tenant.introspect import introspect
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

_KEYS = """
SELECT format('%I.%I', n.nspname, c.relname) AS place, quote_ident(k.conname) AS name,
  pg_catalog.pg_get_constraintdef(k.oid) AS definition
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND k.contype = 'f' ORDER BY c.relname, k.conname
"""
_NO_VERSIONS = "DELETE FROM backsaas.versions WHERE tenant = $1"
_AFTER = """
UPDATE backsaas.versions SET state = 'draft', mirrored = false WHERE tenant = $1 AND state <> 'rejected'
"""
_THESE = """
DELETE FROM backsaas.versions WHERE tenant = $1
  AND number IN (SELECT (doc::jsonb ->> 'number')::integer FROM unnest($2::text[]) doc)
"""
_BATCH = 20
_MISFITS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.SyntaxOrAccessError)


async def unpack(
    connection: Connection, bundle: Bundle, made: Generation, stored: Files | None, *, secrets: str
) -> None:
    """Fill a tenant.

    Args:
        connection: the owner's, idle.
        bundle: verified.
        made: generation of the new tenant, its tables empty.
        stored: where its files go.
        secrets: of the archive, those that are taken.

    Raises:
        ProblemError: tenant.bad_archive; the tenant is to be unmade then, its files may be there.
    """
    identity = made.identity
    document = orjson.loads(bundle.read(bundles.STRUCTURE))
    try:
        async with connection.transaction():
            await connection.execute(packing.SPELLING)
            counted = [str(one["table"]) for one in document["sequences"]]
            await furnish(connection, identity, named_in(*bundle.names, *counted))
            touched = await structure.build(connection, identity, document)
            tables = {
                row["name"]: row["columns"]
                for row in await connection.fetch(packing.TABLES, identity.namespace)
            }
            put_away = {
                row["name"]: row["columns"]
                for row in await connection.fetch(packing.TABLES, identity.archive)
            }
            keys = await connection.fetch(_KEYS, identity.namespace)
            for key in keys:
                await connection.execute(f"ALTER TABLE {key['place']} DROP CONSTRAINT {key['name']}")
            for name in tables:
                await _triggers(connection, identity, name, "DISABLE")
                # making the tables writes notes into some
                await connection.execute(f"TRUNCATE {quote(identity.namespace)}.{quote(name)}")
            for name in sorted(bundle.names):
                folder, _, table = name.removesuffix(".csv").partition("/")
                if folder == "data" and packing.comes_along(table, secrets):
                    count = await _fill(
                        connection, bundle, name, (identity.namespace, table), tables.get(table)
                    )
                    if count != bundle.manifest["rows"].get(table):
                        raise bad(f"{name} has {count} rows")
                elif folder == "archive":
                    await _fill(connection, bundle, name, (identity.archive, table), put_away.get(table))
            taken = [one for one in document["sequences"]
                     if one["archived"] or packing.comes_along(one["table"], secrets)]  # fmt: skip
            await structure.count_on(connection, identity, {"sequences": taken})
            for key in keys:
                await connection.execute(
                    f"ALTER TABLE {key['place']} ADD CONSTRAINT {key['name']} {key['definition']}"
                )
            for name in tables:
                await _triggers(connection, identity, name, "ENABLE")
            catalog = await introspect(connection, identity.namespace, sorted(touched))
            shape = {name: table.digest for name, table in catalog.tables.items()}
            await journal.set_shape(connection, identity, sorted(touched), shape)
            await _load_files(connection, bundle, stored, identity)
    except _MISFITS as error:
        raise bad(f"its rows do not fit: {error}") from error


async def adopt_history(
    connection: Connection,
    bundle: Bundle,
    identity: TenantIdentity,
    source: Source,
    *,
    keep_after: bool = False,
) -> None:
    """Give a tenant the versions of an archive; within the connection's transaction.

    Args:
        connection: the owner's.
        bundle: verified.
        identity: the tenant.
        source: its file now; another than the archive's becomes a version of its own.
        keep_after: versions with higher numbers stay, as texts that are not in force.

    Raises:
        ProblemError: tenant.bad_archive.
    """
    tenant = uuid.UUID(identity.id)
    at = int(bundle.manifest["version"])
    await connection.execute("DELETE FROM backsaas.migrations WHERE tenant = $1", tenant)
    await connection.execute(_AFTER if keep_after else _NO_VERSIONS, tenant)
    async for lines in _lines(bundle, bundles.VERSIONS, identity):
        await connection.execute(_THESE, tenant, lines)
        await _insert(connection, "versions", lines, {"tenant": identity.id, "mirrored": False})
    async for lines in _lines(bundle, bundles.MIGRATIONS, identity):
        await _insert(connection, "migrations", lines, {"tenant": identity.id})
    row = await connection.fetchrow(
        "SELECT number, digest FROM backsaas.versions "
        "WHERE tenant = $1 AND state = 'deployed' AND text = $2 AND code = $3",
        tenant,
        bundle.read(bundles.SCHEMA).decode(),
        bundle.read(bundles.CODE).decode(),
    )
    if row is None or row["number"] != at:
        raise bad("its versions have no such file in force")
    if row["digest"] != source.digest:
        at = await _next(connection, tenant, source)
    await connection.execute(
        "UPDATE backsaas.tenants SET version = $2, digest = $3, updated_at = now() WHERE id = $1",
        tenant,
        at,
        source.digest,
    )


async def _insert(connection: Connection, table: str, lines: list[str], fixed: dict[str, Any]) -> None:
    await connection.execute(
        f"INSERT INTO backsaas.{table} SELECT r.* FROM unnest($1::text[]) doc, LATERAL "  # noqa: S608 - ours
        f"jsonb_populate_record(NULL::backsaas.{table}, doc::jsonb || $2::text::jsonb) r",
        lines,
        orjson.dumps(fixed).decode(),
    )


async def _next(connection: Connection, tenant: uuid.UUID, source: Source) -> int:
    await connection.execute(
        "UPDATE backsaas.versions SET state = 'superseded' WHERE tenant = $1 AND state = 'deployed'", tenant
    )
    number: int = await connection.fetchval(
        "INSERT INTO backsaas.versions (tenant, number, text, digest, state, author, code, deployed_at) "
        "SELECT $1, max(number) + 1, $2, $3, 'deployed', 'import', $4, now() FROM backsaas.versions "
        "WHERE tenant = $1 RETURNING number",
        tenant,
        source.text.decode(),
        source.digest,
        source.code.decode(),
    )
    return number


async def _lines(bundle: Bundle, name: str, identity: TenantIdentity) -> AsyncIterator[list[str]]:
    with bundle.open(name) as opened:
        while batch := await asyncio.to_thread(_some, opened, identity):
            yield batch


def _some(opened: IO[bytes], identity: TenantIdentity) -> list[str]:
    found: list[str] = []
    while len(found) < _BATCH and (line := opened.readline(MAX_TEXT)):
        text = line.decode()
        for name, instead in zip((identity.namespace, identity.archive), packing.NO_NAMESPACE, strict=True):
            text = text.replace(instead, name)
        found.append(text)
    return found


async def _triggers(connection: Connection, identity: TenantIdentity, table: str, word: str) -> None:
    await connection.execute(f"ALTER TABLE {quote(identity.namespace)}.{quote(table)} {word} TRIGGER USER")


async def _fill(
    connection: Connection, bundle: Bundle, name: str, place: tuple[str, str], columns: list[str] | None
) -> int:
    with bundle.open(name) as opened:
        head = next(csv.reader([opened.readline(MAX_TEXT).decode()]), [])
        if columns is None or not set(head) <= set(columns) or len(set(head)) != len(head) or not head:
            raise bad(f"{name} does not fit the tenant's file")
        done = await connection.copy_to_table(
            place[1], schema_name=place[0], columns=head, format="csv", source=_pieces(opened)
        )
    return int(done.rpartition(" ")[2])


async def _pieces(opened: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(opened.read, PIECE):
        yield piece


async def _load_files(
    connection: Connection, bundle: Bundle, stored: Files | None, identity: TenantIdentity
) -> None:
    left = {name for name in bundle.names if name.startswith("files/")}
    if await furnished(connection, identity.namespace, FILES_TABLES[:1]):
        left -= await _load_named(connection, bundle, stored, identity)
    if left:
        raise bad("it has a file that nothing names")


async def _load_named(
    connection: Connection, bundle: Bundle, stored: Files | None, identity: TenantIdentity
) -> set[str]:
    """Bring the bytes of every file that is known; returns the members they were in."""
    taken: set[str] = set()
    members = bundle.manifest["members"]
    query = f"SELECT id, size, sha256 FROM {quote(identity.namespace)}._files ORDER BY id"  # noqa: S608 - quoted
    async for row in connection.cursor(query, prefetch=500):
        name = f"files/{row['id']}"
        wanted = {"bytes": row["size"], "sha256": row["sha256"]}
        if members.get(name) != wanted:
            raise bad("it misses a file, or has another one")
        if stored is None:
            raise ProblemError("tenant.bad_archive", "this process keeps no files")
        taken.add(name)
        writer = stored.store.create(Key(identity.id, row["id"]).checked())
        try:
            with bundle.open(name) as opened:
                async for piece in _pieces(opened):
                    await writer.write(piece)
            await writer.commit()
        finally:
            await writer.abort()
    return taken
