"""The Python and the SQL back end give the same answer: random expressions on rows full of edge values."""

import datetime as dt
import json
import random
import re
import uuid
from decimal import Decimal
from typing import Any, ClassVar

import asyncpg
import pytest
import sample_tenant as tenant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.compiler.expressions.errors import ExpressionError
from schemas.compiler.expressions.to_sql import to_sql
from schemas.compiler.principal import ANONYMOUS
from tests.speed import examples

TEXTS = ["", "a", "A", "EU", "EU ", "a%b", "a_b", "\\", "é", "ß\n", " \t x\u2003", "10", "-7", "1.50", "2026-02-30", "2026-02-28",
         "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5+02:00", "null", "İ", "0000-01-01", "1e5", "😀b"]  # fmt: skip
NUMBERS = ["0", "1", "-1", "2.5", "-2.5", "0.0001", "99999999.9999", "-0.5", "3"]
DOUBLES = ["0", "0.1", "-2.5", "1e300", "123456789.125", "3", "1e-7"]
STAMPS = ["2026-03-01T22:59:59.999999+00:00", "2026-03-01T23:00:00+00:00", "1969-12-31T23:59:59.5+00:00", "2024-02-29T12:00:00+00:00",
          "2026-03-29T01:30:00+00:00"]  # fmt: skip
DAYS = ["2026-03-01", "2026-03-02", "2024-02-29", "1999-12-31", "2026-01-01"]


def _rows() -> dict[str, list[dict[str, Any]]]:
    pick = random.Random(7)

    def maybe(values: list[Any], share: float = 0.25) -> Any:
        return None if pick.random() < share else pick.choice(values)

    users = [
        {"id": user, "boss_id": maybe(tenant.USERS[:4]), "region": maybe(["EU", "US", ""]), "level": maybe([1, 3, 4]),
         "active": maybe([True, False]), "deleted_at": "2026-01-01T00:00:00Z" if n in (2, 5) else None}
        for n, user in enumerate(tenant.USERS)
    ]  # fmt: skip
    ids = [str(uuid.UUID(int=pick.getrandbits(128), version=4)) for _ in range(40)]
    items = []
    for item in ids:
        lines = [
            {"text": maybe(TEXTS), "net": maybe([1, 2.5, -1, "7", True])} for _ in range(pick.randrange(4))
        ]
        doc = {"name": maybe(TEXTS), "price": maybe([1, 0.1, -2.5, "3"]), "count": maybe([1, 2, 2.5, 10**12]), "done": maybe([True, False, 1]),
               "tags": maybe([[], ["a", None], ["EU", "a", 1], "a"]), "free": maybe([1, "a", True, [1, 2], {"k": 1}])}  # fmt: skip
        for key in list(doc):
            if pick.random() < 0.2:
                del doc[key]
        items.append({
            "id": item, "owner_id": maybe(tenant.USERS), "prev_id": maybe(ids), "name": maybe(TEXTS), "status": pick.choice(["draft", "sent", "paid"]),
            "done": maybe([True, False]), "small": maybe([0, 1, -1, 7, 2**31 - 1]), "big": maybe([0, 1, 3, -(2**63), 2**63 - 1]),
            "net": maybe(NUMBERS), "ratio": maybe(DOUBLES), "due_on": maybe(DAYS), "made_at": maybe(STAMPS), "opens": maybe(["08:00:00", "23:59:59.5"]),
            "tags": maybe([[], ["a"], ["a", None, "EU"], ["%"]]), "marks": maybe([[], [1, 2, 3], [None, -5], [2**62, 2**62]]),
            "links": maybe([[], tenant.USERS[:2], [tenant.USERS[1], None]]), "doc": maybe([doc, [], 5]) if pick.random() < 0.3 else doc,
            "lines": maybe([lines, lines, lines, {}, "x"]), "raw": maybe([1, "a", None, [1, "a", None], {"k": {"z": 1.5}}, True]),
        })  # fmt: skip
    notes = [
        {"id": str(uuid.UUID(int=pick.getrandbits(128), version=4)), "item_id": maybe(ids[:15]), "author_id": maybe(tenant.USERS),
         "reviewer_id": maybe(tenant.USERS), "text": maybe(TEXTS), "amount": maybe(NUMBERS), "deleted_at": maybe(["2026-01-01T00:00:00Z"], 0.8)}
        for _ in range(60)
    ]  # fmt: skip
    return {"users": users, "items": items, "notes": notes}


