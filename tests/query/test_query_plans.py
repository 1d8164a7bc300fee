"""What PostgreSQL does with our statements: which index it takes, how often it runs a subquery."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from schemas.compiler.query.requests import Prepared
from tests.query.kit import Tenant, uid


async def nodes(tenant: Tenant, prepared: Prepared, *, run: bool = False) -> list[dict[str, Any]]:
    """The nodes of a statement's plan; sequential scans only where there is no other way."""
    arguments = prepared.statement.arguments(prepared.slots, tenant.caller, datetime.now(UTC).isoformat())
    transaction = tenant.own.transaction()
    await transaction.start()
    try:
        await tenant.own.execute("SET LOCAL enable_seqscan = off")
        how = "EXPLAIN (ANALYZE, FORMAT JSON) " if run else "EXPLAIN (FORMAT JSON) "
        text = await tenant.own.fetchval(how + prepared.statement.text, *arguments)
    finally:
        await transaction.rollback()
    return list(walk(json.loads(text)[0]["Plan"]))


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)


async def scans(tenant: Tenant, prepared: Prepared) -> list[tuple[str, str]]:
    found = await nodes(tenant, prepared)
    return [(node["Index Name"], node.get("Index Cond", "")) for node in found if "Index Name" in node]


async def runs_of(tenant: Tenant, prepared: Prepared, table: str) -> list[int]:
    found = await nodes(tenant, prepared, run=True)
    return [node["Actual Loops"] for node in found if node.get("Relation Name") == table]


async def test_one_row_is_found_by_its_key(boss: Tenant) -> None:
    ((index, condition),) = await scans(boss, boss.prepare("people", key=uid(1)))
    assert index.endswith("_pkey")
    assert condition.startswith("(id = ")


async def test_search_takes_its_index(boss: Tenant) -> None:
    (_, words), (_, nearly) = await scans(boss, boss.prepare("people", "search=ann"))
    assert "to_tsvector" in words
    assert "%>" in nearly


async def test_a_cursor_starts_in_the_index(boss: Tenant) -> None:
    prepared = boss.prepare("people", "limit=1&after=")
    cursor = boss.queries.next_cursor(prepared, (await boss.run(prepared))["cursor"])
    ((index, condition),) = await scans(boss, boss.prepare("people", f"limit=1&after={cursor}"))
    assert index.endswith("_pkey")
    assert condition.startswith("(id > ")


async def test_a_list_of_keys_takes_the_index(boss: Tenant) -> None:
    ((index, condition),) = await scans(boss, boss.prepare("people", f"id=in.({uid(1)},{uid(2)})"))
    assert index.endswith("_pkey")
    assert "ANY" in condition


async def test_an_embedded_parent_is_read_once_a_row(boss: Tenant) -> None:
    prepared = boss.prepare("tickets", "select=title,owner(name,city)&order=id&limit=2")
    assert await runs_of(boss, prepared, "people") == [2]


async def test_nothing_is_counted_unasked(boss: Tenant) -> None:
    assert await runs_of(boss, boss.prepare("people", "limit=1"), "people") == [1]


async def test_skipped_rows_are_not_embedded(boss: Tenant) -> None:
    prepared = boss.prepare("tickets", "select=title,owner(name,city)&order=id&limit=1&offset=3")
    assert await runs_of(boss, prepared, "people") == [1]


async def test_a_spread_parent_is_read_once_a_row(boss: Tenant) -> None:
    prepared = boss.prepare("tickets", "select=title,...owner(name,city,boss_id)&order=id&limit=2")
    assert await runs_of(boss, prepared, "people") == [2]
