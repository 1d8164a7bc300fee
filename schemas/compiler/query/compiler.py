"""All statements of one generation of a tenant: requests in, prepared statements out, shapes remembered.

Decides what is cached: a statement per entity, roles and shape of the request; literals are never part of a shape where
they come as ``column=operator.value``. Pure; one per generation, called by the tenant's operations.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from schemas.compiler.model import Entity, TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.query.columns import Frame, Rows
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.parse import COMPARISONS, Parser, split_pairs
from schemas.compiler.query.preferences import Preferences
from schemas.compiler.query.read_sql import Reader, columns, group_by, masked_names, resolve_entity
from schemas.compiler.query.relationships import relationships
from schemas.compiler.query.requests import Prepared, ReadRequest, WriteRequest
from schemas.compiler.query.syntax import ReadQuery
from schemas.compiler.query.write_sql import BODY, Change, Writer, body_columns
from schemas.compiler.sql import Argument, Fragment, Slot, Statement, join, quote, sql, statement

MAX_ROWS = 1000
MAX_OFFSET = 100_000
MAX_SHAPES = 4096
_RESERVED = frozenset(
    {"select", "order", "columns", "on_conflict", "and", "or", "limit", "offset", "search", "after"}
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A compiled request without its literals.

    Attributes:
        dynamic: (slot, number of the pair) of literals that come from this request's pairs.
        fixed: slots as they were when the shape was compiled.
        limit, offset: slots of paging, -1 when absent.
    """

    prepared: Prepared
    dynamic: tuple[tuple[int, int], ...]
    fixed: tuple[Argument, ...]
    limit: int
    offset: int
    key_slot: int


