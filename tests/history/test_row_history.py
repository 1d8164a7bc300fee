"""``history:``: what rows were, who changed them, and how to go back."""

import contextlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote as percent

import asyncpg
import pytest

from actors.features.history import pruning
from actors.features.platform.copying import copy_rows
from actors.tenant.generation import Generation
from actors.tenant.migration_run import StalePlanError
from tests.api.harness import Answer, Client, World, slug

ACCESS = """{read: [{role: admin}, {role: clerk, rule: self.open, hide: [cost]}],
      create: [{role: admin}, {role: clerk}], update: [{role: admin}, {role: clerk, fields: [title, open]}],
      delete: [{role: admin}]}"""
FILE = f"""
version: 1
roles: {{admin: {{}}, clerk: {{}}}}
entities:
  customers:
    history: true
    schema: {{properties: {{name: {{type: string}}}}}}
    access: {ACCESS.replace(", rule: self.open, hide: [cost]", "").replace("fields: [title, open]", "fields: [name]")}
  tags:
    schema: {{properties: {{word: {{type: string}}, order_id: {{type: string, format: uuid, references: orders}}}}}}
    access: {{read: [{{role: admin}}], create: [{{role: admin}}]}}
  orders:
    history: {{keep: 2y}}
    schema:
      required: [title]
      properties:
        title: {{type: string, maxLength: 20}}
        open: {{type: boolean, default: true}}
        cost: {{type: number}}
        pin: {{type: string, writeOnly: true}}
        customer_id: {{type: string, format: uuid, references: customers}}
    access: {ACCESS}
"""


def moment() -> str:
    return percent(datetime.now(UTC).isoformat())


async def made(client: Client, path: str, body: dict[str, Any]) -> str:
    answer = await client.post(path, body, Prefer="return=representation")
    assert answer.status == 201, answer
    return str(answer.json[0]["id"])


async def bring(world: World, name: str, text: str) -> Generation:
    """Bring an edit into force, once what the one before left is done."""
    with contextlib.suppress(StalePlanError):
        return await world.tenant(name, text)
    return await world.tenant(name, text)


def titles(answer: Answer) -> list[str]:
    assert answer.status in {200, 206}, answer
    return [row["title"] for row in answer.json]


