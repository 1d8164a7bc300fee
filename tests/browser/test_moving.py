"""Work that moves: the start page's figures, a board by hand and by keyboard, approvals, a row's past."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PATIENCE, Site, Visit

APP = "/app/studio"
JOBS = (("Poster", 4.0), ("Leaflet", 2.5), ("Trailer", 0))


@pytest.fixture(scope="module")
async def studio(site: Site) -> Site:
    await site.person("studio", "lea@studio.example", "lead")
    status, told = await site.call(
        "studio", "POST", "/jobs",
        [{"name": name, "hours": hours, "kind": "film" if name == "Trailer" else "print"} for name, hours in JOBS],
    )  # fmt: skip
    assert status == 201, told
    return site


async def state_of(site: Site, name: str) -> str:
    _, rows = await site.call("studio", "GET", f"/jobs?select=state&name=eq.{name}")
    return str(rows[0]["state"])


async def test_the_start_page_shows_figures_that_follow_the_rows(studio: Site, visit: Visit) -> None:
    visitor = await visit(APP, as_="lea@studio.example")
    page = visitor.page
    await expect(page.get_by_role("heading", name="Desk")).to_be_visible()
    drafts = page.get_by_role("region", name="Hours in draft")
    await expect(drafts).to_contain_text("6.5")
    await expect(
        page.get_by_role("region", name="Hours by Kind").get_by_role("row", name="Print")
    ).to_contain_text("6.5")
    await visitor.shoot("dashboard")
    await studio.call("studio", "POST", "/jobs", {"name": "Flyer", "hours": 1})
    await expect(drafts).to_contain_text("7.5", timeout=PATIENCE)


async def test_cards_move_by_dragging_and_by_keyboard_and_come_back_when_refused(
    studio: Site, visit: Visit
) -> None:
    visitor = await visit(APP, as_="lea@studio.example", path="/data/jobs?view=board")
    page = visitor.page
    column = lambda name: page.get_by_role("region", name=name, exact=True)  # noqa: E731
    card = lambda name: page.get_by_role("article").filter(has_text=name)  # noqa: E731
    await card("Poster").drag_to(column("Review"))
    await expect(column("Review")).to_contain_text("Poster")
    await expect(page.get_by_text("Now: Review").first).to_be_visible()
    assert await state_of(studio, "Poster") == "review"
    await card("Leaflet").drag_to(column("Done"))
    await expect(page.get_by_text("Nothing leads from Draft to Done")).to_be_visible()
    await card("Trailer").drag_to(column("Review"))
    await expect(page.get_by_text("That did not happen")).to_be_visible()
    await expect(column("Draft")).to_contain_text("Trailer")
    assert await state_of(studio, "Trailer") == "draft"
    await page.get_by_role("button", name="Move Leaflet").press("Enter")
    await expect(page.get_by_role("menuitem", name="Hand in")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(column("Review")).to_contain_text("Leaflet")
    await visitor.shoot("board")
    await page.get_by_role("tab", name="Calendar").click()
    await expect(page.get_by_role("link", name="Poster").first).to_be_visible()
    await visitor.shoot("calendar")
    visitor.complaints.clear()  # Chromium reports the refusal


async def test_a_finger_moves_a_card_by_its_handle(studio: Site, visit: Visit) -> None:
    await studio.call("studio", "POST", "/jobs", {"name": "Sticker", "hours": 0.25})
    visitor = await visit(
        APP, as_="lea@studio.example", path="/data/jobs?view=board", has_touch=True, is_mobile=True,
        viewport={"width": 800, "height": 1200},
    )  # fmt: skip
    page = visitor.page
    handle = page.get_by_role("button", name="Move Sticker")
    target = page.get_by_role("region", name="Review", exact=True)
    await handle.tap()
    await expect(page.get_by_role("menuitem", name="Hand in")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menuitem", name="Hand in")).to_have_count(0)
    start, over = await handle.bounding_box(), await target.bounding_box()
    assert start is not None
    assert over is not None
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    finger = await page.context.new_cdp_session(page)

    async def touch(kind: str, *points: tuple[float, float]) -> None:
        told = [{"x": px, "y": py} for px, py in points]
        await finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    await touch("touchStart", (x, y))
    await touch("touchMove", (x + 12, y))
    await touch("touchMove", (over["x"] + over["width"] / 2, over["y"] + 40))
    await expect(page.get_by_role("article").filter(has_text="Sticker")).to_have_attribute(
        "data-lifted", "true"
    )
    await touch("touchEnd")
    await expect(target).to_contain_text("Sticker")
    await expect(page.get_by_text("Now: Review").first).to_be_visible()
    assert await state_of(studio, "Sticker") == "review"


async def test_an_approval_asks_for_a_word_and_is_in_the_past_of_the_row(studio: Site, visit: Visit) -> None:
    await studio.call("studio", "POST", "/jobs", {"name": "Brochure", "hours": 3})
    _, rows = await studio.call("studio", "GET", "/jobs?select=id&name=eq.Brochure")
    await studio.call("studio", "POST", f"/jobs/{rows[0]['id']}/transitions/hand_in", {})
    visitor = await visit(APP, as_="lea@studio.example", path="/approvals")
    page = visitor.page
    waiting = page.get_by_role("listitem").filter(has_text="Brochure")
    await expect(waiting).to_be_visible()
    await visitor.shoot("approvals")
    await waiting.get_by_role("button", name="Approve").click()
    await page.get_by_role("textbox", name="Comment").fill("Lovely paper")
    await page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    await expect(waiting).to_have_count(0)
    assert await state_of(studio, "Brochure") == "done"
    await visitor.go(f"/data/jobs/{rows[0]['id']}")
    await page.get_by_role("tab", name="Workflow").click()
    await expect(page.get_by_text("Lovely paper")).to_be_visible()
    await expect(page.get_by_text("Review → Done")).to_be_visible()
    await page.get_by_text("Diagram").click()
    await expect(page.get_by_role("img", name="Diagram")).to_be_visible()
    await visitor.shoot("workflow")
