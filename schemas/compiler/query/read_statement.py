"""One read as one statement that answers with one row: body, page_count, total, version, key, cursor.

Decides paging, counting and the outermost shape; the levels below are ``read_sql``'s. Pure; called by
``compiler``.
"""

from schemas.compiler.model import Entity
from schemas.compiler.query import cursors
from schemas.compiler.query.columns import Rows, base_type
from schemas.compiler.query.cursors import SortKey
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.read_sql import Reader
from schemas.compiler.query.requests import ReadRequest
from schemas.compiler.query.selected import ROW, Selected, Sorted, as_json, columns, grouped, select
from schemas.compiler.query.shapes import Pairs, Shape, parse_pairs
from schemas.compiler.query.syntax import Order, Path
from schemas.compiler.sql import Argument, Const, Fragment, Slot, join, quote, sql, statement

MAX_COUNTED = 10_000
"""Up to here ``count=planned`` and ``estimated`` count; beyond they guess."""


def compile_read(
    reader: Reader,
    entity: Entity,
    pairs: Pairs,
    media: tuple[str, bool, bool],
    request: ReadRequest,
) -> Shape:
    """Compile a read of one row or of a list; the reader has the parsed query.

    Raises:
        QueryError: whatever is wrong with it, or not allowed.
    """
    by_key, count, most = request.key is not None, request.preferences.count, request.most
    query, slots, dynamic = parse_pairs(pairs)
    reader.query = query
    reader.frame.as_of = query.as_of
    reader.check_levels()
    rows = reader.rows(entity.name)
    level = query.level(())
    where = reader.wanted(rows)
    selected = reader.selection(rows, query.select)
    key_slot, scope, after = -1, "", None
    limit, offset = level.limit, level.offset
    key = None
    if by_key:
        key_slot = _add(slots, "")
        key = sql(Slot(key_slot, base_type(entity.fields[entity.key].pg_type)))
        where.append(sql(f"{rows.alias}.{quote(entity.key)} = ", key))
    elif request.range:
        limit = limit if limit >= 0 else _add(slots, None)
        offset = offset if offset >= 0 else _add(slots, None)
    tie = None if key is None else (entity.key, key)
    source = sql(" FROM ", rows.frame.source(entity, rows.alias, tie))
    whole = _Whole(rows, source, selected, where, slots, reader.joins(rows))
    order = reader.order(rows, level.order)
    if (search := reader.search(rows)) and not level.order and not grouped(selected):
        order = [search.order(), *reader.order(rows, (Order(Path(entity.key)),))]
    cap = min(most, rows.sight.limit or most)
    size = sql("least(", Slot(limit, "bigint"), f", {cap})") if limit >= 0 else sql(str(cap))
    paging = sql(" LIMIT ", size, *((" OFFSET ", Slot(offset, "bigint")) if offset >= 0 else ()))
    if by_key and entity.managed and not grouped(selected):
        text = whole.of_one(media)
    elif query.after >= 0 and not by_key:
        keys = _sort_keys(reader, rows, order, slots, selected)
        scope = "|".join(
            (
                reader.frame.namespace,
                entity.name,
                *(f"{key.value.parts}{key.descending}{key.nulls_first}" for key in keys),
            )
        )
        if slots[query.after]:
            number = next(number for number, (name, _) in enumerate(pairs) if name == "after")
            after = (keys[0].slot, len(keys), number)
        text = whole.of_page(media, keys, size, paging, count, beyond=after is not None)
    else:
        text = whole.of_list(media, order, paging, "" if by_key else count, one=by_key, skips=offset >= 0)
    return Shape(
        statement(text), (media[0], media[1] or by_key, media[2]), tuple(one.name for one in selected),
        tuple(reader.frame.deprecated.items()), dynamic, tuple(slots), limit, offset, key_slot,
        (), scope, after,
    )  # fmt: skip