async def test_a_list_as_of_a_moment_is_the_list_there_was(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    admin = world.client(name, subject="u1", email="u1@example.com")
    acme = await made(admin, "/customers", {"name": "Acme"})
    first = await made(admin, "/orders", {"title": "a", "cost": 1, "customer_id": acme})
    second = await made(admin, "/orders", {"title": "b", "cost": 2})
    before = moment()
    await admin.patch(f"/orders/{first}", {"title": "z", "cost": 9})
    await admin.delete(f"/orders/{second}")
    await admin.patch(f"/customers/{acme}", {"name": "Apex"})
    await made(admin, "/orders", {"title": "c", "cost": 3})
    assert titles(await admin.get("/orders?order=title")) == ["c", "z"]
    assert titles(await admin.get(f"/orders?order=title&as_of={before}")) == ["a", "b"]
    assert titles(await admin.get(f"/orders?order=title&as_of={moment()}")) == ["c", "z"]
    assert titles(await admin.get(f"/orders?cost=gt.1&as_of={before}")) == ["b"]
    page = await admin.get(f"/orders?order=title.desc&limit=1&as_of={before}", Prefer="count=exact")
    assert (titles(page), page.headers["Content-Range"]) == (["b"], "0-0/2")
    cursors = await admin.get(f"/orders?order=title&limit=1&after=&as_of={before}")
    assert titles(cursors) == ["a"]
    one = await admin.get(f"/orders/{second}?as_of={before}")
    assert (one.status, one.json["title"]) == (200, "b")
    assert (await admin.get(f"/orders/{second}")).status == 404
    total = await admin.get(f"/orders?select=cost.sum()&as_of={before}")
    assert total.json == [{"sum": 3}]
    related = await admin.get(
        f"/orders?select=title,customers(name,orders(title))&id=eq.{first}&as_of={before}"
    )
    assert related.json == [{"title": "a", "customers": {"name": "Acme", "orders": [{"title": "a"}]}}]
    refused = await admin.get(f"/orders?select=title,tags(word)&as_of={before}")
    assert (refused.status, refused.json["code"]) == (400, "history.none"), refused
    for bad in ("yesterday", "2026-11-01T00:00:00"):
        assert (await admin.get(f"/orders?as_of={bad}")).json["code"] == "query.bad_moment"
    early = await admin.get("/orders?as_of=2026-01-01T00:00:00Z")
    assert early.json["code"] == "history.not_kept", early
    write = await admin.patch(f"/orders?id=eq.{first}&as_of={before}", {"title": "y"})
    assert write.json["code"] == "query.bad_moment"


async def test_versions_tell_who_changed_what_and_a_row_goes_back(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    admin = world.client(name, subject="u1", email="u1@example.com")
    other = world.client(name, subject="u2", email="u2@example.com")
    key = await made(admin, "/orders", {"title": "a", "cost": 1.50, "pin": "1234"})
    changed = await other.patch(f"/orders/{key}", {"title": "b", "pin": "9"}, X_Request_Id="asked-1")
    assert changed.status == 204, changed
    found = await admin.get(f"/orders/{key}/history")
    assert found.status == 200, found
    newest, first = found.json
    assert (newest["version"], newest["operation"], newest["user_id"]) == (2, "update", "u2")
    assert newest["email"] == "u2@example.com"
    assert newest["request_id"] == changed.headers["X-Request-Id"]
    assert newest["changes"] == {"title": {"old": "a", "new": "b"}}
    assert (first["operation"], first["user_id"]) == ("create", "u1")
    assert first["changes"]["cost"] == {"old": None, "new": 1.5}
    assert "pin" not in found.body.decode()
    one = await admin.get(f"/orders/{key}/history/1")
    assert (one.status, one.json["data"]["title"]) == (200, "a")
    assert (await admin.get(f"/orders/{key}/history/9")).json["code"] == "history.no_version"
    page = await admin.get(f"/orders/{key}/history?limit=1")
    assert ([one["version"] for one in page.json], page.headers["Next-Cursor"]) == ([2], "2")
    assert page.json[0]["changes"] == newest["changes"]
    last = await admin.get(f"/orders/{key}/history?limit=1&after=2")
    assert ([one["version"] for one in last.json], last.headers.get("Next-Cursor")) == ([1], None)

    stale = await admin.post(f"/orders/{key}/history/1/revert", None, If_Match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "row.version_mismatch"), stale
    back = await admin.post(f"/orders/{key}/history/1/revert", None, If_Match='"2"')
    assert (back.status, back.json["title"], back.json["row_version"]) == (200, "a", 3), back
    same = await admin.post(f"/orders/{key}/history/1/revert", None)
    assert (same.status, same.json["row_version"]) == (200, 3)

    await admin.delete(f"/orders/{key}")
    assert (await admin.get(f"/orders/{key}")).status == 404
    gone = (await admin.get(f"/orders/{key}/history")).json
    assert [(one["version"], one["operation"]) for one in gone] == [
        (4, "delete"), (3, "update"), (2, "update"), (1, "create"),
    ]  # fmt: skip
    revived = await admin.post(f"/orders/{key}/history/2/revert", None)
    assert (revived.status, revived.json["id"], revived.json["title"]) == (201, key, "b"), revived
    newest, *_ = (await admin.get(f"/orders/{key}/history")).json
    assert (newest["version"], newest["operation"], newest["changes"]) == (
        5, "restore", {"title": {"old": "a", "new": "b"}},
    )  # fmt: skip


async def test_nobody_sees_or_brings_back_more_than_he_may(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    admin, clerk = world.client(name, subject="u1"), world.client(name, "clerk", subject="u2")
    key = await made(admin, "/orders", {"title": "a", "cost": 1})
    hidden = await made(admin, "/orders", {"title": "x", "open": False})
    await admin.patch(f"/orders/{key}", {"title": "b", "cost": 2})
    before = moment()
    await admin.patch(f"/orders/{key}", {"title": "c", "open": False})
    await admin.patch(f"/orders/{hidden}", {"open": True})
    shown = await clerk.get(f"/orders/{hidden}/history")
    assert shown.status == 200, shown
    assert (await clerk.get(f"/orders/{key}/history")).json["code"] == "row.not_found"
    assert (await clerk.post(f"/orders/{key}/history/1/revert", None)).json["code"] == "row.not_found"
    # rules of now, values of then
    assert [row["title"] for row in (await clerk.get(f"/orders?as_of={before}")).json] == ["b"]
    await admin.patch(f"/orders/{key}", {"open": True})
    seen = await clerk.get(f"/orders/{key}/history")
    assert "cost" not in seen.body.decode()
    assert seen.json[2]["changes"] == {"title": {"old": "a", "new": "b"}}
    back = await clerk.post(f"/orders/{key}/history/1/revert", None)
    assert (back.status, back.json["title"]) == (200, "a"), back
    assert (await admin.get(f"/orders/{key}")).json["cost"] == 2
    await admin.delete(f"/orders/{key}")
    made_again = await clerk.post(f"/orders/{key}/history/1/revert", None)
    assert (made_again.status, made_again.json["title"]) == (201, "a"), made_again
    assert (await admin.get(f"/orders/{key}")).json["cost"] is None
    assert (await world.client(name, None).get(f"/orders/{key}/history")).status == 401
    for client in (admin, clerk):
        assert (await client.get("/orders_history")).json["code"] == "42501"
    assert (await admin.get(f"/tags/{key}/history")).json["code"] == "history.none"


async def test_keeping_begins_in_a_running_file_and_follows_what_it_says_later(world: World) -> None:
    name = slug()
    plain = """
version: 1
roles: {admin: {}}
entities:
  parts:
    soft_delete: true
    schema: {properties: {label: {type: string}, size: {type: string}, gone: {type: string}}}
"""
    await bring(world, name, plain)
    admin = world.client(name, subject="u1")
    old = await made(admin, "/parts", {"label": "before", "size": "12", "gone": "x"})
    odd = await made(admin, "/parts", {"label": "odd", "size": "wide"})
    early = moment()
    kept = plain.replace("soft_delete", "history: {keep: 30d}\n    soft_delete")
    await bring(world, name, kept)
    assert (await admin.get(f"/parts?as_of={early}")).json["code"] == "history.not_kept"
    begun = moment()
    (first,) = (await admin.get(f"/parts/{old}/history")).json
    assert (first["version"], first["operation"], first["user_id"]) == (1, "kept", "u1")
    await admin.patch(f"/parts/{old}", {"label": "after"})
    await admin.patch(f"/parts/{odd}", {"label": "odd too"})
    at_begin = await admin.get(f"/parts?select=label&order=label&as_of={begun}")
    assert [row["label"] for row in at_begin.json] == ["before", "odd"]

    # another name and another type, a field fewer, the entity itself renamed
    renamed = kept.replace("parts:", "pieces:\n    renamed_from: [parts]").replace(
        "label: {type: string}", "title: {type: string, renamed_from: label}"
    )
    await bring(world, name, renamed.replace("size: {type: string}", "size: {type: integer}"))
    later = (
        renamed.replace(", renamed_from: label}", "}, label: {type: integer}")
        .replace("size: {type: string}", "size: {type: integer}")
        .replace(", gone: {type: string}", "")
    )
    generation = await bring(world, name, later)
    rows = await admin.get(f"/pieces?select=title,label,size&order=title&as_of={begun}")
    assert rows.json == [
        {"title": "before", "label": None, "size": 12},
        {"title": "odd", "label": None, "size": None},
    ], rows
    assert (await admin.get(f"/pieces/{old}/history/1")).json["data"]["title"] == "before"
    await admin.patch(f"/pieces/{old}", {"label": 7})
    back = await admin.post(f"/pieces/{old}/history/1/revert", None)
    # what the version knew nothing of stays
    assert (back.status, back.json["title"], back.json["label"]) == (200, "before", 7), back
    assert [one["version"] for one in (await admin.get(f"/pieces/{old}/history")).json] == [4, 3, 2, 1]

    # marked deleted, and there again
    await admin.delete(f"/pieces/{old}")
    assert (await admin.get(f"/pieces/{old}")).status == 404
    again = await admin.post(f"/pieces/{old}/history/4/revert", None)
    assert (again.status, again.json["title"]) == (200, "before"), again
    newest, removed, *_ = (await admin.get(f"/pieces/{old}/history")).json
    assert (newest["operation"], newest["user_id"], removed["operation"]) == ("restore", "u1", "delete")

    # what is over for longer than it is kept goes; what a row is stays
    identity = generation.identity
    await world.sql(
        identity, "UPDATE ns.pieces_history SET at = at - interval '1 year' WHERE key IS NOT NULL"
    )
    await world.sql(identity, "UPDATE ns.pieces_history SET until = until - interval '1 year' WHERE n < 4")
    assert await pruning.prune(generation) == 4
    assert [one["version"] for one in (await admin.get(f"/pieces/{old}/history")).json] == [6, 5, 4]
    assert [one["version"] for one in (await admin.get(f"/pieces/{odd}/history")).json] == [2]

    connection = await generation.pool.acquire()
    try:
        for text in (
            "DELETE FROM {}",
            "UPDATE {} SET n = 1",
            "INSERT INTO {} (id) VALUES (gen_random_uuid())",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(text.format(f'"{identity.namespace}".pieces_history'))
    finally:
        generation.pool.release(connection)
    # off, what there is can still be read; nothing is added
    await bring(world, name, later.replace("history: {keep: 30d}", "history: false"))
    await admin.patch(f"/pieces/{old}", {"title": "unseen"})
    assert len((await admin.get(f"/pieces/{old}/history")).json) == 3
    assert (await admin.get(f"/pieces?as_of={moment()}")).json["code"] == "history.not_kept"
    await bring(world, name, later.replace("    history: {keep: 30d}\n", ""))
    assert (await admin.get(f"/pieces/{old}/history")).json["code"] == "history.none"
    archive = await world.sql(
        identity, f"SELECT count(*) FROM pg_tables WHERE schemaname = '{identity.archive}'"
    )
    assert archive[0][0] in {0, 1}  # it moves there once nobody uses the version before


async def test_copies_of_a_tenant_know_the_past_unless_people_are_masked(world: World) -> None:
    name, copy, masked = slug(), slug(), slug()
    origin = await world.tenant(name, FILE)
    admin = world.client(name, subject="u1", email="u1@example.com")
    key = await made(admin, "/orders", {"title": "a"})
    before = moment()
    await admin.patch(f"/orders/{key}", {"title": "b"})
    for target, mask in ((copy, False), (masked, True)):
        generation = await world.tenant(target, FILE)
        async with world.database.owner() as owner:
            await copy_rows(owner, origin.identity, generation, secret="5ec4e7" if mask else "", stored=None)
    there = world.client(copy)
    assert titles(await there.get(f"/orders?as_of={before}")) == ["a"]
    told = (await there.get(f"/orders/{key}/history")).json
    assert told == (await admin.get(f"/orders/{key}/history")).json
    await there.patch(f"/orders/{key}", {"title": "c"})
    assert [one["version"] for one in (await there.get(f"/orders/{key}/history")).json] == [3, 2, 1]
    (only,) = (await world.client(masked).get(f"/orders/{key}/history")).json
    assert (only["operation"], only["email"]) == ("kept", None)
    assert (await world.client(masked).get(f"/orders?as_of={before}")).json["code"] == "history.not_kept"
