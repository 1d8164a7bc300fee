"""Forms: what the server refuses, and a file that changes under what is typed."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Site, Visit

APP = "/app/all-types"


async def test_what_is_refused_stands_beside_its_field(visit: Visit) -> None:
    visitor = await visit(APP, as_="mel@types.example", path="/data/things/new")
    page = visitor.page
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("[data-field=name]")).to_contain_text("Please fill this in")
    await page.locator("[data-field=name] input").fill("X")
    await page.get_by_role("combobox", name="State").click()
    await page.get_by_role("option", name="Broken").click()
    await page.get_by_role("textbox", name="Price").fill("500")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await expect(page.locator("[data-field=name] [id$=error]")).to_be_visible()
    await page.locator("[data-field=name] input").fill("Vase")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("[data-field=price]")).to_contain_text("Too dear for something broken")
    await visitor.shoot("form-refused")
    await page.get_by_role("navigation").get_by_role("link", name="Makers").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Leave without saving?")
    await page.get_by_role("button", name="Stay").click()
    await expect(page.locator("[data-field=name] input")).to_have_value("Vase")
    visitor.complaints.clear()  # Chromium reports refused requests


async def _edited(page: Page, site: Site, name: str) -> str:
    _, made = await site.call(
        "all-types", "POST", "/things", {"name": name, "count": 1}, Prefer="return=representation"
    )
    key = made[0]["id"]
    await page.goto(f"{site.live.url}{APP}/data/things/{key}/edit")
    await expect(page.locator("[data-field=name] input")).to_have_value(name)
    return str(key)


async def test_the_file_changes_under_what_is_typed(visit: Visit, site: Site) -> None:
    visitor = await visit(APP, as_="mel@types.example")
    page = visitor.page
    await _edited(page, site, "Globe")
    await page.get_by_role("textbox", name="Link").fill("https://example.org/globe")
    file = site.live.schemas / "all-types.yaml"
    before = file.read_text()
    try:
        site.live.write(
            "all-types",
            before.replace(
                "        weight:", "        origin: { type: string, maxLength: 40 }\n        weight:"
            ),
        )
        await page.get_by_label("Origin").fill("Leipzig")
        await expect(page.get_by_role("textbox", name="Link")).to_have_value("https://example.org/globe")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="Globe")).to_be_visible()
        await expect(page.get_by_text("Leipzig", exact=True)).to_be_visible()
    finally:
        site.live.write("all-types", before)
