"""The first day, by clicks alone: the printed link, a tenant from a template, its pages, a row."""

import re

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import ADMIN, CHROMIUM, PASSWORD, Visitor
from tests.live import ROOT, Live


async def test_from_the_first_start_to_the_first_row(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not CHROMIUM:
        pytest.skip("no chromium here: .ci/run installs it")
    live = Live(tmp_path_factory.mktemp("first") / "site")
    (live.schemas / "platform.yaml").write_text((ROOT / "schemas" / "platform.yaml").read_text())
    await live.start()
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    try:
        assert f"pages {live.url}/admin/" in live.output().replace("localhost", "127.0.0.1")
        (link,) = re.findall(r"http://[^/]+(/admin/setup#token=\S+)", live.output())
        visitor = Visitor(await context.new_page(), live.url)
        page = visitor.page
        await visitor.go("/")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.url == f"{live.url}/admin/", "strangers are told of no tenant"
        async with aiohttp.ClientSession() as program, program.get(live.url + "/") as answer:
            assert (await answer.json())["service"] == "backsaas"

        await visitor.go(link)
        await expect(page.get_by_role("heading", name="Set up BackSaas")).to_be_visible()
        assert "token" not in page.url
        await visitor.shoot("set-up")
        await page.get_by_label("E-mail").fill(ADMIN)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.get_by_role("button", name="Make me the administrator").click()

        await page.get_by_role("link", name="Tenants").click()
        await page.get_by_role("link", name="New tenant").first.click()
        await page.get_by_role("radio", name="CRM").click()
        await page.get_by_label("Name").fill("Day One")
        await expect(page.get_by_label("Slug")).to_have_value("day-one")
        await page.get_by_role("button", name="Make the tenant").click()
        await expect(page.get_by_role("heading", name="Day One")).to_be_visible()
        async with context.expect_page() as opened:
            await page.get_by_role("button", name="Open app").click()
        page = await opened.value
        await page.get_by_role("link", name="Companies").first.click()
        await page.get_by_role("link", name="New", exact=True).first.click()
        await page.locator("[data-field=name] input").fill("The very first")
        await page.get_by_role("button", name="Create", exact=True).click()
        await expect(page.get_by_role("heading", name="The very first")).to_be_visible()
        await page.goto(live.url + link)
        await expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    finally:
        await context.close()
        await live.stop()
