"""Rows as they were: what stands in FROM instead of a table.

Decides what a row was at a moment: itself, unless it was written since; then the version that held. Versions
are read as rows of today's table: fields under the names they have now, values that no longer fit their
field's type left out. Pure; called by the row filter, ``read_statement`` and ``versions_sql``.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from schemas.compiler.migrate.literals import text_literal
from schemas.compiler.model import Entity
from schemas.compiler.names import history_name
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sql import Fragment, Slot, quote, sql

if TYPE_CHECKING:
    from schemas.compiler.query.columns import Frame

AS_OF = "as_of"
_AS_WRITTEN = frozenset({"uuid", "text", "integer", "bigint"})
"""Kinds whose values read alike in JSON and as text."""


def check_moment(text: str) -> None:
    """Refuse what is no moment.

    Raises:
        QueryError: query.bad_moment.
    """
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        named = None
    if named is None or named.tzinfo is None:
        raise QueryError(
            "query.bad_moment", f"as_of={text[:40]} is no moment",
            hint="write a time with its zone, as in 2026-11-01T00:00:00Z (a + must be written %2B)",
        )  # fmt: skip


def check_not_past(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parameters of what writes, or follows; what was can be read only.

    Raises:
        QueryError: query.bad_moment.
    """
    if any(name == AS_OF for name, _ in pairs):
        raise QueryError("query.bad_moment", "as_of reads, once: what was cannot be written or followed")
    return pairs


def versions_table(frame: "Frame", entity: Entity) -> str:
    """Return the qualified table of an entity's versions.

    Raises:
        QueryError: history.none where there is none.
    """
    name = history_name(entity.name)
    kept = frame.model.entities.get(name)
    if entity.added or kept is None or not kept.added:
        raise QueryError(
            "history.none", f"nobody keeps what rows of {entity.name} were",
            hint=f"write 'history: true' below entities.{entity.name}",
        )  # fmt: skip
    return frame.table(name)


def past_rows(
    frame: "Frame", entity: Entity, alias: str, slot: int, tie: tuple[str, Fragment] | None = None
) -> Fragment:
    """Return the FROM item with an entity's rows as they were.

    Args:
        frame: the statement's own.
        entity: whose.
        alias: of the item.
        slot: of the moment.
        tie: a column and its value in all rows that are looked for, where that is known; only to spare work.

    Raises:
        QueryError: history.none.
    """
    kept, table = versions_table(frame, entity), frame.table(entity.name)
    moment = Slot(slot, "timestamptz")
    same = sql() if tie is None else _tied(entity, *tie)
    return sql(
        f"(SELECT p.* FROM {table} p WHERE NOT EXISTS (SELECT FROM {kept} h"
        f" WHERE h.key = p.{quote(entity.key)}::text AND h.until IS NULL AND h.at > ", moment, ") AND ",
        _covered(entity, kept, moment), f" UNION ALL SELECT p.* FROM {versions(table, kept)} "
        "WHERE h.until > ", moment, " AND h.at <= ", moment, " AND h.data IS NOT NULL", same, f") {alias}",
    )  # fmt: skip


def _tied(entity: Entity, column: str, value: Fragment) -> Fragment:
    """Return the condition that a version has the value; for what was noted since, it may pass more."""
    if column == entity.key:
        return sql(" AND h.key = (", value, ")::text")
    if entity.fields[column].kind not in _AS_WRITTEN:
        return sql()
    return sql(f" AND (m.notes IS NOT NULL OR h.data ->> {text_literal(column)} = (", value, ")::text)")


def versions(table: str, kept: str) -> str:
    """Return the FROM items with what was replaced: the record ``h`` of a version, the row ``p`` it was.

    Its fields there were then are the keys of ``d.data``.
    """
    notes = (
        "(SELECT jsonb_agg(jsonb_build_object('at', n.at, 'data', n.data) ORDER BY n.at) AS notes "
        f"FROM {kept} n WHERE n.key IS NULL AND n.operation IN ('rename', 'retype')) m"
    )
    row = f"NULL::{table}"
    fitted = f"backsaas_api.fitted({row}, h.data, h.until, m.notes)"
    return (
        f"{notes} CROSS JOIN {kept} h CROSS JOIN LATERAL (SELECT CASE WHEN m.notes IS NULL "
        f"THEN h.data ELSE {fitted} END AS data) d CROSS JOIN LATERAL jsonb_populate_record({row}, d.data) p"
    )


def _covered(entity: Entity, kept: str, moment: Slot) -> Fragment:
    """Return the condition that versions of that moment are kept; asked once, and refused otherwise."""
    keep = getattr(entity.sections.get("history"), "keep", None)
    recent = sql() if keep is None else sql(moment, f" >= now() - interval '{int(keep)} seconds' AND ")
    return sql(
        "CASE WHEN ", recent, f"(SELECT n.operation FROM {kept} n WHERE n.key IS NULL"
        " AND n.operation IN ('begin', 'end') AND n.at <= ", moment,
        " ORDER BY n.at DESC LIMIT 1) = 'begin' THEN true"
        f" ELSE backsaas_api.refuse('BS410', '{entity.name}') END",
    )  # fmt: skip
