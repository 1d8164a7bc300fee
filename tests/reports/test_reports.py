"""Reports: their figures, whose rows are in them, what their parameters may be, as files and by mail."""

import asyncio
import csv
import datetime as dt
import io
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest

from actors.features.reports.mailing import schedules_of
from schemas.compiler.compile import compile_source
from tests.reports.ledger import SLUG, TENANT, Ledger, text_of_pdf

UNTIL = "until=2026-12-31"


def figures(report: dict[str, Any]) -> list[list[object]]:
    """Return a report's rows as lists."""
    names = [column["name"] for column in report["columns"]]
    return [[row[name] for name in names] for row in report["rows"]]


async def test_a_report_groups_sorts_and_sums_up(ledger: Ledger) -> None:
    status, report, _ = await ledger.ask(f"/reports/v1/aging?{UNTIL}")
    assert status == 200, report
    assert report["rows"] == [
        {"customer.name": "Süd & Söhne", "net.sum": 1234.56, "count": 1},
        {"customer.name": "=SUM(A1)", "net.sum": 700.50, "count": 1},
        {"customer.name": "Nord GmbH", "net.sum": 300.30, "count": 2},
        {"customer.name": None, "net.sum": 10.00, "count": 1},
    ]
    assert report["total"] == {"net.sum": 2245.36, "count": 5}
    assert report["parameters"]["until"] == "2026-12-31"
    assert report["complete"] is True
    assert [column["title"] for column in report["columns"]] == ["Kunde", "Netto EUR", "Invoices"]
    assert report["schedule"]["cron"] == "0 7 * * 1"
    assert "cfo@" not in str(report)


async def test_several_groups_have_figures_of_their_parts(ledger: Ledger) -> None:
    _, report, _ = await ledger.ask("/reports/v1/regions")
    assert [row["customer.name"] for row in report["rows"]] == ["=SUM(A1)", "Nord GmbH", "Süd & Söhne", None]
    assert {part["customer.region.name"]: part["net.sum"] for part in report["subtotals"]} == {
        "North": 1000.80, "South": 1284.56, None: 10.00,
    }  # fmt: skip
    assert report["total"]["net.sum"] == 2295.36
    assert report["total"]["due_on.max"] == "2026-03-01"
    assert report["total"]["net.avg"] == pytest.approx(2295.36 / 6)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("until=2026-01-20", 3),
        (f"{UNTIL}&word=A-", 2),
        (f"{UNTIL}&least=200.20", 3),
        (f"{UNTIL}&states=sent,paid", 6),
        (f"{UNTIL}&states=draft&states=paid", 1),
        (f"{UNTIL}&states=", 6),
        ("until=", 5),
        # values that would be more than values
        (f"{UNTIL}&word={quote('A-1&status=eq.paid')}", 0),
        (f"{UNTIL}&word={quote('%&select=margin')}", 0),
    ],
)
async def test_parameters_choose_rows_and_are_values_only(ledger: Ledger, query: str, numbers: int) -> None:
    status, report, _ = await ledger.ask(f"/reports/v1/aging?{query}")
    assert status == 200, report
    assert report["total"]["count"] == numbers


async def test_parameters_stand_in_lists_relations_and_by_default(ledger: Ledger) -> None:
    _, report, _ = await ledger.ask(f"/reports/v1/aging?{UNTIL}&customer={ledger.customers['Nord GmbH']}")
    assert figures(report) == [["Nord GmbH", 300.30, 2]]
    _, report, _ = await ledger.ask("/reports/v1/aging")
    assert report["parameters"]["until"] == dt.datetime.now(dt.UTC).date().isoformat()
    _, report, _ = await ledger.ask(f"/reports/v1/northern?region={quote('North')}")
    assert figures(report) == [[1000.80, 3]]
    _, report, _ = await ledger.ask("/reports/v1/northern")
    assert figures(report) == [[2295.36, 6]]
    _, report, _ = await ledger.ask("/reports/v1/either?word=paid")
    assert figures(report) == [["C-1", "Süd & Söhne"]]
    _, report, _ = await ledger.ask(f"/reports/v1/either?word={quote('x,net.gt.0')}")
    assert report["rows"] == []


async def test_what_is_no_value_is_refused_by_parameter(ledger: Ledger) -> None:
    status, told, _ = await ledger.ask(
        "/reports/v1/aging?until=soon&least=-1&states=sent,lost&colour=red&customer=x"
    )
    assert (status, told["code"]) == (422, "validation.failed")
    assert sorted(error["pointer"] for error in told["errors"]) == [
        "/colour", "/customer", "/least", "/states", "/until",
    ]  # fmt: skip
    status, told, _ = await ledger.ask("/reports/v1/aging?until=2026-01-01&until=2026-02-01")
    assert (status, told["errors"][0]["code"]) == (422, "repeated")
    status, told, _ = await ledger.ask("/reports/v1/mine", None)
    assert status in {401, 422}, told


