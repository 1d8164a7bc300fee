"""Sessions under attack, over a socket: reuse, ends, fixation, foreign pages (C7-C10); devices and second factors."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pyotp
import pytest

from tests.live import Live
from tests.security.wire import LEFT, PASSWORD, House, Seen, bearer

HOME = "127.0.1.1"


@pytest.fixture(scope="module")
async def twin(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """A second process of the same installation."""
    env = {"BACKSAAS_DATABASE_URL": house.database_url, "BACKSAAS_URL": f"http://localhost:{house.live.port}"}
    twin = Live(tmp_path_factory.mktemp("twin"), **env)
    twin.env["BACKSAAS_SCHEMAS_DIR"] = house.live.env["BACKSAAS_SCHEMAS_DIR"]
    await twin.start(str(twin.directory))
    yield twin
    await twin.stop()


async def test_c7_a_refresh_token_that_comes_back_ends_its_session(house: House) -> None:
    await house.person("ruth")
    first = await house.sign_in("ruth")
    other = await house.sign_in("ruth")
    second = (await house.refresh(first["refresh_token"])).json
    tabs = await asyncio.gather(*(house.refresh(first["refresh_token"]) for _ in range(10)))
    assert {seen.json["refresh_token"] for seen in tabs} == {second["refresh_token"]}, "one live child"
    third = (await house.refresh(second["refresh_token"])).json
    assert await house.works(third["access_token"])
    before = await house.audit("refresh_token.reused")
    # later than the window, by the database's clock
    await house.sql(
        "UPDATE ns._auth_refresh SET used_at = used_at - interval '11 s' WHERE used_at IS NOT NULL"
    )
    reused = await house.refresh(first["refresh_token"])
    assert (reused.status, reused.code) == (400, "refresh_token_already_used"), reused
    assert await house.audit("refresh_token.reused") == before + 1
    for session in (first, second, third):
        assert not await house.works(session["access_token"])
        assert (await house.refresh(session["refresh_token"])).status in {400, 403}
    assert await house.works(other["access_token"]), "another sign-in of the same person goes on"


@pytest.mark.parametrize(
    "how",
    ["local", "global", "others", "one", "all", "ban", "delete", "password", "own password", "role", "row"],
)
async def test_c8_what_ends_is_over_within_a_second_everywhere(house: House, twin: Live, how: str) -> None:
    name = f"ends-{how.replace(' ', '-')}"
    user = await house.person(name)
    mine, elsewhere = await house.sign_in(name), await house.sign_in(name)
    token, admin = mine["access_token"], {"apikey": house.keys[LEFT]}
    own, auth = bearer(token), house.auth()

    async def at_twin(token: str) -> int:
        here, house.live.url = house.live.url, twin.url
        try:
            return (await house.send("GET", f"{house.rest()}/notes", **bearer(token))).status
        finally:
            house.live.url = here

    for session in (mine, elsewhere):
        assert await at_twin(session["access_token"]) == 200, "believed, and remembered"
    account = f"{auth}/admin/users/{user}"
    asked: dict[str, Any] = {
        "local": ("POST", f"{auth}/logout?scope=local", None, own),
        "global": ("POST", f"{auth}/logout", None, own),
        "others": ("POST", f"{auth}/logout?scope=others", None, bearer(elsewhere["access_token"])),
        "all": ("DELETE", f"{auth}/sessions", None, own),
        "ban": ("PUT", account, {"ban_duration": "1h"}, admin),
        "delete": ("DELETE", account, {}, admin),
        "password": ("PUT", account, {"password": "another pferd batterie 7"}, admin),
        "own password": ("PUT", f"{auth}/user", {"password": "another pferd batterie 7"}, bearer(elsewhere["access_token"])),
        "role": ("PATCH", f"{house.rest()}/users?id=eq.{user}", {"role": None}, admin),
        "row": ("DELETE", f"{house.rest()}/users?id=eq.{user}", None, admin),
    }  # fmt: skip
    if how == "one":
        listed = (await house.send("GET", f"{auth}/sessions", **own)).json
        assert [one["current"] for one in listed].count(True) == 1
        current = next(one["id"] for one in listed if one["current"])
        asked["one"] = ("DELETE", f"{auth}/sessions/{current}", None, bearer(elsewhere["access_token"]))
    method, path, body, headers = asked[how]
    done = await house.send(method, path, body, **headers)
    assert done.status < 300, done
    began = time.monotonic()
    wanted = 403 if how == "role" else 401
    while (status := await at_twin(token)) != wanted:
        assert time.monotonic() - began < 5, f"the other process still answers {status}"
        await asyncio.sleep(0.02)
    assert (await house.send("GET", f"{house.rest()}/notes", **own)).status == wanted, "and this one at once"
    if how != "role":
        assert (await house.refresh(mine["refresh_token"])).status in {400, 403}
    survives = how in {"local", "others", "one", "own password"}
    if survives or how in {"global", "all", "ban", "delete", "row", "password"}:
        assert (await at_twin(elsewhere["access_token"]) == 200) is survives


async def test_sessions_are_listed_with_their_device(house: House) -> None:
    await house.person("lisa")
    phone = await house.sign_in("lisa", User_Agent="Phone/1 \u202e", address="127.0.1.7")
    laptop = await house.sign_in("lisa", User_Agent="Laptop/2")
    await house.browser("lisa")
    own = bearer(laptop["access_token"])
    listed = (await house.send("GET", f"{house.auth()}/sessions", **own)).json
    assert sorted((one["device"].partition("/")[0], one["browser"]) for one in listed)[:2] == [
        ("Laptop", False), ("Phone", False),
    ]  # fmt: skip
    assert sum(one["browser"] for one in listed) == 1
    found = next(one for one in listed if one["device"].startswith("Phone"))
    assert (found["address"], found["current"]) == ("127.0.1.7", False)
    assert found["used_at"]
    assert "\u202e" not in found["device"]
    assert all(phone["refresh_token"] not in str(one) for one in listed)
    await house.person("lars")
    stranger = bearer((await house.sign_in("lars"))["access_token"])
    seen = await house.send("DELETE", f"{house.auth()}/sessions/{found['id']}", **stranger)
    assert seen.status == 404, "nobody ends the session of another"
    assert await house.works(phone["access_token"])
    ended = await house.send("DELETE", f"{house.auth()}/sessions/{found['id']}", **own)
    assert ended.status == 204
    assert not await house.works(phone["access_token"])


async def test_c9_a_session_somebody_else_knows_never_becomes_more(house: House) -> None:
    await house.person("fix")
    await house.person("mallory")
    planted = (await house.browser("mallory"))["Cookie"]
    body = {"email": "fix@example.com", "password": PASSWORD}
    for cookie in (planted, f"bs_{LEFT}=chosen-by-the-attacker"):
        seen = await house.send("POST", f"{house.auth()}/session", body, Cookie=cookie, **house.page)
        if seen.status == 403:  # the planted session has a token the page does not know: nothing happens
            continue
        assert seen.status in {200, 401}, seen
        if seen.status == 200:
            assert cookie.partition("=")[2] not in seen.cookie
    me = (await house.send("GET", f"{house.rest()}/me", Cookie=planted)).json
    assert me["user"]["email"] == "mallory@example.com", "the attacker's session stays the attacker's"
    assert (
        await house.send("GET", f"{house.rest()}/me", Cookie=f"bs_{LEFT}=chosen-by-the-attacker")
    ).status == 401

    # with a second factor a session gets more rights: its old name is worth nothing then
    mine = await house.browser("fix")
    old = {"Cookie": mine["Cookie"], "X_CSRF_Token": mine["X_CSRF_Token"], **house.page}
    made = (await house.send("POST", f"{house.auth()}/factors", {"factor_type": "totp"}, **old)).json
    proven = await prove(house, made, old)
    assert proven.status == 200, proven
    assert (await house.send("GET", f"{house.rest()}/me", Cookie=old["Cookie"])).status == 401
    me = (await house.send("GET", f"{house.rest()}/me", Cookie=proven.cookie)).json
    assert me["aal"] == "aal2"


async def prove(house: House, factor: dict[str, Any], headers: dict[str, str], code: str = "") -> Seen:
    path = f"{house.auth()}/factors/{factor['id']}"
    challenge = (await house.send("POST", f"{path}/challenge", {}, **headers)).json
    body = {"challenge_id": challenge["id"], "code": code or pyotp.TOTP(factor["totp"]["secret"]).now()}
    return await house.send("POST", f"{path}/verify", body, **headers)


async def test_a_role_that_needs_a_second_factor_is_nobody_without(house: House) -> None:
    await house.person("tim", role="treasurer")
    first = bearer((await house.sign_in("tim"))["access_token"])
    assert (await house.send("GET", f"{house.rest()}/ledger", **first)).status == 403
    me = (await house.send("GET", f"{house.rest()}/me", **first)).json
    assert (me["mfa"], me["aal"]) == ({"required": True, "enrolled": False}, "aal1")
    assert "treasurer" not in me["roles"]
    factor = (await house.send("POST", f"{house.auth()}/factors", {"factor_type": "totp"}, **first)).json
    wrong = await prove(house, factor, first, "000000")
    assert wrong.code == "mfa_verification_failed"
    assert (await house.send("GET", f"{house.rest()}/ledger", **first)).status == 403
    proven = (await prove(house, factor, first)).json
    second = bearer(proven["access_token"])
    assert (await house.send("GET", f"{house.rest()}/ledger", **second)).status == 200
    assert not await house.works(first["Authorization"].removeprefix("Bearer "))
    # a password alone opens aal1 again, which neither adds nor removes a factor
    again = bearer((await house.sign_in("tim"))["access_token"])
    for method, path in (("POST", "/factors"), ("DELETE", f"/factors/{factor['id']}")):
        seen = await house.send(method, f"{house.auth()}{path}", {} if method == "POST" else None, **again)
        assert seen.code == "insufficient_aal", seen
    replay = await prove(house, factor, again, pyotp.TOTP(factor["totp"]["secret"]).now())
    assert replay.code == "mfa_verification_failed", "a code works once"


async def test_c10_foreign_pages_change_nothing(house: House) -> None:
    user = await house.person("carl")
    mine = await house.browser("carl")
    cookie, token = mine["Cookie"], mine["X_CSRF_Token"]
    notes, evil = f"{house.rest()}/notes", "https://evil.example"
    foreign: list[dict[str, str]] = [
        {}, {"Origin": evil}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
        {"Origin": house.live.url + ".evil.example"}, {"Origin": house.live.url.replace("http", "https") + ":1"},
        {"Sec_Fetch_Site": "cross-site", "Origin": house.live.url},
    ]  # fmt: skip
    async with house.unharmed():
        for headers in foreign:
            for csrf in ("", token, token[:-1] + "x"):
                # the right token from a foreign place is refused as well
                shown = headers | ({"X_CSRF_Token": csrf} if csrf else {})
                for method, path, body in (
                    ("POST", notes, {"text": "forged"}),
                    ("PUT", f"{house.auth()}/user", {"password": "the attacker's word 1"}),
                    ("DELETE", f"{house.auth()}/sessions", None),
                    ("POST", f"{house.auth()}/logout", {}),
                    ("PATCH", f"{house.rest()}/users?id=eq.{user}", {"name": "forged"}),
                ):
                    seen = await house.send(method, path, body, Cookie=cookie, **shown)
                    assert (seen.status, "csrf" in seen.text) == (403, True), (method, path, shown, seen)
        # our own page without the token, or with another's
        for csrf in ({}, {"X_CSRF_Token": "x"}):
            seen = await house.send("POST", notes, {"text": "forged"}, Cookie=cookie, **house.page, **csrf)
            assert seen.status == 403
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            seen = await house.send(
                "POST", notes, b"text=forged", Cookie=cookie, Origin=evil, Content_Type=kind
            )
            assert seen.status == (415 if kind == "text/plain" else 403), seen
        # what has an effect although it is a GET
        for headers in ({}, {"Sec_Fetch_Site": "cross-site"}):
            seen = await house.send("GET", f"{house.auth()}/reauthenticate", Cookie=cookie, **headers)
            assert seen.status == 403, seen
    assert (await house.send("GET", f"{house.rest()}/me", Cookie=cookie)).json["csrf_token"] == token
    done = await house.send("POST", notes, {"text": "mine"}, Cookie=cookie, X_CSRF_Token=token, **house.page)
    assert done.status == 201, done


async def test_c10_no_page_signs_anybody_in_as_somebody_else(house: House) -> None:
    await house.person("logan")
    body = {"email": "logan@example.com", "password": PASSWORD}
    form = f"email=logan%40example.com&password={PASSWORD.replace(' ', '+')}".encode()
    before = await house.sql("SELECT count(*) FROM ns._auth_sessions")
    for headers in (
        {},
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "null"},
    ):
        seen = await house.send("POST", f"{house.auth()}/session", body, **headers)
        assert (seen.status, seen.cookie) == (403, ""), seen
        seen = await house.send("POST", f"{house.auth()}/login", form, **headers)
        assert (seen.status, "bs_left" in seen.cookie) == (403, False), seen
    # from our own origin, but without the form's own token: another tenant's page, or an injected form
    seen = await house.send("POST", f"{house.auth()}/login", form, **house.page)
    assert seen.status == 403, seen
    assert await house.sql("SELECT count(*) FROM ns._auth_sessions") == before
