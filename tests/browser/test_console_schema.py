"""A tenant's file in the console: followed on disk, checked while written, planned, applied, taken back; never merged."""

from playwright.async_api import Page, expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: { name: leaflets, title: Leaflets }
entities:
  notes:
    schema:
      properties:
        title: { type: string, maxLength: 100 }
    access:
      read: [ { role: authenticated } ]
"""
WIDER = TEXT.replace("maxLength: 100 }", "maxLength: 200 }\n        body: { type: string, maxLength: 500 }")


async def test_a_file_is_edited_here_and_on_disk(visit: Visit, site: Site) -> None:
    site.live.write("leaflets", TEXT)
    visitor = await visit("/admin", as_=ADMIN, path="/tenants")
    page = visitor.page
    await page.get_by_role("link", name="leaflets").click()
    await page.get_by_role("tab", name="Schema").click()
    editor = page.locator(".cm-content").first
    await expect(editor).to_contain_text("maxLength: 100")
    site.live.write("leaflets", TEXT.replace("100", "120"))
    await expect(page.get_by_text("The file was edited on disk")).to_be_visible()
    await expect(editor).to_contain_text("maxLength: 120")

    await write(page, WIDER.replace("maxLength: 200", "maxLenth: 200"))
    await expect(page.get_by_text("1 error", exact=True)).to_be_visible()
    await visitor.shoot("console-schema")
    await write(page, WIDER)
    await expect(page.get_by_text("Not saved")).to_be_visible()
    changed = TEXT.replace("Leaflets", "Flyers")
    site.live.write("leaflets", changed)
    conflict = page.get_by_role("alert").filter(has_text="The file was changed on disk")
    await expect(conflict).to_be_visible()
    await expect(page.get_by_role("button", name="Review and apply")).to_be_disabled()
    await conflict.get_by_role("button", name="Keep mine over the file's").click()
    assert (site.live.schemas / "leaflets.yaml").read_text() == changed, "choosing writes nothing yet"

    await page.get_by_role("button", name="Review and apply").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("At once")).to_be_visible()
    await expect(dialog.get_by_text("ADD COLUMN").first).to_be_visible()
    await visitor.shoot("console-plan")
    await dialog.get_by_role("button", name="Apply", exact=True).click()
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_text("As on disk")).to_be_visible()
    assert (site.live.schemas / "leaflets.yaml").read_text() == WIDER

    await page.get_by_text("History", exact=True).click()
    await page.get_by_role("button", name="Compare").first.click()
    await expect(page.get_by_role("dialog").locator(".cm-mergeView")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Go back to it").last.click()
    await dialog.get_by_role("button", name="Go back to it").click()
    await expect(dialog).to_have_count(0)
    assert (site.live.schemas / "leaflets.yaml").read_text() == TEXT


async def write(page: Page, text: str) -> None:
    """Put a text in place of all that is in the editor."""
    await page.locator(".cm-content").first.click()
    await page.keyboard.press("Control+a")
    await page.locator(".cm-content").first.evaluate(
        """(place, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            place.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        text,
    )
