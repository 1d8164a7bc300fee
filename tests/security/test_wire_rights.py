"""Taking more than one was given, over a socket: fields, roles, rows of others (A11-A14, C22, C23)."""

import asyncio
from typing import Any

import pytest

from tests.security.wire import LEFT, PASSWORD, RIGHT, House, bearer


@pytest.fixture(scope="module")
async def mia(house: House) -> dict[str, str]:
    """Headers of a member; ``moe`` is another with a note nobody else may see."""
    await house.person("mia")
    moe = await house.person("moe")
    body = {"text": "canary-of-moe", "salary": 7, "owner_id": moe}
    seen = await house.send("POST", f"{house.rest()}/notes", body, apikey=house.keys[LEFT])
    assert seen.status == 201, seen
    return bearer((await house.sign_in("mia"))["access_token"])


async def test_c22_nobody_fills_what_is_not_theirs(house: House, mia: dict[str, str]) -> None:
    people = await house.sql("SELECT id::text FROM ns.users WHERE email = 'mia@example.com'")
    me = people[0]["id"]
    async with house.unharmed():
        for extra in (
            {"id": me}, {"role": "owner"}, {"tenant": RIGHT}, {"tenant_id": RIGHT}, {"email_verified": True}, {"email_confirm": True},
            {"password_hash": "x"}, {"created_at": "2020-01-01"}, {"app_metadata": {"role": "owner"}}, {"is_admin": True},
        ):  # fmt: skip
            body = {"email": "fresh@example.com", "password": PASSWORD} | extra
            seen = await house.send("POST", f"{house.auth()}/signup", body)
            assert (seen.status, seen.code) == (422, "validation_failed"), (extra, seen)
            seen = await house.send("PUT", f"{house.auth()}/user", extra, **mia)
            assert (seen.status, seen.code) == (422, "validation_failed"), (extra, seen)
        for field in (
            {"id": me}, {"role": "owner"}, {"plan": "gold"}, {"email": "x@example.com"}, {"created_at": "2020-01-01T00:00:00Z"},
            {"created_by": me}, {"row_version": 9}, {"password_hash": "x"}, {"confirmed_at": "2020-01-01T00:00:00Z"},
        ):  # fmt: skip
            seen = await house.send("PATCH", f"{house.rest()}/users?id=eq.{me}", field, **mia)
            assert seen.status in {403, 422}, (field, seen)
    # what one says about oneself fills only what one may write
    claimed = {"plan": "gold", "role": "owner", "name": "Fay", "is_anonymous": False}
    body = {"email": "fay@example.com", "password": PASSWORD, "data": claimed}
    assert (await house.send("POST", f"{house.auth()}/signup", body)).status == 200
    (row,) = await house.sql("SELECT role, plan, name FROM ns.users WHERE email = 'fay@example.com'")
    assert (row["role"], row["plan"], row["name"]) == ("member", "free", "Fay")


async def test_c23_nobody_gives_more_than_they_have(house: House, mia: dict[str, str]) -> None:
    await house.person("deputy", role="admin")
    boss = await house.person("boss", role="owner")
    target = await house.person("pawn")
    deputy = bearer((await house.sign_in("deputy"))["access_token"])
    users, auth = f"{house.rest()}/users", house.auth()
    async with house.unharmed():
        for headers, wanted in ((deputy, 403), (mia, 403), ({}, 401)):
            for method, path, body in (
                ("PUT", f"{auth}/admin/users/{target}", {"role": "owner"}),
                ("POST", f"{auth}/admin/users", {"email": "n@example.com", "role": "owner"}),
                ("POST", f"{auth}/invite", {"email": "n@example.com", "role": "owner"}),
                ("POST", f"{auth}/keys", {"role": "owner"}),
                ("PUT", f"{auth}/admin/users/{boss}", {"password": "mine now mine now 1"}),
                ("DELETE", f"{auth}/admin/users/{boss}", {}),
                ("POST", f"{auth}/admin/generate_link", {"type": "recovery", "email": "boss@example.com"}),
                ("PATCH", f"{users}?id=eq.{target}", {"role": "owner"}),
                ("PATCH", f"{users}?id=eq.{boss}", {"email": "deputy2@example.com"}),
                ("DELETE", f"{users}?id=eq.{boss}", None),
                ("POST", users, {"email": "n@example.com", "role": "owner"}),
                ("POST", f"{house.rest()}/batch", {"operations": [{"method": "PATCH", "path": f"/users?id=eq.{target}", "body": {"role": "owner"}}]}),
            ):  # fmt: skip
                seen = await house.send(method, path, body, **headers)
                # a member's filter finds no row of another: nothing is changed, and nothing is told
                nothing = headers is mia and method in {"PATCH", "DELETE"} and seen.status in {200, 204}
                assert seen.status == wanted or nothing, (method, path, body, headers, seen)
    given = await house.send("PUT", f"{auth}/admin/users/{target}", {"role": "admin"}, **deputy)
    assert given.status == 200, "one's own role may be given"


