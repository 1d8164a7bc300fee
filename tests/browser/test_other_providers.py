"""Signing in with an account elsewhere: the button, the provider's own pages, and back."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Site, Visit
from tests.live import free_port
from tests.oidc.peers import HERE as PEERS
from tests.oidc.peers import start_peer

APP = "/app/guild"
TENANT = """
version: 1
service: {{ name: guild }}
auth:
  signup: open
  default_role: member
  providers:
    corp: {{ issuer: "http://127.0.0.1:{port}", client_id: backsaas, client_secret: "${{CORP_SECRET}}", title: {{ en: The Corp }} }}
roles: {{ member: {{}} }}
entities:
  notes:
    schema: {{ properties: {{ text: {{ type: string }} }} }}
    access: {{ read: [ {{ role: member }} ] }}
"""


@pytest.fixture(scope="module")
async def provider(site: Site) -> AsyncIterator[str]:
    """A strict OpenID provider on this machine, and a tenant that trusts it; its address."""
    if not (PEERS / "node_modules").is_dir():
        pytest.skip("no provider here: npm ci --prefix tests/oidc")
    port = free_port()
    peer, _ = await start_peer("strict.mjs", str(port), f"{site.live.base('guild')}/auth/v1/callback")
    await site.live.save("guild", TENANT.format(port=port))
    yield f"http://127.0.0.1:{port}"
    peer.terminate()
    await peer.wait()


async def sign_in_there(page: Page, provider: str, login: str) -> None:
    """Fill in the provider's pages: who one is, and that the tenant may know it."""
    await expect(page).to_have_url(re.compile(f"^{provider}/interaction/"))
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def test_a_button_leads_to_the_provider_and_back_signed_in(provider: str, visit: Visit) -> None:
    visitor = await visit(APP)
    page = visitor.page
    await page.route("https://fonts.googleapis.com/**", lambda route: route.fulfill(content_type="text/css"))
    await visitor.go()
    button = page.get_by_role("link", name="Continue with The Corp")
    await expect(button).to_be_visible()
    await visitor.shoot("sign-in-provider")
    await button.click()
    await sign_in_there(page, provider, "olga")
    await expect(page.get_by_role("navigation").get_by_role("link", name="Notes")).to_be_visible()
    assert page.url == f"{visitor.home}/"
    await visitor.follow("/account")
    ways = page.get_by_role("region", name="Other ways to sign in")
    await expect(ways).to_contain_text("olga@corp.example")
    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert not any(part in stored for part in ("eyJ", "bs_", "code=")), "no token is in a script's reach"


async def test_somebody_with_a_password_connects_an_account_elsewhere(
    provider: str, site: Site, visit: Visit
) -> None:
    await site.person("guild", "pavel@guild.example", "member")
    visitor = await visit(APP, as_="pavel@guild.example", path="/account")
    page = visitor.page
    await page.route("https://fonts.googleapis.com/**", lambda route: route.fulfill(content_type="text/css"))
    ways = page.get_by_role("region", name="Other ways to sign in")
    await ways.get_by_role("button", name="Connect The Corp").click()
    await sign_in_there(page, provider, "pavel-of-corp")
    await expect(ways).to_contain_text("pavel-of-corp@corp.example")
    assert page.url == f"{visitor.home}/account"
    await ways.get_by_role("button", name="Remove").click()
    await expect(ways.get_by_role("button", name="Connect The Corp")).to_be_visible()
