"""Somebody is asked to join a tenant: a mail, a link, and a membership when they come."""

import re
from pathlib import Path

import aiohttp

from tests.platform.conftest import Platform
from tests.process.test_platform import PASSWORD, bearer


def written(path: Path) -> int:
    return path.stat().st_mtime_ns


async def follow_link(platform: Platform, mail: str) -> None:
    """Press the button behind a mail's link."""
    (token,) = set(re.findall(r"/admin/link#token=([\w.-]+)", mail.replace("=\n", "").replace("=3D", "=")))
    (kind,) = set(re.findall(r"type=(\w+)", mail.replace("=\n", "").replace("=3D", "=")))
    url = f"{platform.live.url}/auth/v1/verify"
    async with aiohttp.ClientSession() as session:
        body = {"token_hash": token, "type": kind}
        async with session.post(url, json=body) as answer:
            assert answer.status == 200, await answer.text()
            token = (await answer.json())["access_token"]
        user = f"{platform.live.url}/auth/v1/user"
        async with session.put(user, json={"password": PASSWORD}, headers=bearer(token)) as answer:
            assert answer.status == 200, await answer.text()


async def test_invited_by_mail_and_a_member_on_entering(platform: Platform) -> None:
    slug, email = "join-co", "guest@example.com"
    await platform.create(slug)
    for wrong, status in (
        ({"role": "nobody"}, 422),
        ({"email": "no address"}, 422),
        ({"slug": "none-co"}, 404),
    ):
        body = {"slug": slug, "email": email, "role": "member", **wrong}
        assert (await platform.rpc("invite_member", **body))[0] == status, wrong
    status, answer = await platform.rpc("invite_member", slug=slug, email=email, role="member")
    assert (status, answer) == (200, {"slug": slug, "email": email, "role": "member"})
    # asked again it is the same invitation
    assert (await platform.rpc("invite_member", slug=slug, email=email, role="admin"))[0] == 200
    status, rows = await platform.call("GET", f"invitations?email=eq.{email}&select=role,tenant(slug)")
    assert (status, rows) == (200, [{"role": "admin", "tenant": {"slug": slug}}])
    # asking again has ended the first link
    assert len(await platform.mails(email, 2)) == 2
    folder = platform.live.directory / "data" / "mail"
    newest = max((path for path in folder.glob("*.eml") if f"To: {email}" in path.read_text()), key=written)
    await follow_link(platform, newest.read_text())
    guest = bearer(await platform.client.sign_in(email))
    status, entered = await platform.client.send("POST", f"/auth/v1/tenants/{slug}/session", {}, **guest)
    assert status == 200, entered
    inside = bearer(entered["access_token"])
    assert (await platform.inside(slug, "POST", "notes", {"title": "hello"}, **inside))[0] == 201
    assert (await platform.call("GET", f"invitations?email=eq.{email}"))[1] == []
    status, mine = await platform.client.send("GET", "/auth/v1/tenants", None, **guest)
    assert [(one["slug"], one["role"]) for one in mine] == [(slug, "admin")]
    status, answer = await platform.rpc("invite_member", slug=slug, email=email, role="member")
    assert (status, answer["code"]) == (409, "23505")
    status, acts = await platform.call("GET", f"audit_log?action=eq.member.invited&key=eq.{slug}&order=id")
    assert acts[0]["new_values"] == {"email": email, "role": "member"}
    status, acts = await platform.call(
        "GET", "audit_log?entity=eq.memberships&action=eq.create&order=id.desc&limit=1"
    )
    assert acts[0]["email"] == email


async def test_strangers_neither_invite_nor_accept(platform: Platform) -> None:
    slug = "shut-co"
    await platform.create(slug)
    assert (await platform.rpc("invite_member", slug=slug, email="asked@example.com", role="member"))[
        0
    ] == 200
    stranger = await platform.person("stranger@example.com")
    body = {"slug": slug, "email": "friend@example.com", "role": "admin"}
    send = platform.client.send
    assert (await send("POST", "/api/platform/rpc/invite_member", body, **stranger))[0] == 404
    assert (await send("POST", f"/auth/v1/tenants/{slug}/session", {}, **stranger))[0] == 404
    assert (await send("GET", "/api/platform/invitations", None, **stranger))[1] == []