async def test_c23_somebody_always_administers(house: House) -> None:
    key = {"apikey": house.keys[RIGHT]}
    for name in ("last", "lasttoo"):
        await house.person(name, RIGHT, "owner")
    rows = await house.sql("SELECT id::text FROM ns.users WHERE role IN ('owner', 'admin')", slug=RIGHT)
    ids = [row["id"] for row in rows]
    answers = await asyncio.gather(
        *(
            house.send("PUT", f"{house.auth(RIGHT)}/admin/users/{one}", {"role": "member"}, **key)
            for one in ids
        )
    )
    assert sorted(seen.status for seen in answers) == [200] * (len(ids) - 1) + [409], answers
    (left,) = await house.sql("SELECT id::text FROM ns.users WHERE role = 'owner'", slug=RIGHT)
    for method, path, body in (
        ("DELETE", f"{house.auth(RIGHT)}/admin/users/{left['id']}", {}),
        ("PUT", f"{house.auth(RIGHT)}/admin/users/{left['id']}", {"ban_duration": "1h"}),
        ("PATCH", f"{house.rest(RIGHT)}/users?id=eq.{left['id']}", {"role": None}),
        ("DELETE", f"{house.rest(RIGHT)}/users?id=eq.{left['id']}", None),
    ):
        seen = await house.send(method, path, body, **key)
        assert seen.status == 409, (method, path, seen)
    assert (await house.sql("SELECT count(*) FROM ns.users WHERE role = 'owner'", slug=RIGHT))[0][0] == 1


async def test_c23_an_invitation_works_once_and_for_its_address(house: House) -> None:
    key = {"apikey": house.keys[LEFT]}
    seen = await house.send(
        "POST", f"{house.auth()}/invite", {"email": "guest@example.com", "role": "admin"}, **key
    )
    assert seen.status == 200, seen
    made = await house.send(
        "POST", f"{house.auth()}/admin/generate_link?redirect_to=https%3A%2F%2Fapp.example.com%2Fback",
        {"type": "invite", "email": "guest@example.com"}, **key,
    )  # fmt: skip
    assert made.json["redirect_to"] == "https://app.example.com/back", "where supabase-js says it"
    token = {"type": "invite", "token_hash": made.json["hashed_token"]}
    assert (await house.send("POST", f"{house.auth(RIGHT)}/verify", token)).status == 403
    taken = await house.send("POST", f"{house.auth()}/verify", token)
    assert taken.json["user"]["email"] == "guest@example.com"
    assert (await house.send("POST", f"{house.auth()}/verify", token)).status == 403
    again = await house.send(
        "POST", f"{house.auth()}/invite", {"email": "guest@example.com", "role": "owner"}, **key
    )
    assert (again.status, again.code) == (422, "email_exists")


async def test_a11_rows_of_elsewhere_and_of_nobody_look_alike(house: House, mia: dict[str, str]) -> None:
    (moes,) = await house.sql("SELECT id::text FROM ns.notes WHERE text = 'canary-of-moe'")
    await house.person("rob", RIGHT)
    body = {"text": "canary-of-rob"}
    rob = bearer((await house.sign_in("rob", RIGHT))["access_token"])
    made = await house.send("POST", f"{house.rest(RIGHT)}/notes", body, Prefer="return=representation", **rob)
    foreign, random = made.json[0]["id"], "0192f3a4-0000-7000-8000-000000000000"
    async with house.unharmed():
        for method, body in (("GET", None), ("PATCH", {"text": "taken"}), ("DELETE", None)):
            for form in ("/notes/{}", "/notes?id=eq.{}", "/notes?id=in.({})", "/rest/v1/notes?id=eq.{}"):
                told = set()
                for key in (moes["id"], foreign, random):
                    seen = await house.send(method, house.rest() + form.format(key), body, **mia)
                    told.add(
                        (seen.status, seen.told()[1].replace(key, "KEY"), seen.headers.get("Content-Range"))
                    )
                assert len(told) == 1, (method, form, told)


