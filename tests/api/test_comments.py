"""``comments: true``: what people say about rows, for who may read the row and nobody else."""

import asyncio
from typing import Any

from actors.features.platform.copying import copy_rows
from tests.api.harness import Client, World, slug

FILE = """
version: 1
roles: {admin: {}, clerk: {}}
entities:
  orders:
    comments: true
    soft_delete: true
    schema: {required: [title], properties: {title: {type: string}, open: {type: boolean, default: true}}}
    access:
      read: [{role: admin}, {role: clerk, rule: self.open, fields: [title]}, {role: public, rule: self.title == 'shop window'}]
      create: [{role: admin}]
      update: [{role: admin}]
      delete: [{role: admin}]
  parts:
    comments: true
    key: number
    schema: {properties: {number: {type: integer}, label: {type: string}}}
  tags: {schema: {properties: {word: {type: string}}}}
"""


async def made(client: Client, path: str, body: dict[str, Any]) -> Any:
    answer = await client.post(path, body, Prefer="return=representation")
    assert answer.status == 201, answer
    return answer.json[0]


async def say(client: Client, path: str, text: str) -> str:
    answer = await client.post(f"{path}/comments", {"text": text})
    assert answer.status == 201, answer
    return str(answer.json["id"])


async def texts(client: Client, path: str) -> list[str]:
    answer = await client.get(f"{path}/comments")
    assert answer.status == 200, answer
    return [one["text"] for one in answer.json]


async def test_who_may_read_the_row_comments_on_it_and_nobody_else(world: World) -> None:
    name = slug()
    generation = await world.tenant(name, FILE)
    admin = world.client(name, subject="u1", email="u1@example.com")
    clerk = world.client(name, "clerk", subject="u2", email="u2@example.com")
    other = world.client(name, "clerk", subject="u3", email="u3@example.com")
    anyone = world.client(name, None)
    row = f"/orders/{(await made(admin, '/orders', {'title': 'a'}))['id']}"
    closed = f"/orders/{(await made(admin, '/orders', {'title': 'b', 'open': False}))['id']}"
    assert await texts(clerk, row) == []

    first = await say(clerk, row, "  is **this** right?\n")
    second = await say(admin, row, "<script>alert(1)</script>")
    hidden = await say(admin, closed, "between us")
    told = (await other.get(f"{row}/comments")).json
    assert [(one["id"], one["text"], one["user_id"], one["email"], one["may_delete"]) for one in told] == [
        (second, "<script>alert(1)</script>", "u1", "u1@example.com", False),
        (first, "is **this** right?", "u2", "u2@example.com", False),
    ]
    page = await other.get(f"{row}/comments?limit=1")
    assert ([one["id"] for one in page.json], page.headers["Next-Cursor"]) == ([second], second)
    last = await other.get(f"{row}/comments?limit=1&after={second}")
    assert ([one["id"] for one in last.json], last.headers.get("Next-Cursor")) == ([first], None)

    # a row one may not read is not there, nor is what is said about it
    for answer in (
        await clerk.get(f"{closed}/comments"),
        await clerk.post(f"{closed}/comments", {"text": "x"}),
        await clerk.delete(f"{closed}/comments/{hidden}"),
        await clerk.get(f"/orders/{first}/comments"),
    ):
        assert (answer.status, answer.json["code"]) == (404, "row.not_found"), answer
    # nor through another row, nor as rows of a table
    astray = await admin.delete(f"{row}/comments/{hidden}")
    assert (astray.status, astray.json["code"]) == (404, "comments.not_found")
    assert (await admin.get("/orders_comments")).json["code"] == "42501"
    assert (await admin.get("/orders?select=title,orders_comments(text)")).status in {400, 401, 403}

    # a row that everybody sees tells nobody's address, and takes no comment from nobody
    window = f"/orders/{(await made(admin, '/orders', {'title': 'shop window'}))['id']}"
    await say(admin, window, "sold")
    (seen,) = (await anyone.get(f"{window}/comments")).json
    assert (seen["text"], seen["email"], seen["may_delete"]) == ("sold", None, False)
    assert (await anyone.post(f"{window}/comments", {"text": "spam"})).json["code"] == "auth.required"
    assert (await anyone.get(f"{row}/comments")).status in {401, 404}

    # taken back by who wrote it, or by an admin
    refused = await other.delete(f"{row}/comments/{first}")
    assert (refused.status, refused.json["code"]) == (403, "42501"), refused
    assert (await clerk.delete(f"{row}/comments/{first}", Prefer="tx=rollback")).status == 204
    assert (await clerk.delete(f"{row}/comments/{first}")).status == 204
    assert (await clerk.delete(f"{row}/comments/{first}")).status == 404
    third = await say(clerk, row, "third")
    assert (await admin.delete(f"{row}/comments/{third}")).status == 204
    assert await texts(clerk, row) == ["<script>alert(1)</script>"]

    # another tenant with the same file and keys has comments of its own
    twin = slug()
    await world.tenant(twin, FILE)
    there = world.client(twin, subject="u1")
    assert (await there.get(f"{row}/comments")).status == 404
    stray = Client(world.session, there.base, admin.token)
    assert (await stray.get(f"{row}/comments")).status == 401
    assert generation.model.entities["orders_comments"].added


