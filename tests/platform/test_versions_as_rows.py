"""What became of every saved file is a row of ``schemas``: filtered and embedded like all rows, shown by the overview."""

import asyncio
from typing import Any

from tests.platform.conftest import Platform
from tests.platform.test_files_by_api import FILE
from tests.platform.test_pruned_archive import write

QUERY = "schemas?select=number,status,author,findings,plan,deployed_at,tenant!inner(slug)&tenant.slug=eq.{}&order=number"


async def until(platform: Platform, slug: str, wanted: list[tuple[int, str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(100):
        status, found = await platform.call("GET", QUERY.format(slug))
        assert status == 200, found
        if [(row["number"], row["status"]) for row in found] == wanted:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_every_version_is_a_row_also_a_refused_one(platform: Platform) -> None:
    await platform.create("rows-co", template="blank")
    (first,) = await until(platform, "rows-co", [(1, "deployed")])
    assert (first["author"], first["findings"]) == ("root@example.com", [])
    assert first["deployed_at"]
    text = (platform.live.schemas / "rows-co.yaml").read_text()
    platform.live.write("rows-co", text.replace("title: {", "title: { maxLenght: 3,"))
    _, refused = await until(platform, "rows-co", [(1, "deployed"), (2, "rejected")])
    assert refused["deployed_at"] is None
    (finding,) = refused["findings"]
    assert finding["line"] > 1
    assert "maxLenght" in finding["message"]
    # the overview's list
    shown = "schemas?select=tenant(slug),number&status=in.(pending,rejected)&order=saved_at.desc"
    assert {"tenant": {"slug": "rows-co"}, "number": 2} in (await platform.call("GET", shown))[1]
    # what waits, with its plan; then the one before is in force no more
    platform.live.write("rows-co", FILE % "rows-co")
    *_, waiting = await until(platform, "rows-co", [(1, "deployed"), (2, "rejected"), (3, "pending")])
    assert waiting["plan"]["steps"]
    platform.live.write("rows-co", text + "# a remark\n")
    await until(platform, "rows-co", [(1, "superseded"), (2, "rejected"), (3, "draft"), (4, "deployed")])
    _, (row,) = await platform.call(
        "GET", "schemas?select=text,hash,tenant!inner(slug)&tenant.slug=eq.rows-co&number=eq.4"
    )
    assert row["text"] == text + "# a remark\n"
    assert len(row["hash"]) == 64


async def test_only_the_owner_of_a_tenant_reads_its_versions(platform: Platform) -> None:
    await platform.create("mine-co")
    await until(platform, "mine-co", [(1, "deployed")])
    stranger = await platform.person("stranger@example.com")
    query = "/api/platform/" + QUERY.format("mine-co")
    assert await platform.client.send("GET", query, **stranger) == (200, [])
    _, people = await platform.call("GET", "users?email=eq.stranger@example.com&select=id")
    await platform.call("PATCH", "tenants?slug=eq.mine-co", {"owner_id": people[0]["id"]})
    _, found = await platform.client.send("GET", query, **stranger)
    assert [row["number"] for row in found] == [1]


async def test_what_changed_while_nothing_mirrored_is_caught_up(platform: Platform) -> None:
    await platform.create("late-co")
    await until(platform, "late-co", [(1, "deployed")])
    async with platform.owner() as connection:
        space = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'system'")
        await connection.execute(f'DELETE FROM "{space}".schemas')
        await connection.execute("UPDATE backsaas.versions SET mirrored = false")
    await until(platform, "late-co", [(1, "deployed")])
    await until(platform, "system", [(1, "deployed")])


async def test_functions_of_the_version_in_force_are_rows(platform: Platform) -> None:
    await platform.create("works-co", template="blank")
    hooks = (
        "    functions: { tidy: { function: set_fields, trigger: [before_create], config: { name: n } } }\n"
    )
    text = FILE % "works-co"
    await write(platform, "works-co", text.replace("    access:", hooks + "    access:", 1))
    query = (
        "tenant_functions?select=entity,name,runs,kind,triggers,tenant!inner(slug)&tenant.slug=eq.works-co"
    )
    wanted = {
        "entity": "things",
        "name": "tidy",
        "runs": "set_fields",
        "kind": "built_in",
        "triggers": ["before_create"],
    }
    for _ in range(300):
        _, found = await platform.call("GET", query)
        if found:
            break
        await asyncio.sleep(0.1)
    assert found == [{**wanted, "tenant": {"slug": "works-co"}}]
