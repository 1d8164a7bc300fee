"""A plan is made of tables that stay: while a migration still changes them, planning waits or says so."""

import asyncio
from typing import Any

from tests.platform.conftest import Platform
from tests.platform.test_files_by_api import FILE, put
from tests.platform.test_pruned_archive import WITH_MORE, write


async def blocked(connection: Any) -> None:
    """Wait until somebody waits for a lock."""
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


async def test_a_table_archived_while_a_plan_looks_at_it(platform: Platform) -> None:
    slug = "plan-co"
    await platform.create(slug)
    async with platform.owner() as connection:
        namespace, archive = await connection.fetchrow(
            "SELECT namespace, archive FROM backsaas.tenants WHERE slug = $1", slug
        )
        transaction = connection.transaction()
        await transaction.start()
        # what a migration's own transaction does; the plan sees the table until this commits, then waits for it
        await connection.execute(f'ALTER TABLE "{namespace}"."notes" SET SCHEMA "{archive}"')
        asked = asyncio.create_task(put(platform, slug, FILE % slug))
        await blocked(connection)
        await transaction.commit()
        status, answer, _ = await asked
        assert (status, answer["code"]) == (409, "schema.needs_confirmation"), answer
        await connection.execute(f'ALTER TABLE "{archive}"."notes" SET SCHEMA "{namespace}"')


async def test_planning_waits_for_what_follows_a_switch(platform: Platform) -> None:
    slug = "wait-co"
    await platform.create(slug)
    await write(platform, slug, FILE % slug + WITH_MORE)
    inside = await platform.enter(slug)
    status, (row,) = await platform.inside(
        slug, "POST", "things", {"name": "a"}, Prefer="return=representation", **inside
    )
    assert status == 201, row
    async with platform.owner() as connection:
        namespace = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = $1", slug)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f'SELECT FROM "{namespace}".things FOR UPDATE')
        # a request that is under way keeps the version before in use: its tables are archived after that
        kept = asyncio.create_task(
            platform.inside(slug, "PATCH", f"things/{row['id']}", {"name": "b"}, **inside)
        )
        await blocked(connection)
        await write(platform, slug, FILE % slug)
        text = FILE % slug + WITH_MORE
        asked = asyncio.create_task(platform.rpc("plan_schema", slug=slug, text=text))
        await asyncio.wait({asked}, timeout=0.3)
        await transaction.commit()
        assert (await kept)[0] in {200, 204}
        status, plan = await asked
    assert status == 200, plan
    assert "restore table extras from _arch_extras_3" in plan["summary"]
