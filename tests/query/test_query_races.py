"""Two writers at once: no change is lost, none is counted twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import asyncpg
import pytest

from tests.query.kit import WRITTEN, Tenant, uid


@pytest.fixture
async def other(boss: Tenant, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else's connection."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def meanwhile(other: asyncpg.Connection, change: str, ours: Awaitable[Any]) -> Any:
    """Let our statement run into a change that commits only once ours waits for it."""
    transaction = other.transaction()
    await transaction.start()
    await other.execute(change)
    task = asyncio.ensure_future(ours)
    for _ in range(200):
        waiting = await other.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        if waiting:
            break
        await asyncio.sleep(0.01)
    assert waiting
    await transaction.commit()
    return await task


async def test_a_stale_version_changes_nothing(boss: Tenant, other: asyncpg.Connection) -> None:
    version = str(await boss.scalar(f"SELECT row_version FROM ns.people WHERE id = '{uid(3)}'"))
    table = f'"{boss.identity.namespace}".people'
    row = await meanwhile(
        other,
        f"UPDATE {table} SET row_version = row_version + 1, city = 'theirs' WHERE id = '{uid(3)}'",
        boss.write("update", "people", {"city": "ours"}, key=uid(3), expected_version=version, keep=True),
    )
    assert row["page_count"] == 0
    assert await boss.scalar(f"SELECT city FROM ns.people WHERE id = '{uid(3)}'") == "theirs"


async def test_versions_count_both_changes(boss: Tenant, other: asyncpg.Connection) -> None:
    version = await boss.scalar(f"SELECT row_version FROM ns.people WHERE id = '{uid(2)}'")
    table = f'"{boss.identity.namespace}".people'
    row = await meanwhile(
        other,
        f"UPDATE {table} SET row_version = row_version + 1 WHERE id = '{uid(2)}'",
        boss.write("update", "people", {"city": "ours"}, key=uid(2)),
    )
    assert int(row["version"]) == version + 2


async def test_a_rule_judges_the_row_as_it_has_become(member: Tenant, other: asyncpg.Connection) -> None:
    table = f'"{member.identity.namespace}".tickets'
    row = await meanwhile(
        other,
        f"UPDATE {table} SET owner_id = '{uid(1)}' WHERE id = '{uid(21)}'",
        member.write("update", "tickets", {"title": "mine"}, key=uid(21)),
    )
    assert row["page_count"] == 0


async def test_a_transition_rule_sees_the_latest_row(boss: Tenant, other: asyncpg.Connection) -> None:
    table = f'"{boss.identity.namespace}".tickets'
    with pytest.raises(asyncpg.PostgresError) as caught:
        await meanwhile(
            other,
            f"UPDATE {table} SET status = 'paid' WHERE id = '{uid(22)}'",
            boss.write("update", "tickets", {"net": 1}, key=uid(22)),
        )
    assert caught.value.sqlstate == "BS422"


async def test_two_upserts_make_one_row(boss: Tenant, other: asyncpg.Connection) -> None:
    table = f'"{boss.identity.namespace}".counters'
    row = await meanwhile(
        other,
        f"INSERT INTO {table} (label, n) VALUES ('race', 1)",
        boss.write(
            "insert", "counters", {"label": "race", "n": 2}, query="on_conflict=label",
            prefer=f"{WRITTEN},resolution=merge-duplicates", keep=True,
        ),
    )  # fmt: skip
    assert [(one["n"], one["row_version"]) for one in row["body"]] == [(2, 2)]
    assert await boss.scalar("SELECT count(*) FROM ns.counters WHERE label = 'race'") == 1
