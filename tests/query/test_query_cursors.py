"""Paging by ``after``: every row once, in order, and no cursor that is not ours."""

import pytest

from schemas.compiler.query.errors import QueryError
from tests.query.kit import Tenant


async def walk(tenant: Tenant, entity: str, query: str) -> list[object]:
    found: list[object] = []
    cursor: str | None = ""
    while cursor is not None:
        prepared = tenant.prepare(entity, f"{query}&after={cursor}")
        row = await tenant.run(prepared)
        found += row["body"]
        cursor = tenant.queries.next_cursor(prepared, row["cursor"])
        assert len(found) < 20
    return found


ORDERS = ("", "title", "title.desc", "net.desc", "status,net.desc", "note", "note.desc", "note.nullsfirst", "note.desc.nullslast",
          "note->>a", "project_id.desc,note.nullsfirst", "total.desc", "id.desc", "created_at.desc,title")  # fmt: skip


@pytest.mark.parametrize("order", [order for order in ORDERS if "->" not in order])
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_make_the_list(boss: Tenant, member: Tenant, order: str, limit: int) -> None:
    sort = f"&order={order}" if order else ""
    for tenant in (boss, member):
        whole = await tenant.get("tickets", f"select=title,note&order={order + ',' if order else ''}id")
        assert await walk(tenant, "tickets", f"select=title,note&limit={limit}{sort}") == whole


async def test_json_paths_page(boss: Tenant) -> None:
    assert [row["i"] for row in await walk(boss, "kinds", "select=i&order=j->>k.desc&limit=1")] == [
        None,
        2,
        1,
    ]


async def test_a_full_last_page_ends_with_an_empty_one(boss: Tenant) -> None:
    prepared = boss.prepare("people", "limit=3&after=")
    cursor = boss.queries.next_cursor(prepared, (await boss.run(prepared))["cursor"])
    row = await boss.read("people", f"limit=3&after={cursor}", prefer="count=exact")
    assert (row["body"], row["cursor"], row["total"]) == ([], None, 3)


async def test_only_our_cursors_count(boss: Tenant) -> None:
    prepared = boss.prepare("people", "limit=1&order=name&after=")
    cursor = boss.queries.next_cursor(prepared, (await boss.run(prepared))["cursor"])
    assert cursor
    forged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for query in (
        "order=name&after=x", "order=name&after=%C3%A9", f"order=name&after={forged}", f"order=name.desc&after={cursor}",
        f"order=city&after={cursor}", f"after={cursor}", "select=count()&after=",
    ):  # fmt: skip
        with pytest.raises(QueryError) as caught:
            boss.prepare("people", f"limit=1&{query}")
        assert caught.value.code == (
            "PGRST123" if "count" in query and not boss.caller.roles else "query.bad_cursor"
        )
    with pytest.raises(QueryError):
        boss.prepare("badges", f"order=name&after={cursor}")
