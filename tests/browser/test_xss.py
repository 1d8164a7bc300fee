"""Texts that want to run, over 200 of them: in every label of a tenant's file and every value of its rows, and none does."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.browser import hostile, hostile_console
from tests.browser.conftest import ADMIN, Site, Visit, Visitor
from tests.browser.payloads import EVERY, PAYLOADS, Trap

APP = "/app/hostile"
FILE = "<img src=x onerror=__xss(1)>.csv"


@pytest.fixture(scope="module")
async def row(site: Site) -> AsyncIterator[str]:
    """The hostile tenant with its rows; the key of the row that has every payload."""
    async with hostile_console.hook() as hook:
        yield await _rows(site, hook)


async def _rows(site: Site, hook: str) -> str:
    (site.live.schemas / "hostile.py").write_text(hostile.CODE)
    site.live.write("hostile", hostile.file(hook))
    await site.live.until("hostile", state="serving")
    await site.person("hostile", "eve@hostile.example", "lead")
    wanted = {"Prefer": "return=representation"}
    status, makers = await site.call(
        "hostile", "POST", "/makers", [{"name": each} for each in PAYLOADS], **wanted
    )
    assert status == 201, makers
    status, made = await site.call("hostile", "POST", "/wares", hostile.rows(makers[-1]["id"])[:1], **wanted)
    assert status == 201, made
    status, told = await site.call("hostile", "POST", "/wares", hostile.rows(makers[0]["id"])[1:])
    assert status == 201, told
    return str(made[0]["id"])


async def _as_markup(page: Page) -> None:
    """What no page of ours does."""
    await page.evaluate(
        "text => { const box = document.createElement('div'); box.innerHTML = text; document.body.append(box); }",
        "".join(PAYLOADS),
    )
    await page.locator("img").first.wait_for(state="attached")


async def test_the_trap_notices_what_runs_and_the_policy_stops_it(site: Site, visit: Visit) -> None:
    visitor = await visit("/app/all-types")
    trap = await Trap.set(visitor.page, site.live.url)
    await visitor.page.goto(f"{site.live.admin_url}/livez")  # a page without a policy
    await _as_markup(visitor.page)
    await visitor.page.wait_for_function("window.__caught.length > 5")
    await trap.look()
    assert any("ran" in line for line in trap.caught)
    trap.caught.clear()

    await visitor.go()
    await expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
    await _as_markup(visitor.page)
    await visitor.page.wait_for_function("window.__caught.length > 5")
    await trap.look()
    told = "\n".join(trap.caught)
    assert " ran" not in told
    assert "policy: " in told
    assert "<img onerror>" in told
    assert 'href="javascript:' in told
    visitor.complaints.clear()  # what the policy refused


@pytest.fixture(scope="module")
async def invoice(row: str, site: Site) -> str:
    """The console's installation filled; the id of an invoice."""
    _, (ware,) = await site.call("hostile", "GET", f"/wares?select=maker_id&id=eq.{row}")
    return await hostile_console.furnish(site, str(ware["maker_id"]))


@pytest.fixture
async def caught(row: str, site: Site, visit: Visit) -> AsyncIterator[tuple[Visitor, Trap]]:
    """Somebody who is signed in, at the dashboard; at the end nothing may have happened."""
    visitor = await visit(APP)
    trap = await Trap.set(visitor.page, site.live.url)
    await visitor.sign_in("eve@hostile.example")
    yield visitor, trap
    assert trap.caught == []
    visitor.complaints.clear()  # Chromium reports what the server refused


async def test_no_text_runs_where_many_rows_are(caught: tuple[Visitor, Trap]) -> None:
    visitor, trap = caught
    await _figures_and_tables(visitor, trap)
    await visitor.go(f"/data/wares?view={quote(PAYLOADS[0])}&f={quote(PAYLOADS[1])}&{quote(PAYLOADS[2])}")
    await visitor.page.locator("tr[aria-rowindex]").first.wait_for(state="attached")
    await trap.look()


async def test_no_text_runs_where_one_row_is(caught: tuple[Visitor, Trap], row: str) -> None:
    visitor, trap = caught
    await _one_row(visitor, trap, row)
    await _form(visitor, trap, row)
    await _import(visitor, trap)


async def _figures_and_tables(visitor: Visitor, trap: Trap) -> None:
    page = visitor.page
    await page.locator("section tbody tr").first.wait_for(state="attached")
    assert await trap.look() == EVERY, "the dashboard"
    await visitor.go("/data/wares")
    for last in range(2, len(PAYLOADS) + 2, 20):
        await page.locator(f"tr[aria-rowindex='{last}']").first.wait_for(state="attached")
        await page.evaluate("document.querySelector('table').parentElement.scrollBy(0, 760)")
        await trap.look()
    assert await trap.look() == EVERY, "the table"
    await page.keyboard.press("Control+k")
    await page.locator("[role=dialog]").first.wait_for()
    await trap.look()
    for view in ("board", "calendar"):
        await visitor.go(f"/data/wares?view={view}")
        await page.locator("#content a[href*='/data/wares/']").first.wait_for(state="attached")
        await trap.look()
    await visitor.go("/reports/sums?least=!")
    await page.locator("#content tbody td").first.wait_for(state="attached")
    await trap.look()
    await visitor.go("/approvals")
    await page.locator("#content li, #content h3").first.wait_for(state="attached")
    await trap.look()


