"""A row of tenants is a tenant: made live in one request, or not at all."""

import asyncio

import pytest

from tests.platform.conftest import Platform


async def test_a_tenant_serves_when_the_answer_is_there(platform: Platform) -> None:
    status, (row,) = await platform.create("acme-co", name='Acme "Co"', owner_email="owner@example.com")
    assert (status, row["slug"], row["status"]) == (201, "acme-co", "active")
    assert (platform.live.schemas / "acme-co.yaml").read_text().startswith("# yaml-language-server")
    inside = await platform.enter("acme-co")
    assert await platform.inside("acme-co", "GET", "notes?select=title", **inside) == (
        200,
        [{"title": "Welcome"}],
    )
    _, schema = await platform.inside("acme-co", "GET", "me", **inside)
    assert schema["tenant"] == {"slug": "acme-co", "title": 'Acme "Co"'}
    # the owner is a member and has the way in by mail
    _, (tenant,) = await platform.call(
        "GET",
        "tenants?slug=eq.acme-co&select=owner:users!owner_id(email),memberships(role,user:users(email))",
    )
    assert tenant["owner"] == {"email": "owner@example.com"}
    assert {"role": "admin", "user": {"email": "owner@example.com"}} in tenant["memberships"]
    (mail,) = await platform.mails("owner@example.com")
    assert "/admin/link#" in mail.replace("=\n", "")
    _, events = await platform.call("GET", "events?slug=eq.acme-co&select=type,who")
    assert events == [{"type": "tenant.created", "who": "root@example.com"}]


@pytest.mark.parametrize(
    "slug", ["admin", "system", "pg-x", "Acme", "a", "xn--abc", "acme_co", "ﬁrm-co", "a" * 41, "acme-", ""]
)
async def test_slugs_that_nobody_can_have(platform: Platform, slug: str) -> None:
    status, answer = await platform.create(slug)
    assert status == 422, answer
    status, answer = await platform.call("GET", "tenants/check-slug", X="y")
    assert status == 422, "a slug is asked for"
    status, answer = await platform.rpc("validate_tenant_slug", slug=slug or "-")
    assert (status, answer["available"]) == (200, False)


async def test_a_slug_has_one_tenant(platform: Platform) -> None:
    answers = await asyncio.gather(*(platform.create("twice-co") for _ in range(4)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409], answers
    status, answer = await platform.call("GET", "tenants/check-slug?slug=twice-co")
    assert (status, answer["available"], answer["suggestion"]) == (200, False, "twice-co-2")
    # a file somebody put there first is a tenant too, and stays as it is
    text = "version: 1\nservice: { name: by-hand }\nentities: {}\n"
    platform.live.write("by-hand", text)
    status, answer = await platform.create("by-hand")
    assert (status, answer["code"]) == (409, "tenant.slug_taken")
    assert (platform.live.schemas / "by-hand.yaml").read_text() == text


async def test_what_cannot_be_made_leaves_nothing(platform: Platform) -> None:
    for body in (
        {"slug": "never-co", "template": "no-such"},
        {"slug": "never-co", "template": "../../config/backsaas"},
        {"slug": "never-co", "status": "archived"},
        {"slug": "never-co", "surprise": 1},
        {"slug": "never-co", "owner_email": "no address"},
        {"slug": "never-co", "owner_id": "01a2232e-0000-7000-8000-000000000000"},
        [{"slug": "never-co"}, {"slug": "other-co"}],
    ):
        status, answer = await platform.call("POST", "tenants", body)
        assert 400 <= status < 500, (body, answer)
    status, _ = await platform.call("POST", "tenants", {"slug": "never-co"}, Prefer="tx=rollback")
    assert status == 201, "a dry run"
    status, answer = await platform.call(
        "POST", "batch", {"operations": [{"method": "POST", "path": "tenants", "body": {"slug": "never-co"}}]}
    )
    assert status == 422, answer
    status, _ = await platform.call("PUT", "tenants?slug=eq.never-co", {"slug": "never-co"})
    assert status in {400, 405, 422}
    assert not (platform.live.schemas / "never-co.yaml").exists()
    assert (await platform.call("GET", "tenants?slug=eq.never-co"))[1] == []
    status, answer = await platform.call("GET", "tenants/check-slug?slug=never-co")
    assert answer["available"], answer


async def test_only_those_who_may_make_tenants(platform: Platform) -> None:
    person = await platform.person("nobody@example.com")
    assert (await platform.call("POST", "tenants", {"slug": "mine-co"}, **person))[0] == 403
    customer = await platform.person("customer@example.com", "customer")
    status, _ = await platform.call(
        "POST", "tenants", {"slug": "mine-co", "owner_email": "else@example.com"}, **customer
    )
    assert status in {403, 422}
    status, answer = await platform.call("POST", "tenants", {"slug": "mine-co", "name": "Mine"}, **customer)
    assert status == 201, answer
    _, rows = await platform.call("GET", "tenants?select=slug", **customer)
    assert rows == [{"slug": "mine-co"}], "and sees no other"
    status, entered = await platform.client.send("POST", "/auth/v1/tenants/mine-co/session", {}, **customer)
    assert status == 200, entered
    # what is inside a tenant is worth nothing outside of it
    inside = {"Authorization": f"Bearer {entered['access_token']}"}
    for method, path in (("GET", "tenants"), ("POST", "rpc/suspend_tenant"), ("POST", "tenants")):
        assert (
            await platform.call(method, path, {"slug": "acme-co"} if method == "POST" else None, **inside)
        )[0] == 401
    for function in ("suspend_tenant", "resume_tenant"):
        body = {"slug": "mine-co"}
        assert (await platform.call("POST", f"rpc/{function}", body, **customer))[0] == 403
        assert (await platform.inside("mine-co", "POST", f"rpc/{function}", body, **inside))[0] == 404
    assert (await platform.inside("mine-co", "GET", "tenants/acme-co/schema", **inside))[0] == 404
