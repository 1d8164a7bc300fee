"""Google's own evaluator agrees with both back ends wherever the languages are meant to be the same."""

import datetime as dt
from decimal import Decimal

import asyncpg
import pytest
from cel_expr_python import cel
from sample_tenant import MODEL, NAMESPACE, compiled

from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.expressions.to_sql import SqlContext, to_value_sql
from schemas.compiler.principal import ANONYMOUS
from schemas.compiler.sql import sql, statement

SAME = [
    # literals
    "1", "-1", "0x1F", "9223372036854775807", "-9223372036854775808", "1.5", "-0.25", "1e3", "2.5e-2", ".5", "true", "false", "''", "'a'",
    '"a"', "r'\\n'", "'\\n\\t'", "'\\u00e9'", "'\\U0001F600'", "'''a\nb'''", "'\\x41'", "'\\101'", "'\\''", "'\\\\'",
    # comparisons
    "1 == 1", "1 == 2", "1 != 2", "'a' == 'a'", "'a' < 'b'", "'B' < 'a'", "'a' < 'aa'", "'é' > 'z'", "1 < 2", "2 <= 2", "1.5 > 1.25", "-1 < 0",
    "true == true", "true != false", "1.0 == 1.0", "'' < 'a'", "1 in [1, 2]", "3 in [1, 2]", "'a' in ['a', 'b']", "'c' in []", "2.5 in [2.5]", "[1, 2] == [1, 2]",
    "[1, 2] == [2, 1]", "['a'] != ['b']",
    # logic
    "true && false", "true || false", "!true", "!(1 > 2)", "true ? 1 : 2", "false ? 'a' : 'b'", "1 > 2 || 2 > 1 && 3 > 4", "!!true",
    # arithmetic
    "1 + 2 * 3", "(1 + 2) * 3", "7 / 2", "-7 / 2", "7 / -2", "7 % 3", "-7 % 3", "7 % -3", "1.5 + 2.25", "1.5 * 2.0", "-(3)", "1 - 2 - 3", "2.5 - 0.5", "10.0 / 4.0",
    # text
    "'a' + 'b'", "size('abc')", "size('😀é')", "'abc'.size()", "'abc'.startsWith('ab')", "'abc'.startsWith('')", "'abc'.endsWith('bc')", "'abc'.endsWith('abcd')",
    "'abc'.contains('b')", "'a%c'.contains('%')", "'abc'.contains('%')", "'a_c'.startsWith('a_')", "'abc'.startsWith('a_')", "'a\\\\b'.contains('\\\\')",
    "'abc'.matches('b')", "'abc'.matches('^b')", "'abc'.matches('^a.c$')", "'a\\nc'.matches('a.c')", "'10:20'.matches('^[0-9]{2}:\\\\d+$')", "'x'.matches('(a|x)+')", "matches('ab', 'a')",
    "'٣'.matches('\\\\d')", "'a.b'.matches('a\\\\.b')", "'a\\nb'.matches('^b')", "'ab\\n'.matches('b$')",
    # conversions
    "string(12)", "string(-3)", "string(true)", "int('42')", "int('-7')", "int(2.9)", "int(-2.9)", "double('1.5')", "double(3)", "string('x')", "int(7)",
    "int(timestamp('2009-02-13T23:31:30Z'))", "string(timestamp('2009-02-13T23:31:30Z'))", "string(1.5)",
    # times
    "timestamp('2009-02-13T23:31:30Z') == timestamp('2009-02-14T00:31:30+01:00')", "timestamp('2009-02-13T23:31:30Z').getFullYear()",
    "timestamp('2009-02-13T23:31:30Z').getMonth()", "timestamp('2009-02-13T23:31:30Z').getDate()", "timestamp('2009-02-13T23:31:30Z').getDayOfMonth()",
    "timestamp('2009-02-13T23:31:30Z').getDayOfWeek()", "timestamp('2009-02-13T23:31:30Z').getDayOfYear()", "timestamp('2009-02-13T23:31:30Z').getHours()",
    "timestamp('2009-02-13T23:31:30Z').getMinutes()", "timestamp('2009-02-13T23:31:30Z').getSeconds()", "timestamp('2009-02-13T23:31:30.123456Z').getMilliseconds()",
    "timestamp('2009-02-13T23:31:30Z').getHours('Europe/Berlin')", "timestamp('2009-02-13T23:31:30Z').getDate('Asia/Tokyo')",
    "timestamp('2009-02-13T23:31:30Z') + duration('36h') == timestamp('2009-02-15T11:31:30Z')", "timestamp('2009-02-13T23:31:30Z') - duration('1.5s') < timestamp('2009-02-13T23:31:29Z')",
    "(timestamp('2009-02-14T23:31:30Z') - timestamp('2009-02-13T23:31:30Z')).getHours()", "duration('90m') > duration('1h')", "duration('1h') + duration('30m') == duration('90m')",
    "duration('3730s').getMinutes()", "duration('3730s').getSeconds()", "duration('-90m').getHours()",
    # macros
    "[1, 2, 3].exists(x, x > 2)", "[1, 2, 3].all(x, x > 0)", "[1, 2, 3].all(x, x > 1)", "[1, 2, 3].exists_one(x, x > 2)", "[1, 2, 2].exists_one(x, x == 2)",
    "[1, 2, 3].filter(x, x > 1).size()", "size([1, 2])", "2 in [1, 2].map(x, x * 2)", "['a', 'b'].exists(x, ['b', 'c'].exists(y, x == y))",
]  # fmt: skip