class Database:
    """A connection and its rows; a class of its own because Hypothesis prints fixtures whole."""

    def __init__(self, connection: asyncpg.Connection, tables: dict[str, Any]) -> None:
        self.connection = connection
        self.tables = tables


@pytest.fixture(scope="module")
async def database(database_url: str):
    connection = await asyncpg.connect(database_url)
    await tenant.create(connection, _rows())
    yield Database(connection, await tenant.stored(connection))
    await connection.close()


# Random expressions, by the type they have. "row" is what a field is read from.

ROW_FIELDS = {
    "string": [
        "name",
        "status",
        "owner_id",
        "id",
        "doc.name",
        "raw.k",
        "owner.region",
        "owner.boss.region",
        "owner.boss_id",
    ],
    "int": ["small", "big", "doc.count", "owner.level"],
    "decimal": ["net", "doc.price", "gross"],
    "double": ["ratio"],
    "bool": ["done", "doc.done", "owner.active", "owner.senior"],
    "date": ["due_on"],
    "timestamp": ["made_at"],
    "time": ["opens"],
}
CHILD_FIELDS = {
    "string": ["text", "author.region", "item.name", "author_id"],
    "decimal": ["amount"],
    "int": ["author.level"],
}


def expression(pick: random.Random, kind: str, depth: int, child: str = "") -> str:
    """A random CEL text of a type; ``child`` is the variable of an enclosing macro over notes."""
    if depth == 0 or pick.random() < 0.2:
        return _leaf(pick, kind, child)
    return Grower(pick, depth - 1, child).grow(kind)


def _leaf(pick: random.Random, kind: str, child: str) -> str:
    fields = [f"{row}.{name}" for row in ("self", "self", "self", "old") for name in ROW_FIELDS.get(kind, [])]
    if child:
        fields += [f"{child}.{name}" for name in CHILD_FIELDS.get(kind, [])] * 4
    written = {
        "string": ["user.email", "'EU'", "'a'", "''", "'%'", "'10'", "tenant.slug", "user.region"],
        "int": ["0", "1", "-3", "7", "9223372036854775807", "size(self.tags)", "size(user.groups)"],
        "decimal": ["0.5", "-2.5", "100.0", "0.0001"],
        "double": [],
        "bool": [
            "true",
            "false",
            "mine",
            "same_region",
            "(self.owner_id == user.id)",
            "(user.role == 'member')",
            "user.flag",
            "(user.bad == self.net)",
        ],
        "date": ["date('2026-03-01')", "today()"],
        "timestamp": ["now", "timestamp('2026-03-01T23:00:00Z')"],
        "time": [],
    }[kind]
    return pick.choice(fields + written)


COMPARABLE = {"string": ["string"], "int": ["int", "decimal", "double"], "decimal": ["decimal", "int", "double"], "double": ["double", "int", "decimal"],
              "date": ["date", "timestamp"], "timestamp": ["timestamp", "date"], "time": ["time"]}  # fmt: skip


