"""What the caller brings can widen nothing and break nothing: absent, odd and hostile principals."""

import asyncpg
import pytest
import sample_tenant as tenant
from sample_tenant import MODEL, NAMESPACE, USERS, compiled, in_python, in_sql, stored

from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.principal import ANONYMOUS, Principal
from schemas.compiler.sql import sql, statement

ROWS = {
    "users": [
        {"id": USERS[0], "region": "EU", "level": 2},
        {"id": USERS[1], "region": None, "deleted_at": "2026-01-01T00:00:00Z"},
    ],
    "items": [
        {"id": USERS[2], "status": "a", "owner_id": None, "name": None},
        {"id": USERS[3], "status": "a", "owner_id": USERS[0], "name": "x", "net": 2},
        {"id": USERS[4], "status": "b", "owner_id": USERS[1], "name": "", "tags": ["EU"]},
    ],
}
ODD = [
    ANONYMOUS,
    Principal(id="", email="", claims={"region": "", "level": "", "groups": ""}),
    Principal(id="not-a-uuid", email="a\x00b", claims={"region": ["EU"], "level": "1; DROP", "groups": "EU"}),
    Principal(id=USERS[0].upper().replace("-4000-", "-4000-"), claims={"region": "EU", "level": "2", "groups": ["EU", None]}),
    Principal(id=USERS[0], claims={"region": True, "level": 2.5, "groups": {"a": 1}}),
    Principal(id=USERS[0], claims={"region": 10**30, "level": 10**30, "groups": [1, 2]}),
    Principal(id=USERS[1], claims={"region": "E" * 100_000, "level": -1, "groups": []}),
]  # fmt: skip
RULES = [
    "self.owner_id == user.id",
    "self.owner.id == user.id",
    "self.owner.region == user.region",
    "self.owner.region != user.region",
    "self.owner.level >= user.level",
    "self.net == user.level",
    "self.name == user.email",
    "'EU' in user.groups",
    "user.region in self.tags",
    "self.owner.region in user.groups",
    "user.groups.exists(g, g == self.owner.region)",
    "self.due_on == user.region || self.made_at < user.region || self.done == user.region",
    "user.role == 'admin' || 'public' in user.roles",
    "user.role in ['admin', 'member']",
]


@pytest.fixture(scope="module")
async def database(database_url: str):
    connection = await asyncpg.connect(database_url)
    await tenant.create(connection, ROWS)
    yield connection, await stored(connection)
    await connection.close()


@pytest.mark.parametrize("rule", RULES)
async def test_any_caller_gets_the_same_answer_from_both_back_ends(rule: str, database) -> None:
    connection, tables = database
    expression = compiled(rule)
    for principal in ODD:
        assert await in_sql(connection, expression, principal, to_sql) == in_python(
            expression, tables, principal
        ), principal


@pytest.mark.parametrize(
    "rule", ["self.owner_id == user.id", "self.name == user.email", "self.owner.region == user.region"]
)
async def test_an_anonymous_caller_matches_no_row_not_even_an_ownerless_one(rule: str, database) -> None:
    connection, _ = database
    assert await in_sql(connection, compiled(rule), ANONYMOUS, to_sql) == [False, False, False]


async def test_a_deleted_parent_is_absent(database) -> None:
    connection, _ = database
    assert await in_sql(connection, compiled("has(self.owner)")) == [False, True, False]
    assert await in_sql(connection, compiled("self.owner.id == user.id"), Principal(id=USERS[1])) == [
        False,
        False,
        False,
    ]


async def test_a_rule_and_its_negation_share_out_the_rows(database) -> None:
    connection, _ = database
    for rule in RULES:
        for principal in ODD:
            plain = await in_sql(connection, compiled(rule), principal, to_sql)
            negated = await in_sql(connection, compiled(f"!({rule})"), principal, to_sql)
            assert [one != other for one, other in zip(plain, negated, strict=True)] == [True] * 3


async def test_the_fragment_itself_is_never_null(database) -> None:
    connection, _ = database
    for rule in RULES:
        fragment = to_sql(compiled(rule), SqlContext("t0", NAMESPACE, MODEL))
        query = statement(sql(f"SELECT count(*) FROM {NAMESPACE}.items t0 WHERE (", fragment, ") IS NULL"))
        assert await connection.fetchval(query.text, *query.arguments([], ANONYMOUS, "")) == 0
