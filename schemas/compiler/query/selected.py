"""One level of a read: its keys, rows, groups and order, put together as one SELECT.

Decides that aggregates are computed over a subquery that already holds plain values, so that anything that
can be selected can also be grouped by. Pure; called by ``read_sql`` and the statement builders.
"""

from msgspec import Struct

from schemas.compiler.query.columns import cast
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.syntax import Path
from schemas.compiler.sql import Fragment, join, quote, sql

HIDDEN = '"?hidden"'
"""Column with the names of the keys a row does not show; no key may begin with a question mark."""
ROW = '"?row"'
"""Alias of a level whose rows become JSON: as a whole, so it must be no key's name either."""


class Selected(Struct, frozen=True):
    """One key of an answer row.

    Attributes:
        value: of one row; of an aggregate, its argument.
        aggregate: function name, "" for a plain value.
        aggregate_cast: type the outcome is cast to, or "".
        path: the column it is, if it is one.
        json: whether ``value`` is ``json``, which has no equality.
        shown: under what condition the row shows it, None for always.
    """

    name: str
    value: Fragment
    aggregate: str = ""
    aggregate_cast: str = ""
    path: Path | None = None
    json: bool = False
    shown: Fragment | None = None


class Sorted(Struct, frozen=True):
    """One sort key: its value, its suffix (DESC, NULLS ...), and what it names.

    ``pg_type`` is given for a value that is no column, and never null.
    """

    value: Fragment
    suffix: str
    path: Path
    relation: str = ""
    pg_type: str = ""


def grouped(selected: list[Selected]) -> bool:
    """Whether a level has aggregates."""
    return any(one.aggregate for one in selected)


def hides(selected: list[Selected]) -> bool:
    """Whether some rows of a level show fewer keys than others."""
    return any(one.shown is not None for one in selected) and not grouped(selected)


def columns(selected: list[Selected]) -> Fragment:
    """Return the SELECT list of a level without aggregates."""
    parts = [sql(one.value, f" AS {quote(one.name)}") for one in selected]
    masks = [
        sql("CASE WHEN ", one.shown, " THEN NULL ELSE '", one.name.replace("'", "''"), "' END")
        for one in selected
        if one.shown is not None
    ]
    if masks:
        parts.append(sql("ARRAY[", join(", ", masks), f"]::text[] AS {HIDDEN}"))
    return join(", ", parts)


def select(selected: list[Selected], source: Fragment, order: list[Sorted], paging: Fragment) -> Fragment:
    """Return the SELECT of a level; ``source`` is its FROM and WHERE."""
    if not grouped(selected):
        keys = [sql(key.value, key.suffix) for key in order]
        return sql("SELECT ", columns(selected), source, _order(keys), paging)
    inner: list[Fragment] = []
    outer: list[Fragment] = []
    groups: list[str] = []
    for number, one in enumerate(selected):
        inner.append(sql(one.value, "::jsonb" if one.json else "", f' AS "c{number}"'))
        if one.aggregate:
            value = cast(sql(f'{one.aggregate}(g."c{number}")'), one.aggregate_cast)
        else:
            groups.append(f'g."c{number}"')
            value = sql(groups[-1])
        outer.append(sql(value, f" AS {quote(one.name)}"))
    keys = []
    for number, key in enumerate(order):
        if key.relation:
            inner.append(sql(key.value, f' AS "o{number}"'))
            groups.append(f'g."o{number}"')
            keys.append(sql(groups[-1], key.suffix))
        else:
            keys.append(sql(_sorted_group(selected, key), key.suffix))
    tail = sql(" GROUP BY ", ", ".join(groups)) if groups else sql("")
    return sql(
        "SELECT ",
        join(", ", outer),
        " FROM (SELECT ",
        join(", ", inner),
        source,
        ") g",
        tail,
        _order(keys),
        paging,
    )


def as_json(alias: str, selected: list[Selected]) -> str:
    """Return the expression that makes a row of a level a JSON object."""
    if hides(selected):
        return f"((to_jsonb({alias}) - '?hidden') - array_remove({alias}.{HIDDEN}, NULL))"
    return f"row_to_json({alias})"


def _order(keys: list[Fragment]) -> Fragment:
    return sql(" ORDER BY ", join(", ", keys)) if keys else sql("")


def _sorted_group(selected: list[Selected], key: Sorted) -> Fragment:
    for number, one in enumerate(selected):
        if (one.name == key.path.column and not key.path.steps) or (
            one.path == key.path and not one.aggregate
        ):
            return (
                cast(sql(f'{one.aggregate}(g."c{number}")'), one.aggregate_cast)
                if one.aggregate
                else sql(f'g."c{number}"')
            )
    raise QueryError(
        "42803", f"order names {key.path.column[:80]}, which is neither grouped by nor an aggregate"
    )
