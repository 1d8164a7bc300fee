"""A tenant as one file: its YAML, versions and functions, every row, the people, and the files rows name.

Decides what is in it: never what is worth nothing elsewhere or must not come back (sessions, links of mails,
what followers are told of), secrets only when they are asked for. All of it is one snapshot, in an order that
depends on nothing but the data: the same tenant gives the same bytes, on every installation.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, BinaryIO, TypeAlias

import asyncpg

from actors.features.files.keeper import Files
from actors.features.files.store import Key
from actors.features.outbox.tables import OUTBOX_TABLES
from actors.features.platform import bundles, structure
from actors.features.platform.bundles import Packer
from actors.features.platform.undertakings import busy
from actors.features.transfer.tables import TRANSFER_TABLES
from actors.messages import ProblemError, TenantIdentity
from actors.tenant import journal, registry
from actors.tenant.idempotency import IDEMPOTENCY_TABLE
from schemas.compiler.compile import compile_source
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

NO_SECRETS, HASHES, EVERYTHING = "none", "hashes", "all"
"""Secrets that come along: none; what people and programs sign in with, hashed; also what only this very
tenant of this very installation can read, and work that waits."""
PASSING = frozenset(
    {IDEMPOTENCY_TABLE, "_auth_sessions", "_auth_refresh", "_auth_tokens", "_auth_flows", "_auth_challenges",
     "_auth_entered", "_changes", "_live"}
)  # fmt: skip
"""Never in an archive: nobody is to be signed in by one."""
ITS_OWN = frozenset({"_auth_factors", "_auth_signing_keys", *OUTBOX_TABLES, *TRANSFER_TABLES})
KEYS = frozenset({"_auth_api_keys"})
PEOPLE = frozenset({"_auth_accounts", "_auth_identities", "_auth_audit"})
NO_NAMESPACE = "t_" + "0" * 32, "a_" + "0" * 32
"""What stands for a tenant's own in the texts of its history."""

TABLES = """
SELECT c.relname::text AS name, ARRAY(
    SELECT a.attname::text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ORDER BY a.attname) AS columns,
  ARRAY(
    SELECT concat(quote_ident(a.attname), CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' END)
    FROM pg_catalog.pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (n, at), pg_catalog.pg_attribute a
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.at
  ) AS keys
FROM pg_catalog.pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r'
ORDER BY c.relname
"""
_VERSIONS = """
SELECT (to_jsonb(v) - 'tenant' - 'mirrored')::text FROM backsaas.versions v
WHERE tenant = $1::text::uuid ORDER BY number
"""
_MIGRATIONS = """
SELECT (to_jsonb(m) - 'tenant' || '{"steps": [], "waiting": ""}')::text FROM backsaas.migrations m
WHERE tenant = $1::text::uuid AND state IN ('done', 'reverted', 'failed') ORDER BY version, plan_id
"""
SPELLING = (
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'iso_8601'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL statement_timeout = 0"
)
"""How PostgreSQL writes values, whatever the server is set to."""


async def pack(
    connection: Connection,
    stored: Files | None,
    file: BinaryIO,
    identity: TenantIdentity,
    secrets: str,
    seal: str = "",
) -> dict[str, Any]:
    """Write a tenant's archive.

    Args:
        connection: the owner's, idle.
        stored: where files are.
        file: to write to; empty, seekable.
        identity: the tenant.
        secrets: ``NO_SECRETS``, ``HASHES`` or ``EVERYTHING``.
        seal: names the only tenant that can read what is sealed in it, "" for none.

    Returns:
        The manifest.

    Raises:
        ProblemError: tenant.busy, a migration is under way; schema.unknown_version, it never served.
    """
    packer = Packer(file)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SPELLING)
        if await journal.open_migration(connection, identity) is not None:
            raise busy(identity.slug)
        deployed = await registry.current(connection, identity)
        version = await registry.version(connection, identity, deployed.version)
        if version is None:
            raise ProblemError("schema.unknown_version", f"{identity.slug} has no version in force")
        model = await asyncio.to_thread(compile_source, version.text, identity.slug)
        await packer.add(bundles.SCHEMA, version.text.encode())
        if version.code:
            await packer.add(bundles.CODE, version.code.encode())
        for name, query in ((bundles.VERSIONS, _VERSIONS), (bundles.MIGRATIONS, _MIGRATIONS)):
            async with packer.member(name) as member:
                async for row in connection.cursor(query, identity.id, prefetch=10):
                    await member.write(nameless(row[0], identity).encode() + b"\n")
        tables = chosen(await connection.fetch(TABLES, identity.namespace), model, secrets)
        await packer.add(bundles.STRUCTURE, await structure.describe(connection, identity, tables.keys()))
        rows = {}
        for table, (columns, order) in tables.items():
            if table.startswith("_") and await _is_empty(connection, identity.namespace, table):
                continue  # an installation of an earlier version may not have it
            rows[table] = await _copy(
                connection, packer, f"data/{table}.csv", (identity.namespace, table), columns, order
            )
        for row in await connection.fetch(TABLES, identity.archive):
            await _copy(
                connection, packer, f"archive/{row['name']}.csv", (identity.archive, row["name"]),
                row["columns"], row["keys"],
            )  # fmt: skip
        number = await _files(connection, packer, stored, identity) if "_files" in tables else 0
    return packer.finish(
        slug=identity.slug,
        name=next(iter(model.title.values()), ""),
        version=version.number,
        secrets=secrets,
        rows=rows,
        files=number,
        **({"seal": seal} if seal else {}),
    )


