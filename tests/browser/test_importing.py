"""Rows from a file, on the page for it: what its columns are, what is wrong by row and column, and only then the writing."""

from playwright.async_api import expect

from tests.browser.conftest import Site, Visit

APP = "/app/all-types"
FILE = """Bezeichnung;Count;Preis;Made on
Old lamp;5;12,50;31/12/2025
New lamp;7;1,25;1/2/2026
Bad lamp;-3;2,00;2/2/2026
"""


async def test_a_file_is_tried_mended_and_brought_in(site: Site, visit: Visit) -> None:
    status, told = await site.call("all-types", "POST", "/things", {"name": "Old lamp", "count": 1})
    assert status == 201, told
    visitor = await visit(APP, as_="mel@types.example", path="/data/things/import")
    page = visitor.page
    await page.get_by_label("Choose a file").set_input_files(
        {"name": "lamps.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    await expect(page.get_by_role("row", name="Bezeichnung")).to_contain_text("Old lamp · New lamp")
    for column, field in (("Bezeichnung", "Name"), ("Preis", "Price")):
        await page.get_by_role("combobox", name=f"Field: {column}").click()
        await page.get_by_role("option", name=field, exact=True).click()
    await page.get_by_role("button", name="Check all rows").click()
    await expect(page.get_by_role("alert")).to_contain_text("3 of 3 rows are not acceptable")
    await expect(page.get_by_role("row", name="2 Preis")).to_be_visible()
    await expect(page.get_by_role("row", name="2 Made on")).to_be_visible()
    await visitor.shoot("import-refused")

    for choice, option in (
        ("Numbers are written", "1234,56"),
        ("Days are written", "31/12/2026"),
        ("Rows that are there already", "are changed"),
        ("Known by", "Name"),
    ):
        await page.get_by_role("combobox", name=choice).click()
        await page.get_by_role("option", name=option, exact=True).click()
    await page.get_by_role("button", name="Check all rows").click()
    await expect(page.get_by_role("alert")).to_contain_text("1 of 3 rows are not acceptable")
    await expect(page.get_by_role("row", name="4 Count")).to_be_visible()
    _, rows = await site.call("all-types", "GET", "/things?select=count&name=like.*lamp")
    assert rows == [{"count": 1}], "nothing is written yet"
    await page.get_by_role("button", name="Import the acceptable rows").click()
    await expect(page.get_by_role("alert")).to_contain_text("2 rows were imported")
    await expect(page.get_by_role("link", name="Rejected rows as CSV")).to_be_visible()
    await visitor.shoot("import-done")
    _, rows = await site.call(
        "all-types", "GET", "/things?select=name,count,price,made_on&name=like.*lamp&order=name"
    )
    assert rows == [
        {"name": "New lamp", "count": 7, "price": 1.25, "made_on": "2026-02-01"},
        {"name": "Old lamp", "count": 5, "price": 12.50, "made_on": "2025-12-31"},
    ]
    visitor.complaints.clear()  # Chromium reports what the server refused


async def test_many_rows_are_changed_taken_back_and_deleted(site: Site, visit: Visit) -> None:
    names = [f"Clock {number}" for number in range(1, 4)]
    states = ["new", "used", "new"]
    body = [{"name": name, "state": state} for name, state in zip(names, states, strict=True)]
    status, told = await site.call("all-types", "POST", "/things", body)
    assert status == 201, told
    found = "/things?select=name,state&name=like.Clock*&order=name"
    visitor = await visit(APP, as_="ada@types.example", path="/data/things?f=name~has~Clock")
    page = visitor.page
    for name in names:
        await page.get_by_label(f"Select {name}").click()
    await page.get_by_role("button", name="Set a field").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("combobox", name="Field").click()
    await page.get_by_role("option", name="State", exact=True).click()
    await dialog.get_by_role("combobox", name="Value").click()
    await page.get_by_role("option", name="Broken").click()
    await dialog.get_by_role("button", name="Apply").click()
    await expect(page.get_by_text("3 rows changed")).to_be_visible()
    assert [row["state"] for row in (await site.call("all-types", "GET", found))[1]] == ["broken"] * 3
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("row", name="Clock 2")).to_contain_text("Used")
    assert [row["state"] for row in (await site.call("all-types", "GET", found))[1]] == states

    await page.get_by_label("Select Clock 1").click()
    await page.get_by_label("Select Clock 3").click()
    await page.get_by_role("region", name="2 rows selected").get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("2 rows deleted")).to_be_visible()
    await expect(page.get_by_role("row", name="Clock 1")).to_have_count(0)
    assert [row["name"] for row in (await site.call("all-types", "GET", found))[1]] == ["Clock 2"]
