"""What a caller sees and does not see: row rules, masks, and relations with rules of their own."""

import asyncpg
import pytest

from schemas.compiler.query.errors import QueryError
from tests.query.kit import WRITTEN, Tenant, uid, who


async def test_rows_out_of_reach_are_not_there(member: Tenant) -> None:
    assert [row["title"] for row in await member.get("tickets", "select=title&order=title")] == [
        "four", "one", "three", "two",
    ]  # fmt: skip
    assert (await member.read("tickets", key=uid(25)))["page_count"] == 0
    assert (await member.read("tickets", "", prefer="count=exact"))["total"] == 4
    assert await member.get("projects", "title=eq.Hidden") == []


async def test_a_field_hidden_for_some_rows_is_absent_from_those(member: Tenant) -> None:
    rows = {row["title"]: row for row in await member.get("tickets")}
    assert rows["one"]["note"] == "n1"
    assert "note" not in rows["two"]
    assert rows["three"]["note"] is None
    named = await member.get("tickets", "select=title,n:note&order=title")
    assert [set(row) for row in named] == [{"title", "n"}] * 3 + [{"title"}]
    assert (await member.read("tickets", key=uid(22)))["body"].keys().isdisjoint({"note"})
    only = await member.get("tickets", "select=note&title=eq.two")
    assert only == [{}]


async def test_a_mask_holds_inside_embeds(member: Tenant) -> None:
    (row,) = await member.get("projects", "select=tickets(title,note)&title=eq.Alpha&tickets.order=title")
    assert row["tickets"] == [{"title": "one", "note": "n1"}, {"title": "two"}]


async def test_filter_and_order_do_not_see_masked_values(member: Tenant) -> None:
    assert [row["title"] for row in await member.get("tickets", "note=eq.n2")] == []
    assert [row["title"] for row in await member.get("tickets", "note=eq.n1")] == ["one"]
    rows = await member.get("tickets", "select=title&order=note.desc.nullsfirst,title")
    assert [row["title"] for row in rows] == ["three", "two", "four", "one"]


@pytest.mark.parametrize(
    "query",
    ["select={}", "{}=eq.1", "order={}", "or=({}.eq.1,id.is.null)", "select={}.sum()", "select=x:{}::text"],
)
async def test_a_hidden_field_looks_like_an_unknown_one(member: Tenant, query: str) -> None:
    stranger = member.as_(who(None, "member"))
    for name in ("pin", "nosuch"):
        with pytest.raises(QueryError) as caught:
            stranger.prepare("people", query.format(name))
        assert caught.value.code == "PGRST204"
        assert caught.value.message == f"column people.{name} does not exist"


async def test_own_row_shows_more(member: Tenant) -> None:
    rows = {row["name"]: row for row in await member.get("people", "select=name,salary")}
    assert rows == {"Ann": {"name": "Ann"}, "Bob": {"name": "Bob", "salary": 20}, "Cid": {"name": "Cid"}}


async def test_no_entry_no_table(member: Tenant) -> None:
    for query in ("", "select=id", "id=eq.1"):
        with pytest.raises(QueryError) as caught:
            member.prepare("vault", query)
        assert caught.value.code == "42501"
    for query in ("select=vault(code)", "select=id,vault!inner()", "select=id,...vault(code)"):
        with pytest.raises(QueryError) as caught:
            member.prepare("projects", query)
        assert caught.value.code == "42501"
    with pytest.raises(QueryError) as caught:
        member.as_(who(9)).prepare("people", "")
    assert caught.value.code == "42501"


async def test_related_rows_follow_their_own_rules(member: Tenant) -> None:
    rows = await member.get("tickets", "select=title,projects(title)&title=eq.four")
    assert rows == [{"title": "four", "projects": None}]
    assert await member.get("tickets", "select=title,projects!inner(title)&title=eq.four") == []
    rows = await member.get("people", "select=name,tickets(title)&name=eq.Ann")
    assert rows == [{"name": "Ann", "tickets": [{"title": "two"}]}]
    rows = await member.get("people", "select=projects!memberships(title)&name=eq.Bob")
    assert rows == [{"projects": [{"title": "Alpha"}]}]
    assert await member.get("tickets", "select=title,...projects(p:title)&title=eq.four") == [
        {"title": "four", "p": None}
    ]


async def test_aggregates_are_for_those_who_may(member: Tenant) -> None:
    for query in ("select=count()", "select=net.sum()", "select=status,count()"):
        with pytest.raises(QueryError) as caught:
            member.prepare("tickets", query)
        assert caught.value.code == "PGRST123"
    with pytest.raises(QueryError) as caught:
        member.prepare("projects", "select=tickets(count())")
    assert caught.value.code == "PGRST123"


async def test_deleted_rows_are_gone(boss: Tenant) -> None:
    before = await boss.scalar("SELECT count(*) FROM ns.tickets")
    row = await boss.write("delete", "tickets", key=uid(21))
    assert (row["page_count"], row["body"]["title"]) == (1, "one")
    assert await boss.scalar("SELECT count(*) FROM ns.tickets") == before


async def test_writes_stay_in_reach(member: Tenant) -> None:
    assert (await member.write("update", "tickets", {"title": "x"}, key=uid(22)))["page_count"] == 0
    assert (await member.write("update", "tickets", {"title": "x"}, query="title=in.(one,two,three,five)"))[
        "page_count"
    ] == 2
    with pytest.raises(asyncpg.PostgresError) as caught:
        await member.write("update", "tickets", {"owner_id": uid(1)}, key=uid(21))
    assert caught.value.sqlstate == "BS403"
    with pytest.raises(QueryError) as refused:
        await member.write("update", "tickets", {"note": "x"}, key=uid(21))
    assert (refused.value.code, refused.value.errors[0]["pointer"]) == ("42501", "/note")
    with pytest.raises(QueryError):
        await member.write("delete", "tickets", key=uid(21))


async def test_set_wins_over_the_body(member: Tenant) -> None:
    row = await member.write("insert", "tickets", {"id": uid(90), "title": "t", "owner_id": uid(1)})
    assert (row["body"][0]["owner_id"], row["body"][0]["created_by"]) == (uid(2), uid(2))


async def test_an_upsert_does_not_take_over_rows(member: Tenant) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await member.write(
            "insert",
            "tickets",
            {"id": uid(22), "title": "mine"},
            prefer=f"{WRITTEN},resolution=merge-duplicates",
        )
    assert caught.value.sqlstate == "BS403"
    row = await member.write(
        "insert",
        "tickets",
        {"id": uid(22), "title": "mine"},
        prefer=f"{WRITTEN},resolution=ignore-duplicates",
    )
    assert row["page_count"] == 0


async def test_the_answer_to_a_write_is_masked(member: Tenant) -> None:
    row = await member.write("update", "tickets", {"title": "x"}, key=uid(21))
    assert row["body"]["note"] == "n1"
    boss = member.as_(who(3, "boss", "member"))
    row = await boss.write("update", "people", {"salary": 5}, key=uid(2))
    assert row["body"]["salary"] == 5
    assert "pin" not in row["body"]