class QueryCompiler:
    """Compiles requests of one generation.

    Args:
        model: the tenant.
        namespace: where its tables are.
        cursor_key: secret that signs keyset cursors.
    """

    def __init__(self, model: TenantModel, namespace: str, *, cursor_key: bytes = b"") -> None:
        self._model = model
        self._namespace = namespace
        self._cursor_key = cursor_key
        self._known = relationships(model)
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def read(self, request: ReadRequest, principal: Principal) -> Prepared:
        """Compile a read.

        Raises:
            QueryError: whatever is wrong with it, or not allowed.
        """
        pairs = split_pairs(request.query)
        media, singular, strip = media_of(request.accept)
        shape_key, values = _shape_of(pairs)
        key = (
            "read",
            request.entity,
            principal.roles,
            shape_key,
            request.key is not None,
            media,
            singular,
            strip,
            request.preferences.count,
            bool(request.range),
        )
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._compile_read(request, principal.roles, pairs, media, singular=singular, strip=strip)
            self._remember(key, shape)
        return _fill(shape, values, request.key, request.range)

    def insert(self, request: WriteRequest, principal: Principal) -> Prepared:
        """Compile a POST: insert, or upsert with a ``resolution`` preference."""
        resolution = request.preferences.resolution
        return self._write(
            "insert", request, principal, merge=resolution == "merge-duplicates", upsert=bool(resolution)
        )

    def replace(self, request: WriteRequest, principal: Principal) -> Prepared:
        """Compile a PUT of one row by its key."""
        return self._write("replace", request, principal, merge=True, upsert=True)

    def update(self, request: WriteRequest, principal: Principal) -> Prepared:
        """Compile a PATCH."""
        return self._write("update", request, principal)

    def delete(self, request: WriteRequest, principal: Principal) -> Prepared:
        """Compile a DELETE."""
        return self._write("delete", request, principal)

    def entity(self, name: str, today: date) -> Entity:
        """Return the entity a path means.

        Raises:
            QueryError: PGRST205.
        """
        return self._entity(Frame(self._model, self._namespace, today), name)

    # -- reads ------------------------------------------------------------------------------------------------------

    def _compile_read(
        self,
        request: ReadRequest,
        roles: frozenset[str],
        pairs: list[tuple[str, str]],
        media: str,
        *,
        singular: bool,
        strip: bool,
    ) -> Shape:
        frame = Frame(self._model, self._namespace, request.today)
        entity = self._entity(frame, request.entity)
        query, slots, dynamic = _parse(pairs)
        reader = Reader(frame, query, roles, self._known)
        reader.check_levels()
        rows = reader.rows(entity.name)
        level = query.level(())
        limit, offset, key_slot = level.limit, level.offset, -1
        where = [*rows.predicate(), *reader.filters(rows, level.filters, ()), *reader.search(rows)]
        if request.key is not None:
            key_slot = _add(slots, "")
            where.append(
                sql(f"{rows.alias}.{quote(entity.key)} = ", Slot(key_slot, entity.fields[entity.key].pg_type))
            )
        if request.range and request.key is None:
            limit = _add(slots, None) if limit < 0 else limit
            offset = _add(slots, None) if offset < 0 else offset
        condition = sql(" WHERE ", join(" AND ", where)) if where else sql("")
        table = f" FROM {frame.table(entity.name)} {rows.alias}"
        selected = reader.selection(rows, query.select)
        parts = [
            sql("SELECT ", columns(selected), *_hidden(rows, query, selected), table),
            condition,
            group_by(selected),
        ]
        versioned = entity.managed and request.key is not None and all(one.group for one in selected)
        parts.append(reader.order_by(rows, level.order))
        cap = min(MAX_ROWS, rows.sight.limit or MAX_ROWS)
        parts.append(
            sql(" LIMIT least(", Slot(limit, "bigint"), f", {cap})") if limit >= 0 else sql(f" LIMIT {cap}")
        )
        if offset >= 0:
            parts.append(sql(" OFFSET ", Slot(offset, "bigint")))
        hides = bool(_hidden(rows, query, selected))
        row = _row_json(hides=hides)
        if versioned:
            one_row = (
                "(to_jsonb(x) - '_hidden') - array_remove(x.\"_hidden\", NULL)" if hides else "row_to_json(x)"
            )
            inner = sql("SELECT ", columns(selected), *_hidden(rows, query, selected))
            parts = [
                sql(
                    f'SELECT {one_row}::text AS "_row", {rows.alias}."row_version"::text AS "_version"{table}, LATERAL (',
                    inner,
                    ") x",
                ),
                condition,
            ]
            body = sql('min(r."_row")' if not strip else 'min(r."_row")::json')
        else:
            body = sql(f"({row}->0)" if singular or request.key is not None else f"coalesce({row}, '[]')")
        if strip:
            body = sql("json_strip_nulls(", body, ")")
        total = sql("NULL::bigint")
        if request.preferences.count and request.key is None:
            total = sql(f"(SELECT count(*){table}", condition, ")")
        version = sql('max(r."_version")') if versioned else sql("NULL::text")
        whole = sql(
            "SELECT ",
            body,
            "::text AS body, count(*) AS page_count, ",
            total,
            " AS total, ",
            version,
            " AS version, NULL::text AS key FROM (",
            *parts,
            ") r",
        )
        prepared = Prepared(
            statement(whole), (), media, singular or request.key is not None, strip,
            tuple(one.name for one in selected), tuple(frame.deprecated.items()),
        )  # fmt: skip
        return Shape(prepared, dynamic, tuple(slots), limit, offset, key_slot)

    # -- writes -----------------------------------------------------------------------------------------------------

    def _write(
        self,
        verb: str,
        request: WriteRequest,
        principal: Principal,
        *,
        merge: bool = False,
        upsert: bool = False,
    ) -> Prepared:
        pairs = split_pairs(request.query)
        media, singular, strip = media_of(request.accept)
        names = tuple(dict.fromkeys(name for row in request.rows for name in row))
        shape_key, values = _shape_of(pairs)
        key = (verb, request.entity, principal.roles, shape_key, request.key is not None, media, singular, strip, names,
               replace(request.preferences, applied=()), request.expected_version is not None)  # fmt: skip
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._compile_write(
                verb,
                request,
                principal.roles,
                pairs,
                names,
                (media, singular, strip),
                merge=merge,
                upsert=upsert,
            )
            self._remember(key, shape)
        prepared = _fill(shape, values, request.key, "")
        slots = list(prepared.slots)
        slots[BODY] = _encode(request, verb, prepared)
        if request.expected_version is not None:
            slots[1] = request.expected_version
        return replace(prepared, slots=tuple(slots))

    def _compile_write(  # noqa: PLR0913
        self, verb: str, request: WriteRequest, roles: frozenset[str], pairs: list[tuple[str, str]],
        names: tuple[str, ...], media: tuple[str, bool, bool], *, merge: bool, upsert: bool,
    ) -> Shape:  # fmt: skip
        frame = Frame(self._model, self._namespace, request.today)
        entity = self._entity(frame, request.entity)
        query, slots, dynamic = _parse(pairs, reserved=2)
        key_slot = -1
        named = body_columns(frame, entity, names)
        if query.columns is not None:
            wanted = body_columns(frame, entity, query.columns)
            named = {name: field for name, field in wanted.items()}
        writer = Writer(frame, entity, roles, tuple(dict.fromkeys(named.values())))
        if verb in {"insert", "replace"}:
            conflict = (query.on_conflict or (entity.key,)) if upsert else None
            for name in conflict or ():
                if name not in entity.fields:
                    raise QueryError("PGRST204", f"column {entity.name}.{name[:80]} does not exist")
            if conflict is not None and not _is_unique(entity, conflict):
                raise QueryError(
                    "42P10", "there is no unique constraint matching the ON CONFLICT specification"
                )
            change = writer.insert(conflict=conflict, merge=merge)
        else:
            frame.aliases = 1
            where = self._where(frame, entity, query, roles, slots, request)
            if request.key is not None:
                key_slot = _add(slots, "")
                where.append(
                    sql(f"t0.{quote(entity.key)} = ", Slot(key_slot, entity.fields[entity.key].pg_type))
                )
            if not where:
                raise QueryError(
                    "query.no_filter", f"{'PATCH' if verb == 'update' else 'DELETE'} without a filter would touch every row",
                    hint="add a filter, and 'Prefer: handling=strict, max-affected=N' to be told when it touches more than N rows",
                )  # fmt: skip
            if request.expected_version is not None and entity.managed:
                where.append(sql('t0."row_version" = ', Slot(1, "bigint")))
            change = writer.update(where) if verb == "update" else writer.delete(where)
        return self._finish_write(
            frame, entity, query, roles, request, change, slots, dynamic, media, key_slot, verb
        )

    def _where(
        self,
        frame: Frame,
        entity: Entity,
        query: ReadQuery,
        roles: frozenset[str],
        slots: list[Argument],
        request: WriteRequest,
    ) -> list[Fragment]:
        del slots, request
        filters = query.level(()).filters
        if not filters:
            return []
        reader = Reader(frame, query, roles, self._known)
        rows = reader.rows(entity.name, "t0")
        return [*reader.filters(rows, filters, ())]

    def _finish_write(  # noqa: PLR0913
        self, frame: Frame, entity: Entity, query: ReadQuery, roles: frozenset[str], request: WriteRequest, change: Change,
        slots: list[Argument], dynamic: tuple[tuple[int, int], ...], media: tuple[str, bool, bool], key_slot: int, verb: str,
    ) -> Shape:  # fmt: skip
        preferences = request.preferences
        refusals = [sql(item, " IS NULL") for item in change.refusals]
        if preferences.max_affected is not None and preferences.handling == "strict":
            refusals.append(
                sql(
                    f"(SELECT backsaas_api.refuse('BS429', count(*)::text) FROM w HAVING count(*) > {int(preferences.max_affected)}) IS NULL"
                )
            )
        names: tuple[str, ...] = ()
        body: Fragment = sql("NULL::text")
        if preferences.returning == "representation":
            frame.aliases = max(frame.aliases, 1)
            reader = Reader(frame, query, roles, self._known)
            rows = reader.rows(entity.name, "t0")
            seen = [
                part
                for part in rows.predicate()
                if "deleted_at" not in str(part.parts[0]) or verb != "delete"
            ]
            selected = reader.selection(rows, query.select)
            names = tuple(one.name for one in selected)
            hidden = _hidden(rows, query, selected)
            row = _row_json(hides=bool(hidden))
            inner = sql(
                "SELECT ",
                columns(selected),
                *hidden,
                " FROM w t0",
                sql(" WHERE ", join(" AND ", seen)) if seen else sql(""),
                group_by(selected),
            )
            value = f"({row}->0)" if media[1] or request.key is not None else f"coalesce({row}, '[]')"
            body = sql(
                f"(SELECT {'json_strip_nulls(' if media[2] else ''}{value}{')' if media[2] else ''}::text FROM (",
                inner,
                ") r)",
            )
        version = 'max(w."row_version")::text' if entity.managed else "NULL::text"
        refused = (
            sql("CASE WHEN ", join(" AND ", refusals), " THEN 1 END AS checked, ") if refusals else sql("")
        )
        whole = sql(
            "WITH ", join(", ", change.ctes), " SELECT ", refused, body,
            f" AS body, count(*) AS page_count, NULL::bigint AS total, {version} AS version, min(w.{quote(entity.key)}::text) AS key FROM w",
        )  # fmt: skip
        prepared = Prepared(
            statement(whole), (), media[0], media[1] or request.key is not None, media[2], names,
            tuple(frame.deprecated.items()), process_rules=change.process_rules,
        )  # fmt: skip
        return Shape(prepared, dynamic, tuple(slots), -1, -1, key_slot)

    def _entity(self, frame: Frame, name: str) -> Entity:
        found = resolve_entity(frame, name)
        if found is None:
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            near = get_close_matches(name, list(self._model.entities), 1)
            raise QueryError(
                "PGRST205",
                f"Could not find the table '{name[:100]}' in the schema cache",
                hint=f"Perhaps you meant the table '{near[0]}'" if near else "",
            )
        return self._model.entities[found]

    def _remember(self, key: tuple[object, ...], shape: Shape) -> None:
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        self._shapes[key] = shape


