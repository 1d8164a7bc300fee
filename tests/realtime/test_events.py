"""Lists followed by server-sent events, against a running process."""

import asyncio
from typing import Any

import aiohttp

from tests.live import Live
from tests.realtime.conftest import OTHER
from tests.realtime.feed import Feed
from tests.realtime.test_channels import rows, wired


async def write(
    session: aiohttp.ClientSession, method: str, url: str, body: Any = None, status: int = 201
) -> Any:
    headers = {"Prefer": "return=representation"}
    async with session.request(method, url, json=body, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return (await answer.json())[0]


async def note(live: Live, session: aiohttp.ClientSession, **fields: Any) -> Any:
    return await write(session, "POST", f"{live.base('acme-co')}/notes", fields)


async def change(live: Live, session: aiohttp.ClientSession, row: Any, **fields: Any) -> None:
    url = f"{live.base('acme-co')}/notes?id=eq.{row['id']}"
    await write(session, "PATCH", url, fields, 200)


async def delete(live: Live, session: aiohttp.ClientSession, row: Any) -> None:
    await write(session, "DELETE", f"{live.base('acme-co')}/notes?id=eq.{row['id']}", None, 200)


async def test_a_query_is_followed(live: Live) -> None:
    async with live.session("acme-co") as admin:
        old = await note(live, admin, title="blue old")
        url = f"{live.base('acme-co')}/notes?title=like.blue*&select=id,title&order=title&snapshot=true"
        async with Feed(admin, url) as feed:
            assert await feed.told() == ("snapshot", [{"id": old["id"], "title": "blue old"}])
            await note(live, admin, title="red")
            new = await note(live, admin, title="blue new")
            assert await feed.told() == ("insert", {"id": new["id"], "title": "blue new"})
            await change(live, admin, new, title="blue newer")
            assert await feed.told() == ("update", {"id": new["id"], "title": "blue newer"})
            await change(live, admin, new, title="green")
            assert await feed.told() == ("delete", {"id": new["id"]}), "it left the filter"
            await change(live, admin, new, title="blue again")
            assert await feed.told() == ("insert", {"id": new["id"], "title": "blue again"})
            await delete(live, admin, old)
            assert await feed.told() == ("delete", {"id": old["id"]})


async def test_only_what_the_caller_may_see_is_told(live: Live) -> None:
    """docs/attacks.md A15: row rule and mask on every event."""
    async with live.session("acme-co") as admin, live.session("acme-co", "member", sub="ann") as ann:
        hers = await note(live, admin, title="hers", owner="ann", secret="s3cret")
        async with Feed(ann, f"{live.base('acme-co')}/notes?title=neq.x&select=*") as feed:
            assert (await feed.told())[0] == "ready"
            await note(live, admin, title="bob's", owner="bob")
            await change(live, admin, hers, secret="changed")
            kind, row = await feed.told()
            assert (kind, row["id"], "secret" in row) == ("update", hers["id"], False)
            await change(live, admin, hers, owner="bob")
            assert await feed.told() == ("delete", {"id": hers["id"]}), "it left her reach"
            await change(live, admin, hers, title="out of reach")
            await change(live, admin, hers, owner="ann")
            kind, row = await feed.told()
            assert (kind, row["title"]) == ("insert", "out of reach")


async def test_following_needs_the_right_to_read(live: Live) -> None:
    for path, status, code in (
        ("/notes", 401, "42501"),
        ("/notes?nope=eq.1", 401, "42501"),
    ):
        async with (
            aiohttp.ClientSession() as nobody,
            nobody.get(f"{live.base('acme-co')}{path}", headers={"Accept": "text/event-stream"}) as answer,
        ):
            assert (answer.status, (await answer.json())["code"]) == (status, code)
    async with live.session("acme-co", "member", sub="ann") as ann:
        for query, code in (
            ("secret=eq.1", "PGRST204"),
            ("offset=1", "realtime.not_followed"),
            ("select=id:title", "PGRST204"),
        ):
            url = f"{live.base('acme-co')}/notes?{query}"
            async with ann.get(url, headers={"Accept": "text/event-stream"}) as answer:
                if query.startswith("select"):
                    assert answer.status == 200
                    answer.close()
                    continue
                assert (answer.status, (await answer.json())["code"]) == (400, code)


async def test_it_goes_on_where_it_was_left(live: Live) -> None:
    async with live.session("acme-co") as admin:
        url = f"{live.base('acme-co')}/notes?title=like.resume*&select=title"
        async with Feed(admin, url) as feed:
            await feed.told()
            await note(live, admin, title="resume 1")
            assert await feed.told() == ("insert", {"title": "resume 1"})
            last = feed.last
        await note(live, admin, title="resume 2")
        await note(live, admin, title="resume 3")
        async with Feed(admin, url, last) as feed:
            assert await feed.told() == ("insert", {"title": "resume 2"})
            middle = feed.last
            assert await feed.told() == ("insert", {"title": "resume 3"})
        async with Feed(admin, url, middle) as feed:
            assert await feed.told() == ("insert", {"title": "resume 3"})
            await note(live, admin, title="resume 4")
            assert await feed.told() == ("insert", {"title": "resume 4"})


async def test_it_goes_on_after_a_new_process(live: Live) -> None:
    async with live.session("acme-co") as admin:
        url = f"{live.base('acme-co')}/notes?title=like.restart*&select=title"
        async with Feed(admin, url) as feed:
            await feed.told()
            await note(live, admin, title="restart 1")
            await feed.told()
            stopping = asyncio.ensure_future(live.restart())
            assert await feed.event() is None, "an end, not a broken connection"
            await stopping
            last = feed.last
    async with live.session("acme-co") as admin:
        await note(live, admin, title="restart 2")
        async with Feed(admin, url, last) as feed:
            assert await feed.told() == ("insert", {"title": "restart 2"})


async def test_an_id_of_another_query_or_tenant_brings_the_rows_anew(live: Live) -> None:
    """docs/attacks.md A15: an id is worth nothing elsewhere."""
    async with live.session("acme-co") as admin, live.session("other-co") as other:
        url = f"{live.base('acme-co')}/notes?title=eq.anew&select=title"
        await note(live, admin, title="anew")
        async with Feed(admin, url) as feed:
            await feed.told()
            last = feed.last
        async with Feed(other, f"{live.base('other-co')}/notes?title=eq.anew&select=title", last) as feed:
            assert await feed.told() == ("resync", {"reason": "changes were missed", "rows": []})
        for id_ in ("nonsense", f"{last.partition('.')[0]}.999999999999999999"):
            async with Feed(admin, url, id_) as feed:
                kind, data = await feed.told()
                assert (kind, data["rows"]) == ("resync", [{"title": "anew"}]), id_


async def test_a_credential_is_believed_for_a_moment_only(live: Live) -> None:
    """docs/attacks.md A15: after revocation."""
    async with live.session("acme-co") as admin:
        await note(live, admin, title="x")
        async with admin.post(
            f"{live.base('acme-co')}/auth/v1/keys", json={"name": "feed", "role": "admin"}
        ) as answer:
            key = await answer.json()
            assert answer.status == 201, key
        async with (
            aiohttp.ClientSession(headers={"apikey": key["key"]}) as program,
            Feed(program, f"{live.base('acme-co')}/notes?select=id") as feed,
        ):
            await feed.told()
            async with admin.delete(f"{live.base('acme-co')}/auth/v1/keys/{key['id']}") as answer:
                assert answer.status in {200, 204}
            kind, data = await feed.told()
            assert (kind, data["code"]) == ("error", "auth.invalid_token")
            assert await feed.event() is None


async def test_other_rules_count_at_once(live: Live) -> None:
    """docs/attacks.md A15: 4403, but who follows all tables goes on with the others."""
    base, key = live.base("other-co"), live.command("key", "other-co", "--public").stdout.split()[-1]
    token = live.token("other-co", "member", sub="ann")
    async with (
        live.session("other-co") as admin,
        live.session("other-co", "member", sub="ann") as ann,
        wired(live, key, "other-co") as notes,
        wired(live, key, "other-co") as everything,
    ):
        async with admin.post(f"{base}/notes", json={"title": "hers", "owner": "ann"}) as answer:
            assert answer.status == 201
        assert (await notes.join("a", token, postgres_changes=rows("notes")))[0] == "ok"
        assert (await everything.join("b", token, postgres_changes=rows("*", "INSERT")))[0] == "ok"
        async with Feed(ann, f"{base}/notes?select=title&snapshot=true") as feed:
            assert await feed.told() == ("snapshot", [{"title": "hers"}])
            await live.save("other-co", OTHER + "\n# nothing new\n")
            kind, _ = await feed.told()
            assert kind == "reload"
            await live.save("other-co", OTHER.replace("self.owner == user.id", "self.owner == 'bob'"))
            assert (await feed.told())[0] == "reload"
            assert await feed.told() == ("resync", {"reason": "the rules changed", "rows": []})
            # reads all along, as a browser does: who does not answer the end is cut off
            ended = asyncio.ensure_future(notes.close_code())
            await live.save(
                "other-co",
                OTHER.replace("- { role: member, rule", "- { role: other, rule").replace(
                    "roles: {", "roles: { other: {},"
                ),
            )
            assert await ended == 4403
            kind, data = await feed.told()
            assert (kind, data["code"]) == ("error", "42501")
            assert await feed.event() is None
        async with admin.post(f"{base}/projects", json={"title": "seen"}) as answer:
            assert answer.status == 201
        change = (await everything.message("postgres_changes"))[4]["data"]
        assert (change["table"], change["record"]["title"]) == ("projects", "seen")
        await live.save("other-co", OTHER)


async def test_related_rows_are_part_of_the_query(live: Live) -> None:
    base = live.base("acme-co")
    async with live.session("acme-co") as admin:
        project = await write(admin, "POST", f"{base}/projects", {"title": "P"})
        row = await note(live, admin, title="related", project_id=project["id"])
        url = f"{base}/notes?title=eq.related&select=id,projects(title)&snapshot=true"
        async with Feed(admin, url) as feed:
            assert await feed.told() == ("snapshot", [{"id": row["id"], "projects": {"title": "P"}}])
            await write(admin, "PATCH", f"{base}/projects?id=eq.{project['id']}", {"title": "Q"}, 200)
            kind, data = await feed.told()
            assert (kind, data["rows"]) == ("resync", [{"id": row["id"], "projects": {"title": "Q"}}])


async def test_nothing_is_lost_or_repeated_while_many_write(live: Live) -> None:
    """Numbers become visible out of order, snapshots fall between."""
    base = live.base("acme-co")
    async with live.session("acme-co", "member", sub="ann") as ann:

        async def writer(number: int) -> None:
            for step in range(20):
                rows = [
                    {"id": number * 1000 + step * 10 + place, "n": number} for place in range(1 + step % 3)
                ]
                async with ann.post(f"{base}/counts", json=rows) as answer:
                    assert answer.status == 201, await answer.text()

        writing = asyncio.gather(*(writer(number) for number in range(1, 7)))
        expected = sum(1 + step % 3 for step in range(20)) * 6

        async def follow(breaks: bool) -> list[int]:
            seen: list[int] = []
            url, last = f"{base}/counts?select=id&snapshot=true", ""
            while len(seen) < expected:
                async with Feed(ann, url, last) as feed:
                    while len(seen) < expected:
                        kind, data = await feed.told()
                        assert kind in {"snapshot", "insert"}
                        seen += [row["id"] for row in data] if kind == "snapshot" else [data["id"]]
                        if breaks and len(seen) % 7 == 0:
                            break
                    last = feed.last
            return seen

        found = await asyncio.gather(*(follow(breaks) for breaks in (True, False, True)))
        await writing
    for seen in found:
        assert len(seen) == len(set(seen)) == expected
