"""Saving a tenant's file: what a person who edits, and a client who asks, then see."""

import asyncio
import json
import time

import pytest

from tests.live import Live
from tests.reload.conftest import tenant


async def rows(live: Live, slug: str, query: str = "") -> list[dict[str, object]]:
    async with live.session(slug) as session, session.get(f"{live.base(slug)}/items{query}") as answer:
        text = await answer.text()
        assert answer.status in (200, 206), text
        return json.loads(text)


async def add(live: Live, slug: str, *items: dict[str, object]) -> None:
    async with (
        live.session(slug) as session,
        session.post(f"{live.base(slug)}/items", json=list(items)) as answer,
    ):
        assert answer.status == 201, await answer.text()


async def test_a_new_file_is_a_new_tenant(live: Live) -> None:
    live.write("fresh", tenant("fresh"))
    status = await live.until("fresh", state="serving")
    assert status["version"] == 1
    assert await rows(live, "fresh") == []


async def test_an_added_field_is_live_in_milliseconds(live: Live) -> None:
    live.write("grow", tenant("grow"))
    await live.until("grow", state="serving")
    await add(live, "grow", {"name": "one"})
    for number in range(1, 11):
        live.write(
            "grow",
            tenant("grow", "\n".join(f"f{i}: {{ type: integer, default: {i} }}" for i in range(number))),
        )
        status = await live.until("grow", version=number + 1)
        print("reload", status["last_reload"])
    [row] = await rows(live, "grow")
    assert [row[f"f{i}"] for i in range(10)] == list(range(10))


async def test_a_bad_edit_keeps_the_old_version_and_says_why(live: Live) -> None:
    live.write("bad", tenant("bad"))
    await live.until("bad", state="serving")
    await add(live, "bad", {"name": "kept"})
    began = time.monotonic()
    live.write("bad", tenant("bad", "price: { type: nubmer }"))
    while not (status := await live.status("bad"))["rejection"]:
        assert time.monotonic() - began < 2
        await asyncio.sleep(0.02)
    [finding] = status["rejection"]["diagnostics"]
    assert finding["line"] == 10
    assert "number" in finding["hint"] + finding["message"]
    assert status["version"] == 1
    assert [row["name"] for row in await rows(live, "bad")] == ["kept"]
    status = await live.save("bad", tenant("bad", "price: { type: number }"))
    assert status["version"] > 1


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00", b"", b"\x00" * 100, b"[" * 100_000, b"a: &a [*a]\n", b"- " * 50_000, b"{" * 5000,
        b"version: 1\n---\nversion: 2\n", "version: 1\n".encode("utf-16"), b"x" * (2 << 20),
        b"a: !!python/object/apply:os.system ['true']\n", b"version: 1\nversion: 2\n",
        b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
    ],
)  # fmt: skip
async def test_no_bytes_stall_or_end_the_process(live: Live, content: bytes) -> None:
    live.write("calm", tenant("calm"))
    await live.until("calm", state="serving", rejection=None)
    began = time.monotonic()
    (live.schemas / "calm.yaml").write_bytes(content)
    slowest = 0.0
    while not (await live.status("calm"))["rejection"]:
        asked = time.monotonic()
        await rows(live, "calm")
        slowest = max(slowest, time.monotonic() - asked)
        assert time.monotonic() - began < 4
    assert slowest < 1


async def test_a_deleted_file_pauses_the_tenant_and_keeps_its_data(live: Live) -> None:
    live.write("pause", tenant("pause"))
    await live.until("pause", state="serving")
    await add(live, "pause", {"name": "kept"})
    (live.schemas / "pause.yaml").unlink()
    await live.until("pause", state="paused")
    async with live.session("pause") as session, session.get(f"{live.base('pause')}/items") as answer:
        assert answer.status == 503
        assert (await answer.json(content_type=None))["code"]
    live.write("pause", tenant("pause"))
    await live.until("pause", state="serving")
    assert [row["name"] for row in await rows(live, "pause")] == ["kept"]