def normal(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Decimal(repr(value))
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=value.tzinfo or dt.UTC)
    return value


@pytest.fixture(scope="module")
async def connection(database_url: str):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("text", SAME)
async def test_both_back_ends_agree_with_the_reference(text: str, connection: asyncpg.Connection) -> None:
    expected = normal(cel.NewEnv(variables={}).compile(text).eval().plain_value())
    expression = compiled(text, None)
    assert normal(to_python(expression)(Env())) == expected
    assert expression.in_sql
    query = statement(sql("SELECT ", to_value_sql(expression, SqlContext("t0", NAMESPACE, MODEL))))
    assert normal(await connection.fetchval(query.text, *query.arguments([], ANONYMOUS, ""))) == expected


DIFFERENT = [
    ("1 / 0", None), ("1.0 / 0.0", None), ("5 % 0", None), ("int('x')", None), ("int('1.5')", None), ("double('1,5')", None),
    ("timestamp('2026-02-30T00:00:00Z'.trim())", None), ("date('2026-02-30'.trim())", None), ("date('0000-01-01'.trim())", None),
    ("0.1 + 0.2 == 0.3", True), ("1 == 1.0", True), ("1.0 / 3", Decimal("0.3333333333333333")), ("-2.0 / 3", Decimal("-0.6666666666666666")),
    ("9223372036854775807 + 1", 9223372036854775808), ("math.round(2.5)", 3), ("math.round(-2.5)", -3), ("math.round(1.005, 2)", Decimal("1.01")),
    ("math.greatest(1, 2.5)", Decimal("2.5")), ("date('2026-03-01') + 1 == date('2026-03-02')", True), ("date('2026-03-01').getDayOfWeek()", 0),
    ("[1, 2, 4].avg()", Decimal("2.3333333333333333")), ("[0.5, 1].sum()", Decimal("1.5")), ("['b', 'a'].min()", "a"), ("string(1.50)", "1.5"),
    ("user.id == user.id", False), ("user.id != user.id", True), ("null == null", True), ("user.id == null", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DIFFERENT)
async def test_where_we_differ_from_cel_both_back_ends_differ_alike(
    text: str, expected: object, connection: asyncpg.Connection
) -> None:
    expression = compiled(text, None)
    assert to_python(expression)(Env()) == expected
    query = statement(sql("SELECT ", to_value_sql(expression, SqlContext("t0", NAMESPACE, MODEL))))
    assert await connection.fetchval(query.text, *query.arguments([], ANONYMOUS, "")) == expected
