"""Reports: parameters in the address, totals, parts, the rows behind a group, files; and who has none."""

import io
import re

import openpyxl
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Site, Visit

APP = "/app/books"
CUSTOMERS = {
    "North": ("Hansen Papier", "Kontor Ost", "Feinbäckerei Möller"),
    "South": ("Alpenblick Hotel", "Isar Druck"),
}


@pytest.fixture(scope="module")
async def books(site: Site) -> Site:
    await site.person("books", "max@books.example", "manager")
    await site.person("books", "mia@books.example", "member")

    async def make(entity: str, rows: list[dict[str, object]]) -> list[str]:
        status, told = await site.call("books", "POST", f"/{entity}", rows, Prefer="return=representation")
        assert status == 201, told
        return [row["id"] for row in told]

    number = 0
    for region, names in CUSTOMERS.items():
        (key,) = await make("regions", [{"name": region}])
        for customer in await make("customers", [{"name": name, "region_id": key} for name in names]):
            number += 1
            await make(
                "invoices",
                [
                    {
                        "number": f"R-{number}{month}", "customer_id": customer, "net": 120.5 * number * month,
                        "status": "paid" if month == 3 else "sent",
                        "issued_on": f"2026-0{month}-01", "due_on": f"2026-0{month}-15",
                    }
                    for month in (1, 2, 3)
                ],
            )  # fmt: skip
    return site


async def test_a_report_is_narrowed_sent_on_and_leads_to_its_rows(books: Site, visit: Visit) -> None:
    visitor = await visit(APP, as_="max@books.example")
    page = visitor.page
    await page.get_by_role("navigation").get_by_role("link", name="Unpaid invoices").click()
    await expect(page.get_by_role("heading", name="Unpaid invoices", exact=True)).to_be_visible()
    totals = page.get_by_role("region", name="Totals")
    await expect(totals).to_contain_text("€5,422.50")
    await expect(page.get_by_text("Mailed on schedule, next on")).to_be_visible()
    table = page.get_by_role("table").last
    await expect(table.get_by_role("row").nth(1)).to_contain_text("Isar Druck")
    await expect(page.get_by_role("region", name="Chart").locator("svg").first).to_be_visible()
    await visitor.shoot("report")
    # what is chosen stands in the address
    await page.get_by_label("At least").fill("500")
    await expect(totals).to_contain_text("€3,494.50")
    await expect(page).to_have_url(re.compile("least=500"))
    await page.get_by_label("At least").fill("-1")
    await expect(page.get_by_text("A parameter is not acceptable")).to_be_visible()
    await expect(page.get_by_label("At least")).to_have_attribute("aria-invalid", "true")
    await page.get_by_role("button", name="As in the file").click()
    await expect(totals).to_contain_text("€5,422.50")
    await visitor.go("/reports/aging?until=2026-01-31&least=300")
    await expect(page.get_by_label("Due until")).to_have_value("2026-01-31")
    await expect(totals).to_contain_text("€1,446.00")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
        await page.get_by_role("menuitem", name="Excel").click()
    data = (await (await download.value).path()).read_bytes()
    assert [cell.value for cell in list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows())[-1]] == [
        "Total",
        1446,
        3,
    ]
    # the rows behind a group
    await page.get_by_role("button", name="Isar Druck").click()
    await expect(page.get_by_role("heading", name="Invoices")).to_be_visible()
    await expect(page.get_by_text("R-51")).to_be_visible()
    await expect(page.get_by_text("R-52")).to_have_count(0)
    await expect(page.get_by_text("Isar Druck").first).to_be_visible()
    visitor.complaints.clear()  # Chromium reports the refusal


async def test_parts_have_figures_of_their_own_and_days_make_a_line(books: Site, visit: Visit) -> None:
    visitor = await visit(APP, as_="max@books.example", path="/reports/regions")
    page = visitor.page
    north = page.get_by_role("table").last.locator("tbody").filter(has_text="Hansen Papier")
    await expect(north.get_by_role("row").first).to_contain_text("North")
    await expect(north.get_by_role("row").first).to_contain_text("€4,338.00")
    await expect(page.get_by_role("table").last.locator("tfoot")).to_contain_text("€10,845.00")
    await page.get_by_text("Shares").click()
    await visitor.shoot("report-parts")
    await visitor.go("/reports/months")
    await expect(page.get_by_role("table").last.get_by_role("row").nth(1)).to_contain_text("Jan 1, 2026")
    await visitor.shoot("report-days")


async def test_who_may_not_sum_up_has_no_reports(books: Site, visit: Visit) -> None:
    visitor = await visit(APP, as_="mia@books.example")
    await expect(visitor.page.get_by_role("navigation").get_by_role("link", name="Invoices")).to_be_visible()
    await expect(visitor.page.get_by_role("link", name="Unpaid invoices")).to_have_count(0)
    await visitor.go("/reports/aging")
    await expect(visitor.page.get_by_text("There is no such report")).to_be_visible()