async def test_removing_a_field_with_data_waits_for_confirmation(live: Live) -> None:
    live.write("confirm", tenant("confirm", "secret: { type: string }"))
    await live.until("confirm", state="serving")
    await add(live, "confirm", {"name": "a", "secret": "s"})
    live.write("confirm", tenant("confirm"))
    deadline = time.monotonic() + 5
    while not (status := await live.status("confirm"))["pending"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert status["version"] == 1
    assert (await rows(live, "confirm"))[0]["secret"] == "s"
    elsewhere = live.command("plan", "../confirm")
    assert (elsewhere.returncode, elsewhere.stderr.count("\n")) == (2, 1)
    assert "'../confirm' is no tenant" in elsewhere.stderr
    shown = live.command("plan", "confirm")
    assert shown.returncode == 0, shown.stderr
    assert status["pending"]["plan_id"] in shown.stdout
    done = live.command("apply", "confirm", "--confirm", status["pending"]["plan_id"])
    assert done.returncode == 0, done.stdout + done.stderr
    status = await live.until("confirm", version=2)
    assert status["pending"] is None
    assert "secret" not in (await rows(live, "confirm"))[0]
    back = live.command("rollback", "confirm", "1")
    assert back.returncode == 0, back.stdout + back.stderr
    await live.until("confirm", version=3)
    assert (await rows(live, "confirm"))[0]["secret"] == "s"


async def test_of_two_quick_edits_the_last_wins(live: Live) -> None:
    live.write("quick", tenant("quick"))
    await live.until("quick", state="serving")
    for number in range(5):
        live.write("quick", tenant("quick", f"a{number}: {{ type: string }}"))
        await asyncio.sleep(0.005)
    deadline = time.monotonic() + 5
    while True:
        await add(live, "quick", {"name": "x"})
        if "a4" in (await rows(live, "quick"))[0]:
            break
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert (await live.status("quick"))["rejection"] is None


async def test_a_failing_test_block_keeps_the_old_version(live: Live) -> None:
    rest = (
        "    access: { read: [ { role: admin }, { role: member, rule: self.name == 'mine' } ] }\n"
        "    tests:\n      - { as: { role: member }, given: { name: mine }, may: [read], may_not: [update, delete] }\n"
    )
    roles = "roles: { member: {} }\n"
    live.write("tested", tenant("tested", rest=rest + roles))
    await live.until("tested", state="serving", version=1)
    live.write(
        "tested",
        tenant(
            "tested",
            "more: { type: string }",
            rest=rest.replace("given: { name: mine }", "given: { name: other }") + roles,
        ),
    )
    deadline = time.monotonic() + 3
    while not (status := await live.status("tested"))["rejection"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert status["version"] == 1
    [finding] = status["rejection"]["diagnostics"]
    assert "read" in finding["message"]
    assert finding["line"] > 1
    assert (await rows(live, "tested")) == []


async def test_what_the_rows_refused_is_taken_once_they_allow_it(live: Live) -> None:
    live.write("allow", tenant("allow", "code: { type: string }"))
    await live.until("allow", state="serving")
    await add(live, "allow", {"name": "a", "code": "1"}, {"name": "b", "code": "1"})
    text = tenant("allow", "code: { type: string, unique: true }")
    live.write("allow", text)
    deadline = time.monotonic() + 10
    while not (status := await live.status("allow"))["rejection"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    [finding] = status["rejection"]["diagnostics"]
    assert (finding["code"], finding["line"]) == ("migration.duplicates", 10)
    assert "for example" in finding["message"]
    refused = live.command("apply", "allow")
    assert refused.returncode == 1
    assert "more than once" in refused.stdout
    async with (
        live.session("allow") as session,
        session.patch(f"{live.base('allow')}/items?name=eq.b", json={"code": "2"}) as answer,
    ):
        assert answer.status == 204
    taken = live.command("apply", "allow")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert (await live.status("allow"))["rejection"] is None
