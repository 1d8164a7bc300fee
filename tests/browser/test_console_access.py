"""The access simulator: as this role or person, this row: allowed, and by which line of the file; it is on record."""

from playwright.async_api import Locator, expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: { name: lending, title: Lending }
auth: { signup: open, default_role: clerk, claims: { desk: user.desk } }
roles: { clerk: {}, chief: { inherits: [clerk] } }
entities:
  users:
    schema: { properties: { desk: { type: string } } }
  loans:
    schema:
      properties:
        title: { type: string }
        desk: { type: string }
        fee: { type: number }
    access:
      read:
        - { role: clerk, rule: self.desk == user.desk, hide: [fee] }
        - { role: chief }
        - { role: admin }
      write: [ { role: chief, check: self.fee > 0 }, { role: admin } ]
"""


async def test_an_administrator_asks_why(visit: Visit, site: Site) -> None:
    site.live.write("lending", TEXT)
    visitor = await visit("/admin", as_=ADMIN, path="/tenants")
    page = visitor.page
    await page.get_by_role("link", name="lending").click()
    row = {"title": "Emma", "desk": "north", "fee": 3}
    status, made = await site.call("lending", "POST", "/loans", row, Prefer="return=representation")
    assert status == 201, made
    await page.get_by_role("tab", name="Access").click()
    await page.get_by_role("combobox", name="Role", exact=True).fill("clerk")
    await page.get_by_role("option", name="clerk").click()
    await page.get_by_role("combobox", name="Entity").fill("loans")
    await page.get_by_role("option", name="loans").click()
    ask = page.get_by_role("button", name="What may they do?")
    await ask.click()
    entries = page.get_by_role("region", name="Access entries")
    await expect(line(entries, "lending.yaml:16")).to_contain_text("decides row by row")
    await expect(line(entries, "lending.yaml:17")).to_contain_text("Not their role")
    await expect(entries.get_by_role("row", name="Read")).to_contain_text("It depends")
    await expect(entries.get_by_role("row", name="Delete")).to_contain_text("nobody may")

    await page.get_by_label("Key of a row").fill(made[0]["id"])
    await page.get_by_label("Claims (JSON)").fill('{"desk": "south"}')
    await ask.click()
    await expect(line(entries, "lending.yaml:16")).to_contain_text("does not hold for the row")
    await expect(entries.get_by_role("row", name="Read")).to_contain_text("Refused")
    await page.get_by_label("Claims (JSON)").fill('{"desk": "north"}')
    await ask.click()
    await expect(entries.get_by_role("row", name="Read")).to_contain_text("Allowed")
    fields = page.get_by_role("region", name="Fields")
    await expect(fields.get_by_role("row", name="title")).to_contain_text("16")
    await expect(fields.get_by_role("row", name="fee")).to_contain_text("hidden")
    await visitor.shoot("console-access")

    await page.get_by_role("combobox", name="Role", exact=True).fill("chief")
    await page.get_by_role("option", name="chief").click()
    await ask.click()
    await expect(entries.get_by_role("row", name="Read")).to_contain_text("Allowed")
    await expect(line(entries, "lending.yaml:19").first).to_contain_text("must hold for what is written")
    assert "Emma" not in await page.locator("#content").inner_text(), "no value of the row is shown"


def line(entries: Locator, place: str) -> Locator:
    """The rows of entries that stand on a line of the file."""
    return entries.get_by_role("row").filter(has_text=place)
