"""Columns, casts, embeds, spreads, aggregates and paging, as the answer's JSON."""

from typing import Any
from urllib.parse import quote

import pytest

from schemas.compiler.query.errors import QueryError
from tests.query.kit import Tenant, uid

ANSWERS: dict[str, Any] = {
    # -- columns
    "kinds?select=i,w:t,i::text&i=eq.1": [{"i": "1", "w": "a,b"}],
    "kinds?select=i,i&i=eq.1": [{"i": 1}],
    "kinds?select=x:i::text&i=eq.1": [{"x": "1"}],
    "kinds?select=j->k,j->a->b->1->>c,e:j->>n&i=eq.1": [{"k": "v", "c": "x", "e": "5"}],
    "kinds?select=j->a->b->0&i=eq.1": [{"b": 1}],
    'kinds?select="i"&i=eq.1': [{"i": 1}],
    "kinds?select=words->0,nums&i=eq.1": [{"words": "x", "nums": [1, 2]}],
    "kinds?select=i, t&i=eq.2": [{"i": 2, "t": 'q"(x)\\'}],
    "kinds?select=n,b,f&i=eq.1": [{"n": 1.25, "b": 2**60, "f": 0.5}],
    # -- to one
    "tickets?select=title,owner:people(name)&title=eq.one": [{"title": "one", "owner": {"name": "Bob"}}],
    "tickets?select=people(name)&title=eq.one": [{"people": {"name": "Bob"}}],
    "tickets?select=owner(name)&title=eq.one": [{"owner": {"name": "Bob"}}],
    "tickets?select=owner_id(name)&title=eq.one": [{"owner_id": {"name": "Bob"}}],
    "tickets?select=projects(title)&title=eq.five": [{"projects": None}],
    "projects?select=lead:people!lead_id(name),backup:people!projects_backup_id_fkey(name)&order=title&limit=1": [
        {"lead": {"name": "Ann"}, "backup": {"name": "Bob"}}
    ],
    "people?select=name,badges(color)&name=in.(Ann,Bob)&order=name": [
        {"name": "Ann", "badges": {"color": "red"}},
        {"name": "Bob", "badges": None},
    ],
    "badges?select=people(name)": [{"people": {"name": "Ann"}}],
    # -- self-reference
    "people?select=name,people!boss_id(name)&name=eq.Ann&people.order=name": [
        {"name": "Ann", "people": [{"name": "Bob"}, {"name": "Cid"}]}
    ],
    "people?select=name,boss_id(name)&name=eq.Bob": [{"name": "Bob", "boss_id": {"name": "Ann"}}],
    "people?select=name,boss(name)&order=name&limit=2": [
        {"name": "Ann", "boss": None}, {"name": "Bob", "boss": {"name": "Ann"}},
    ],
    # -- to many, through
    "projects?select=title,tickets(title)&title=eq.Alpha&tickets.order=title": [
        {"title": "Alpha", "tickets": [{"title": "one"}, {"title": "two"}]}
    ],
    "projects?select=tickets(title)&title=eq.Alpha&tickets.order=title.desc&tickets.limit=1&tickets.offset=1": [
        {"tickets": [{"title": "one"}]}
    ],
    "projects?select=title,tickets(title)&tickets.title=eq.one&order=title": [
        {"title": "Alpha", "tickets": [{"title": "one"}]},
        {"title": "Beta, Inc. (x)", "tickets": []},
        {"title": "Hidden", "tickets": []},
    ],
    "projects?select=title,tickets!inner(title)&tickets.title=eq.one": [
        {"title": "Alpha", "tickets": [{"title": "one"}]}
    ],
    "projects?select=tickets(title)&title=eq.Alpha&tickets.or=(title.eq.two,title.eq.zz)": [
        {"tickets": [{"title": "two"}]}
    ],
    "projects?select=tickets(title)&title=eq.Alpha&tickets.not.or=(title.eq.two,title.eq.zz)": [
        {"tickets": [{"title": "one"}]}
    ],
    "projects?select=title,people!memberships(name)&title=eq.Alpha&people.order=name": [
        {"title": "Alpha", "people": [{"name": "Ann"}, {"name": "Bob"}]}
    ],
    "people?select=name,projects!memberships(title)&name=eq.Bob&projects.order=title": [
        {"name": "Bob", "projects": [{"title": "Alpha"}, {"title": "Hidden"}]}
    ],
    "projects?select=title,team:people!memberships!inner(name)&team.name=eq.Ann": [
        {"title": "Alpha", "team": [{"name": "Ann"}]}
    ],
    "people?select=name,led:projects!lead_id(title)&name=eq.Ann": [{"name": "Ann", "led": [{"title": "Alpha"}]}],
    "people?select=name,tickets(title,projects(title,lead:people!lead_id(name)))&name=eq.Ann&tickets.order=title&tickets.limit=1": [
        {"name": "Ann", "tickets": [{"title": "five", "projects": None}]}
    ],
    "tickets?select=title,owner(name,badges(color))&title=eq.two": [
        {"title": "two", "owner": {"name": "Ann", "badges": {"color": "red"}}}
    ],
    # -- empty embeds, null filters
    "projects?select=title,tickets()&tickets=is.null": [],
    "projects?select=title,tickets()&tickets=not.is.null&order=title&limit=1": [{"title": "Alpha"}],
    "tickets?select=title,projects()&projects=is.null": [{"title": "five"}],
    "tickets?select=title,projects!inner()&projects.title=eq.Hidden": [{"title": "four"}],
    "people?select=name,tickets()&or=(tickets.is.null,name.eq.Ann)&order=name": [{"name": "Ann"}, {"name": "Cid"}],
    # -- spreads
    "tickets?select=title,...projects(project:title)&title=eq.one": [{"title": "one", "project": "Alpha"}],
    "tickets?select=title,...projects(project:title)&title=eq.five": [{"title": "five", "project": None}],
    "tickets?select=title,...owner(who:name,...badges(color))&title=eq.two": [
        {"title": "two", "who": "Ann", "color": "red"}
    ],
    "projects?select=title,...tickets(names:title)&title=eq.Alpha&tickets.order=title": [
        {"title": "Alpha", "names": ["one", "two"]}
    ],
    "tickets?select=...owner(*)&title=eq.two&limit=1": None,
    # -- order by a relation
    "tickets?select=title,owner(name)&order=owner(name).desc,title&limit=2": [
        {"title": "four", "owner": {"name": "Bob"}}, {"title": "one", "owner": {"name": "Bob"}},
    ],
    # -- aggregates
    "tickets?select=count()": [{"count": 5}],
    "tickets?select=n:count()&status=eq.open": [{"n": 2}],
    "tickets?select=status,net.sum(),count()&order=status": [
        {"status": "done", "sum": 80, "count": 2},
        {"status": "open", "sum": 30, "count": 2},
        {"status": "paid", "sum": 40, "count": 1},
    ],
    "tickets?select=a:net.avg()::int,b:net::int.max(),c:net.min()::text": [{"a": 30, "b": 50, "c": "10.00"}],
    "tickets?select=title.count()": [{"count": 5}],
    "projects?select=title,tickets(net.sum())&title=eq.Alpha": [{"title": "Alpha", "tickets": [{"sum": 30}]}],
    "tickets?select=...projects(title),net.sum()&order=projects(title)": [
        {"title": "Alpha", "sum": 30}, {"title": "Beta, Inc. (x)", "sum": 30},
        {"title": "Hidden", "sum": 40}, {"title": None, "sum": 50},
    ],
    "badges?select=...people(salary.sum())": [{"sum": 10}],
    "tickets?select=owner(name),net.sum()&order=owner(name)": [
        {"owner": {"name": "Ann"}, "sum": 70}, {"owner": {"name": "Bob"}, "sum": 80},
    ],
    "tickets?select=count()&status=eq.nope": [{"count": 0}],
    # -- computed, old names
    "tickets?select=total&title=eq.one": [{"total": 11.9}],
    "tickets?select=title&total=gt.40&order=total": [{"title": "four"}, {"title": "five"}],
    "people?select=town&town=eq.Rome": [{"town": "Rome"}],
    "people?select=name,town&order=town.desc.nullslast&limit=1": [{"name": "Ann", "town": "Rome"}],
    "jobs?select=title&title=eq.Alpha": [{"title": "Alpha"}],
    "tickets?select=jobs(title)&title=eq.one": [{"jobs": {"title": "Alpha"}}],
}  # fmt: skip


