"""The console's tenants: one from a template, closed and opened, somebody stood in for, deleted with a typed word."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit


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


async def test_one_stands_in_on_the_tenants_pages_with_a_banner_and_on_record(
    site: Site, visit: Visit
) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/all-types/users")
    page = visitor.page
    await page.get_by_role("button", name="mel@types.example").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stand in").click()
    await page.get_by_label("Reason").fill("she cannot see her orders")
    await page.get_by_role("button", name="Go in", exact=True).click()
    banner = page.get_by_role("status").filter(has_text=f"{ADMIN} stands in for mel@types.example")
    await expect(banner).to_be_visible()
    assert page.url == f"{site.live.url}/app/all-types/"
    await visitor.shoot("standing-in")
    await page.get_by_role("navigation").get_by_role("link").nth(1).click()
    await expect(page).not_to_have_url(f"{site.live.url}/app/all-types/")
    await expect(banner).to_be_visible()

    # the console in another tab of the same browser takes nothing away, and says why it shows nothing
    console = await page.context.new_page()
    await console.goto(f"{site.live.url}/admin/tenants/all-types/users")
    await expect(console.get_by_text("You stand in for mel@types.example here")).to_be_visible()
    await console.close()
    await page.reload()
    await expect(banner).to_be_visible()

    await page.get_by_role("button", name="End it now").click()
    await expect(page).to_have_url(f"{site.live.url}/admin/tenants/all-types/users")
    await expect(page.get_by_role("button", name="mel@types.example")).to_be_visible()
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.get_by_role("row").filter(has_text="tenant.impersonated").first).to_contain_text(ADMIN)
