"""Coming in: signing in and out, at both faces, in both languages, with a keyboard."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, PASSWORD, Visit

APP = "/app/all-types"


async def test_a_person_signs_in_and_out(visit: Visit) -> None:
    visitor = await visit(APP)
    page = visitor.page
    await visitor.go("/data/things?x=1")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await visitor.shoot("sign-in")
    await page.get_by_label("E-mail").fill("ada@types.example")
    await page.locator("input[name=password]").fill("not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("wrong")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("#content")).to_be_visible()
    assert page.url.endswith("/data/things?x=1"), "where one wanted to go"
    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert not any(part in stored for part in ("eyJ", "bs_")), "no token is in a script's reach"
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    visitor.complaints.clear()  # Chromium reports the refused password


async def test_what_is_behind_the_door_is_fetched_by_who_comes_in_and_can_be_asked_for_again(
    visit: Visit,
) -> None:
    visitor = await visit(APP)
    page = visitor.page
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    await page.route("**/_ui/routed-*.js", lambda route: route.abort())
    await visitor.go()
    await page.get_by_label("E-mail").fill("ada@types.example")
    await page.locator("input[name=password]").fill(PASSWORD)
    assert not any("/routed-" in url for url in fetched), "people who are nobody yet fetch the sign-in page"
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert any("/routed-" in url for url in fetched)
    await page.unroute("**/_ui/routed-*.js")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#content")).to_be_visible()
    visitor.complaints.clear()  # Chromium reports the file that did not come


async def test_one_speaks_german_and_goes_by_keyboard(visit: Visit) -> None:
    visitor = await visit(APP, as_="ada@types.example")
    page = visitor.page
    await expect(page.get_by_role("link", name="Things").first).to_be_visible()
    await expect(page.get_by_role("link", name="New: Makers")).to_be_visible()
    await visitor.shoot("overview")
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("menuitem", name="Deutsch").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("navigation").get_by_role("link", name="Dinge")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.get_by_label("Suchen und Befehle").last.fill("Herst")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/data/makers**")


async def test_the_console_is_for_administrators(visit: Visit) -> None:
    visitor = await visit("/admin")
    await visitor.sign_in(ADMIN)
    await expect(visitor.page.get_by_role("link", name="Tenants")).to_be_visible()
    await visitor.shoot("console-overview")


async def test_a_page_that_is_not_there_says_so(visit: Visit) -> None:
    visitor = await visit(APP, as_="mel@types.example", path="/nothing/here")
    await expect(visitor.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await visitor.page.get_by_role("link", name="To the start page").click()
    await expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()
