"""A tenant's file through the API: what an editor's save does, with an answer."""

import hashlib
from typing import Any

import aiohttp

from tests.platform.conftest import Platform

FILE = """# what we sell
version: 1
service: { name: %s }
roles: { admin: {} }
entities:
  things:   # the only one
    schema:
      properties:
        name: { type: string, maxLength: 40 }   # shown first
        note: { type: string }
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
"""


async def put(
    platform: Platform, slug: str, text: str, query: str = "", **headers: str
) -> tuple[int, Any, str]:
    sent = {
        **platform.admin,
        "Content-Type": "application/yaml",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    url = f"{platform.live.url}/api/platform/tenants/{slug}/schema{query}"
    async with (
        aiohttp.ClientSession() as session,
        session.put(url, data=text.encode(), headers=sent) as answer,
    ):
        return answer.status, await answer.json(content_type=None), answer.headers.get("ETag", "")


async def get(platform: Platform, slug: str, **headers: str) -> tuple[int, str, str]:
    url = f"{platform.live.url}/api/platform/tenants/{slug}/schema"
    sent = {**platform.admin, **{k.replace("_", "-"): v for k, v in headers.items()}}
    async with aiohttp.ClientSession() as session, session.get(url, headers=sent) as answer:
        return answer.status, await answer.text(), answer.headers.get("ETag", "")


async def test_written_served_and_conflicting(platform: Platform) -> None:
    await platform.create("file-co")
    inside = await platform.enter("file-co")
    status, text, etag = await get(platform, "file-co")
    assert (status, text) == (200, (platform.live.schemas / "file-co.yaml").read_text())
    assert (await get(platform, "file-co", If_None_Match=etag))[0] == 304
    # an addition is in force when the answer is there, comments and order as they were
    more = text.replace(
        "        done: {", "        urgent: { type: boolean, default: false } # new\n        done: {"
    )
    status, answer, fresh = await put(platform, "file-co", more, If_Match=etag)
    assert (status, answer["state"], answer["version"]) == (200, "serving", 2), answer
    assert (platform.live.schemas / "file-co.yaml").read_text() == more
    assert (await platform.inside("file-co", "GET", "notes?select=urgent", **inside))[1] == [
        {"urgent": False}
    ]
    status, answer, _ = await put(platform, "file-co", text, If_Match=etag)
    assert (status, answer["code"]) == (412, "row.version_mismatch")
    status, answer = await platform.call("GET", "tenants/file-co/schema/status")
    assert (answer["state"], answer["version"], answer["etag"], answer["pending"]) == (
        "serving",
        2,
        fresh,
        None,
    )
    assert answer["last_reload"]["phases_ms"]
    _, versions = await platform.call("GET", "tenants/file-co/schema/history")
    assert [(v["number"], v["status"], v["author"]) for v in versions] == [
        (2, "deployed", "root@example.com"),
        (1, "superseded", "root@example.com"),
    ]
    assert "+        urgent: { type: boolean, default: false } # new" in versions[0]["diff"].splitlines()
    _, one = await platform.call("GET", "tenants/file-co/schema/history?version=1")
    assert one["text"] == text


async def test_what_is_refused_leaves_the_file(platform: Platform) -> None:
    await platform.create("strict-co")
    _, text, _ = await get(platform, "strict-co")
    for bad, code in (
        (text + "  nonsense: [", "source."),
        (text.replace("type: boolean", "type: bolean"), ""),
        (text.replace("name: strict-co", "name: other-co"), "names.service"),
        (
            text.replace("may: [read, update, delete] }", "may: [read], may_not: [update] }"),
            "",
        ),  # its own test fails
        ("", "source."),
        (text + "\0", ""),
    ):
        status, answer, _ = await put(platform, "strict-co", bad)
        assert (status, answer["code"]) == (422, "schema.refused"), answer
        assert all(error["line"] >= 1 for error in answer["errors"])
        assert answer["errors"][0]["code"].startswith(code), answer
        assert (platform.live.schemas / "strict-co.yaml").read_text() == text
    status, answer = await platform.rpc(
        "validate_schema", slug="strict-co", text="version: 1\nentitees: {}\n"
    )
    assert (status, answer["valid"], answer["errors"][0]["line"]) == (200, False, 2)
    assert (await platform.rpc("validate_schema", slug="strict-co", text=text))[1]["valid"]
    inside = await platform.enter("strict-co")
    assert (await platform.inside("strict-co", "GET", "notes?select=done", **inside))[0] == 200
    assert (await put(platform, "no-such-co", text))[0] == 404


async def test_a_plan_that_loses_something_waits_and_can_be_taken_back(platform: Platform) -> None:
    await platform.create("plan-co")
    base = FILE % "plan-co"
    status, answer, _ = await put(platform, "plan-co", base)
    assert (status, answer["code"]) == (409, "schema.needs_confirmation"), "the template's entity goes"
    status, answer, _ = await put(platform, "plan-co", base, f"?plan_id={answer['plan']['plan_id']}")
    assert status == 200, answer
    inside = await platform.enter("plan-co")
    row = {"name": "one", "note": "kept"}
    assert (await platform.inside("plan-co", "POST", "things", row, **inside))[0] == 201
    less = base.replace("        note: { type: string }\n", "")
    _, plan = await platform.rpc("plan_schema", slug="plan-co", text=less)
    assert plan["level"] == 2
    assert plan["tables"] == {"things": 1}
    assert all(step["sql"] and "lock" in step for step in plan["steps"])
    status, answer = await platform.rpc("apply_schema", slug="plan-co", text=less)
    assert (status, answer["plan"]["plan_id"]) == (409, plan["plan_id"])
    assert (platform.live.schemas / "plan-co.yaml").read_text() == base, "nothing happened yet"
    assert (await platform.rpc("apply_schema", slug="plan-co", text=less, plan_id="0" * 12))[0] == 409
    status, answer = await platform.rpc("apply_schema", slug="plan-co", text=less, plan_id=plan["plan_id"])
    assert (status, answer["digest"]) == (200, hashlib.sha256(less.encode()).hexdigest()), answer
    assert (await platform.inside("plan-co", "GET", "things?select=note", **inside))[0] == 400
    status, answer = await platform.rpc("rollback_schema", slug="plan-co", version=2)
    if status == 409:
        plan_id = answer["plan"]["plan_id"]
        status, answer = await platform.rpc("rollback_schema", slug="plan-co", version=2, plan_id=plan_id)
    assert status == 200, answer
    assert (platform.live.schemas / "plan-co.yaml").read_text() == base
    assert (await platform.inside("plan-co", "GET", "things?select=note", **inside))[1] == [{"note": "kept"}]
    assert (await platform.rpc("rollback_schema", slug="plan-co", version=99))[0] == 404
    # an editor's save waits in the file; the API may say yes to it
    platform.live.write("plan-co", less)
    for _ in range(200):
        _, answer = await platform.call("GET", "tenants/plan-co/schema/status")
        if answer["pending"]:
            break
    status, refused = await platform.rpc("apply_schema", slug="plan-co")
    assert (status, refused["plan"]["plan_id"]) == (409, answer["pending"]["plan_id"])
    plan_id = answer["pending"]["plan_id"]
    status, answer = await platform.rpc("apply_schema", slug="plan-co", plan_id=plan_id)
    assert status == 200, answer
    for _ in range(200):
        _, answer = await platform.call("GET", "tenants/plan-co/schema/status")
        if answer["migration"]["state"] == "done":
            break
    migration = answer["migration"]
    assert (migration["plan_id"], migration["waiting"], migration["notes"]) == (plan_id, "", [])
    assert [step["phase"] for step in migration["steps"]] == [step["phase"] for step in plan["steps"]]
    assert {step["state"] for step in migration["steps"]} == {"done"}


async def test_owners_edit_their_own_file_but_not_the_operators_keys(platform: Platform) -> None:
    owner = await platform.person("boss@example.com", "customer")
    other = await platform.person("other@example.com", "customer")
    assert (await platform.call("POST", "tenants", {"slug": "owned-co"}, **owner))[0] == 201
    text = (platform.live.schemas / "owned-co.yaml").read_text()
    for who, wanted in ((owner, 200), (other, 404), ({"Authorization": ""}, 401)):
        status, _ = await platform.call("GET", "tenants/owned-co/schema/status", **who)
        assert status == wanted
    assert (await platform.call("GET", "tenants/system/schema/status", **owner))[0] == 404
    mine = text.replace("title: Notes", "title: My notes")
    assert (await put(platform, "owned-co", mine, **owner))[0] == 200
    for change in (
        mine + 'api: { rate_limit: [ { match: "*", per: tenant, limit: 100000/s } ] }\n',
        mine.replace(
            "signup: invite",
            'signup: invite\n  providers: { google: { client_id: x, client_secret: "${GOOGLE_SECRET}" } }',
        ),
        mine
        + 'webhooks: { out: { url: "https://x.example/in", events: [notes.*], secret: "${BACKSAAS_DATABASE_URL}" } }\n',
    ):
        status, answer, _ = await put(platform, "owned-co", change, **owner)
        assert (status, answer["code"]) == (403, "auth.forbidden"), answer
        assert (platform.live.schemas / "owned-co.yaml").read_text() == mine
    assert (
        await platform.call(
            "POST", "rpc/delete_tenant", {"slug": "owned-co", "confirm": "owned-co", "grace_days": 0}, **owner
        )
    )[0] == 403
    status, answer = await platform.call(
        "POST", "rpc/delete_tenant", {"slug": "owned-co", "confirm": "owned-co"}, **owner
    )
    assert status == 200, answer
