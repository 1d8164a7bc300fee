"""The database as a Catalog: what a tenant's namespace really holds, in one query.

Decides how PostgreSQL's own tables read in the compiler's words. It changes nothing. Called by the migrator
before it plans and after it ran.
"""

import hashlib
from functools import lru_cache
from typing import Any

import asyncpg

from actors.tenant import furniture
from schemas.compiler.migrate.catalog import (
    ARCHIVE_PREFIX,
    AUDIT_TRIGGER,
    BIND_TRIGGER,
    COUNTERS,
    DERIVE_TRIGGER,
    HISTORY_TRIGGER,
    RECORD_TRIGGER,
    Audit,
    Binder,
    Catalog,
    Check,
    Column,
    Derive,
    ForeignKey,
    History,
    Index,
    Recorder,
    Table,
)

_OURS = [COUNTERS, *furniture.TABLES]
_ON_DELETE = {"a": "no_action", "r": "restrict", "c": "cascade", "n": "set_null", "d": "set_default"}
_FIELD, _RECORD = "\x1f", "\x1e"
_CACHED_TABLES = 2048

# pg_depend is the only catalog with an index by namespace, and every sub-select below is an index scan for
# one table: the cost does not grow with the number of tenants. Text joined by control characters is twice as
# fast as JSON; defaults are the only free text and lose those characters.
_QUERY = r"""
SELECT c.relname, coalesce(pg_catalog.pg_relation_size(c.oid), 0), coalesce((
    SELECT string_agg(concat_ws(E'\x1f', a.attnum, a.attname,
      pg_catalog.format_type(a.atttypid, a.atttypmod),
      concat(CASE WHEN a.attnotnull THEN 'n' END, CASE WHEN a.attidentity <> '' THEN 'i' END,
        CASE WHEN a.attgenerated <> '' THEN 'g' END, CASE WHEN a.atthasdef THEN 'd' END),
      CASE WHEN a.atthasdef THEN concat_ws(E'\x1f',
        translate((SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
                   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum), E'\x1e\x1f', ''),
        (SELECT t.description FROM pg_catalog.pg_description t WHERE t.objoid = a.attrelid
           AND t.classoid = 'pg_catalog.pg_class'::regclass AND t.objsubid = a.attnum)) END),
      E'\x1e' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), ''),
  coalesce((
    SELECT string_agg(concat_ws(E'\x1f', k.conname, k.contype, array_to_string(k.conkey, ' '), k.convalidated,
      CASE k.contype WHEN 'f' THEN (
        SELECT concat_ws(E'\x1f', CASE WHEN f.relnamespace = c.relnamespace THEN f.relname END, k.confdeltype,
          (SELECT fa.attname FROM pg_catalog.pg_attribute fa
           WHERE fa.attrelid = k.confrelid AND fa.attnum = k.confkey[1]))
        FROM pg_catalog.pg_class f WHERE f.oid = k.confrelid)
      WHEN 'c' THEN (
        SELECT t.description FROM pg_catalog.pg_description t
        WHERE t.objoid = k.oid AND t.classoid = 'pg_catalog.pg_constraint'::regclass AND t.objsubid = 0) END),
      E'\x1e' ORDER BY k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f', 'c', 'u', 'x')), ''),
  coalesce((
    SELECT string_agg(concat_ws(E'\x1f', x.relname, i.indkey, i.indisunique, m.amname,
      i.indisvalid AND i.indisready,
      i.indexprs IS NULL AND i.indpred IS NULL AND NOT (0 <> ANY(i.indoption)),
      (
        SELECT t.description FROM pg_catalog.pg_description t
        WHERE t.objoid = x.oid AND t.classoid = 'pg_catalog.pg_class'::regclass AND t.objsubid = 0)),
      E'\x1e' ORDER BY x.relname)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam WHERE i.indrelid = c.oid AND NOT i.indisprimary), ''),
  CASE WHEN c.relhastriggers THEN coalesce((
    SELECT string_agg(concat_ws(E'\x1f', g.tgname, g.tgenabled,
      CASE WHEN g.tgname NOT IN ('_record', '_bind', '_audit', '_seal') THEN md5(p.prosrc) ELSE '' END,
      (
        SELECT t.description FROM pg_catalog.pg_description t
        WHERE t.objoid = g.oid AND t.classoid = 'pg_catalog.pg_trigger'::regclass AND t.objsubid = 0)),
      E'\x1e' ORDER BY g.tgname)
    FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
    WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgname <> '_tell'), '') ELSE '' END
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
  AND d.classid = 'pg_catalog.pg_class'::regclass
JOIN pg_catalog.pg_class c ON c.oid = d.objid
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND ($2::text[] IS NULL OR c.relname = ANY($2))
  AND c.relname <> ALL($3::text[])
ORDER BY c.relname
"""