class Grower:
    """Makes random inner nodes. In a pattern, ``<kind>`` is an expression, ``<a|b>`` a choice."""

    PATTERNS: ClassVar = {
        "bool": [
            "(<bool> && <bool>)", "(<bool> || <bool>)", "!(<bool>)", "(<bool> == <bool>)", "(<bool> ? <bool> : <bool>)",
            "<string>.[startsWith|endsWith|contains](<string>)",
            "<string>.matches('[^a|[a-z]+$|^\\\\d{1,3}$|a.b|(?:EU)?|\\\\s|^[^a-c]|(a|E)+U?]')",
            "(<string> in [['a', 'EU']|self.tags|user.groups|self.doc.tags|user.roles|self.links|self.notes.map(n9, n9.text)|self.raw])",
            "(<int> in [[1, 2, 3]|self.marks|[1.5, 3.0]|self.raw])",
            "(<double> in [[0.1, 3.0]|[3]])",
            "has([self|old].[FIELD|owner|raw|owner.boss])",
            "([self|old].[owner|owner.boss|tags|lines|raw|doc|net|doc.tags] [==|!=] null)",
            "([self.raw|self.doc.free] [==|!=] [1|'a'|true|self.raw|old.raw|user.flag|user.level])",
            "changed('[name|net|done|tags|doc|due_on|ratio]')",
            "([self.tags == old.tags|self.marks == old.marks|self.doc == old.doc|self.lines != old.lines|self.raw == old.raw])",
            "(self.tags == ['a'])",
        ],
        "string": [
            "(<string> + <string>)", "<string>.[lowerAscii|upperAscii|trim]()", "string(<int|decimal|double|date|timestamp|bool|time>)",
            "(<bool> ? <string> : <string>)", "(<bool> ? <string> : null)", "[self.tags[0]|self.doc.tags[1]|self.links[0]|self.lines[0].text]",
            "self.notes.map(n8, n8.text).[min|max]()",
        ],
        "int": [
            "(<int> [+|-|*|/|%] <int>)", "-(<int>)", "size(<string>)", "int(<int|decimal|double|string|timestamp>)", "(<bool> ? <int> : <int>)",
            "<timestamp>.[getFullYear|getMonth|getDate|getDayOfWeek|getDayOfYear|getHours|getSeconds|getMilliseconds|date().getDate]()",
            "<timestamp>.getHours('America/New_York')", "<date>.[getMonth|getDayOfWeek]()", "(<timestamp> - <timestamp>).getMinutes()",
            "[self.marks.sum()|self.marks[1]|self.notes.size()|self.doc.tags.size()|size(self.lines)|self.marks.max()|self.owner.notes_by_author_id.size()]",
        ],
        "decimal": [
            "(<int|decimal|double> [+|-|*|/] <decimal>)", "math.[round|ceil|floor|trunc|abs](<decimal|double|int>)", "math.round(<decimal|double>, 2)",
            "math.[greatest|least](<decimal|int|double>, <decimal|int|double>)", "double(<string|int|decimal|double>)", "-(<decimal>)",
            "(<bool> ? <int|decimal|double> : <decimal>)",
            "[self.lines.map(l, l.net).sum()|self.lines.map(l, l.net).avg()|self.notes.map(n7, n7.amount).sum()|self.marks.avg()]",
            "[self.notes.filter(n7, n7.text == 'a').map(n7, n7.amount).max()|self.lines.map(l, l.net > 0, l.net * 2).sum()|self.raw.sum()]",
        ],
        "double": ["(<bool> ? self.ratio : old.ratio)"],
        "date": ["(<date> [+|-] <int>)", "<timestamp>.date()", "date(<string>)", "(<bool> ? <date> : <date>)"],
        "timestamp": ["(<timestamp> [+|-] duration('[36h|1.5s|90m|1d]'))", "timestamp(<string|date>)", "(<timestamp> + (<timestamp> - <date>))"],
        "time": ["(<bool> ? <time> : <time>)"],
    }  # fmt: skip
    MACROS: ClassVar = {
        "bool": [
            "[self.notes|self.owner.notes_by_author_id].[exists|all|exists_one](n, <bool>)",
            "self.lines.[exists|all|exists_one](l, l.net > 1.0 || l.text == <string>)",
            "self.tags.[exists|all](g, g == <string>)", "self.doc.tags.exists(g, g.startsWith(<string>))",
            "self.owner.items.exists(q, q.notes.exists(n, <bool>))",
        ],
        "decimal": ["self.notes.filter(n, <bool>).map(n, <decimal>).[sum|avg|min|max]()"],
        "int": ["self.notes.filter(n, <bool>).size()"],
    }  # fmt: skip

    def __init__(self, pick: random.Random, depth: int, child: str) -> None:
        self.pick = pick
        self.depth = depth
        self.child = child

    def grow(self, kind: str) -> str:
        macros = [] if self.child else self.MACROS.get(kind, [])
        if kind == "bool" and self.pick.random() < 0.3:
            kind = self.pick.choice(sorted(COMPARABLE))
            operator = self.pick.choice(["==", "!=", "<", "<=", ">", ">="])
            return f"({self.sub(kind, self.child)} {operator} {self.sub(self.pick.choice(COMPARABLE[kind]), self.child)})"
        if macros and self.pick.random() < 0.25:
            pattern = self.pick.choice(macros)
            return self.fill(pattern, "n" if "(n, " in pattern else "")
        return self.fill(self.pick.choice(self.PATTERNS[kind]), self.child)

    def sub(self, kind: str, child: str) -> str:
        return expression(self.pick, kind, self.depth, child)

    def fill(self, pattern: str, child: str) -> str:
        chosen = _chosen(
            self.pick,
            pattern.replace("FIELD", self.pick.choice([f for names in ROW_FIELDS.values() for f in names])),
        )
        return re.sub(
            r"<([a-z|]+)>", lambda found: self.sub(self.pick.choice(found[1].split("|")), child), chosen
        )


