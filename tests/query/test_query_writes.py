"""Inserts, upserts, updates and deletes: what is stored, what is answered, what is refused."""

import json

import asyncpg
import pytest

from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from tests.query.kit import WRITTEN, Tenant, uid


async def state(awaitable) -> tuple[str, str]:  # type: ignore[no-untyped-def]
    with pytest.raises(asyncpg.PostgresError) as caught:
        await awaitable
    return str(caught.value.sqlstate), str(caught.value.detail or "")


async def test_every_kind_goes_in_and_comes_out(boss: Tenant) -> None:
    row: dict[str, object] = {
        "id": uid(70), "t": "ü", "u": uid(1), "i": -1, "b": -(2**62), "n": 12.34, "f": 1e300, "ok": False, "d": "2026-02-03",
        "ti": "01:02:03", "at": "2026-02-03T04:05:06+00:00", "mail": "x@y.zz", "ip": "::1", "j": {"a": [None, {}]},
        "words": ["a", 'b"c'], "nums": [], "lines": [{"x": "1"}, {"x": None}],
    }  # fmt: skip
    answer = (await boss.write("insert", "kinds", row))["body"][0]
    assert {name: answer[name] for name in row} == row


async def test_null_and_absent_are_different(boss: Tenant) -> None:
    row = (await boss.write("insert", "counters", {"label": "x"}))["body"][0]
    assert row["n"] == 7
    row = (await boss.write("insert", "counters", {"label": "x", "n": None}))["body"][0]
    assert row["n"] is None
    rows = (await boss.write("insert", "counters", {"label": "x", "n": 1}, {"label": "y"}))["body"]
    assert [one["n"] for one in rows] == [1, None]
    rows = (
        await boss.write(
            "insert",
            "counters",
            {"label": "x", "n": None},
            {"label": "y"},
            prefer=f"{WRITTEN},missing=default",
        )
    )["body"]
    assert [one["n"] for one in rows] == [None, 7]


async def test_identity_keys(boss: Tenant) -> None:
    row = await boss.write("insert", "counters", {"label": "x"}, prefer="")
    assert (row["body"], int(row["key"]) > 5, row["version"]) == (None, True, "1")
    row = (await boss.write("insert", "counters", {"id": 1000, "label": "x"}))["body"][0]
    assert row["id"] == 1000
    assert (await boss.write("insert", "counters", {}))["page_count"] == 1
    assert (await boss.write("insert", "counters", {}, {}))["page_count"] == 2


async def test_columns_choose_what_is_written(boss: Tenant) -> None:
    row = (await boss.write("insert", "counters", {"label": "x", "n": 3}, query='columns="label"'))["body"][0]
    assert (row["label"], row["n"]) == ("x", 7)
    with pytest.raises(QueryError) as caught:
        await boss.write("insert", "counters", {"label": "x"}, query="columns=nope")
    assert caught.value.code == "PGRST204"


async def test_upsert(boss: Tenant) -> None:
    merge = f"{WRITTEN},resolution=merge-duplicates"
    rows = (
        await boss.write(
            "insert",
            "counters",
            {"label": "c0", "n": 99},
            {"label": "new", "n": 1},
            query="on_conflict=label",
            prefer=merge,
        )
    )["body"]
    assert [(row["label"], row["n"], row["row_version"]) for row in rows] == [("c0", 99, 2), ("new", 1, 1)]
    row = await boss.write(
        "insert",
        "counters",
        {"label": "c0", "n": 99},
        query="on_conflict=label",
        prefer=f"{WRITTEN},resolution=ignore-duplicates",
    )
    assert (row["page_count"], row["body"]) == (0, [])
    assert (await state(boss.write("insert", "counters", {"label": "c0"})))[0] == "23505"
    with pytest.raises(QueryError) as caught:
        await boss.write("insert", "counters", {"n": 1}, query="on_conflict=n", prefer=merge)
    assert caught.value.code == "42P10"
    with pytest.raises(QueryError) as caught:
        await boss.write("insert", "counters", {"n": 1}, query="on_conflict=nope", prefer=merge)
    assert caught.value.code == "PGRST204"
    twice = ({"label": "c0", "n": 1}, {"label": "c0", "n": 2})
    assert (await state(boss.write("insert", "counters", *twice, query="on_conflict=label", prefer=merge)))[
        0
    ] == "21000"


async def test_put(boss: Tenant) -> None:
    row = await boss.write("replace", "people", {"id": uid(80), "name": "New"}, key=uid(80))
    assert (row["body"]["name"], row["version"]) == ("New", "1")
    row = await boss.write("replace", "people", {"id": uid(1), "name": "Ann2"}, key=uid(1))
    assert (row["body"]["name"], row["body"]["city"], row["body"]["salary"], row["version"]) == (
        "Ann2",
        None,
        None,
        "2",
    )