@pytest.mark.usefixtures("unharmed")
async def test_a12_a13_hidden_fields_tell_nothing(house: House, mia: dict[str, str]) -> None:
    notes = f"{house.rest()}/notes"
    for query in (
        "select={}", "{}=gt.1", "order={}", "select={}.sum()", "or=({}.eq.7,text.eq.x)", "select={}::text", "{}=is.null",
        "select=count(),{}", "and=(not.and({}.eq.7))", "select=owner:users!owner_id(notes!owner_id({}))",
    ):  # fmt: skip
        hidden = await house.send("GET", f"{notes}?{query.format('salary')}", **mia)
        unknown = await house.send("GET", f"{notes}?{query.format('nosuch')}", **mia)
        assert hidden.status in {400, 403}, (query, hidden)
        assert hidden.status == unknown.status
        assert hidden.told()[1].replace("salary", "nosuch") == unknown.told()[1], query
    embedded = await house.send("GET", f"{house.rest()}/users?select=email,notes!owner_id(text)", **mia)
    assert "canary-of-moe" not in embedded.text
    assert (await house.send("GET", f"{house.rest()}/ledger", **mia)).status == 403
    for prefer in ("count=exact", "count=planned", "count=estimated"):
        seen = await house.send("GET", f"{notes}?text=eq.canary-of-moe", Prefer=prefer, **mia)
        assert (seen.text, seen.headers["Content-Range"]) == ("[]", "*/0"), (prefer, seen)


@pytest.mark.usefixtures("unharmed")
async def test_a14_no_way_of_writing_skips_the_rule(house: House, mia: dict[str, str]) -> None:
    (moe,) = await house.sql("SELECT id::text, owner_id::text FROM ns.notes WHERE text = 'canary-of-moe'")
    key, owner = moe["id"], moe["owner_id"]
    row: dict[str, Any] = {"id": key, "text": "taken"}
    notes = f"{house.rest()}/notes"
    for method, path, body, more in (
        ("POST", notes, [row], {}), ("POST", notes, [row], {"Prefer": "resolution=merge-duplicates"}),
        ("POST", notes, [row], {"Prefer": "resolution=ignore-duplicates"}),
        ("POST", f"{notes}?on_conflict=id", [row | {"owner_id": owner}], {"Prefer": "resolution=merge-duplicates"}),
        ("PUT", f"{notes}/{key}", row, {}), ("PUT", f"{notes}?id=eq.{key}", row, {}),
        ("PATCH", f"{notes}?text=neq.x", {"text": "taken"}, {"Prefer": "handling=strict, max-affected=9"}),
        ("DELETE", f"{notes}?text=neq.x", None, {}), ("PATCH", f"{notes}/{key}", {"text": "taken"}, {}),
        ("POST", notes, {"text": "x", "owner_id": owner}, {}),
        ("POST", f"{house.rest()}/batch", {"operations": [{"method": "PATCH", "path": f"/notes/{key}", "body": {"text": "taken"}}]}, {}),
        ("POST", f"{house.rest()}/batch", {"operations": [{"method": "POST", "path": "/notes", "body": {"text": "x", "owner_id": owner}}]}, {}),
        ("POST", notes, b"id,text\n%s,taken\n" % key.encode(), {"Content_Type": "text/csv", "Prefer": "resolution=merge-duplicates"}),
    ):  # fmt: skip
        seen = await house.send(method, path, body, **more, **mia)
        assert seen.status < 500, (method, path, seen)
        assert "canary" not in seen.text
        if seen.status < 300:
            assert seen.text in {"", "[]"}, (method, path, more, seen)