@pytest.mark.parametrize("request_", ANSWERS)
async def test_answer(boss: Tenant, request_: str) -> None:
    entity, _, query = request_.partition("?")
    body = await boss.get(entity, quote(query, safe="=&%!"))
    if ANSWERS[request_] is not None:
        assert body == ANSWERS[request_]


REFUSED = {
    "tickets?select=nope": "PGRST204",
    "tickets?nope=eq.1": "PGRST204",
    "tickets?select=nope(id)": "PGRST200",
    "projects?select=people(name)": "PGRST201",
    "tickets?projects.title=eq.1": "PGRST108",
    "tickets?select=title&order=projects(title)": "PGRST108",
    "projects?select=tickets(title)&order=tickets(title)": "PGRST118",
    "nope?select=id": "PGRST205",
    "tickets?select=id,,": "PGRST100",
    "tickets?select=id)": "PGRST100",
    "tickets?title=like": "PGRST100",
    "tickets?title=nope.1": "PGRST100",
    "tickets?title=eq(any).x": "PGRST100",
    "tickets?title=is.maybe": "PGRST100",
    "tickets?or=title.eq.1": "PGRST100",
    "tickets?or=(title.eq.1": "PGRST100",
    "tickets?or=()": "PGRST100",
    "tickets?order=title.up": "PGRST100",
    "tickets?order=id;drop": "PGRST100",
    "tickets?select=pg_sleep(5)": "PGRST",
    "tickets?limit=-1": "PGRST103",
    "tickets?limit=x": "PGRST100",
    "tickets?offset=100001": "PGRST103",
    "tickets?select=id&select=title": "PGRST100",
    "tickets?title=is.true": "42804",
    "tickets?select=title->a": "42883",
    "tickets?select=id::pg_class": "42704",
    "tickets?select=pin": "PGRST204",
    "people?select=pin": "PGRST204",
    "people?pin=eq.1": "PGRST204",
    "people?order=pin": "PGRST204",
    "kinds?i=cs.{1}": "42883",
    "kinds?words=in.(a)": "42883",
    "kinds?words=sl.(1,2)": "42883",
    "kinds?search=": "",
    "counters?search=x": "query.not_searchable",
    "tickets?select=" + ",".join(f"a{number}:owner(id)" for number in range(21)): "query.too_deep",
    "people?select=tickets(owner(tickets(owner(tickets(id)))))": "query.too_deep",
    "tickets?or=" + "(and" * 12 + "(id.eq.1,id.eq.1)" + ")" * 12: "query.too_deep",
}


