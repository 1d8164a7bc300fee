"""The console's billing, as a hoster bills: plans from the file, a plan given and changed, its invoices and papers."""

from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit

PLANS = """currency: EUR
tax_rate: 0.19
seller: { name: Kleinhost GmbH, address: "Hafenweg 3", tax_number: DE123456789 }
plans:
  team: { title: Team, price: 29.00, quotas: { requests: 100000 } }
  business: { title: Business, price: 149.00, quotas: { requests: 1000000 } }
"""
TENANT = """version: 1
service: { name: payers-co, title: Payers }
entities:
  notes:
    schema: { properties: { title: { type: string, maxLength: 100 } } }
    access: { read: [ { role: authenticated } ] }
"""


async def test_a_tenant_is_billed(visit: Visit, site: Site) -> None:
    plans = site.live.config / "plans.yaml"
    plans.write_text(PLANS)
    site.live.write("payers-co", TENANT)
    visitor = await visit("/admin", as_=ADMIN, path="/billing/plans")
    page = visitor.page
    await expect(page.get_by_text("€29.00")).to_be_visible()
    plans.write_text(PLANS.replace("29.00", "31.00"))
    await expect(page.get_by_text("€31.00")).to_be_visible()
    await visitor.shoot("console-plans")

    # a plan is given, then changed: what it costs is there before it is agreed to
    await page.goto(f"{visitor.home}/tenants/payers-co/billing")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Choose a plan").click()
    await dialog.get_by_label("New plan").select_option("team")
    await expect(dialog).to_contain_text("An invoice is issued at once.")
    await dialog.get_by_role("button", name="Change plan").click()
    rows = page.get_by_role("region", name="Invoices").get_by_role("row")
    await expect(rows.filter(has_text="€36.89")).to_be_visible()
    await page.get_by_role("button", name="Change plan").click()
    await dialog.get_by_label("New plan").select_option("business")
    await expect(dialog.get_by_role("row").filter(has_text="unused days of Team")).to_contain_text("-€31.00")
    await expect(dialog.get_by_role("row").filter(has_text="Sum, before 19 % tax")).to_contain_text("€118.00")
    await visitor.shoot("console-plan-change")
    await dialog.get_by_role("button", name="Change plan").click()
    await expect(page.get_by_role("region", name="Waits for the next invoice")).to_be_visible()
    await visitor.shoot("console-tenant-billing")
    await page.get_by_role("button", name="Issue now").click()
    second = rows.filter(has_text="€140.42")
    await expect(second).to_contain_text("Open")

    # its paper, and what becomes of it
    await second.get_by_role("link").first.click()
    await expect(page.get_by_role("cell", name="remaining days of Business")).to_be_visible()
    await visitor.shoot("console-invoice")
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="PDF", exact=True).click()
    paper = await coming.value
    assert paper.suggested_filename.endswith(".pdf")
    assert Path(await paper.path()).read_bytes().startswith(b"%PDF")
    await page.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Mark as paid").click()
    await dialog.get_by_label("Reference of the payment").fill("SEPA 4711")
    await dialog.get_by_role("button", name="Mark as paid").click()
    await expect(page.get_by_text("SEPA 4711")).to_be_visible()
    await page.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Write a credit note").click()
    await dialog.get_by_label("Amount with tax").fill("11.90")
    await dialog.get_by_role("button", name="Write a credit note").click()
    await page.get_by_role("link", name="Invoices").click()
    await page.get_by_label("Kind").select_option("credit_note")
    noted = page.get_by_role("row").filter(has_text="payers-co")
    await expect(noted).to_have_count(1)
    await expect(noted).to_contain_text("-€11.90")
    await visitor.shoot("console-invoices")

    await page.get_by_role("tab", name="Revenue").click()
    await expect(page.get_by_text("Recurring a month")).to_be_visible()
    await expect(page.get_by_role("definition").filter(has_text="1 paying")).to_contain_text("€149.00")
    await visitor.shoot("console-revenue")
    await page.get_by_role("tab", name="Quotas").click()
    await expect(page.get_by_role("row").filter(has_text="payers-co")).to_contain_text("of 1,000,000")

    # who has used up a quota is on the overview, and leads to the plan
    plans.write_text(PLANS.replace("29.00", "31.00").replace("requests: 1000000", "requests: 1"))
    await site.call("payers-co", "GET", "/notes")
    await page.get_by_role("link", name="Overview").click()
    used_up = (
        page.get_by_role("region", name="Needs attention").get_by_role("row").filter(has_text="payers-co")
    )
    await expect(used_up).to_contain_text("Requests a month")
    await visitor.shoot("console-quota")
    await used_up.get_by_role("link", name="payers-co").click()
    await expect(page).to_have_url(f"{visitor.home}/tenants/payers-co/billing")
