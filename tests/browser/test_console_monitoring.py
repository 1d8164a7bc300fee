"""The console's overview and monitoring: a refused file comes up by itself and goes when it is repaired."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: { name: ledgers, title: Ledgers }
entities:
  notes:
    schema:
      properties:
        title: { type: string, maxLength: 100 }
    access:
      read: [ { role: authenticated } ]
"""


async def test_a_broken_file_is_seen_until_it_is_repaired(visit: Visit, site: Site) -> None:
    site.live.write("ledgers", TEXT)
    visitor = await visit("/admin", as_=ADMIN)
    page = visitor.page
    await page.get_by_role("link", name="Monitoring").click()
    await expect(page.get_by_role("cell", name="ledgers", exact=False).first).to_be_visible()
    await visitor.shoot("console-monitoring")
    await page.get_by_role("link", name="Overview").click()
    site.live.write("ledgers", TEXT.replace("maxLength", "maxLenth"))
    row = page.get_by_role("row").filter(has_text="ledgers").filter(has_text="was refused")
    await expect(row).to_contain_text("maxLenth")
    await visitor.shoot("console-overview")
    site.live.write("ledgers", TEXT.replace("100", "200"))
    await expect(row).to_have_count(0)