def media_of(accept: str) -> tuple[str, bool, bool]:
    """Return media, whether one object is wanted, and whether nulls are left out."""
    if not accept or accept in {"*/*", "application/json"}:
        return "json", False, False
    for part in accept.split(","):
        name, _, parameters = part.strip().partition(";")
        strip = "nulls=stripped" in parameters
        match name.strip().lower():
            case "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object":
                return "object", True, strip
            case "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array":
                return "array", False, strip
            case "application/json" | "*/*" | "application/*":
                return "json", False, False
            case "text/csv" | "text/*":
                return "csv", False, False
            case "application/x-ndjson":
                return "ndjson", False, False
    raise QueryError("PGRST107", f"None of these media types are available: {accept[:100]}")


def _shape_of(pairs: list[tuple[str, str]]) -> tuple[tuple[object, ...], list[str]]:
    """Return the pairs without simple literals, and all values with simple ones cut to the literal."""
    shape: list[object] = []
    values: list[str] = []
    for key, value in pairs:
        operator, dot, literal = value.partition(".")
        if key == "limit" or key == "offset":
            shape.append(key)
            values.append(value)
        elif dot and operator in COMPARISONS and key not in _RESERVED and "." not in key:
            shape.append((key, operator))
            values.append(literal)
        else:
            shape.append((key, value))
            values.append(value)
    return tuple(shape), values


