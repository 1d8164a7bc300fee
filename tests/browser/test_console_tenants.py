"""The console's tenants: one from a template, closed and opened, somebody stood in for, deleted with a typed word."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Visit


async def test_a_tenant_is_made_closed_and_deleted(visit: Visit) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants")
    page = visitor.page
    await page.get_by_label("Find a tenant…").fill("all-ty")
    await expect(page.get_by_text("1 of", exact=False)).to_be_visible()
    await visitor.shoot("console-tenants")
    await page.get_by_role("link", name="New tenant").click()
    await page.get_by_role("radio", name="CRM").click()
    await page.get_by_label("Name").fill("all types")
    await expect(page.get_by_text("there is a tenant 'all-types' already")).to_be_visible()
    await page.get_by_label("Name").fill("Bäckerei Süd")
    await expect(page.get_by_label("Slug")).to_have_value("baeckerei-sued")
    await page.get_by_role("button", name="Make the tenant").click()
    await expect(page.get_by_role("heading", name="Bäckerei Süd")).to_be_visible()
    await expect(page.get_by_role("definition").filter(has_text="crm")).to_be_visible()
    await visitor.shoot("console-tenant")

    await page.get_by_role("button", name="What can be done with it").click()
    await page.get_by_role("menuitem", name="Suspend").click()
    await page.get_by_label("Reason").fill("the bill is open")
    await page.get_by_role("dialog").get_by_role("button", name="Suspend", exact=True).click()
    await expect(page.get_by_text("the bill is open").first).to_be_visible()
    await page.get_by_role("button", name="What can be done with it").click()
    await page.get_by_role("menuitem", name="Delete").click()
    delete = page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True)
    await expect(delete).to_be_disabled()
    await page.get_by_label("Type baeckerei-sued to confirm").fill("baeckerei-sued")
    await delete.click()
    await expect(page.get_by_role("row").filter(has_text="baeckerei-sued")).to_contain_text("Being deleted")


async def test_standing_in_shows_on_every_page_and_is_on_record(visit: Visit) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/all-types/users")
    page = visitor.page
    row = page.get_by_role("row").filter(has_text="mel@types.example")
    await row.get_by_role("button", name="Stand in").click()
    await page.get_by_label("Reason").fill("she cannot see her orders")
    await page.get_by_role("button", name="Open", exact=True).click()
    banner = page.get_by_role("status").filter(has_text="You hold a session as mel@types.example")
    await expect(banner).to_be_visible()
    await page.get_by_role("link", name="Audit log").click()
    await expect(banner).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="tenant.impersonated").first).to_contain_text(ADMIN)
    await visitor.shoot("console-standing-in")
    await page.get_by_role("button", name="End it now").click()
    await expect(banner).to_have_count(0)
