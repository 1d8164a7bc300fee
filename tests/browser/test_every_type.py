"""A form with a field of every type: filled in as a person does, saved, and read back through the API."""

import base64
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.conftest import Site, Visit

APP = "/app/all-types"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def _choose(page: Page, field: str, option: str) -> None:
    await page.get_by_role("combobox", name=field).click()
    await page.get_by_role("option", name=option).click()


async def _maker(page: Page, name: str) -> None:
    """A relation to a row that is made while choosing it."""
    relation = page.locator("[data-field=maker_id] input")
    await relation.fill(name)
    await page.get_by_role("option", name="Create: Makers").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Name")).to_have_value(name)
    await dialog.get_by_label("City").fill("Leipzig")
    await dialog.get_by_role("button", name="Create", exact=True).click()
    await expect(dialog).to_have_count(0)
    await expect(relation).to_have_value(name)


async def _parts(page: Page) -> None:
    parts = page.locator("[data-field=parts]")
    for at, (name, amount) in enumerate((("Lid", "1"), ("Handle", "2"))):
        await parts.get_by_role("button", name="Add").click()
        part = parts.get_by_role("group", name=f"Parts {at + 1}", exact=True)
        await part.get_by_label("Name").fill(name)
        await part.get_by_label("Amount").fill(amount)
    await parts.get_by_role("button", name="Move 2 up").click()


async def test_every_type_is_filled_in_saved_and_changed(visit: Visit, site: Site) -> None:
    visitor = await visit(APP, as_="mel@types.example", path="/data/things/new")
    page = visitor.page
    field: Any = lambda name: page.locator(f"[data-field={name}]")  # noqa: E731
    await field("name").locator("input").fill("Samovar")
    await _maker(page, "Tula Works")
    await _choose(page, "State", "Used")
    await field("count").locator("input").fill("12")
    await field("price").locator("input").fill("99.95")
    await field("story").locator("textarea").fill("From a sleeper to Kyiv.\nPolished twice.")
    await field("notes").locator("textarea").fill("**Heavy**, with a [page](https://example.org/)")
    await field("weight").locator("input").fill("6.25")
    await field("rare").locator("label").first.click()
    await field("made_on").locator("input").fill("1913-05-04")
    await field("sold_at").locator("input").fill("2026-02-03T14:30")
    await field("opens").locator("input").fill("08:15")
    await field("link").locator("input").fill("https://example.org/samovar")
    await field("email").locator("input").fill("tea@example.org")
    await field("color").locator("input").first.fill("#b45309")
    for label in ("brass", "tea"):
        await field("labels").locator("input").first.fill(label)
        await page.keyboard.press("Enter")
    await field("size").get_by_label("Width").fill("31.5")
    await field("size").get_by_label("Height").fill("48")
    await _choose(page, "Unit", "Cm")
    await _parts(page)
    await (
        field("photo")
        .locator("input[type=file]")
        .set_input_files({"name": "samovar.png", "mimeType": "image/png", "buffer": PICTURE})
    )
    await expect(field("photo")).to_contain_text("samovar.png")
    await visitor.shoot("form-every-type")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_role("heading", name="Samovar")).to_be_visible()
    await visitor.shoot("row-every-type")

    _, rows = await site.call("all-types", "GET", "/things?select=*,maker:makers(name,city)&name=eq.Samovar")
    row = rows[0]
    photo, labels = row.pop("photo"), row.pop("labels")
    kept = await page.request.get(f"{site.live.base('all-types')}/things/{row['id']}/photo")
    assert (photo != "", await kept.body()) == (True, PICTURE)
    assert labels == ["brass", "tea"]
    assert row.items() >= {
        "maker": {"name": "Tula Works", "city": "Leipzig"}, "state": "used", "count": 12, "price": 99.95, "weight": 6.25,
        "story": "From a sleeper to Kyiv.\nPolished twice.", "notes": "**Heavy**, with a [page](https://example.org/)",
        "rare": True, "made_on": "1913-05-04", "sold_at": "2026-02-03T13:30:00+00:00", "opens": "08:15:00",
        "link": "https://example.org/samovar", "email": "tea@example.org", "color": "#b45309",
        "size": {"width": 31.5, "height": 48, "unit": "cm"},
        "parts": [{"name": "Handle", "amount": 2}, {"name": "Lid", "amount": 1}], "total": 118.9405,
    }.items()  # fmt: skip

    await page.get_by_role("link", name="Edit").click()
    await expect(field("opens").locator("input")).to_have_value("08:15")
    await expect(field("sold_at").locator("input")).to_have_value("2026-02-03T14:30")
    await expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    await field("parts").get_by_role("button", name="Remove 2").click()
    await field("photo").get_by_role("button", name="Remove").click()
    await field("weight").locator("input").fill("")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("heading", name="Samovar")).to_be_visible()
    await expect(page.get_by_role("link", name="Edit")).to_be_visible()
    _, rows = await site.call(
        "all-types", "GET", "/things?select=parts,photo,weight,opens,sold_at&name=eq.Samovar"
    )
    assert rows == [
        {"parts": [{"name": "Handle", "amount": 2}], "photo": None, "weight": None, "opens": "08:15:00", "sold_at": "2026-02-03T13:30:00+00:00"}
    ]  # fmt: skip