def _parse(
    pairs: list[tuple[str, str]], reserved: int = 0
) -> tuple[ReadQuery, list[Argument], tuple[tuple[int, int], ...]]:
    parser = Parser()
    parser.slots.extend([None] * reserved)
    dynamic: list[tuple[int, int]] = []
    for number, (key, value) in enumerate(pairs):
        before = len(parser.slots)
        parser.add(key, value)
        operator, dot, _ = value.partition(".")
        if key in {"limit", "offset"} or (
            dot and operator in COMPARISONS and key not in _RESERVED and "." not in key
        ):
            dynamic.append((before, number))
    return parser.finish(), parser.slots, tuple(dynamic)


def _fill(shape: Shape, values: list[str], key: str | None, range_: str) -> Prepared:
    slots = list(shape.fixed)
    for slot, number in shape.dynamic:
        slots[slot] = values[number]
    if shape.key_slot >= 0:
        slots[shape.key_slot] = key
    limit = _whole(slots[shape.limit], "limit") if shape.limit >= 0 else None
    offset = (_whole(slots[shape.offset], "offset") or 0) if shape.offset >= 0 else 0
    if range_ and shape.limit >= 0 and shape.offset >= 0:
        offset, limit = _range(range_, offset, limit)
        slots[shape.limit], slots[shape.offset] = (None if limit is None else str(limit)), str(offset)
    if offset > MAX_OFFSET:
        raise QueryError(
            "PGRST103",
            f"Requested range not satisfiable: offset is at most {MAX_OFFSET}",
            hint="page with after= instead",
        )
    return replace(shape.prepared, slots=tuple(slots), offset=offset, limit=limit)


