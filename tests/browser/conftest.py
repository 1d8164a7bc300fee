"""A live process and one Chromium for all tests of pages; each test has a context of its own.

The process serves a tenant made from a file with every type, and the example `sample-crm`. With ``LOOKS=all`` each
page a test shoots is looked at in four ways instead of two, and drawn to `build/screenshots/`, for people to look at.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.live import ROOT, Live

CHROMIUM = shutil.which("chromium") or ""
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = ROOT / "build" / "screenshots"
DRAWN = os.environ.get("LOOKS") == "all"
LOOKS: list[tuple[Literal["light", "dark"], int]] = (
    [("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360)]
    if DRAWN
    else [("light", 1280), ("dark", 360)]
)
LOOK = """async () => {
  await document.fonts.ready;
  for (let still = 0; still < 3; still += 1) {  // another width and other colours come with the next frames, moving
    await new Promise(requestAnimationFrame);
    for (const moving of document.getAnimations()) {
      if (moving.playState !== "running" || moving.effect?.getComputedTiming().endTime === Infinity) continue;
      moving.finish();
      still = 0;
    }
  }
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}"""
"""What axe finds, by rule and place. Its whole report costs more to bring here than to make."""
PASSWORD = "correct horse battery 9"
ADMIN = "root@example.com"
PATIENCE = int(os.environ.get("BROWSER_PATIENCE", "30000"))
"""Milliseconds until something that must appear counts as missing."""

expect.set_options(timeout=PATIENCE)


class Site:
    """The process with its people.

    Attributes:
        live: the process.
    """

    def __init__(self, live: Live) -> None:
        self.live = live

    async def person(self, slug: str, email: str, role: str) -> None:
        """Make somebody who can sign in with PASSWORD."""
        body = {"email": email, "password": PASSWORD, "email_confirm": True, "role": role}
        status, told = await self.call(slug, "POST", "/auth/v1/admin/users", body)
        assert status in {200, 201}, told

    async def until(self, seconds: float = 30) -> AsyncIterator[None]:
        """Try again and again: ``async for _ in site.until()`` until one breaks out."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            yield
            await asyncio.sleep(0.05)
        raise AssertionError("it never came")

    async def call(
        self, slug: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Ask a tenant's API as its admin."""
        token = self.live.token(slug, role="admin")
        return await self._ask(token, method, f"/api/tenants/{slug}{path}", body, headers)

    async def platform(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the platform's API as an administrator of it."""
        token = self.live.token("system", role="platform_admin")
        return await self._ask(token, method, f"/api/platform{path}", body, {})

    async def _ask(
        self, token: str, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method,
                self.live.url + path,
                json=body,
                headers={"Authorization": f"Bearer {token}", **headers},
            ) as answer,
        ):
            return answer.status, await answer.json(content_type=None)


@pytest.fixture(scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    if not CHROMIUM:
        pytest.skip("no chromium here: .ci/run installs it")
    live = Live(
        tmp_path_factory.mktemp("pages") / "site",
        BACKSAAS_ADMIN_EMAIL=ADMIN,
        BACKSAAS_ADMIN_PASSWORD=PASSWORD,
        BACKSAAS_PRIVATE_NETWORKS="127.0.0.0/8",
        BACKSAAS_METERING_FLUSH_SECONDS="1",
        BACKSAAS_ALLOW_PRIVATE_PROVIDERS="true",
        CORP_SECRET="the-secret-of-the-client",
    )
    live.env["BACKSAAS_URL"] = live.url
    here = Path(__file__).parent
    shutil.copy(ROOT / "schemas" / "platform.yaml", live.schemas)
    for file in here.glob("*.yaml"):
        shutil.copy(file, live.schemas)
    await live.start()
    site = Site(live)
    await site.person("all-types", "ada@types.example", "admin")
    await site.person("all-types", "mel@types.example", "member")
    yield site
    await live.stop()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


class Visitor:
    """A person at a browser; what the page complains about on its console fails the test.

    Attributes:
        page: its one tab.
        home: address of the face it looks at.
    """

    def __init__(self, page: Page, home: str) -> None:
        self.page, self.home = page, home
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda line: line.type == "error" and self.complaints.append(line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def go(self, path: str = "/") -> None:
        await self.page.goto(self.home + path)

    async def follow(self, path: str) -> None:
        """Go to another page of the face without loading it anew, as a link does.

        The way leads past an address where nothing is, so that no text of the page before is taken for the new one's.
        """
        nothing = self.page.get_by_role("heading", name="There is nothing here")
        await self._turn("/nothing/here")
        await expect(nothing).to_be_visible()
        await self._turn(path)
        await expect(nothing).to_have_count(0)

    async def _turn(self, path: str) -> None:
        await self.page.evaluate(
            "to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }",
            urlsplit(self.home).path + path,
        )

    async def come_in(self, email: str, path: str = "/") -> None:
        """Be signed in as somebody, without a visit to the sign-in page; and go to a page of the face."""
        face, _, slug = urlsplit(self.home).path[1:].partition("/")
        api = "/api/platform" if face == "admin" else f"/api/tenants/{slug}"
        origin = self.home.removesuffix(urlsplit(self.home).path)
        answer = await self.page.context.request.post(
            f"{origin}{api}/auth/v1/session",
            data={"email": email, "password": PASSWORD},
            headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.ok, await answer.text()
        await self.go(path)
        await self.page.locator("#content").wait_for()

    async def sign_in(self, email: str) -> None:
        """Sign in as people do, on the page."""
        await self.go()
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.locator("input[name=password]").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.page.locator("#content").wait_for()

    async def shoot(self, name: str) -> None:
        """Hold the page as it is against WCAG 2.2 AA, and see that it fits: light and wide, dark and narrow."""
        for scheme, width in LOOKS:
            await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await self.page.set_viewport_size({"width": width, "height": 800})
            assert await self.violations() == [], f"{name}, {scheme}"
            wide = await self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide on a screen of {width}"
            if DRAWN:
                path = SHOTS / f"{name}-{scheme}-{width}.png"
                await self.page.screenshot(path=path, animations="disabled")
        await self.page.set_viewport_size({"width": 1280, "height": 800})

    async def violations(self) -> list[str]:
        """What axe finds on the page, by rule and place."""
        if not AXE.exists():
            return []
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        found: list[str] = await self.page.evaluate(LOOK)
        return found


Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def visit(site: Site, chromium: Browser) -> AsyncIterator[Visit]:
    """Open a browser of one's own at a face: ``await visit("/app/all-types")``; a signed-in one with ``as_``."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    async def open_(face: str, as_: str = "", path: str = "/", **settings: Any) -> Visitor:
        context = await chromium.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "Europe/Berlin"}
            | settings
        )
        contexts.append(context)
        visitor = Visitor(await context.new_page(), site.live.url + face)
        visitors.append(visitor)
        if as_:
            await visitor.come_in(as_, path)
        return visitor

    yield open_
    for context in contexts:
        await context.close()
    assert [line for visitor in visitors for line in visitor.complaints] == []