def _chosen(pick: random.Random, pattern: str) -> str:
    """Replace each ``[a|b]`` (brackets may nest inside) by one of its branches; brackets without a bar stay."""
    out, position = "", 0
    while position < len(pattern):
        if pattern[position] != "[":
            out += pattern[position]
            position += 1
            continue
        branches, level, start, end = [], 0, position + 1, position
        while True:
            level += {"[": 1, "(": 1, "]": -1, ")": -1}.get(pattern[end], 0)
            if level == 0:
                break
            if pattern[end] == "|" and level == 1:
                branches.append(pattern[start:end])
                start = end + 1
            end += 1
        branches.append(pattern[start:end])
        out += pick.choice(branches) if len(branches) > 1 else f"[{branches[0]}]"
        position = end + 1
    return out


def normal(value: object) -> object:
    """Bring both back ends' values to one form; an integer is the decimal of the same size."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dt.timedelta):
        return Decimal(value // dt.timedelta(microseconds=1)).scaleb(-6)
    return value


KINDS = ["bool", "bool", "bool", "string", "int", "decimal", "date", "timestamp"]


@settings(max_examples=examples(800), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
async def test_back_ends_agree_on_random_expressions(seed, database):
    pick = random.Random(seed)
    text = expression(pick, pick.choice(KINDS), pick.randint(1, 3))
    await check(database, text, anonymous=pick.random() < 0.2)


async def check(database, text: str, *, anonymous: bool) -> None:
    connection, tables = database.connection, database.tables
    principal = ANONYMOUS if anonymous else tenant.PRINCIPAL
    try:
        expression = tenant.compiled(text)
    except ExpressionError as error:
        refused = ("too costly", "is not a valid", "in list(", "neither side", "not string")
        if not any(reason in str(error) for reason in refused):
            raise
        return
    if not expression.in_sql:
        return
    expected = [normal(value) for value in tenant.in_python(expression, tables, principal)]
    got = [normal(value) for value in await tenant.in_sql(connection, expression, principal)]
    if expression.type.kind == "json":
        got = [value if value is None else json.loads(str(value), parse_float=Decimal) for value in got]
    if expression.type.kind == "bool":
        expected = [bool(value) for value in expected]
        direct = await tenant.in_sql(connection, expression, principal, to_sql)
        assert direct == [bool(value) for value in got], text
        got = direct
    assert got == expected, text