def chosen(
    tables: Iterable[asyncpg.Record], model: TenantModel, secrets: str
) -> dict[str, tuple[list[str], list[str]]]:
    """Return the tables that come along, with their columns and order; deny by default what is ``auth``'s."""
    found = {}
    for name, columns, keys in tables:
        if not comes_along(name, secrets):
            continue
        secret = set()
        if secrets == NO_SECRETS:
            entity = model.entities.get(name)
            secret = {field.name for field in entity.fields.values() if field.write_only} if entity else set()
            secret |= {"password_hash"} if name == "_auth_accounts" else set()
        found[name] = ([column for column in columns if column not in secret], keys)
    return found


def comes_along(table: str, secrets: str) -> bool:
    """Whether a table is in an archive with such secrets."""
    if table in PASSING:
        return False
    if table in ITS_OWN or (table.startswith("_auth_") and table not in KEYS | PEOPLE):
        return secrets == EVERYTHING
    return table not in KEYS or secrets != NO_SECRETS


def nameless(text: str, identity: TenantIdentity) -> str:
    """Return a text of a tenant's history without its names in this database."""
    for name, instead in zip((identity.namespace, identity.archive), NO_NAMESPACE, strict=True):
        text = text.replace(name, instead)
    return text


async def _is_empty(connection: Connection, namespace: str, table: str) -> bool:
    query = f"SELECT NOT EXISTS (SELECT FROM {quote(namespace)}.{quote(table)}{_rows_of(table)})"  # noqa: S608 - quoted
    return bool(await connection.fetchval(query))


def _rows_of(table: str) -> str:
    """Return which rows of a table come along: a file that nothing names yet stays behind."""
    return " WHERE used_at IS NOT NULL" if table == "_files" else ""


async def _copy(
    connection: Connection,
    packer: Packer,
    name: str,
    place: tuple[str, str],
    columns: Iterable[str],
    order: Iterable[str],
) -> int:
    listed = ", ".join(quote(column) for column in columns)
    by = ", ".join(order) or 't::text COLLATE "C"'
    query = f"SELECT {listed} FROM {quote(place[0])}.{quote(place[1])} t{_rows_of(place[1])} ORDER BY {by}"  # noqa: S608 - quoted
    async with packer.member(name) as member:
        done = await connection.copy_from_query(query, output=member.write, format="csv", header=True)
    return int(done.rpartition(" ")[2])


async def _files(
    connection: Connection, packer: Packer, stored: Files | None, identity: TenantIdentity
) -> int:
    query = f"SELECT id, size FROM {quote(identity.namespace)}._files WHERE used_at IS NOT NULL "  # noqa: S608 - quoted
    number = 0
    async for row in connection.cursor(query + 'ORDER BY id COLLATE "C"', prefetch=500):
        if stored is None:
            raise ProblemError("tenant.bad_archive", "this process keeps no files")
        async with packer.member(f"files/{row['id']}") as member:
            async for piece in await stored.store.open(Key(identity.id, row["id"]), 0, row["size"]):
                await member.write(piece)
        number += 1
    return number