class _Whole:
    """The outermost SELECT of a read."""

    def __init__(
        self,
        rows: Rows,
        source: Fragment,
        selected: list[Selected],
        where: list[Fragment],
        slots: list[Argument],
        joins: Fragment,
    ) -> None:
        self._name = rows.frame.table(rows.entity.name)
        self._table = source
        self._joined = sql(self._table, joins)
        self._joins = joins
        self._rows = rows
        self._selected = selected
        self._where = where
        self._slots = slots

    def of_one(self, media: tuple[str, bool, bool]) -> Fragment:
        """Return the read of one row by its key, with its version."""
        body = f'max(r."body"){"::json" if media[2] else ""}'
        return sql(
            f"SELECT {_stripped(body, media)} AS body, count(*) AS page_count, "
            'NULL::bigint AS total, max(r."version")'
            f' AS version, NULL::text AS key FROM (SELECT ({as_json(ROW, self._selected)})::text AS "body", '
            f'{self._rows.alias}."row_version"::text AS "version"',
            self._joined,
            ", LATERAL (SELECT ",
            columns(self._selected),
            f") {ROW}",
            self._condition(),
            ") r",
        )

    def of_list(
        self,
        media: tuple[str, bool, bool],
        order: list[Sorted],
        paging: Fragment,
        count: str,
        *,
        one: bool,
        skips: bool,
    ) -> Fragment:
        """Return the read of a list."""
        source = sql(self._table, self._condition())
        page, rest = sql(self._joined, self._condition()), paging
        if skips and not grouped(self._selected) and self._rows.frame.embeds:
            # choose the page first: PostgreSQL would read the relations of skipped rows too
            keys = [sql(key.value, key.suffix) for key in order]
            page = sql(
                f" FROM (SELECT {self._rows.alias}.*",
                source,
                *((" ORDER BY ", join(", ", keys)) if keys else ()),
                paging,
                f") {self._rows.alias}",
                self._joins,
            )
            rest = sql("")
        return sql(
            f"SELECT {_stripped(_body(as_json(ROW, self._selected), media, one=one), media)} AS body, ",
            "count(*) AS page_count, ",
            self._total(count, source),
            " AS total, NULL::text AS version, NULL::text AS key FROM (",
            select(self._selected, page, order, rest),
            f") {ROW}",
        )

    def of_page(
        self,
        media: tuple[str, bool, bool],
        keys: list[SortKey],
        size: Fragment,
        paging: Fragment,
        count: str,
        *,
        beyond: bool,
    ) -> Fragment:
        """Return the read of a page of a list that is paged by cursors."""
        total = self._total(count, sql(self._table, self._condition()))
        if beyond:
            self._where.append(cursors.beyond(keys))
        order = join(", ", [sql(key.value, " DESC" if key.descending else "", _nulls(key)) for key in keys])
        values = join(", ", [sql(key.value, "::text") for key in keys])
        return sql(
            f"SELECT {_stripped(_body('r.row', media, one=False), media)} AS body, count(*) AS page_count, ",
            total,
            " AS total, NULL::text AS version, NULL::text AS key, CASE WHEN count(*) = ",
            size,
            " AND count(*) > 0 THEN (array_agg(r.after))[count(*)] END AS cursor FROM (SELECT ",
            f"{as_json(ROW, self._selected)} AS row, json_build_array(",
            values,
            ")::text AS after",
            self._joined,
            ", LATERAL (SELECT ",
            columns(self._selected),
            f") {ROW}",
            self._condition(),
            " ORDER BY ",
            order,
            paging,
            ") r",
        )

    def _condition(self) -> Fragment:
        return sql(" WHERE ", join(" AND ", self._where)) if self._where else sql("")

    def _total(self, count: str, source: Fragment) -> Fragment:
        if not count:
            return sql("NULL::bigint")
        if grouped(self._selected):
            rows = sql(self._joined, self._condition())
            return sql("(SELECT count(*) FROM (", select(self._selected, rows, [], sql("")), ") n)")
        if count == "exact":
            return sql("(SELECT count(*)", source, ")")
        counted = sql("(SELECT count(*) FROM (SELECT 1", source, f" LIMIT {MAX_COUNTED + 1}) n)")
        if self._where or self._rows.frame.as_of >= 0:
            return counted
        # only of a table of which the caller sees every row: the size of another is no business of his
        known = sql(
            "(SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = ",
            Const(self._name, "text"),
            "::regclass)",
        )
        return sql(
            "(SELECT CASE WHEN n.c > ",
            f"{MAX_COUNTED} THEN greatest(n.c, ",
            known,
            ") ELSE n.c END FROM (SELECT ",
            counted,
            " AS c) n)",
        )


def _sort_keys(
    reader: Reader, rows: Rows, order: list[Sorted], slots: list[Argument], selected: list[Selected]
) -> list[SortKey]:
    """Return the sort keys with one slot each, the key last so that no two rows are equal."""
    if grouped(selected):
        raise QueryError("query.bad_cursor", "groups are not paged by cursors", hint="use limit and offset")
    if any(key.relation for key in order):
        raise QueryError(
            "query.bad_cursor", "an order by a related row's field has no cursor", hint="use limit and offset"
        )
    paths = [key.path for key in order]
    key_path = Path(rows.entity.key)
    keys = [*order, *([] if key_path in paths else [*reader.order(rows, (Order(key_path),))])]
    found: list[SortKey] = []
    for key in keys:
        descending = key.suffix.startswith(" DESC")
        if key.pg_type:
            found.append(SortKey(key.value, key.pg_type, _add(slots, None), descending, False, False))
            continue
        _, pg_type, field = rows.value(key.path)
        nulls_first = "NULLS FIRST" in key.suffix or (descending and "NULLS LAST" not in key.suffix)
        sure = field.name == rows.entity.key or (field.required and not field.nullable)
        nullable = bool(key.path.steps) or field.virtual or rows.sight.masked(field.name) or not sure
        found.append(SortKey(key.value, pg_type, _add(slots, None), descending, nulls_first, nullable))
    return found


def _nulls(key: SortKey) -> str:
    return (" NULLS FIRST" if key.nulls_first else " NULLS LAST") if key.nullable else ""


def _body(row: str, media: tuple[str, bool, bool], *, one: bool) -> str:
    rows = f"json_agg({ROW})" if row == f"row_to_json({ROW})" else f"json_agg({row})"
    return f"({rows}->0)" if media[1] or one else f"coalesce({rows}, '[]')"


def _stripped(body: str, media: tuple[str, bool, bool]) -> str:
    return f"json_strip_nulls({body})::text" if media[2] else f"{body}::text"


def _add(slots: list[Argument], value: Argument) -> int:
    slots.append(value)
    return len(slots) - 1
