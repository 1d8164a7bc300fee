"""Renaming in the file while clients still say the old name: what they read, write and are told."""

import json
import time

import pytest

from tests.live import Live
from tests.reload.conftest import tenant

DATES = "alias_until: 2999-01-31"


async def ask(
    live: Live, slug: str, method: str, query: str = "", data: object = None, **headers: str
) -> tuple[int, object, str]:
    """Return status, rows (or the problem) and the Warning header."""
    body = data if isinstance(data, str | None) else json.dumps(data)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        live.session(slug) as session,
        session.request(method, f"{live.base(slug)}/{query}", data=body, headers=headers) as answer,
    ):
        text = await answer.text()
        assert ("Deprecation" in answer.headers) == ("Warning" in answer.headers)
        return answer.status, json.loads(text) if text else None, answer.headers.get("Warning", "")


async def renamed(live: Live, slug: str) -> None:
    """A tenant whose required field ``vat`` became ``vat_no`` and then ``tax_id``."""
    live.write(slug, tenant(slug, "vat: { type: string, maxLength: 9 }", required="[name, vat]"))
    await live.until(slug, state="serving")
    made = await ask(
        live, slug, "POST", "items", {"name": "a", "vat": "DE1"}, content_type="application/json"
    )
    assert made[0] == 201
    for field, olds in (("vat_no", "vat"), ("tax_id", "[vat_no, vat]")):
        line = f"{field}: {{ type: string, maxLength: 9, renamed_from: {olds}, {DATES} }}"
        await live.save(slug, tenant(slug, line, required=f"[name, {field}]"))


async def test_every_old_name_answers_in_queries(live: Live) -> None:
    await renamed(live, "rename")
    for old in ("vat", "vat_no"):
        status, rows, warning = await ask(
            live, "rename", "GET", f"items?{old}=eq.DE1&select=name,{old}&order={old}"
        )
        assert (status, rows) == (200, [{"name": "a", old: "DE1"}])
        assert f"'items.{old}' is now 'tax_id'" in warning
    assert (await ask(live, "rename", "GET", "items?select=tax_id"))[1:] == ([{"tax_id": "DE1"}], "")


@pytest.mark.parametrize("old", ["vat", "vat_no"])
async def test_every_old_name_answers_in_bodies(live: Live, old: str) -> None:
    slug = f"bodies-{old.replace('_', '-')}"
    await renamed(live, slug)
    back = {"content_type": "application/json", "prefer": "return=representation"}
    for query, data, kind in (
        ("items?select=name,tax_id", {"name": "b", old: "DE2"}, "application/json"),
        ("items?select=name,tax_id", [{"name": "b", old: "DE2"}], "application/json"),
        (f"items?select=name,tax_id&columns=name,{old}", {"name": "b", old: "DE2"}, "application/json"),
        ("items?select=name,tax_id", f"name,{old}\nb,DE2\n", "text/csv"),
        ("items?select=name,tax_id", f"name=b&{old}=DE2", "application/x-www-form-urlencoded"),
    ):
        status, rows, warning = await ask(live, slug, "POST", query, data, **back | {"content_type": kind})
        assert (status, rows) == (201, [{"name": "b", "tax_id": "DE2"}]), (query, kind)
        assert f"'items.{old}' is now 'tax_id'" in warning
    status, rows, warning = await ask(
        live, slug, "PATCH", "items?name=eq.a&select=tax_id", {old: "DE9"}, **back
    )
    assert (status, rows) == (200, [{"tax_id": "DE9"}])
    assert "Warning" not in warning
    assert warning
    status, problem, _ = await ask(live, slug, "PATCH", "items?name=eq.a", {old: "far too long"}, **back)
    assert status == 422
    assert isinstance(problem, dict)
    assert problem["errors"][0]["pointer"] == "/tax_id"
    status, problem, _ = await ask(live, slug, "PATCH", "items?name=eq.a", {old: "x", "tax_id": "y"}, **back)
    assert status == 422
    assert isinstance(problem, dict)
    assert "given twice" in problem["detail"]


async def test_an_upsert_by_an_old_name(live: Live) -> None:
    live.write("upsert", tenant("upsert", "code: { type: string, unique: true }"))
    await live.until("upsert", state="serving")
    await live.save(
        "upsert", tenant("upsert", f"sku: {{ type: string, unique: true, renamed_from: code, {DATES} }}")
    )
    for name in ("first", "second"):
        status, rows, warning = await ask(
            live, "upsert", "POST", "items?on_conflict=code&select=name,sku", {"code": "1", "name": name},
            content_type="application/json", prefer="resolution=merge-duplicates,return=representation",
        )  # fmt: skip
        assert status in (200, 201), rows
        assert rows == [{"name": name, "sku": "1"}]
        assert "'items.code' is now 'sku'" in warning


async def test_an_alias_ends_at_its_day(live: Live) -> None:
    live.write("ended", tenant("ended", "vat: { type: string }"))
    await live.until("ended", state="serving")
    await live.save(
        "ended", tenant("ended", "tax: { type: string, renamed_from: vat, alias_until: 2020-01-31 }")
    )
    assert (await ask(live, "ended", "GET", "items?select=vat"))[0] == 400
    status, problem, _ = await ask(
        live, "ended", "POST", "items", {"name": "a", "vat": "x"}, content_type="application/json"
    )
    assert status == 422
    assert isinstance(problem, dict)
    assert problem["errors"][0]["code"] == "unknown_field"


async def test_an_entity_and_its_names_move_along_a_chain(live: Live) -> None:
    live.write("chain", tenant("chain", "a: { type: string }\nb: { type: string }"))
    await live.until("chain", state="serving")
    await ask(
        live, "chain", "POST", "items", {"name": "x", "a": "A", "b": "B"}, content_type="application/json"
    )
    fields = "b: { type: string, renamed_from: a }\nc: { type: string, renamed_from: b }"
    renamed_too = tenant("chain", fields).replace(
        "  items:\n", f"  goods:\n    renamed_from: items\n    {DATES}\n"
    )
    await live.save("chain", renamed_too)
    for _ in range(2):  # the lines may stay
        status, rows, warning = await ask(live, "chain", "GET", "items?select=name,b,c")
        assert (status, rows) == (200, [{"name": "x", "b": "A", "c": "B"}])
        assert "'items' is now 'goods'" in warning
        await live.save("chain", renamed_too + "# and on\n")


async def test_an_old_name_that_is_not_there_is_named(live: Live) -> None:
    live.write("missed", tenant("missed", "vat_no: { type: string }"))
    await live.until("missed", state="serving")
    await ask(
        live, "missed", "POST", "items", {"name": "x", "vat_no": "DE1"}, content_type="application/json"
    )
    for line, words in (
        ("tax: { type: string, renamed_from: vatno }", "there is no field of 'items' called 'vatno'"),
        (
            "vat_no: { type: string }\nold: { type: string, restore_from: nothing }",
            "no archived field 'nothing'",
        ),
    ):
        text = tenant("missed", line)
        live.write("missed", text)
        status = await live.until("missed", version=1, rejection=None)
        deadline = time.monotonic() + 10
        while not (status["pending"] and words in " ".join(status["pending"]["summary"])):
            assert time.monotonic() < deadline
            status = await live.until("missed", version=1, rejection=None)
