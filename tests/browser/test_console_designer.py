"""The designer: entities drawn and edited as the least change of the text; planned, applied, taken back; never merged."""

from playwright.async_api import Page, expect

from tests.browser.conftest import ADMIN, PATIENCE, Site, Visit

TEXT = """version: 1
service: { name: bookshop, title: Bookshop }   # a small one
roles: { clerk: {} }
entities:
  books:
    label: name
    schema:
      required: [name]
      properties:
        name:  { type: string, maxLength: 100 }
        pages: { type: integer }               # printed ones
        note:  { type: string }
    indexes: [ { fields: [pages] } ]
    access:
      read: [ { role: authenticated, rule: self.pages > 0 } ]
      create: [ { role: admin } ]
    views:
      list: { columns: [name, pages], sort: -pages }
"""
RENAMED = (
    TEXT.replace("pages: { type: integer }", "length: { type: integer, renamed_from: pages }")
    .replace("[pages]", "[length]")
    .replace("self.pages", "self.length")
    .replace("[name, pages], sort: -pages", "[name, length], sort: -length")
)

DESIGNED = (
    RENAMED.replace(
        "note:  { type: string }\n",
        "note:  { type: string }\n        author_id: { references: authors, onDelete: restrict }\n",
    ).replace("self.length > 0 }", "self.length > 0 }, { role: clerk }")
    + """  authors:
    label: name
    schema:
      required: [name]
      properties:
        name: { type: string, maxLength: 120, searchable: true }
    access: { read: [ { role: authenticated } ], write: [ { role: admin } ], delete: [ { role: admin } ] }
"""
)


async def test_a_tenant_is_designed(visit: Visit, site: Site) -> None:
    site.live.write("bookshop", TEXT)
    visitor = await visit("/admin", as_=ADMIN, path="/tenants")
    page = visitor.page
    # the diagram glides to what is chosen: a click pressed before and let go after hits nothing
    await page.emulate_media(reduced_motion="reduce")
    await page.get_by_role("link", name="bookshop").click()
    assert (await site.call("bookshop", "POST", "/books", {"name": "Emma", "pages": 474, "note": "kept"}))[
        0
    ] == 201
    await page.get_by_role("tab", name="Schema").click()
    await page.get_by_text("Designer", exact=True).click()

    await page.get_by_role("button", name="books", exact=True).click()
    await page.get_by_role("button", name="What can be done with pages").click()
    await page.get_by_role("menuitem", name="Rename").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("New name").fill("length")
    await expect(dialog.get_by_text("lines 13, 15, 18")).to_be_visible()
    await dialog.get_by_role("button", name="Rename", exact=True).click()
    await expect(dialog).to_have_count(0)
    await holds(page, RENAMED)
    await page.get_by_role("button", name="Undo").click()
    await holds(page, TEXT)
    await page.get_by_role("button", name="Redo").click()
    await holds(page, RENAMED)
    await expect(page.locator(".react-flow__node").get_by_text("length")).to_be_visible()

    await page.get_by_role("button", name="Add entity").click()
    await dialog.get_by_label("Name", exact=True).fill("authors")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("button", name="authors", exact=True, pressed=True)).to_be_visible()
    await page.get_by_role("button", name="books", exact=True).click()
    await expect(page.get_by_role("button", name="books", exact=True, pressed=True)).to_be_visible()
    await page.get_by_role("button", name="Add relation").click()
    await dialog.get_by_role("combobox", name="Refers to", exact=True).fill("authors")
    await page.get_by_role("option", name="authors").click()
    await visitor.shoot("console-designer-relation")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator(".react-flow__edge")).to_have_count(1)
    await page.get_by_role("tab", name="Access (2)").click()
    await page.get_by_role("button", name="Add access rule").click()
    await dialog.get_by_role("combobox", name="Role", exact=True).fill("clerk")
    await page.get_by_role("option", name="clerk").click()
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await holds(page, DESIGNED)
    await visitor.shoot("console-designer")

    moved = TEXT.replace("Bookshop", "Books")
    site.live.write("bookshop", moved)
    conflict = page.get_by_role("alert").filter(has_text="The file was changed on disk")
    await expect(conflict).to_be_visible()
    await expect(page.get_by_role("button", name="Review and apply")).to_be_disabled()
    await conflict.get_by_role("button", name="Keep mine over the file's").click()
    assert (site.live.schemas / "bookshop.yaml").read_text() == moved, "choosing writes nothing yet"

    await page.get_by_role("button", name="Review and apply").click()
    await expect(dialog.get_by_text("RENAME").first).to_be_visible()
    await dialog.get_by_role("button", name="Apply", exact=True).click()
    await expect(dialog).to_have_count(0)
    status, rows = await site.call("bookshop", "GET", "/books?select=name,length")
    assert (status, rows) == (200, [{"name": "Emma", "length": 474}]), "the data moved along"

    await page.get_by_text("History", exact=True).click()
    await page.get_by_role("button", name="Go back to it").last.click()
    await expect(dialog.get_by_text("RENAME").first).to_be_visible()
    await dialog.get_by_role("button", name="Go back to it").click()
    await expect(dialog).to_have_count(0)
    assert (site.live.schemas / "bookshop.yaml").read_text() == TEXT
    assert (await site.call("bookshop", "GET", "/books?select=pages"))[1] == [{"pages": 474}]

    await page.get_by_text("Designer", exact=True).click()
    await page.get_by_role("button", name="books", exact=True).click()
    await page.get_by_role("button", name="What can be done with note").click()
    await page.get_by_role("menuitem", name="Remove").click()
    await dialog.get_by_role("button", name="Remove").click()
    await page.get_by_role("button", name="Review and apply").click()
    await expect(dialog.get_by_text("Waits for your yes")).to_be_visible()
    await visitor.shoot("console-plan-waits")
    await dialog.get_by_role("button", name="I agree, apply").click()
    await expect(dialog).to_have_count(0)
    assert (site.live.schemas / "bookshop.yaml").read_text() == TEXT.replace(
        "        note:  { type: string }\n", ""
    )


async def holds(page: Page, text: str) -> None:
    """Wait until the editor has this text."""
    found = ""
    for _ in range(PATIENCE // 100):
        found = "\n".join(await page.locator(".cm-line").all_text_contents())
        if found == text:
            return
        await page.wait_for_timeout(100)
    assert found == text
