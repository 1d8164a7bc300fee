"""A tenant operated from the console: its rows, functions, webhooks and jobs."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: { name: workshop, title: Workshop }
roles: { member: {}, admin: { inherits: [member] } }
entities:
  orders:
    label: name
    schema:
      required: [name]
      properties:
        name: { type: string, maxLength: 80 }
        kind: { type: string, enum: [print, film], default: print }
        hours: { type: number, minimum: 0, multipleOf: 0.25, default: 0 }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
"""


@pytest.fixture(scope="module")
async def workshop(site: Site) -> None:
    await site.live.save("workshop", TEXT)
    orders = [
        {"name": "Poster", "hours": 2},
        {"name": "Flyer", "hours": 5},
        {"name": "Trailer", "hours": 40, "kind": "film"},
    ]
    status, told = await site.call("workshop", "POST", "/orders", orders)
    assert status == 201, told


@pytest.mark.usefixtures("workshop")
async def test_rows_are_filtered_by_clicking_and_the_address_says_so(visit: Visit) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/workshop")
    page = visitor.page
    await page.get_by_role("tab", name="Data").click()
    await expect(page.get_by_role("row").filter(has_text="/orders")).to_be_visible()
    await visitor.shoot("console-data")
    await page.get_by_role("link", name="Orders", exact=True).click()
    await expect(page.get_by_role("link", name="Trailer")).to_be_visible()
    address = page.get_by_role("region", name="What this page asks the API")
    await expect(address).to_contain_text("/api/tenants/workshop/orders?select=")

    await page.get_by_role("button", name="Filter", exact=True).click()
    await page.get_by_role("combobox", name="Field").click()
    await page.get_by_role("option", name="Hours").click()
    await page.get_by_role("combobox", name="Filter").click()
    await page.get_by_role("option", name="at least").click()
    await page.get_by_label("Value").fill("5")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_role("link", name="Poster")).to_have_count(0)
    await expect(page.get_by_role("link", name="Flyer")).to_be_visible()
    await expect(address).to_contain_text("&hours=gte.5")
    await visitor.shoot("console-data-filtered")

    await page.get_by_role("link", name="Flyer").click()
    await expect(page).to_have_url(re.compile("/admin/tenants/workshop/data/orders/"))
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Name").fill("Folded flyer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Folded flyer")).to_be_visible()
    await visitor.shoot("console-data-row")
