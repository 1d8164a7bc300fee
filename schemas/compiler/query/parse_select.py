"""``select=`` to items: columns, JSON paths, casts, aggregates, embeds. Pure; called by ``parse``."""

from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.scan import Cursor
from schemas.compiler.query.syntax import Column, Embed, Everything, Item, Path

AGGREGATES = frozenset({"count", "sum", "avg", "min", "max"})
MAX_DEPTH = 5
MAX_ITEMS = 400
MAX_NAME = 63
"""PostgreSQL cuts longer names, and two cut ones could be equal."""


def parse_select(text: str) -> tuple[Item, ...]:
    """Read a select list.

    Raises:
        QueryError: PGRST100.
    """
    cursor = Cursor(text, "select parameter")
    items = _items(cursor, 0)
    if not cursor.done:
        raise cursor.fail()
    return items


def _items(cursor: Cursor, depth: int) -> tuple[Item, ...]:
    if depth > MAX_DEPTH:
        raise QueryError("query.too_deep", f"select nests deeper than {MAX_DEPTH} levels")
    items: list[Item] = []
    if cursor.done or cursor.peek(")"):
        return ()
    while True:
        items.append(_item(cursor, depth))
        if len(items) > MAX_ITEMS:
            raise QueryError("query.too_wide", f"select names more than {MAX_ITEMS} items")
        if not cursor.take(","):
            return tuple(items)


def _item(cursor: Cursor, depth: int) -> Item:
    cursor.spaces()
    item = _bare_item(cursor, depth)
    cursor.spaces()
    name = item.alias if isinstance(item, Column) else item.name if isinstance(item, Embed) else ""
    if len(name.encode()) > MAX_NAME or name.startswith("?"):
        raise cursor.fail()
    return item


def _bare_item(cursor: Cursor, depth: int) -> Item:
    spread = cursor.take("...")
    if not spread and cursor.take("*"):
        return Everything()
    if not spread and cursor.take("count()"):
        return _aggregate_rest(cursor, Path(""), "", "", "count")
    name = cursor.name()
    alias = ""
    if not cursor.peek("::") and cursor.take(":"):
        alias, name = name, ""
        if cursor.take("count()"):
            return _aggregate_rest(cursor, Path(""), alias, "", "count")
        name = cursor.name()
    if cursor.peek("(") or cursor.peek("!"):
        return _embed(cursor, name, alias, depth, spread=spread)
    if spread:
        raise cursor.fail()
    path = Path(name, json_steps(cursor))
    cast = cursor.name() if cursor.take("::") else ""
    if cursor.take("."):
        aggregate = cursor.name()
        cursor.expect("()")
        if aggregate not in AGGREGATES:
            raise cursor.fail()
        return _aggregate_rest(cursor, path, alias, cast, aggregate)
    return Column(path, alias, cast)


def _aggregate_rest(cursor: Cursor, path: Path, alias: str, cast: str, aggregate: str) -> Column:
    return Column(path, alias, cast, aggregate, cursor.name() if cursor.take("::") else "")


def _embed(cursor: Cursor, name: str, alias: str, depth: int, *, spread: bool) -> Embed:
    hint, inner = "", False
    while cursor.take("!"):
        word = cursor.name()
        if word == "inner":
            inner = True
        elif word != "left":
            hint = word
    cursor.expect("(")
    cursor.spaces()
    items = _items(cursor, depth + 1)
    cursor.expect(")")
    return Embed(name, items, alias, hint, inner, spread)


def json_steps(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    """Take ``->a->>b``."""
    steps: list[tuple[str, str]] = []
    while cursor.peek("->"):
        arrow = "->>" if cursor.take("->>") else "->"
        if arrow == "->":
            cursor.expect("->")
        steps.append((arrow, cursor.json_key()))
        if len(steps) > 20:
            raise cursor.fail()
    return tuple(steps)
