"""The console looks after a tenant's people and keys: members by invitation, roles, keys shown once."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, PASSWORD, Site, Visit

MEMBER = "mia@members.example"


async def test_members_and_keys_of_a_tenant(site: Site, visit: Visit) -> None:
    status, made = await site.platform("GET", "/tenants?slug=eq.all-types&select=id")
    assert status == 200, made
    body = {"email": MEMBER, "password": PASSWORD, "email_confirm": True}
    status, person = await site.platform("POST", "/auth/v1/admin/users", body)
    assert status in {200, 201}, person
    row = {"user_id": person["id"], "tenant_id": made[0]["id"], "role": "member"}
    status, refused = await site.platform("POST", "/memberships", row)
    assert status == 201, refused

    visitor = await visit("/admin", as_=ADMIN, path="/tenants/all-types/users")
    page = visitor.page
    mia = page.get_by_role("row").filter(has_text=MEMBER)
    role = page.get_by_label(f"Role of {MEMBER}")
    await expect(role).to_have_value("member")
    await role.select_option("admin")
    await expect(page.get_by_text(f"The role of {MEMBER} is changed")).to_be_visible()
    await expect(role).to_have_value("admin")
    await page.get_by_role("button", name="Invite a member").click()
    await page.get_by_role("dialog").get_by_label("E-mail").fill("kim@members.example")
    await page.get_by_role("dialog").get_by_label("Role").select_option("member")
    await page.get_by_role("button", name="Send the invitation").click()
    kim = page.get_by_role("row").filter(has_text="kim@members.example")
    await expect(kim).to_contain_text("Invited")
    await visitor.shoot("console-people")
    await kim.get_by_role("button", name="Withdraw").click()
    await expect(kim).to_have_count(0)
    await mia.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(mia).to_have_count(0)

    await page.get_by_role("tab", name="API keys").click()
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill("the till")
    await page.get_by_role("dialog").get_by_role("button", name="New key").click()
    shown = page.get_by_role("dialog").locator("code")
    await expect(shown).to_contain_text("bsk_sec_")
    key = await shown.inner_text()
    await page.get_by_role("button", name="I have it").click()
    await expect(page.get_by_text(key)).to_have_count(0)
    till = page.get_by_role("row").filter(has_text="the till")
    await expect(till).to_contain_text("Admin")
    await visitor.shoot("console-keys")
    await page.get_by_role("button", name="Actions for the till").click()
    await page.get_by_role("menuitem", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(till).to_contain_text("revoked")