async def test_update(boss: Tenant) -> None:
    row = await boss.write("update", "people", {"city": "Bonn"}, key=uid(1))
    assert (row["body"]["city"], row["version"], row["body"]["updated_by"]) == ("Bonn", "2", uid(1))
    row = await boss.write(
        "update", "people", {"city": None}, query="name=like.*&select=name,city&order=name"
    )
    assert row["body"] == [{"name": name, "city": None} for name in ("Ann", "Bob", "Cid")]
    assert (await boss.write("update", "people", {"city": "x"}, key=uid(99)))["page_count"] == 0
    assert (await boss.write("update", "people", {}, key=uid(1)))["page_count"] in {0, 1}
    with pytest.raises(QueryError) as caught:
        await boss.write("update", "people", {"nope": 1}, key=uid(1))
    assert caught.value.code == "PGRST204"
    with pytest.raises(QueryError) as caught:
        await boss.write("update", "people", {"city": "x"})
    assert (caught.value.code, "max-affected" in caught.value.hint) == ("query.no_filter", True)
    row = await boss.write("update", "people", {"city": "Ulm"}, key=uid(1), query="select=town&columns=town")
    assert row["body"] == {"town": "Ulm"}
    row = await boss.write("update", "tickets", {"title": "x"}, key=uid(21), query="select=title,owner(name)")
    assert row["body"] == {"title": "x", "owner": {"name": "Bob"}}


async def test_if_match(boss: Tenant) -> None:
    assert (await boss.write("update", "people", {"city": "x"}, key=uid(1), expected_version="1"))[
        "version"
    ] == "2"
    assert (await state(boss.write("update", "people", {"city": "x"}, key=uid(1), expected_version="9")))[
        0
    ] == "BS412"
    assert (await state(boss.write("delete", "people", key=uid(3), expected_version="9")))[0] == "BS412"
    assert (await boss.write("delete", "people", key=uid(3), expected_version="1"))["page_count"] == 1
    assert (await boss.write("update", "people", {"city": "x"}, key=uid(98), expected_version="9"))[
        "page_count"
    ] == 0


async def test_rules_name_what_is_broken(boss: Tenant) -> None:
    code, detail = await state(boss.write("update", "tickets", {"net": -1}, key=uid(24)))
    assert (code, json.loads(detail)) == ("BS422", [{"rule": 0, "key": uid(24)}, {"rule": 1, "key": uid(24)}])
    code, detail = await state(boss.write("insert", "tickets", {"id": uid(91), "title": "x", "net": -1}))
    assert (code, json.loads(detail)) == ("BS422", [{"rule": 0, "key": uid(91)}])
    merge = f"{WRITTEN},resolution=merge-duplicates"
    code, detail = await state(
        boss.write("insert", "tickets", {"id": uid(24), "title": "x", "net": 41}, prefer=merge)
    )
    assert (code, json.loads(detail)) == ("BS422", [{"rule": 1, "key": uid(24)}])


async def test_max_affected(boss: Tenant) -> None:
    strict = f"{WRITTEN},handling=strict,max-affected=2"
    code, detail = await state(
        boss.write("update", "people", {"city": "x"}, query="name=like.*", prefer=strict)
    )
    assert (code, detail) == ("BS429", "3")
    assert (await boss.write("delete", "people", query="name=eq.Cid", prefer=strict))["page_count"] == 1


async def test_delete(boss: Tenant) -> None:
    row = await boss.write("delete", "people", query="name=in.(Cid)&select=name")
    assert row["body"] == [{"name": "Cid"}]
    with pytest.raises(QueryError) as caught:
        await boss.write("delete", "people")
    assert caught.value.code == "query.no_filter"
    row = await boss.write("delete", "tickets", query="title=eq.one", prefer="")
    assert (row["page_count"], row["body"]) == (1, None)


async def test_representation_in_other_shapes(boss: Tenant) -> None:
    row = await boss.write(
        "insert",
        "people",
        {"id": uid(95), "name": "x"},
        query="select=name,city",
        accept="application/vnd.pgrst.object+json;nulls=stripped",
    )
    assert row["body"] == {"name": "x"}
    row = await boss.write("insert", "people", {"id": uid(95), "name": "x"}, prefer="return=headers-only")
    assert (row["body"], row["key"] is not None) == (None, True)


async def test_filters_on_embeds_choose_rows_of_a_write(boss: Tenant) -> None:
    row = await boss.write(
        "update",
        "tickets",
        {"title": "x"},
        query="select=id,projects!inner(title)&projects.title=eq.Alpha&id=not.is.null",
    )
    assert row["page_count"] == 2


@pytest.mark.parametrize(
    "name", ["row_version", "created_by", "updated_at", "created_at", "total", "deleted_at"]
)
@pytest.mark.parametrize("verb", ["insert", "update"])
async def test_fields_of_the_platform_are_not_written(boss: Tenant, name: str, verb: str) -> None:
    with pytest.raises(QueryError) as caught:
        await boss.write(
            verb, "tickets", {"title": "x", name: None}, query="id=not.is.null" if verb == "update" else ""
        )
    assert (caught.value.code, caught.value.errors[0]["pointer"]) == ("42501", f"/{name}")


async def test_numbers_keep_their_digits(boss: Tenant) -> None:
    body = decode_json(
        b'{"id": "%s", "n": 1.10, "j": {"a": 1.25, "b": 123456789012345678901234567890}}' % uid(96).encode()
    )
    answer = (await boss.write("insert", "kinds", body))["body"][0]
    assert (answer["n"], answer["j"]) == (1.1, {"a": 1.25, "b": 123456789012345678901234567890})


async def test_names_like_our_own_aliases(boss: Tenant) -> None:
    for alias in ("r", "x", "t0", "b", "w", "o", "row", "body", "cursor"):
        assert await boss.get("people", f"select={alias}:name&name=eq.Ann") == [{alias: "Ann"}]
        assert await boss.get("people", f"select={alias}:name", key=uid(1)) == {alias: "Ann"}
        assert (await boss.get("tickets", f"select=owner({alias}:name)&title=eq.two")) == [
            {"owner": {alias: "Ann"}}
        ]
