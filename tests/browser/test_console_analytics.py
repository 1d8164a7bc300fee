"""The console's analytics: figures follow what tenants are really asked, by span and by tenant."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: {{ name: {slug} }}
entities:
  notes:
    schema: {{ properties: {{ title: {{ type: string, maxLength: 100 }} }} }}
    access: {{ read: [ {{ role: authenticated }} ] }}
"""


async def test_figures_follow_what_is_asked(visit: Visit, site: Site) -> None:
    for slug in ("busy-co", "calm-co"):
        site.live.write(slug, TEXT.format(slug=slug))
        async for _ in site.until():
            if (await site.call(slug, "GET", "/notes"))[0] == 200:
                break
    for _ in range(11):
        await site.call("busy-co", "GET", "/notes?limit=1")
    assert (await site.call("busy-co", "GET", "/nothing"))[0] == 404
    visitor = await visit("/admin", as_=ADMIN, path="/analytics?span=day")
    page = visitor.page
    compared = page.get_by_role("region", name="Tenants compared")
    await expect(tenant(compared, "busy-co")).to_be_visible()
    await expect(tenant(compared, "calm-co")).to_be_visible()

    await page.get_by_role("combobox", name="Tenants").fill("busy")
    await page.get_by_role("option", name="busy-co").click()
    await page.keyboard.press("Escape")
    asked = page.get_by_role("region", name="Most asked for")
    await expect(asked.get_by_role("row").filter(has_text="{entity}").first).to_contain_text("ms")
    answers = page.get_by_role("region", name="Answers by status").get_by_role("row")
    await expect(answers.filter(has_text="404")).to_contain_text("1")
    await visitor.shoot("console-analytics")

    await page.get_by_role("combobox", name="Tenants").fill("calm")
    await page.get_by_role("option", name="calm-co").click()
    await page.keyboard.press("Escape")
    await expect(compared.get_by_role("row")).to_have_count(3)  # two and the head
    table = figure(page, "Requests").get_by_role("table")
    await expect(table.get_by_role("columnheader", name="calm-co")).to_be_attached()
    await page.get_by_text("30 days", exact=True).click()
    await expect(page).to_have_url(re.compile(r"span=month&tenants=busy-co(,|%2C)calm-co$"))
    await expect(tenant(compared, "busy-co")).to_be_visible()


def tenant(compared: Locator, slug: str) -> Locator:
    """The row of a tenant."""
    return compared.get_by_role("row").filter(has=compared.page.get_by_role("link", name=slug, exact=True))


def figure(page: Page, title: str) -> Locator:
    """The panel of a figure."""
    heading = page.get_by_role("heading", name=title, exact=True)
    return page.locator("section").filter(has=heading)
