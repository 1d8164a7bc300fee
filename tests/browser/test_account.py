"""One's own account: signing up, a forgotten password, where one is signed in."""

from playwright.async_api import expect

from tests.browser.conftest import PASSWORD, Site, Visit

APP = "/app/studio"


async def test_somebody_new_signs_up_and_sees_where_they_are_signed_in(site: Site, visit: Visit) -> None:
    visitor = await visit(APP)
    page = visitor.page
    await visitor.go("/account")
    await page.get_by_role("button", name="Forgot your password?").click()
    await page.get_by_label("E-mail").fill("nobody@studio.example")
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_role("status")).to_contain_text("nobody@studio.example")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="New here? Create an account").click()
    await page.get_by_label("E-mail").fill("nora@studio.example")
    await page.locator("input[name=password]").fill(PASSWORD)
    await visitor.shoot("sign-up")
    await page.get_by_role("button", name="Create an account").click()
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    await expect(page.get_by_role("region", name="Where you are signed in")).to_contain_text("here")
    await visitor.shoot("account")
    await page.get_by_role("button", name="Add an authenticator").click()
    await expect(page.get_by_role("dialog").get_by_label("Six digits").first).to_be_visible()
    await visitor.shoot("authenticator")
