"""The platform's own people: the first start, one sign-in for several tenants, host names, and their end."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.live import ROOT, Live

PASSWORD = "a long enough password 1"
EMAIL = "root@example.com"
TENANT = """
version: 1
service: { name: acme-co }
roles: { member: {}, boss: { inherits: [member] } }
entities:
  notes:
    schema: { properties: { text: { type: string } } }
    access: { read: [ { role: member } ], create: [ { role: boss } ] }
"""


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    live = Live(tmp_path)
    shutil.copy(ROOT / "schemas" / "platform.yaml", live.schemas)
    live.write("acme-co", TENANT)
    yield live
    await live.stop()


class Client:
    """Talks JSON to a live process."""

    def __init__(self, live: Live) -> None:
        self.live = live

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method, f"{self.live.url}{path}", json=body, headers=sent, allow_redirects=False
            ) as answer,
        ):
            text = await answer.text()
            return answer.status, (await answer.json(content_type=None)) if text[
                :1
            ] in "[{" and text else text

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, base: str = "") -> str:
        status, session = await self.send(
            "POST", f"{base}/auth/v1/token?grant_type=password", {"email": email, "password": password}
        )
        assert status == 200, session
        return str(session["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


LINK = r"http://\S+/admin/setup#token=\S+"


async def use_setup_link(live: Live, link: str) -> tuple[int, str]:
    """Do what the page behind the printed link does; a browser does it in tests/browser."""
    body = {"token": link.partition("#token=")[2], "email": EMAIL, "password": PASSWORD, "cookie": True}
    headers = {"Origin": live.url, "Sec-Fetch-Site": "same-origin"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{live.url}/auth/v1/setup", json=body, headers=headers) as done,
    ):
        text = await done.text()
        assert "access_token" not in text
        return done.status, text


async def test_the_first_administrator_comes_by_a_link_that_works_once(live: Live) -> None:
    await live.start(str(live.directory))
    client = Client(live)
    (link,) = re.findall(LINK, live.output())
    status, _ = await client.send(
        "POST", "/auth/v1/token?grant_type=password", {"email": EMAIL, "password": PASSWORD}
    )
    assert status == 400, "nobody is in before"
    status, text = await use_setup_link(live, link)
    assert status == 200, text
    token = await client.sign_in()
    status, tenants = await client.send(
        "GET", "/api/platform/tenants?select=slug&order=slug", **bearer(token)
    )
    assert (status, tenants) == (200, [{"slug": "acme-co"}, {"slug": "system"}])
    assert (await use_setup_link(live, link))[0] in {404, 409}, "the link works once"
    await live.stop()
    before = len(re.findall(LINK, live.output()))
    await live.start(str(live.directory))
    assert len(re.findall(LINK, live.output())) == before, "nobody is invited again"


async def test_a_race_for_the_first_administrator_has_one_winner(live: Live) -> None:
    """C25: the link works once, however many use it at the same time."""
    await live.start(str(live.directory))
    (link,) = re.findall(LINK, live.output())
    wrong = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert (await use_setup_link(live, wrong))[0] in {403, 404}
    outcomes = await asyncio.gather(*(use_setup_link(live, link) for _ in range(8)))
    assert sum(status == 200 for status, _ in outcomes) == 1, outcomes
    assert {status for status, _ in outcomes} <= {200, 403, 409}, outcomes
    client = Client(live)
    token = await client.sign_in()
    status, people = await client.send("GET", "/api/platform/users?select=email,role", **bearer(token))
    assert (status, people) == (200, [{"email": EMAIL, "role": "platform_admin"}])


async def test_nothing_opens_a_normal_start(live: Live) -> None:
    await live.start(str(live.directory))
    client = Client(live)
    token = live.token("acme-co")
    status, _ = await client.send("GET", "/api/tenants/acme-co/notes", **bearer(token))
    assert status == 401, "development tokens are for --dev alone"
    for email in ("admin", "admin@example.com", "root@localhost.example"):
        for password in ("admin", "password", "changeme", ""):
            status, _ = await client.send(
                "POST", "/auth/v1/token?grant_type=password", {"email": email, "password": password}
            )
            assert status in {400, 422, 429}


async def start_with_admin(live: Live) -> tuple[Client, str]:
    live.env |= {"BACKSAAS_ADMIN_EMAIL": EMAIL, "BACKSAAS_ADMIN_PASSWORD": PASSWORD}
    await live.start(str(live.directory))
    client = Client(live)
    return client, await client.sign_in()


async def test_one_sign_in_several_tenants(live: Live) -> None:
    client, admin = await start_with_admin(live)
    assert not re.findall(LINK, live.output())
    person = {"email": "mia@example.com", "password": PASSWORD, "email_confirm": True}
    status, mia = await client.send("POST", "/auth/v1/admin/users", person, **bearer(admin))
    assert status in {200, 201}, mia
    token = await client.sign_in("mia@example.com")
    status, _ = await client.send("POST", "/auth/v1/tenants/acme-co/session", {}, **bearer(token))
    assert status == 404, "she belongs to no tenant yet"
    _, (row,) = await client.send("GET", "/api/platform/tenants?slug=eq.acme-co", **bearer(admin))
    membership = {"user_id": mia["id"], "tenant_id": row["id"], "role": "boss"}
    status, made = await client.send(
        "POST", "/api/platform/memberships", membership, Prefer="return=representation", **bearer(admin)
    )
    assert status == 201, made
    assert (await client.send("GET", "/auth/v1/tenants", **bearer(token)))[1] == [
        {"slug": "acme-co", "name": "", "role": "boss"}
    ]
    status, entered = await client.send("POST", "/auth/v1/tenants/acme-co/session", {}, **bearer(token))
    assert status == 200, entered
    inside = entered["access_token"]
    notes = "/api/tenants/acme-co/notes"
    assert (await client.send("POST", notes, {"text": "hello"}, **bearer(inside)))[0] == 201
    assert (await client.send("GET", notes, **bearer(token)))[0] == 401, (
        "the platform's token is worth nothing there"
    )
    assert (await client.send("GET", "/api/platform/tenants", **bearer(inside)))[0] == 401
    key = f"/api/platform/memberships?id=eq.{made[0]['id']}"
    assert (await client.send("PATCH", key, {"role": "member"}, **bearer(admin)))[0] == 204
    await until(client, "POST", notes, {"text": "x"}, inside, 403)
    assert (await client.send("GET", notes, **bearer(inside)))[0] == 200
    assert (await client.send("DELETE", key, **bearer(admin)))[0] == 204
    await until(client, "GET", notes, None, inside, 401)
    # an administrator of the platform belongs to every tenant
    status, entered = await client.send("POST", "/auth/v1/tenants/acme-co/session", {}, **bearer(admin))
    assert status == 200, entered


async def until(client: Client, method: str, path: str, body: Any, token: str, wanted: int) -> None:
    began = time.monotonic()
    while (status := (await client.send(method, path, body, **bearer(token)))[0]) != wanted:
        assert time.monotonic() - began < 2.0, f"still {status}"
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 1.2, "a second at most"


async def test_a_host_name_of_its_own(live: Live) -> None:
    client, admin = await start_with_admin(live)
    status, _ = await client.send(
        "PATCH", "/api/platform/tenants?slug=eq.acme-co", {"domain": "books.acme.example"}, **bearer(admin)
    )
    assert status == 204
    for _ in range(40):
        status, index = await client.send("GET", "/rest/v1/", Host="books.acme.example")
        if status == 200:
            break
        await asyncio.sleep(0.05)
    assert status == 200, index
    status, _ = await client.send("GET", "/api/tenants/other-co/notes", Host="books.acme.example")
    assert status == 400, "host and path name different tenants"


async def test_browsers_find_pages_that_sign_people_in(live: Live) -> None:
    await live.start(str(live.directory))
    async with aiohttp.ClientSession() as session:
        for path, page in (
            ("/app/acme-co/invoices?x=1", "/api/tenants/acme-co/auth/v1/login"),
            ("/admin/tenants", "/auth/v1/login"),
        ):
            async with session.get(live.url + path, headers={"Accept": "text/html,*/*"}) as answer:
                assert answer.status == 200
                assert 'id="boot"' in await answer.text()
                assert "no-store" in answer.headers["Cache-Control"]
            async with session.get(live.url + page) as answer:
                assert answer.status == 200
                assert "text/html" in answer.headers["Content-Type"]
                assert "no-store" in answer.headers["Cache-Control"]
            async with session.get(live.url + path, headers={"Accept": "application/json"}) as answer:
                assert answer.status == 401
                assert (await answer.json(content_type=None))["code"] == "auth.required"


async def test_a_person_in_a_browser_gets_in_out_and_in_again(live: Live) -> None:
    await live.start(str(live.directory))
    (link,) = re.findall(LINK, live.output())
    async with aiohttp.ClientSession(
        live.url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Accept": "text/html"}
    ) as browser:

        async def send_form(page: str, **fields: str) -> aiohttp.ClientResponse:
            """Fill in and send the first form of a page."""
            page = page.partition("</form>")[0]
            sent = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)) | fields
            (action, *_) = re.findall(r'<form method="post" action="([^"]+)"', page)
            headers = {"Origin": live.url, "Sec-Fetch-Site": "same-origin"}
            return await browser.post(action.replace("&amp;", "&"), data=sent, headers=headers)

        assert (await use_setup_link(live, link))[0] == 200
        inside = await send_form(
            await (await browser.get("/auth/v1/login")).text(), email=EMAIL, password=PASSWORD
        )
        assert (inside.status, inside.url.path) == (200, "/admin/")
        page = await (await browser.get("/auth/v1/account")).text()
        assert EMAIL in page
        assert (await use_setup_link(live, link))[0] == 409
        # what the page leads to
        (api,) = re.findall(r'<a class="button plain" href="([^"]+)"', page)
        assert (await browser.get(api)).status == 200
        out = await send_form(page)
        assert out.url.path == "/auth/v1/login"
        # the way back in, to the page that was asked for
        guarded = await browser.get("/auth/v1/login?redirect_to=%2Fadmin%2Ftenants%3Fx%3D1")
        assert guarded.status == 200
        page = await guarded.text()
        wrong = await send_form(page, email=EMAIL, password="not the password")
        assert wrong.status == 400
        inside = await send_form(await wrong.text(), email=EMAIL, password=PASSWORD)
        assert (inside.status, str(inside.url.relative())) == (200, "/admin/tenants?x=1")
        # a page for other roles says so, and lets one leave
        (live.config / "gateway.yaml").write_text(
            "- {path: '/auth/*', target: auth-service}\n"
            "- {path: '/admin/*', target: admin-console, auth: {required_roles: [nobody_has_this]}}\n"
        )
        for _ in range(100):
            refused = await browser.get("/admin/")
            if refused.status != 200:
                break
            await asyncio.sleep(0.05)
        page = await refused.text()
        assert (refused.status, "other roles" in page, "Sign out" in page) == (403, True, True)
