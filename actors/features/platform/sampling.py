"""A part of a tenant's rows that is whole in itself: the newest of every table, and whatever these refer to.

Decides nothing about columns; it marks rows, in temporary tables of one transaction, by where PostgreSQL has
them. Called by ``copying``.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg

from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

_KEYS = """
SELECT c.relname::text AS name, a.attname::text AS column, f.relname::text AS target,
  fa.attname::text AS target_column
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
JOIN pg_catalog.pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = k.confkey[1]
WHERE k.connamespace = $1::text::regnamespace AND k.contype = 'f' ORDER BY c.relname, k.conname
"""


async def sample(
    connection: Connection, namespace: str, tables: Mapping[str, set[str]], rows: int
) -> dict[str, str]:
    """Choose rows, within the connection's repeatable-read transaction.

    Args:
        connection: the owner's.
        namespace: of the tenant.
        tables: name to columns.
        rows: how many of the newest of each table, beside what they need.

    Returns:
        Table to the condition its chosen rows fulfil.
    """
    marks = {name: f"pg_temp.chosen_{at}" for at, name in enumerate(sorted(tables))}
    for name, mark in marks.items():
        newest = "t.created_at DESC NULLS LAST, " if "created_at" in tables[name] else ""
        place = f"{quote(namespace)}.{quote(name)}"
        chosen = f"SELECT t.ctid AS at FROM {place} t ORDER BY {newest}t.ctid DESC LIMIT {rows:d}"  # noqa: S608 - quoted
        await connection.execute(f"CREATE TEMP TABLE {mark.partition('.')[2]} ON COMMIT DROP AS {chosen}")
    keys = [
        key
        for key in await connection.fetch(_KEYS, namespace)
        if {key["name"], key["target"]} <= marks.keys()
    ]
    grew = True
    while grew:
        grew = False
        for key in keys:
            place, target = (f"{quote(namespace)}.{quote(key[name])}" for name in ("name", "target"))
            done = await connection.execute(
                f"INSERT INTO {marks[key['target']]} SELECT DISTINCT f.ctid "  # noqa: S608 - quoted
                f"FROM {marks[key['name']]} m JOIN {place} t ON t.ctid = m.at "
                f"JOIN {target} f ON f.{quote(key['target_column'])} = t.{quote(key['column'])} "
                f"WHERE NOT EXISTS (SELECT FROM {marks[key['target']]} known WHERE known.at = f.ctid)"
            )
            grew = grew or done != "INSERT 0 0"
    return {name: f"ctid IN (SELECT at FROM {mark})" for name, mark in marks.items()}  # noqa: S608 - ours
