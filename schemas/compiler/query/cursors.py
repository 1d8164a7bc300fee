"""Keyset cursors: the sort values of a page's last row, signed, and the condition of what comes after.

Decides what ``after=`` carries and that nobody but us can write it: a cursor holds for one tenant, entity
and order. Pure; called by ``read_statement`` and ``compiler``.
"""

import base64
import binascii
import hmac
import json

from msgspec import Struct

from schemas.compiler.query.errors import QueryError
from schemas.compiler.sql import Fragment, Slot, join, sql

_TAG = 16


class SortKey(Struct, frozen=True):
    """A sort key a cursor holds the value of."""

    value: Fragment
    pg_type: str
    slot: int
    descending: bool
    nulls_first: bool
    nullable: bool


def seal(secret: bytes, scope: str, values: str) -> str:
    """Return a cursor for the values of a row, given as a JSON array."""
    data = values.encode()
    tag = hmac.digest(secret, scope.encode() + b"\0" + data, "sha256")[:_TAG]
    return base64.urlsafe_b64encode(tag + data).decode().rstrip("=")


def unseal(secret: bytes, scope: str, cursor: str, count: int) -> list[str | None]:
    """Return the values of a cursor.

    Raises:
        QueryError: query.bad_cursor unless it was made here, for this list in this order.
    """
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _bad() from None
    tag, text = data[:_TAG], data[_TAG:]
    wanted = hmac.digest(secret, scope.encode() + b"\0" + text, "sha256")[:_TAG]
    if not hmac.compare_digest(tag, wanted):
        raise _bad()
    values: list[str | None] = json.loads(text)
    if len(values) != count:
        raise _bad()
    return values


def beyond(keys: list[SortKey]) -> Fragment:
    """Return the condition of rows that sort after the cursor's."""
    options: list[Fragment] = []
    for number, key in enumerate(keys):
        same = [_same(before) for before in keys[:number]]
        options.append(sql("(", join(" AND ", [*same, _after(key)]), ")"))
    first = keys[0]
    condition = sql("(", join(" OR ", options), ")")
    if first.nullable or len(keys) == 1:
        return condition
    # implied by the rest, and what lets an index start at the cursor
    start = sql(first.value, " <= " if first.descending else " >= ", Slot(first.slot, first.pg_type))
    return sql(start, " AND ", condition)


def _same(key: SortKey) -> Fragment:
    return sql(key.value, " IS NOT DISTINCT FROM " if key.nullable else " = ", Slot(key.slot, key.pg_type))


def _after(key: SortKey) -> Fragment:
    given = Slot(key.slot, key.pg_type)
    beyond_it = sql(key.value, " < " if key.descending else " > ", given)
    if not key.nullable:
        return beyond_it
    if key.nulls_first:
        return sql("CASE WHEN ", given, " IS NULL THEN ", key.value, " IS NOT NULL ELSE ", beyond_it, " END")
    return sql("(", given, " IS NOT NULL AND (", beyond_it, " OR ", key.value, " IS NULL))")


def _bad() -> QueryError:
    return QueryError(
        "query.bad_cursor",
        "the cursor is not one of this list in this order",
        hint="start again with after= (empty), and keep the order and the filters",
    )
