"""Standing in for a user of a tenant: for minutes, marked, on the record, and never for an administrator."""

from typing import Any

import jwt

from tests.platform.conftest import Platform
from tests.process.test_platform import EMAIL, PASSWORD, bearer, until


async def user_of(platform: Platform, slug: str, email: str) -> str:
    """Make somebody of a tenant; returns their id."""
    body = {"email": email, "password": PASSWORD, "email_confirm": True, "role": "member"}
    inside = await platform.enter(slug)
    status, made = await platform.inside(slug, "POST", "auth/v1/admin/users", body, **inside)
    assert status in {200, 201}, made
    return str(made["id"])


async def stand_in(platform: Platform, slug: str, **more: Any) -> dict[str, Any]:
    status, opened = await platform.rpc("impersonate", slug=slug, reason="ticket 7", **more)
    assert status == 200, opened
    assert isinstance(opened, dict)
    return opened


async def test_a_short_marked_session_as_that_user(platform: Platform) -> None:
    await platform.create("stand-co", template="blank")
    user = await user_of(platform, "stand-co", "lea@stand.example")
    opened = await stand_in(platform, "stand-co", email="lea@stand.example", minutes=5)
    said = jwt.decode(opened["access_token"], options={"verify_signature": False})
    assert (said["impersonated_by"], said["sub"], said["role"]) == (EMAIL, user, "member")
    assert said["exp"] - said["iat"] == 300
    assert "refresh_token" not in opened
    token = bearer(opened["access_token"])
    assert (await platform.inside("stand-co", "GET", "notes", **token))[0] == 200
    status, me = await platform.inside("stand-co", "GET", "auth/v1/user", **token)
    assert (status, me["email"]) == (200, "lea@stand.example")
    # it can't make itself last, nor lock the person out
    for method, path, body in (
        ("PUT", "auth/v1/user", {"password": PASSWORD + "!"}),
        ("POST", "auth/v1/factors", {"factor_type": "totp"}),
        ("POST", "auth/v1/keys", {"name": "x", "role": "member"}),
        ("DELETE", "auth/v1/sessions", None),
        ("POST", "auth/v1/session", {"access_token": opened["access_token"]}),
    ):
        status, refused = await platform.inside("stand-co", method, path, body, **token)
        assert (status, refused["error_code"]) == (403, "forbidden"), (path, refused)
    origin = {"Origin": platform.live.url, "Sec-Fetch-Site": "same-origin"}
    body = {"access_token": opened["access_token"]}
    status, refused = await platform.inside("stand-co", "POST", "auth/v1/session", body, **origin)
    assert (status, refused["error_code"]) == (401, "forbidden"), refused
    # on the record, here and there
    inside = await platform.enter("stand-co")
    _, audit = await platform.inside("stand-co", "GET", "auth/v1/admin/audit", **inside)
    (entry,) = [one["payload"] for one in audit if one["payload"]["action"] == "platform.impersonated"]
    assert (entry["user_id"], entry["traits"]["who"], entry["traits"]["reason"]) == (user, EMAIL, "ticket 7")
    _, (event,) = await platform.call("GET", "events?type=eq.tenant.impersonated&slug=eq.stand-co")
    assert (event["who"], event["data"]["user_id"]) == (EMAIL, user)
    # leaving ends that session and none of hers
    status, hers = await platform.inside(
        "stand-co",
        "POST",
        "auth/v1/token?grant_type=password",
        {"email": "lea@stand.example", "password": PASSWORD},
    )
    assert status == 200
    assert (await platform.inside("stand-co", "POST", "auth/v1/logout", {}, **token))[0] == 204
    assert (await platform.inside("stand-co", "GET", "notes", **token))[0] == 401
    assert (await platform.inside("stand-co", "GET", "notes", **bearer(hers["access_token"])))[0] == 200


async def test_never_an_administrator_nor_by_anybody_else(platform: Platform) -> None:
    await platform.create("guard-co", template="blank")
    await user_of(platform, "guard-co", "tim@guard.example")
    other = await platform.person("second@example.com", "platform_admin")
    assert (await platform.client.send("POST", "/auth/v1/tenants/guard-co/session", {}, **other))[0] == 200
    for slug, email, wanted in (
        ("guard-co", "second@example.com", 403),
        ("guard-co", EMAIL, 403),
        ("guard-co", "nobody@guard.example", 404),
        ("system", "second@example.com", 403),
        ("no-such-co", "tim@guard.example", 404),
    ):
        status, refused = await platform.rpc("impersonate", slug=slug, email=email, reason="x")
        assert status == wanted, (slug, email, refused)
    assert (await platform.rpc("impersonate", slug="guard-co", email="tim@guard.example"))[0] == 422
    body = {"slug": "guard-co", "email": "tim@guard.example", "reason": "x"}
    stranger = await platform.person("plain@example.com")
    path = "/api/platform/rpc/impersonate"
    assert (await platform.client.send("POST", path, body, **stranger))[0] == 403
    # who administers no more stands in for nobody any more
    status, opened = await platform.client.send("POST", path, body, **other)
    assert status == 200, opened
    _, (row,) = await platform.call("GET", "users?email=eq.second@example.com&select=id")
    await platform.client.send("PUT", f"/auth/v1/admin/users/{row['id']}", {"role": ""}, **platform.admin)
    await until(platform.client, "GET", "/api/tenants/guard-co/notes", None, opened["access_token"], 401)
