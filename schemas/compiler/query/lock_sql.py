"""What holds the rows a write is about, so that functions can look at them before they are changed.

    SELECT number, key, row, may FROM ... FOR UPDATE

Decides that functions see only rows the caller may change. Pure; called by ``compiler``.
"""

from msgspec.structs import replace

from schemas.compiler.model import Entity
from schemas.compiler.query.read_sql import Reader
from schemas.compiler.query.shapes import Pairs, Shape, parse_pairs
from schemas.compiler.query.write_parts import BODY
from schemas.compiler.query.write_statement import RESERVED, Wish, conditions, writer_of
from schemas.compiler.sql import Slot, join, quote, sql, statement


def compile_lock(reader: Reader, entity: Entity, pairs: Pairs, wish: Wish) -> Shape:
    """Compile the lock of a write.

    Its rows: ``number`` of the body's row it belongs to (from 1; 0 for an update or delete), ``key``, ``row``
    and whether the caller ``may`` change it (rows of an update or delete are left out instead).

    Raises:
        QueryError: as for the write.
    """
    wish = replace(wish, verb=wish.verb.removeprefix("lock "))
    query, slots, dynamic = parse_pairs(pairs, RESERVED)
    reader.query = query
    reader.check_levels()
    reader.frame.aliases = 1
    writer = writer_of(reader, entity, query, wish)
    table, key = reader.frame.table(entity.name), quote(entity.key)
    row = f"t0.{key}::text AS key, to_jsonb(t0)::text AS row"
    key_slot = -1
    if wish.verb in {"update", "delete"}:
        where, key_slot = conditions(reader, entity, query, wish, slots)
        condition = join(" AND ", [*where, *writer.may(wish.verb)])
        text = sql(
            f"SELECT 0 AS number, {row}, true AS may FROM {table} t0 WHERE ", condition,
            f" ORDER BY t0.{key} FOR UPDATE OF t0",
        )  # fmt: skip
    else:
        names = query.on_conflict or (entity.key,)
        types = ", ".join(f"{quote(name)} {entity.fields[name].pg_type}" for name in names)
        same = " AND ".join(f"t0.{quote(name)} = b.{quote(name)}" for name in names)
        may = writer.may("update", frozenset({*names, entity.key})) or [sql("true")]
        text = sql(
            f"SELECT e.number::int AS number, {row}, (", join(" AND ", may), f") AS may FROM {table} t0,"
            " jsonb_array_elements(", Slot(BODY, "jsonb"), ") WITH ORDINALITY AS e(value, number),"
            f" jsonb_to_record(e.value) AS b({types}) WHERE {same} ORDER BY t0.{key} FOR UPDATE OF t0",
        )  # fmt: skip
    return Shape(
        statement(text), wish.media, (), tuple(reader.frame.deprecated.items()), dynamic, tuple(slots),
        key_slot=key_slot,
    )  # fmt: skip
