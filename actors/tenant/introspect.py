"""The database as a Catalog: what a tenant's namespace really holds, in one query.

Decides how PostgreSQL's own tables read in the compiler's words. It changes nothing. Called by the migrator
before it plans and after it ran.
"""

import hashlib
import json
from typing import Any

import asyncpg

from schemas.compiler.migrate.catalog import (
    ARCHIVE_PREFIX,
    DERIVE_TRIGGER,
    Catalog,
    Check,
    Column,
    Derive,
    ForeignKey,
    Index,
    Table,
)

_ON_DELETE = {"a": "no_action", "r": "restrict", "c": "cascade", "n": "set_null", "d": "set_default"}

_QUERY = """
WITH tables AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relnamespace FROM pg_catalog.pg_class c
  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
    AND c.relkind IN ('r', 'p') AND NOT starts_with(c.relname, '_')
    AND ($2::text[] IS NULL OR c.relname = ANY($2))
), columns AS (
  SELECT a.attrelid, json_agg(json_build_array(
      a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
      CASE WHEN a.atthasdef THEN (
        SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
        WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END,
      CASE WHEN a.atthasdef THEN pg_catalog.col_description(a.attrelid, a.attnum) END, a.attgenerated
    ) ORDER BY a.attnum) AS items
  FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid
), constraints AS (
  SELECT c.conrelid, json_agg(json_build_array(
      c.conname, c.contype, c.conkey, f.relname, c.confdeltype, c.convalidated,
      CASE WHEN c.contype = 'c' THEN pg_catalog.obj_description(c.oid, 'pg_constraint') END, c.confkey[1],
      f.relnamespace = t.relnamespace, fa.attname
    ) ORDER BY c.conname) AS items
  FROM tables t JOIN pg_catalog.pg_constraint c ON c.conrelid = t.oid
  LEFT JOIN pg_catalog.pg_class f ON f.oid = c.confrelid AND c.confrelid <> 0
  LEFT JOIN pg_catalog.pg_attribute fa ON fa.attrelid = c.confrelid AND fa.attnum = c.confkey[1]
  WHERE c.contype IN ('p', 'f', 'c', 'u', 'x') GROUP BY c.conrelid
), indexes AS (
  SELECT i.indrelid, json_agg(json_build_array(
      c.relname, i.indkey::text, i.indisunique, am.amname, i.indisvalid AND i.indisready,
      i.indexprs IS NULL AND i.indpred IS NULL AND NOT (0 <> ANY(i.indoption)),
      pg_catalog.obj_description(c.oid, 'pg_class')
    ) ORDER BY c.relname) AS items
  FROM tables t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_am am ON am.oid = c.relam
  WHERE NOT i.indisprimary GROUP BY i.indrelid
), triggers AS (
  SELECT g.tgrelid, json_agg(json_build_array(
      g.tgname, pg_catalog.obj_description(g.oid, 'pg_trigger'), pg_catalog.md5(p.prosrc), g.tgenabled
    ) ORDER BY g.tgname) AS items
  FROM tables t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid
  JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
  WHERE NOT g.tgisinternal GROUP BY g.tgrelid
)
SELECT t.relname, pg_catalog.pg_relation_size(t.oid), columns.items, constraints.items, indexes.items,
  triggers.items
FROM tables t
LEFT JOIN columns ON columns.attrelid = t.oid
LEFT JOIN constraints ON constraints.conrelid = t.oid
LEFT JOIN indexes ON indexes.indrelid = t.oid
LEFT JOIN triggers ON triggers.tgrelid = t.oid
ORDER BY t.relname
"""
_ARCHIVE_QUERY = _QUERY.replace("NOT starts_with(c.relname, '_')", "true")


async def introspect(
    connection: "asyncpg.Connection[Any]", namespace: str, tables: list[str] | None = None
) -> Catalog:
    """Return what a namespace holds.

    Args:
        connection: the owner's.
        namespace: the tenant's namespace or archive.
        tables: only these, or None for all.
    """
    query = _ARCHIVE_QUERY if namespace.startswith("a_") else _QUERY
    rows = await connection.fetch(query, namespace, tables)
    found = [_table(*row) for row in rows]
    return Catalog({table.name: table for table in found})


def _table(
    name: str, size: int, columns: str, constraints: str | None, indexes: str | None, triggers: str | None
) -> Table:
    listed = json.loads(columns or "[]")
    by_number = {item[0]: item[1] for item in listed}
    live = [_column(item) for item in listed if not item[1].startswith(ARCHIVE_PREFIX)]
    checks, keys, primary = _constraints(json.loads(constraints or "[]"), by_number)
    found = [_index(item, by_number) for item in json.loads(indexes or "[]")]
    derive = next((item for item in json.loads(triggers or "[]") if item[0] == DERIVE_TRIGGER), None)
    digest = hashlib.sha256(
        "\x1e".join((name, columns, constraints or "", indexes or "", triggers or "")).encode()
    )
    return Table(
        name,
        primary[1],
        {column.name: column for column in live},
        checks,
        keys,
        {index.name: index for index in found},
        Derive(derive[1] or "") if derive else None,
        primary[0],
        {item[1]: item[2] for item in listed if item[1].startswith(ARCHIVE_PREFIX)},
        digest.hexdigest()[:20],
        size,
    )


def _column(item: list[Any]) -> Column:
    _, name, pg_type, not_null, identity, default, comment, generated = item
    if generated:
        pg_type += " generated"  # never ours: shows as another type
    return Column(name, pg_type, not_null, bool(identity), comment or default, default or "")


def _constraints(
    items: list[list[Any]], by_number: dict[int, str]
) -> tuple[dict[str, Check], dict[str, ForeignKey], tuple[str, str]]:
    checks: dict[str, Check] = {}
    keys: dict[str, ForeignKey] = {}
    primary = ("", "")
    for name, kind, numbers, target, on_delete, valid, comment, _, same_namespace, target_column in items:
        columns = tuple(by_number[number] for number in numbers or ())
        if kind == "p":
            primary = (name, columns[0] if len(columns) == 1 else "")
        elif kind == "f" and same_namespace:
            keys[name] = ForeignKey(name, columns[0], target, target_column, _ON_DELETE[on_delete], valid)
        else:
            checks[name] = Check(name, columns, comment or "", valid)
    return checks, keys, primary


def _index(item: list[Any], by_number: dict[int, str]) -> Index:
    name, numbers, unique, method, valid, plain, comment = item
    columns = tuple(by_number.get(int(number), "") for number in numbers.split())
    if comment or not plain:
        return Index(name, (), unique, method, comment or "?", valid)
    return Index(name, columns, unique, method, "", valid)