async def introspect(
    connection: "asyncpg.Connection[Any]", namespace: str, tables: list[str] | None = None
) -> Catalog:
    """Return what a namespace holds.

    Args:
        connection: the owner's.
        namespace: the tenant's namespace or archive.
        tables: only these, or None for all.
    """
    rows = await connection.fetch(_QUERY, namespace, tables, _OURS)
    found = {row[0]: _table(row[0], *row[2:]) for row in rows}
    return Catalog(found, sizes={row[0]: row[1] for row in rows})


@lru_cache(maxsize=_CACHED_TABLES)
def _table(name: str, columns: str, constraints: str, indexes: str, triggers: str) -> Table:
    """Read one table; the same text gives the same value, so an unchanged table costs nothing."""
    listed = [item.split(_FIELD) for item in columns.split(_RECORD)] if columns else []
    by_number = {item[0]: item[1] for item in listed}
    live = [_column(*item[1:]) for item in listed if not item[1].startswith(ARCHIVE_PREFIX)]
    checks, keys, primary = _constraints(_records(constraints), by_number)
    found = [_index(item, by_number) for item in _records(indexes)]
    fired = {item[0]: item[3] if len(item) > 3 else "" for item in _records(triggers)}
    digest = hashlib.sha256("\x1d".join((name, columns, constraints, indexes, triggers)).encode())
    return Table(
        name,
        primary[1],
        {column.name: column for column in live},
        checks,
        keys,
        {index.name: index for index in found},
        Derive(fired[DERIVE_TRIGGER]) if DERIVE_TRIGGER in fired else None,
        Recorder(fired[RECORD_TRIGGER]) if RECORD_TRIGGER in fired else None,
        Binder(fired[BIND_TRIGGER]) if BIND_TRIGGER in fired else None,
        Audit(fired[AUDIT_TRIGGER]) if AUDIT_TRIGGER in fired else None,
        History(fired[HISTORY_TRIGGER]) if HISTORY_TRIGGER in fired else None,
        primary[0],
        {item[1]: item[2] for item in listed if item[1].startswith(ARCHIVE_PREFIX)},
        digest.hexdigest()[:20],
    )


def _records(text: str) -> list[list[str]]:
    return [record.split(_FIELD) for record in text.split(_RECORD)] if text else []


@lru_cache(maxsize=_CACHED_TABLES)
def _column(name: str, pg_type: str, flags: str, default: str = "", comment: str = "") -> Column:
    if "g" in flags:
        pg_type += " generated"  # never ours: shows as another type
    marked = (comment or default) if "d" in flags else None
    return Column(name, pg_type, "n" in flags, "i" in flags, marked, default)


def _constraints(
    items: list[list[str]], by_number: dict[str, str]
) -> tuple[dict[str, Check], dict[str, ForeignKey], tuple[str, str]]:
    checks: dict[str, Check] = {}
    keys: dict[str, ForeignKey] = {}
    primary = ("", "")
    for name, kind, numbers, valid, *rest in items:
        columns = tuple(by_number[number] for number in numbers.split())
        if kind == "p":
            primary = (name, columns[0] if len(columns) == 1 else "")
        elif kind == "f" and len(rest) == 3:
            target, on_delete, target_column = rest
            keys[name] = ForeignKey(
                name, columns[0], target, target_column, _ON_DELETE[on_delete], valid == "t"
            )
        else:  # also what is not ours: a UNIQUE constraint, a reference out of the namespace
            checks[name] = Check(name, columns, rest[0] if kind == "c" and rest else "", valid == "t")
    return checks, keys, primary


def _index(item: list[str], by_number: dict[str, str]) -> Index:
    name, numbers, unique, method, valid, plain, *comment = item
    if comment or plain != "t":
        return Index(name, (), unique == "t", method, comment[0] if comment else "?", valid == "t")
    columns = tuple(by_number.get(number, "") for number in numbers.split())
    return Index(name, columns, unique == "t", method, "", valid == "t")