async def _one_row(visitor: Visitor, trap: Trap, row: str) -> None:
    page = visitor.page
    await visitor.go(f"/data/wares/{row}")
    await page.locator("dl a").first.wait_for(state="attached")
    assert await trap.look() == EVERY, "a row"
    for tab in await page.locator("[role=tab]").all():
        await tab.click()
        await trap.look()
    await page.locator("[role=tab]", has_text="Workflow").click()
    await page.locator("label", has_text="Diagram").click()
    await page.locator(".react-flow__edge").first.wait_for(state="attached")
    await trap.look()


async def _form(visitor: Visitor, trap: Trap, row: str) -> None:
    page = visitor.page
    await visitor.go(f"/data/wares/{row}/edit")
    await page.locator("[data-field=price] input").fill("5000")
    await page.locator("form button[type=submit]").click()
    await expect(page.locator("[data-field=price] [id$=error]")).to_contain_text(PAYLOADS[0])
    assert await trap.look() == EVERY, "a form and what the server refused"
    await page.locator("[data-field=mood] input").first.click()
    await page.locator("[role=option]").nth(len(PAYLOADS) - 1).wait_for(state="attached")
    await trap.look()
    await page.keyboard.press("Escape")
    await page.locator("[data-field=notes] label", has_text="Preview").last.click()
    await page.locator("[data-field=notes] p").first.wait_for(state="attached")
    await trap.look()
    photo = page.locator("[data-field=photo]")
    await photo.locator("input[type=file]").set_input_files(
        {"name": FILE, "mimeType": "text/plain", "buffer": b"x"}
    )
    await expect(photo).to_contain_text("onerror")
    await trap.look()


async def _import(visitor: Visitor, trap: Trap) -> None:
    page = visitor.page
    await page.goto("about:blank")  # past the question whether to leave
    await visitor.go("/data/wares/import")
    table = "\n".join(
        ",".join(f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in PAYLOADS[::10]) for _ in range(2)
    )
    await page.locator("input[type=file]").set_input_files(
        {"name": FILE, "mimeType": "text/csv", "buffer": table.encode()}
    )
    await page.get_by_text("What the columns are").wait_for()
    await trap.look()


@pytest.fixture
async def watched(invoice: str, site: Site, visit: Visit) -> AsyncIterator[tuple[Visitor, Trap]]:
    """An administrator at the console; at the end nothing may have happened."""
    visitor = await visit("/admin")
    trap = await Trap.set(visitor.page, site.live.url)
    await visitor.sign_in(ADMIN)
    yield visitor, trap
    assert trap.caught == []
    visitor.complaints.clear()  # Chromium reports what the server refused


async def test_no_text_runs_on_any_page_of_the_console(
    watched: tuple[Visitor, Trap], site: Site, row: str, invoice: str
) -> None:
    visitor, trap = watched
    pages = {
        **hostile_console.PAGES,
        f"/billing/invoices/{invoice}": 5,
        f"{hostile_console.TENANT}/data/wares/{row}": EVERY,
    }
    for path, least in pages.items():
        await visitor.follow(path)
        await _stands(site, trap, least, path)
    await _opened(visitor, trap, site)
    await _file(visitor, trap, site)


async def _stands(site: Site, trap: Trap, least: int, where: str) -> None:
    """Look until so many payloads stand on the page."""
    seen = -1
    try:
        async for _ in site.until():
            seen = await trap.look()
            if seen >= least:
                return
    except AssertionError as error:
        raise AssertionError(f"{where} shows {seen} of {least} payloads") from error


async def _opened(visitor: Visitor, trap: Trap, site: Site) -> None:
    """What opens from a line: runs, deliveries, dead tasks, entries of the audit log; and what a function says."""
    page, tenant = visitor.page, hostile_console.TENANT
    dialog = page.get_by_role("dialog")
    runs = page.get_by_role("region", name="Function runs").get_by_role("button")
    sent = page.get_by_role("region", name="Webhook deliveries").get_by_role("button")
    for path, line in [("functions", runs.first), ("functions", runs.last), ("webhooks", sent.first)]:
        await visitor.follow(f"{tenant}/{path}")
        await line.click()
        await expect(dialog).to_contain_text("__xss")
        await _stands(site, trap, 150, path)
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
    await visitor.follow(f"{tenant}/work")
    await page.get_by_role("region", name="Tasks").get_by_role("button", name="always").click()
    await expect(dialog).to_contain_text("function.failed")
    await trap.look()
    await visitor.follow(f"{tenant}/functions")
    await page.get_by_role("button", name="Run say").click()
    await dialog.get_by_role("button", name="Try it").click()
    await expect(dialog.get_by_role("region", name="Result", exact=True).first).to_contain_text("__xss")
    await trap.look()
    await visitor.follow("/audit")
    lines = page.get_by_role("button", name="Details")
    await lines.first.wait_for()
    for line in await lines.all():
        await line.click()
        await trap.look()
    await _stands(site, trap, 150, "/audit")


async def _file(visitor: Visitor, trap: Trap, site: Site) -> None:
    """The file itself: its text, drawn, its versions, and the plan of a way back."""
    page, path = visitor.page, f"{hostile_console.TENANT}/schema"
    dialog = page.get_by_role("dialog")
    await visitor.follow(path)
    await _stands(site, trap, 50, path)
    await page.get_by_text("Designer", exact=True).click()
    await page.locator(".react-flow__node[data-id='wares'] button").first.click()
    await page.get_by_role("tab", name="Access (").click()
    await trap.look()
    await page.get_by_role("button", name="Roles", exact=True).click()
    await trap.look()
    await page.get_by_text("History", exact=True).click()
    await page.get_by_role("button", name="Compare").first.click()
    await expect(dialog.locator(".cm-mergeView")).to_contain_text("__xss")
    await trap.look()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Go back to it").first.click()
    await expect(dialog).to_contain_text("__xss")
    await trap.look()
