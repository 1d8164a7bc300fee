"""PostgreSQL serves what the SQL back end writes from indexes, and relations become semi-joins."""

import json

import asyncpg
import pytest
import sample_tenant as tenant
from sample_tenant import NAMESPACE, PRINCIPAL, compiled

from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.sql import sql, statement


@pytest.fixture(scope="module")
async def connection(database_url: str):
    connection = await asyncpg.connect(database_url)
    await tenant.create(connection, {})
    await connection.execute(f"""
        SET search_path TO {NAMESPACE};
        INSERT INTO users (id, region, level) SELECT gen_random_uuid(), 'r' || n % 50, n % 7 FROM generate_series(1, 2000) n;
        INSERT INTO items (id, owner_id, status, net, due_on, tags, done)
            SELECT gen_random_uuid(), u.id, 's' || n % 500, n, date '2026-01-01' + n % 900, ARRAY['t' || n % 700], n % 900 = 0
            FROM generate_series(1, 10) n, users u;
        CREATE INDEX ON items (owner_id); CREATE INDEX ON items (status); CREATE INDEX ON items (due_on); CREATE INDEX ON users (region);
        CREATE INDEX ON items USING gin (tags); CREATE INDEX ON items (net); CREATE INDEX ON notes (item_id); CREATE INDEX ON items (done);
        ANALYZE items; ANALYZE users; RESET search_path;""")  # fmt: skip
    yield connection
    await connection.close()


async def plan(connection: asyncpg.Connection, text: str) -> list[str]:
    fragment = to_sql(compiled(text), SqlContext("t0", NAMESPACE, tenant.MODEL))
    query = statement(sql(f"EXPLAIN (FORMAT JSON) SELECT * FROM {NAMESPACE}.items t0 WHERE ", fragment))
    document = json.loads(
        await connection.fetchval(query.text, *query.arguments([], PRINCIPAL, tenant.NOW.isoformat()))
    )
    return list(nodes(document[0]["Plan"]))


def nodes(node: dict):
    yield f"{node['Node Type']} {node.get('Relation Name', '')} {node.get('Index Name', '')}"
    for child in node.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("self.owner_id == user.id", "items_owner_id_idx"),
        ("mine", "items_owner_id_idx"),
        ("self.status == 's7'", "items_status_idx"),
        ("self.status in ['s7', 's8']", "items_status_idx"),
        ("self.due_on > date('2028-06-01')", "items_due_on_idx"),
        ("self.due_on < '2026-01-02' && self.status == 's1'", "items_"),
        ("self.net == 3 && self.owner_id == user.id", "items_owner_id_idx"),
        ("'t7' in self.tags", "items_tags_idx"),
        ("self.done", "items_done_idx"),
        ("self.owner.id == user.id", "users_pkey"),
        ("self.owner.region == user.region", "items_owner_id_idx"),
    ],
)
async def test_an_index_serves(text: str, index: str, connection: asyncpg.Connection) -> None:
    steps = await plan(connection, text)
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("Seq Scan items") for step in steps), steps


async def test_a_path_is_a_join_not_a_query_per_row(connection: asyncpg.Connection) -> None:
    steps = await plan(connection, "self.owner.region == 'r1' || self.done")
    assert not any(step.startswith("SubPlan") for step in steps)
    fragment = statement(
        to_sql(compiled("self.owner.boss.region == 'r1'"), SqlContext("t0", NAMESPACE, tenant.MODEL))
    ).text
    assert fragment.count("SELECT") == 1
    assert fragment.startswith("EXISTS (SELECT 1 FROM")


def test_values_are_never_in_the_text() -> None:
    expression = compiled("self.name == 'Robert\\'); DROP TABLE x' || self.name.contains('100%_\\\\')")
    query = statement(to_sql(expression, SqlContext("t0", NAMESPACE, tenant.MODEL)))
    assert "Robert" not in query.text
    assert [bind.value for bind in query.binds] == ["Robert'); DROP TABLE x", "%100\\%\\_\\\\%"]


def test_tables_are_qualified_and_aliases_do_not_meet() -> None:
    expression = compiled(
        "self.owner.items.exists(i, i.owner.items.exists(j, j.notes.exists(n, n.item.owner_id == self.owner_id)))"
    )
    text = statement(to_sql(expression, SqlContext("t0", NAMESPACE, tenant.MODEL))).text
    for entity in ("users", "items", "notes"):
        assert text.count(f'"{entity}" AS') == text.count(f'"{NAMESPACE}"."{entity}" AS')
    aliases = [
        word
        for word, following in zip(text.split(), text.split()[1:], strict=False)
        if word == "AS" and following
    ]
    named = [
        following for word, following in zip(text.split(), text.split()[1:], strict=False) if word == "AS"
    ]
    assert len(aliases) == len(set(named))
