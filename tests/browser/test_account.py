"""One's own account: signing up, a forgotten password, where one is signed in."""

import time

import pyotp
from playwright.async_api import Locator, expect

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
    devices = page.get_by_role("region", name="Where you are signed in")
    await expect(devices).to_contain_text("here")
    await expect(devices.get_by_role("button")).to_have_count(0)  # signing up opens one session
    await visitor.shoot("account")
    await page.get_by_role("button", name="Add an authenticator").click()
    await expect(page.get_by_role("dialog").get_by_label("Six digits").first).to_be_visible()
    await visitor.shoot("authenticator")

    secret = pyotp.TOTP(await page.get_by_role("dialog").locator("code").inner_text())
    enrolled = int(time.time()) // 30
    await type_code(page.get_by_role("dialog"), secret.generate_otp(enrolled))
    await expect(page.get_by_text("Your second factor is set up")).to_be_visible()
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await page.get_by_label("E-mail").fill("nora@studio.example")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await visitor.shoot("second-factor")
    # a code works once: the clock of this authenticator may be a step ahead
    await type_code(page.locator("main"), secret.generate_otp(max(int(time.time()) // 30, enrolled + 1)))
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()


async def type_code(where: Locator, code: str) -> None:
    """Fill in six digits, one box each."""
    await where.locator("input").first.click()
    await where.page.keyboard.type(code, delay=20)
    await where.get_by_role("button", name="Continue").click()