def _whole(value: Argument, what: str) -> int | None:
    if value is None:
        return None
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16):
        raise QueryError("PGRST100", f"{what} is a whole number, not negative")
    return int(value)


def _range(text: str, offset: int, limit: int | None) -> tuple[int, int | None]:
    first, dash, last = text.strip().partition("-")
    if not dash or not first.isdigit() or (last and not last.isdigit()) or len(first) > 15 or len(last) > 15:
        return offset, limit
    if last and int(last) < int(first):
        raise QueryError(
            "PGRST103",
            "Requested range not satisfiable",
            details="The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        )
    wanted = int(last) - int(first) + 1 if last else None
    sizes = [size for size in (wanted, limit) if size is not None]
    return max(offset, int(first)), min(sizes) if sizes else None


def _add(slots: list[Argument], value: Argument) -> int:
    slots.append(value)
    return len(slots) - 1


def _hidden(rows: Rows, query: ReadQuery, selected: object) -> tuple[Fragment, ...]:
    """Return a column naming the keys a row does not show to this caller."""
    del selected
    masked = masked_names(rows, query.select)
    if not masked:
        return ()
    parts = [
        sql(
            "CASE WHEN ",
            rows.visible(rows.sight.fields[field]),
            " THEN NULL ELSE '",
            name.replace("'", "''"),
            "' END",
        )
        for name, field in masked.items()
    ]
    return (sql(", ARRAY[", join(", ", parts), ']::text[] AS "_hidden"'),)


def _row_json(*, hides: bool) -> str:
    if hides:
        return "json_agg((to_jsonb(r) - '_hidden') - array_remove(r.\"_hidden\", NULL))"
    return "json_agg(r)"


def _is_unique(entity: Entity, names: tuple[str, ...]) -> bool:
    if len(names) == 1 and (names[0] == entity.key or entity.fields[names[0]].unique):
        return True
    return any(set(columns) == set(names) for columns in entity.unique) or any(
        index.unique and set(index.fields) == set(names) for index in entity.indexes
    )


def _encode(request: WriteRequest, verb: str, prepared: Prepared) -> str:
    renamed = {old.partition(".")[2]: new for old, new in prepared.deprecated if "." in old}
    rows = (
        [{renamed.get(name, name): value for name, value in row.items()} for row in request.rows]
        if renamed
        else list(request.rows)
    )
    return json.dumps(rows if verb in {"insert", "replace"} else (rows[0] if rows else {}), default=str)


__all__ = ["Mapping", "Preferences", "Prepared", "QueryCompiler", "ReadRequest", "Statement", "WriteRequest"]
