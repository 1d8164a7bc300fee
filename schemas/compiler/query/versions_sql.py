"""The versions of one row as one statement: who wrote each, and the row as it was, as the caller may see it.

Decides that whoever may read a row as it is now, or was last, may read its past; what hides a field hides it
in every version, judged by what the row was then. Pure; called by ``compiler``.
"""

from schemas.compiler.model import Entity
from schemas.compiler.query.columns import base_type
from schemas.compiler.query.past_sql import versions, versions_table
from schemas.compiler.query.read_sql import Reader
from schemas.compiler.query.selected import ROW, as_json, columns
from schemas.compiler.query.syntax import Everything
from schemas.compiler.sql import Fragment, Slot, Statement, join, quote, sql, statement

KEY, NEWEST, MOST = 0, 1, 2
"""Slots: the row's key; the number of the newest version that is asked for, None for all; how many."""
_TOLD = ("operation", "user_id", "email", "api_key", "function", "request_id")
_RECORD = ", ".join(f'h.{name} AS "?{name}"' for name in ("n", "at", *_TOLD))


def compile_versions(reader: Reader, entity: Entity) -> Statement:
    """Return a statement that answers with one row.

    Its columns are ``readable`` (None when there is no such row) and ``versions``: a JSON list, newest first,
    each with ``data`` (null where the row was gone), ``known`` (names of the fields there were, null for all)
    and ``deleted``.

    Raises:
        QueryError: history.none, 42501.
    """
    rows = reader.rows(entity.name)
    selected = reader.selection(rows, (Everything(),))
    told = ", ".join(f"'{name}', t0.\"?{name}\"" for name in _TOLD)
    deleted = 't0."deleted_at" IS NOT NULL' if entity.soft_delete else "false"
    readable = rows.predicate(deleted=True)
    return statement(
        sql(
            "WITH v AS MATERIALIZED (", _every(reader, entity), ") SELECT (SELECT ",
            join(" AND ", readable) if readable else sql("true"),
            ' FROM v t0 WHERE t0."?there" ORDER BY t0."?n" DESC LIMIT 1) AS readable, '
            "(SELECT coalesce(json_agg(r.version), '[]')::text FROM (SELECT json_build_object("
            f"'version', t0.\"?n\", 'at', t0.\"?at\", {told}, 'known', t0.\"?known\", 'deleted', {deleted}, "
            f"'data', CASE WHEN t0.\"?there\" THEN {as_json(ROW, selected)} END) AS version "
            "FROM v t0, LATERAL (SELECT ", columns(selected), f") {ROW} WHERE ",
            Slot(NEWEST, "bigint"), ' IS NULL OR t0."?n" <= ', Slot(NEWEST, "bigint"),
            ' ORDER BY t0."?n" DESC LIMIT ', Slot(MOST, "bigint"), ") r) AS versions",
        )
    )  # fmt: skip


def _every(reader: Reader, entity: Entity) -> Fragment:
    """Return what selects every version of the row, whole."""
    kept, table = versions_table(reader.frame, entity), reader.frame.table(entity.name)
    column = f"p.{quote(entity.key)}"
    key = Slot(KEY, base_type(entity.fields[entity.key].pg_type))
    begun = f"(SELECT max(n.at) FROM {kept} n WHERE n.key IS NULL AND n.operation = 'begin')"
    by = 'p."updated_by"' if entity.managed else "NULL::text"
    first = f"true, NULL, 1, coalesce({begun}, now()), 'kept', {by}, NULL, NULL, NULL, NULL"
    return sql(
        'SELECT p.*, h.data IS NOT NULL AS "?there", ARRAY(SELECT jsonb_object_keys(d.data)) AS "?known", '
        f"{_RECORD} FROM {versions(table, kept)} WHERE h.until IS NOT NULL AND h.key = (", key, ")::text",
        # the newest version is the row itself, or that it is gone
        f" UNION ALL SELECT p.*, {column} IS NOT NULL, NULL, {_RECORD} FROM {kept} h"
        f" LEFT JOIN {table} p ON {column} = ", key, " WHERE h.until IS NULL AND h.key = (", key, ")::text",
        # nobody wrote it since this is kept
        f" UNION ALL SELECT p.*, {first} FROM {table} p WHERE {column} = ", key,
        f" AND NOT EXISTS (SELECT FROM {kept} h WHERE h.key = (", key, ")::text)",
    )  # fmt: skip
