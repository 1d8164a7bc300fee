"""One write as one statement that answers with one row: body, page_count, total, version, key.

Decides which rows a write is about and what it answers; the change itself is ``write_sql``'s. Pure; called by
``compiler``.
"""

from msgspec import Struct

from schemas.compiler.model import Entity
from schemas.compiler.query.access import entries_for, writable
from schemas.compiler.query.columns import Frame, base_type, body_columns
from schemas.compiler.query.errors import QueryError, forbidden, unknown_field
from schemas.compiler.query.insert_sql import Inserter
from schemas.compiler.query.preferences import Preferences
from schemas.compiler.query.read_sql import Reader
from schemas.compiler.query.selected import ROW, as_json, select
from schemas.compiler.query.shapes import Pairs, Shape, parse_pairs
from schemas.compiler.query.syntax import ReadQuery
from schemas.compiler.query.write_parts import INSERTED, Change
from schemas.compiler.sql import Argument, Fragment, Slot, join, quote, sql, statement

VERSION = 1
"""Slot of the version that If-Match names."""
WHO = 2
"""Slot of who asks, for the outbox: JSON text."""
RESERVED = 3


class Wish(Struct, frozen=True):
    """What a write is, apart from its query.

    Attributes:
        verb: insert, replace, update or delete.
        names: fields the body sets, as written.
        ragged: rows set different fields, and what they miss is to be its default.
        by_key: the path names the row.
        versioned: If-Match names a version.
        hooked, each, moves: see ``WriteRequest``.
    """

    verb: str
    names: tuple[str, ...]
    ragged: bool
    by_key: bool
    versioned: bool
    preferences: Preferences
    media: tuple[str, bool, bool]
    hooked: frozenset[str] = frozenset()
    each: bool = False
    moves: bool = False


def compile_write(reader: Reader, entity: Entity, pairs: Pairs, wish: Wish) -> Shape:
    """Compile a write.

    Raises:
        QueryError: whatever is wrong with it, or not allowed.
    """
    query, slots, dynamic = parse_pairs(pairs, RESERVED)
    reader.query = query
    reader.check_levels()
    reader.frame.aliases = 1
    if query.after >= 0 or query.search >= 0:
        raise QueryError("PGRST100", "after and search are for reads")
    writer = writer_of(reader, entity, query, wish)
    version = sql(Slot(VERSION, "bigint")) if wish.versioned else None
    if version is not None and not entity.managed:
        raise QueryError("row.version_mismatch", f"rows of {entity.name} have no versions")
    key_slot = -1
    if wish.verb in {"insert", "replace"}:
        change = _insertion((writer, reader.frame), entity, query, wish, version)
    else:
        where, key_slot = conditions(reader, entity, query, wish, slots)
        if not query.level(()).filters and not wish.by_key:
            raise QueryError(
                "query.no_filter",
                f"{'PATCH' if wish.verb == 'update' else 'DELETE'} without a filter would touch every row",
                hint="add a filter, and 'Prefer: handling=strict, max-affected=N' to be told "
                "when it touches more than N rows",
            )  # fmt: skip
        change = writer.update(where, version) if wish.verb == "update" else writer.delete(where, version)
    return _finish(reader, entity, query, wish, change, (slots, dynamic, key_slot))


def conditions(
    reader: Reader, entity: Entity, query: ReadQuery, wish: Wish, slots: list[Argument]
) -> tuple[list[Fragment], int]:
    """Return which rows an update or delete is about, and the slot of the key in the path or -1."""
    rows = reader.rows(entity.name, "t0") if query.level(()).filters or _chooses(query) else None
    # rows are chosen by their values only among those the caller may read
    where = (
        []
        if rows is None
        else [*rows.predicate(deleted=True), *reader.filters(rows, query.level(()).filters, ())]
    )
    if not wish.by_key:
        return where, -1
    slots.append("")
    key = Slot(len(slots) - 1, base_type(entity.fields[entity.key].pg_type))
    return [*where, sql(f"t0.{quote(entity.key)} = ", key)], key.index


def _chooses(query: ReadQuery) -> bool:
    return any(getattr(item, "inner", False) for item in query.select)


def writer_of(reader: Reader, entity: Entity, query: ReadQuery, wish: Wish) -> Inserter:
    """Return the builder of a write's change.

    Raises:
        QueryError: PGRST204, 42501.
    """
    names = wish.names
    if query.columns is not None and wish.verb != "delete":
        names = (*query.columns, *wish.hooked)
    verb = {"insert": "create", "replace": "create"}.get(wish.verb, wish.verb)
    known = writable(entity, entries_for(entity, verb, reader.caller))
    strange = [name for name in names if names is wish.names and name not in entity.fields]
    if strange:  # a body has its present names by now; only the query may still say an old one
        raise unknown_field(entity.name, strange[0], known)
    fields = body_columns(reader.frame, entity, names, known)
    fixed = [name for name in names if name not in wish.names and entity.fields[fields[name]].read_only]
    if fixed:
        raise forbidden(fixed)
    columns = tuple(dict.fromkeys(fields.values()))
    return Inserter(
        reader.frame, entity, reader.caller, columns, wish.hooked, each=wish.each, moves=wish.moves
    )