async def test_a_comment_is_a_text_said_once(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    admin = world.client(name, subject="u1")
    part = f"/parts/{(await made(admin, '/parts', {'label': 'wheel'}))['number']}"
    for body in (b"", b"[]", b"{", {"txt": "x"}, {"text": "x", "user_id": "u9"}):
        answer = await admin.post(f"{part}/comments", body)
        assert (answer.status, answer.json["code"]) == (400, "PGRST102"), (body, answer)
    for text in ("", "  \n", "x" * 10_001, 7, None, ["x"]):
        answer = await admin.post(f"{part}/comments", {"text": text})
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/text"), (text, answer)
    assert (await admin.post(f"{part}/comments", {"text": "a\0b"})).json["code"] == "22P05"
    answers = [
        await admin.post(f"{part}/comments", {"text": "once"}, Idempotency_Key="c1"),
        await admin.post(f"{part}/comments", {"text": "once"}, Idempotency_Key="c1"),
    ]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert (await admin.post(f"{part}/comments", {"text": "dry"}, Prefer="tx=rollback")).status == 201
    assert await texts(admin, part) == ["once"]
    assert (await admin.get(f"{part}/comments?after=1")).json["code"] == "comments.not_found"
    assert (await admin.get(f"{part}/comments?order=at")).json["code"] == "PGRST100"
    assert (await admin.get("/parts/x/comments")).status in {400, 404}
    assert (await admin.get("/tags/1/comments")).json["code"] == "comments.none"
    assert (await admin.patch(f"{part}/comments", {"text": "x"})).status == 405
    await asyncio.gather(*(say(admin, part, f"n{number}") for number in range(8)))
    assert sorted(await texts(admin, part)) == sorted(["once", *(f"n{number}" for number in range(8))])


async def test_comments_go_where_their_row_goes(world: World) -> None:
    name, copy, masked = slug(), slug(), slug()
    origin = await world.tenant(name, FILE)
    admin = world.client(name, subject="u1", email="u1@example.com")
    number = (await made(admin, "/parts", {"label": "wheel"}))["number"]
    gone = (await made(admin, "/parts", {"label": "axle"}))["number"]
    hidden = f"/orders/{(await made(admin, '/orders', {'title': 'a'}))['id']}"
    await say(admin, f"/parts/{number}", "round")
    await say(admin, f"/parts/{gone}", "broken")
    await say(admin, hidden, "kept")
    for target, mask in ((copy, False), (masked, True)):
        generation = await world.tenant(target, FILE)
        async with world.database.owner() as owner:
            await copy_rows(owner, origin.identity, generation, secret="5ec4e7" if mask else "", stored=None)
    assert await texts(world.client(copy), f"/parts/{number}") == ["round"]
    assert await texts(world.client(masked), f"/parts/{number}") == []  # people say things about people

    assert (await admin.delete(f"/parts/{gone}")).status == 204
    assert (await admin.get(f"/parts/{gone}/comments")).status == 404
    assert (await admin.delete(hidden)).status == 204
    assert (await admin.get(f"{hidden}/comments")).status == 404
    left = await world.sql(origin.identity, "SELECT text FROM ns.parts_comments")
    assert [one["text"] for one in left] == ["round"]

    # the entity is called something else, and its key, too
    renamed = FILE.replace("  parts:\n", "  pieces:\n    renamed_from: parts\n")
    await world.tenant(name, renamed)
    assert await texts(admin, f"/pieces/{number}") == ["round"]
    await say(admin, f"/pieces/{number}", "still")
    assert await texts(admin, f"/pieces/{number}") == ["still", "round"]


async def test_descriptions_tell_who_may_comment(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    clerk = world.client(name, "clerk", subject="u2")
    shown = (await clerk.get("/schema")).json["entities"]
    assert shown["orders"]["comments"] is True
    assert "orders_comments" not in shown
    admin = (await world.client(name).get("/schema")).json["entities"]
    assert [admin[entity]["comments"] for entity in ("orders", "parts", "tags")] == [True, True, False]
    paths = (await clerk.get("/openapi.json")).json["paths"]
    assert {path for path in paths if "comments" in path} == {
        "/orders/{id}/comments",
        "/orders/{id}/comments/{comment}",
    }
