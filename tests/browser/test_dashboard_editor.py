"""A dashboard arranged by hand: the tenant's file has the change, and all a person wrote around it."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit

APP = "/app/studio"
FIRST = "      - { type: metric, title: { en: Hours in draft"


async def test_a_dashboard_is_arranged_and_the_file_keeps_its_comments(site: Site, visit: Visit) -> None:
    file = site.live.schemas / "studio.yaml"
    before = file.read_text()
    commented = before.replace(FIRST, f"      # what waits\n{FIRST}")
    await site.live.save("studio", commented)
    await site.person("studio", "ivo@studio.example", "member")
    visitor = await visit("/admin", as_=ADMIN)
    page = visitor.page
    visitor.home = site.live.url + APP
    await visitor.come_in("ivo@studio.example")
    try:
        await page.get_by_role("link", name="Arrange").click()
        await page.get_by_role("button", name="Make Jobs wider").click()
        await page.get_by_role("button", name="Move Jobs forward").click()
        await page.get_by_role("button", name="Remove Hours per week").click()
        await page.get_by_role("button", name="Add a widget").click()
        await page.get_by_role("combobox", name="How it looks").click()
        await page.get_by_role("option", name="Bars").click()
        split = page.get_by_role("combobox", name="Split by")
        await split.click()
        await page.get_by_role("option", name="State").click()
        await expect(split).to_have_value("State")
        await page.get_by_label("Title (en)").fill("Where they are")
        await page.get_by_label("Filter").fill("colour=eq.red")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.get_by_role("alert").filter(has_text="jobs has no field 'colour'")).to_be_visible()
        await expect(page.get_by_role("button", name="Look at the changes")).to_be_disabled()
        await page.get_by_role("button", name="Change Where they are").click()
        await page.get_by_label("Filter").fill("kind=eq.print")
        await expect(page.get_by_role("dialog").get_by_role("heading", name="Where they are")).to_be_visible()
        await page.get_by_role("button", name="Apply").click()
        await expect(page.get_by_role("alert").filter(has_text="no field")).to_have_count(0)
        await visitor.shoot("dashboard-arranging")
        await page.get_by_role("button", name="Look at the changes").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Where they are")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("heading", name="Desk", exact=True)).to_be_visible()
        await expect(page.get_by_role("region", name="Where they are")).to_be_visible()
        after = file.read_text().splitlines()
        gone = [line for line in commented.splitlines() if line not in after]
        new = [line for line in after if line not in commented.splitlines()]
        assert [line.split(", ")[0].strip() for line in gone] == ["- { type: metric", "- { type: line"]
        assert new == [
            "      - { type: metric, title: { en: Jobs, de: Aufträge }, entity: jobs, width: 2 }",
            "      - { type: bar, title: { en: Where they are }, entity: jobs, filter: kind=eq.print, by: state }",
        ]
        await page.get_by_role("button", name="New dashboard").click()
        await page.get_by_label("Title").fill("Über uns")
        await page.get_by_role("button", name="Next").click()
        await expect(page.get_by_text("Nothing on it yet")).to_be_visible()
        await expect(page.get_by_role("button", name="Look at the changes")).to_be_disabled()
        await page.get_by_role("button", name="Add a widget").click()
        await page.get_by_role("button", name="Add", exact=True).click()
        await page.get_by_role("button", name="Look at the changes").click()
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("heading", name="Über uns", exact=True)).to_be_visible()
        await expect(page.get_by_role("navigation").get_by_role("link", name="Über uns")).to_be_visible()
        whole = file.read_text().splitlines()
        assert [line for line in whole if line not in after] == [
            "  uber_uns:",
            "    title: { en: Über uns }",
            "      - { type: metric, entity: jobs }",
        ]
        assert [line for line in whole if line in after] == [
            *after[: whole.index("  uber_uns:")],
            "    widgets:",
            *after[whole.index("  uber_uns:") :],
        ]
        visitor.complaints.clear()  # Chromium reports what the preview was refused
    finally:
        await site.live.save("studio", before)


async def test_who_is_not_signed_in_at_the_console_is_not_offered_it(visit: Visit, site: Site) -> None:
    await site.person("studio", "uma@studio.example", "admin")
    visitor = await visit(APP, as_="uma@studio.example", path="/dashboards/desk/edit")
    page = visitor.page
    await expect(page.get_by_text("This dashboard is not yours to arrange")).to_be_visible()
    await page.get_by_role("link", name="Overview").click()
    await expect(page.get_by_role("heading", name="Desk")).to_be_visible()
    await expect(page.get_by_role("link", name="Arrange")).to_have_count(0)