async def test_everybody_sees_the_figures_of_the_rows_that_are_theirs(ledger: Ledger) -> None:
    _, report, _ = await ledger.ask(f"/reports/v1/aging?{UNTIL}", "clerk")
    assert report["total"] == {"net.sum": 310.30, "count": 3}
    # a field that is hidden is not there, whatever the file's author asks for
    status, told, _ = await ledger.ask("/reports/v1/margins", "clerk")
    assert (status, told["code"]) == (400, "PGRST204")
    status, told, _ = await ledger.ask("/reports/v1/regions", "member")
    assert told["code"] == "PGRST123"
    for role in ("member", None):
        status, told, _ = await ledger.ask("/reports/v1/aging", role)
        assert (status, told["code"]) == (404, "report.not_found")
    _, listed, _ = await ledger.ask("/reports/v1", "member")
    assert [report["name"] for report in listed] == [
        "regions",
        "margins",
        "either",
        "northern",
        "plain",
        "mine",
    ]
    status, listed, _ = await ledger.ask("/reports/v1", None)
    assert listed == []


async def test_what_is_cut_off_is_said(ledger: Ledger) -> None:
    _, report, _ = await ledger.ask("/reports/v1/plain")
    assert figures(report) == [["A-1", 100.10], ["A-2", 200.20], ["B-1", 700.50]]
    assert (report["complete"], report["total"]) == (False, None)


async def test_reports_are_files_and_run_nothing_in_a_spreadsheet(ledger: Ledger) -> None:
    status, body, headers = await ledger.ask(f"/reports/v1/aging.csv?{UNTIL}")
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert headers["Content-Disposition"] == 'attachment; filename="aging.csv"'
    assert list(csv.reader(io.StringIO(body.decode()))) == [
        ["customer.name", "net.sum", "count"],
        ["Süd & Söhne", "1234.56", "1"],
        ["'=SUM(A1)", "700.50", "1"],
        ["Nord GmbH", "300.30", "2"],
        ["", "10.00", "1"],
    ]
    status, body, headers = await ledger.ask(
        "/reports/v1/regions", Accept="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    assert status == 200
    rows = list(openpyxl.load_workbook(io.BytesIO(body)).active.iter_rows())
    assert [cell.value for cell in rows[0]] == [
        "Region",
        "Kunde",
        "Netto EUR",
        "Netto (Durchschnitt) EUR",
        "Due on (größter Wert)",
    ]
    assert [cell.value for cell in rows[1]][:3] == ["North", "=SUM(A1)", 700.5]
    assert rows[1][1].data_type == "s"
    assert [cell.value for cell in rows[3]][:3] == ["North", None, 1000.8]
    assert rows[3][0].font.bold
    assert [rows[-1][0].value, rows[-1][2].value, rows[-1][4].value] == [
        "Summe",
        2295.36,
        dt.datetime(2026, 3, 1),  # noqa: DTZ001 - cells have no zone
    ]
    status, body, headers = await ledger.ask(f"/reports/v1/aging.pdf?{UNTIL}")
    assert (status, headers["Content-Type"], body[:5]) == (200, "application/pdf", b"%PDF-")
    shown = text_of_pdf(body)
    for text in (
        "Offene Posten",
        "Bis: 2026-12-31",
        "Kunde",
        "Netto EUR",
        "Süd & Söhne",
        "1.234,56",
        "Summe",
        "2.245,36",
    ):
        assert text in shown, shown
    status, told, _ = await ledger.ask("/reports/v1/aging.docx")
    assert (status, told["code"]) == (404, "PGRST125")
    status, told, _ = await ledger.ask("/reports/v1/aging", Accept="image/png")
    assert status == 406


async def test_a_report_is_mailed_to_each_address_with_the_rights_of_its_roles(ledger: Ledger) -> None:
    status, told, _ = await ledger.ask("/reports/v1/aging/mail", "manager", "POST")
    assert (status, told["code"]) == (403, "42501")
    status, told, _ = await ledger.ask("/reports/v1/plain/mail", "admin", "POST")
    assert (status, told["code"]) == (409, "report.not_mailed")
    status, told, _ = await ledger.ask("/reports/v1/aging/mail", "admin", "POST")
    assert status == 202, told
    deadline = time.monotonic() + 30
    while len(mails := mails_of(ledger)) < 2:
        assert time.monotonic() < deadline, ledger.live.output()[-3000:]
        await asyncio.sleep(0.05)
    assert sorted(mail["To"] for mail in mails) == ["ceo@ledger.example", "cfo@ledger.example"]
    assert mails[0]["Subject"] == "Offene Posten - Kontor"
    (attached,) = mails[0].iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    # of a clerk, who sees no invoice of 500 and more
    shown = text_of_pdf(attached.get_content())
    assert "310,30" in shown
    assert "1.234,56" not in shown


def mails_of(ledger: Ledger) -> list[EmailMessage]:
    files = sorted((ledger.live.directory / "data").rglob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.SMTP) for file in files]  # type: ignore[misc,arg-type]


def test_a_scheduled_report_is_due_when_its_line_says() -> None:
    (clocked,) = schedules_of(compile_source(TENANT, SLUG))
    assert (clocked.kind, clocked.name) == ("report", "report:aging")
    friday = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
    assert clocked.after(friday) == dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC)
