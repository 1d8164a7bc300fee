"""A browser that stands in for a user of a tenant: its session, what is recorded, and how it ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.platform.conftest import Platform
from tests.platform.test_impersonation import user_of
from tests.process.test_platform import EMAIL, PASSWORD

FILE = """
version: 1
service: { name: through-co }
audit: true
roles: { member: {} }
entities:
  notes:
    schema: { properties: { text: { type: string } } }
    access: { read: [ { role: member } ], create: [ { role: member } ] }
"""


class Seen(NamedTuple):
    status: int
    json: Any


class Browser:
    """Keeps cookies, and sends what pages of the installation send along."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}

    async def send(self, method: str, path: str, body: Any = None, csrf: str = "") -> Seen:
        headers = {
            "Origin": self.url,
            "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": csrf,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, self.url + path, json=body, headers=headers) as answer,
        ):
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
            return Seen(answer.status, await answer.json(content_type=None) if await answer.read() else None)

    async def at_the_console(self) -> str:
        """Sign in there; returns the token of its pages."""
        signed = await self.send("POST", "/auth/v1/session", {"email": EMAIL, "password": PASSWORD})
        assert signed.status == 200, signed
        return str(signed.json["csrf_token"])

    async def stand_in(self, csrf: str) -> dict[str, Any]:
        body = {"slug": "through-co", "email": "lea@through.example", "reason": "ticket 9", "cookie": True}
        seen = await self.send("POST", "/api/platform/rpc/impersonate", body, csrf)
        assert seen.status == 200, seen
        assert isinstance(seen.json, dict)
        return seen.json

    async def me(self) -> Seen:
        return await self.send("GET", f"{INSIDE}/me")


INSIDE = "/api/tenants/through-co"


@pytest.fixture(scope="module")
async def lea(platform: Platform) -> str:
    """The id of a member of a tenant that keeps an audit log."""
    platform.live.write("through-co", FILE)

    async def there() -> bool:
        return bool((await platform.call("GET", "tenants?slug=eq.through-co"))[1])

    await come_true(there)
    return await user_of(platform, "through-co", "lea@through.example")


async def come_true(what: Callable[[], Awaitable[bool]]) -> None:
    ends = time.monotonic() + 30
    while not await what():
        assert time.monotonic() < ends, "it never came"
        await asyncio.sleep(0.05)


async def test_a_browser_is_that_user_and_what_it_writes_names_both(platform: Platform, lea: str) -> None:
    browser = Browser(platform.live.url)
    told = await browser.stand_in(await browser.at_the_console())
    assert "access_token" not in told
    me = (await browser.me()).json
    assert (me["user"]["id"], me["standing_in"]["by"]) == (lea, EMAIL)
    csrf = me["csrf_token"]
    assert csrf == told["csrf_token"]
    made = await browser.send("POST", f"{INSIDE}/notes", {"text": "by both"}, csrf)
    assert made.status == 201, made
    foreign = await browser.send("POST", f"{INSIDE}/notes", {"text": "by a foreign page"})
    assert foreign.status == 403, foreign
    for method, path in (("POST", "session"), ("GET", "factors"), ("DELETE", "sessions"), ("POST", "keys")):
        refused = await browser.send(method, f"{INSIDE}/auth/v1/{path}", {}, csrf)
        assert (refused.status, refused.json["error_code"]) in {(403, "forbidden"), (401, "forbidden")}, path
    inside = await platform.enter("through-co")
    asked = "audit_log?entity=eq.notes&select=action,user_id,email"
    _, log = await platform.inside("through-co", "GET", asked, **inside)
    assert log == [{"action": "create", "user_id": lea, "email": f"{EMAIL} as lea@through.example"}]
    asked = "audit_log?action=eq.platform.impersonated&select=new_values,user_id&limit=1"
    _, (row,) = await platform.inside("through-co", "GET", asked, **inside)
    assert (row["new_values"]["who"], row["new_values"]["reason"]) == (EMAIL, "ticket 9")

    held = dict(browser.cookies)
    assert (await browser.send("DELETE", f"{INSIDE}/auth/v1/session", csrf=csrf)).status == 204
    browser.cookies = held  # a copy somebody kept
    assert (await browser.me()).status == 401


async def test_it_ends_with_the_session_it_was_opened_from(platform: Platform, lea: str) -> None:
    del lea
    browser, other = Browser(platform.live.url), Browser(platform.live.url)
    csrf = await browser.at_the_console()
    await browser.stand_in(csrf)
    await other.stand_in(await other.at_the_console())
    held = dict(browser.cookies)
    assert (await browser.send("DELETE", "/auth/v1/session", csrf=csrf)).status == 204
    browser.cookies = held

    async def over() -> bool:
        return (await browser.me()).status == 401

    await come_true(over)
    assert (await other.me()).json["standing_in"], "that of another browser goes on"


async def test_it_lasts_no_longer_than_the_session_it_was_opened_from(platform: Platform, lea: str) -> None:
    del lea
    browser = Browser(platform.live.url)
    csrf = await browser.at_the_console()
    async with platform.owner() as connection:
        place = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'system'")
        await connection.execute(
            f"UPDATE {place}._auth_sessions SET expires_at = now() + interval '100 s' "
            f"WHERE id = (SELECT id FROM {place}._auth_sessions ORDER BY created_at DESC LIMIT 1)"
        )
        now = await connection.fetchval("SELECT extract(epoch FROM now())::float")
    told = await browser.stand_in(csrf)
    assert told["expires_at"] - now <= 100