def _insertion(
    parts: tuple[Inserter, Frame], entity: Entity, query: ReadQuery, wish: Wish, version: Fragment | None
) -> Change:
    writer, frame = parts
    resolution = wish.preferences.resolution
    whole = wish.verb == "replace"
    if not (whole or resolution):
        return writer.insert(ragged=wish.ragged)
    named = body_columns(frame, entity, query.on_conflict or (entity.key,), frozenset())
    conflict = tuple(named.values())
    if not _is_unique(entity, conflict):
        raise QueryError("42P10", "there is no unique constraint matching the ON CONFLICT specification")
    merge = whole or resolution == "merge-duplicates"
    return writer.upsert(conflict, merge=merge, whole=whole, ragged=wish.ragged, version=version)


def _finish(
    reader: Reader, entity: Entity, query: ReadQuery, wish: Wish, change: Change,
    literals: tuple[list[Argument], tuple[tuple[int, int], ...], int],
) -> Shape:  # fmt: skip
    slots, dynamic, key_slot = literals
    media, singular, strip = wish.media
    one = singular or wish.by_key
    refusals = [sql(item, " IS NULL") for item in change.refusals]
    limit = wish.preferences.max_affected
    if limit is not None and wish.preferences.handling == "strict":
        refusals.append(
            sql(
                f"(SELECT backsaas_api.refuse('BS429', count(*)::text) FROM w"
                f" HAVING count(*) > {limit:d}) IS NULL"
            )
        )
    most = query.level(()).limit
    if most >= 0 and wish.verb in {"update", "delete"}:
        # which rows a limit would choose is nobody's intention: more than it allows, and nothing changes
        refusals.append(
            sql(
                "(SELECT backsaas_api.refuse('BS429', count(*)::text) FROM w HAVING count(*) > ",
                Slot(most, "bigint"),
                ") IS NULL",
            )
        )
    names: tuple[str, ...] = ()
    body = sql("NULL::text")
    if wish.preferences.returning == "representation":
        rows = reader.rows(entity.name, "t0")
        seen = rows.predicate(deleted=wish.verb == "delete")
        selected = reader.selection(rows, query.select)
        names = tuple(item.name for item in selected)
        source = sql(
            " FROM w t0", reader.joins(rows), sql(" WHERE ", join(" AND ", seen)) if seen else sql("")
        )
        inner = select(selected, source, reader.order(rows, query.level(()).order), sql(""))
        listed = f"json_agg({as_json(ROW, selected)})"
        value = f"({listed}->0)" if one else f"coalesce({listed}, '[]')"
        body = sql(
            f"(SELECT {f'json_strip_nulls({value})' if strip else value}::text FROM (", inner, f") {ROW})"
        )
    checked = sql("CASE WHEN ", join(" AND ", refusals), " THEN 1 END AS checked, ") if refusals else sql("")
    inserted = sql(f"count(*) FILTER (WHERE w.{INSERTED}) AS inserted, ") if change.merges else sql("")
    version = 'max(w."row_version")::text' if entity.managed else "NULL::text"
    text = sql(
        "WITH ", join(", ", change.ctes), " SELECT ", checked, inserted, body,
        f" AS body, count(*) AS page_count, NULL::bigint AS total, {version} AS version,"
        f" min(w.{quote(entity.key)}::text) AS key", _attribution(reader, entity), " FROM w",
    )  # fmt: skip
    return Shape(
        statement(text), (media, one, strip), names, tuple(reader.frame.deprecated.items()),
        dynamic, tuple(slots),
        key_slot=key_slot, process_rules=change.process_rules,
    )  # fmt: skip


def _attribution(reader: Reader, entity: Entity) -> Fragment:
    """Return what tells the recorders who asked; they run when the statement has ended."""
    if entity.name not in reader.frame.attributed:
        return sql("")
    return sql(", set_config('backsaas.who', ", Slot(WHO, "text"), ", true) AS who")


def _is_unique(entity: Entity, names: tuple[str, ...]) -> bool:
    if len(names) == 1 and (names[0] == entity.key or entity.fields[names[0]].unique):
        return True
    return any(set(columns) == set(names) for columns in entity.unique) or any(
        index.unique and index.where is None and set(index.fields) == set(names) for index in entity.indexes
    )
