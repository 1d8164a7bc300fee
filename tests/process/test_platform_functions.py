"""Functions of the platform: why somebody of a tenant may do something, asked from outside of it."""

from tests.live import Live
from tests.process.test_platform import PASSWORD, bearer, live, start_with_admin

__all__ = ["live"]
ASK = "/api/platform/rpc/explain_access"


async def test_why_may_they(live: Live) -> None:
    client, admin = await start_with_admin(live)
    _, entered = await client.send("POST", "/auth/v1/tenants/acme-co/session", {}, **bearer(admin))
    notes = "/api/tenants/acme-co/notes"
    status, entered_as = await client.send(
        "GET", "/api/tenants/acme-co/me", **bearer(entered["access_token"])
    )
    assert status == 200
    user = entered_as["user"]["id"]
    body = {"tenant": "acme-co", "entity": "notes", "role": "boss"}
    status, told = await client.send("POST", ASK, body, **bearer(admin))
    assert (status, told["entity"], told["user"]) == (200, "notes", None), told
    assert [entry["mine"] for entry in told["verbs"]["create"]] == [True]
    status, told = await client.send("POST", ASK, body | {"role": "member"}, **bearer(admin))
    assert [entry["mine"] for entry in told["verbs"]["create"]] == [False]
    assert told["told"][1] == "create: entry 0 (role boss): not your role"
    about = {"tenant": "acme-co", "entity": "notes", "user_id": user}
    status, told = await client.send("POST", ASK, about, **bearer(admin))
    assert (status, told["user"], "admin" in told["roles"]) == (200, user, True), told
    assert (await client.send("GET", notes + "?select=id", **bearer(entered["access_token"])))[0] in {
        200,
        403,
    }

    for wrong, wanted in (
        ({"tenant": "no-such", "entity": "notes", "role": "boss"}, 404),
        ({"tenant": "../system", "entity": "notes", "role": "boss"}, 404),
        ({"tenant": "acme-co", "entity": "nothing", "role": "boss"}, 404),
        ({"tenant": "acme-co", "entity": "notes", "role": "king"}, 422),
        ({"tenant": "acme-co", "entity": "notes"}, 422),
        (about | {"role": "boss"}, 422),
        (about | {"claims": {"team": "north"}}, 422),
        (body | {"claims": {"team": {"no": "value"}}}, 422),
    ):
        status, answer = await client.send("POST", ASK, wrong, **bearer(admin))
        assert status == wanted, (wrong, answer)

    status, told = await client.send("POST", ASK, body | {"claims": {"team": "north"}}, **bearer(admin))
    assert (status, told["roles"]) == (200, ["authenticated", "boss", "member", "public"])
    acts = "/api/platform/audit_log?action=eq.access.explained&select=key,new_values&order=id&limit=1"
    _, found = await client.send("GET", acts, **bearer(admin))
    assert found == [{"key": "acme-co", "new_values": {"entity": "notes", "role": "boss"}}], found

    # nobody else asks, and tenants have no such function
    person = {"email": "mia@example.com", "password": PASSWORD, "email_confirm": True}
    assert (await client.send("POST", "/auth/v1/admin/users", person, **bearer(admin)))[0] in {200, 201}
    token = await client.sign_in("mia@example.com")
    assert (await client.send("POST", ASK, body, **bearer(token)))[0] == 403
    assert (await client.send("POST", ASK, body))[0] == 401
    inside = bearer(entered["access_token"])
    status, answer = await client.send("POST", "/api/tenants/acme-co/rpc/explain_access", body, **inside)
    assert (status, answer["code"]) == (404, "PGRST202")
