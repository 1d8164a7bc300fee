"""Tables: what people do with rows by the hundred."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Site, Visit

APP = "/app/all-types"


@pytest.fixture(scope="module")
async def rows(site: Site) -> None:
    status, made = await site.call(
        "all-types",
        "POST",
        "/makers",
        [{"name": "Aurora"}, {"name": "Borealis"}],
        Prefer="return=representation",
    )
    assert status == 201, made
    things = [
        {
            "name": f"Kettle {number:03}", "state": ("new", "used", "broken")[number % 3], "count": number,
            "price": 12.5 if number % 3 == 2 else number + 0.99, "maker_id": made[number % 2]["id"], "rare": number % 7 == 0,
        }
        for number in range(250)
    ]  # fmt: skip
    status, told = await site.call("all-types", "POST", "/things", things)
    assert status == 201, told


@pytest.mark.usefixtures("rows")
async def test_a_cell_is_changed_in_place_and_taken_back(visit: Visit, site: Site) -> None:
    visitor = await visit(APP, as_="mel@types.example", path="/data/things")
    page = visitor.page
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Kettle 003"))
    cell = row.get_by_role("cell").nth(4)
    await cell.dblclick()
    await page.get_by_role("textbox", name="Count").fill("4711")
    await page.keyboard.press("Enter")
    await expect(cell).to_have_text("4,711")
    await page.get_by_role("button", name="Undo").click()
    await expect(cell).to_have_text("3")
    await cell.press("F2")
    await page.get_by_role("textbox", name="Count").fill("-5")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(cell).to_have_text("3")
    _, found = await site.call("all-types", "GET", "/things?name=eq.Kettle%20003&select=count")
    assert found == [{"count": 3}]
    visitor.complaints.clear()  # Chromium reports the refused value


@pytest.mark.usefixtures("rows")
async def test_one_chooses_columns_keeps_a_view_and_takes_rows_away(visit: Visit) -> None:
    visitor = await visit(APP, as_="mel@types.example", path="/data/things")
    page = visitor.page
    await page.get_by_role("button", name="Columns").click()
    await page.get_by_label("Weight").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("columnheader", name="Weight")).to_be_visible()
    await page.get_by_role("button", name="Views").click()
    await page.get_by_role("menuitem", name="Save as a view").click()
    await page.get_by_label("Name of the view").fill("Heavy")
    await page.keyboard.press("Enter")
    await page.reload()
    await expect(page.get_by_role("columnheader", name="Weight")).to_be_visible()
    await page.get_by_role("button", name="Views").click()
    await expect(page.get_by_role("menuitem", name="Heavy")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as coming:
        await page.get_by_role("menuitem", name="CSV").first.click()
    file = await (await coming.value).path()
    assert len(file.read_text().splitlines()) >= 248, "all rows, not only those on the screen"