@pytest.mark.parametrize("request_", REFUSED)
async def test_refusal(boss: Tenant, request_: str) -> None:
    entity, _, query = request_.partition("?")
    wanted = REFUSED[request_]
    if not wanted:
        await boss.get(entity, query)
        return
    with pytest.raises(QueryError) as caught:
        boss.prepare(entity, quote(query, safe="=&%!"))
    assert caught.value.code.startswith(wanted)


async def test_ambiguous_candidates_are_named(boss: Tenant) -> None:
    with pytest.raises(QueryError) as caught:
        boss.prepare("projects", "select=people(name)")
    assert {item["hint"] for item in caught.value.errors} >= {"lead_id", "backup_id", "memberships"}


async def test_counts_and_ranges(boss: Tenant) -> None:
    row = await boss.read("tickets", "order=title&limit=2&offset=1", prefer="count=exact")
    assert (row["page_count"], row["total"]) == (2, 5)
    prepared = boss.prepare("tickets", "order=title", range="1-2")
    row = await boss.run(prepared)
    assert (prepared.offset, row["page_count"], [item["title"] for item in row["body"]]) == (
        1,
        2,
        ["four", "one"],
    )
    assert (await boss.read("tickets", "select=count()", prefer="count=exact"))["total"] == 1
    assert (await boss.read("tickets", "select=status,count()", prefer="count=exact"))["total"] == 3
    for kind in ("planned", "estimated"):
        assert (await boss.read("tickets", "", prefer=f"count={kind}"))["total"] is not None


async def test_media(boss: Tenant) -> None:
    one = boss.prepare(
        "tickets",
        "select=title,note&title=eq.three",
        accept="application/vnd.pgrst.object+json;nulls=stripped",
    )
    assert (one.singular, (await boss.run(one))["body"]) == (True, {"title": "three"})
    many = boss.prepare(
        "tickets",
        "select=title,note&title=eq.three",
        accept="application/vnd.pgrst.array+json; nulls=stripped",
    )
    assert (await boss.run(many))["body"] == [{"title": "three"}]
    assert boss.prepare("tickets", "select=title,note", accept="text/csv").columns == ("title", "note")
    assert boss.prepare("tickets", accept="application/x-ndjson").media == "ndjson"
    with pytest.raises(QueryError, match="media types"):
        boss.prepare("tickets", accept="image/png")


async def test_one_row_by_its_key(boss: Tenant) -> None:
    row = await boss.read("tickets", "select=title", key=uid(21))
    assert (row["body"], row["version"], row["page_count"]) == ({"title": "one"}, "1", 1)
    assert (await boss.read("tickets", key=uid(99)))["page_count"] == 0
    assert (await boss.get("counters", "select=label", key="1")) == {"label": "c0"}


async def test_old_names_are_reported(boss: Tenant) -> None:
    assert boss.prepare("people", "select=town").deprecated == (("people.town", "city"),)
    assert boss.prepare("jobs").deprecated == (("jobs", "projects"),)


async def test_a_list_is_at_most_1000_rows(boss: Tenant) -> None:
    row = await boss.read("tickets", "limit=1000000000")
    assert row["page_count"] == 5
    assert (await boss.read("counters", "limit=1000"))["page_count"] == 3
    assert (await boss.read("counters", ""))["page_count"] == 3
