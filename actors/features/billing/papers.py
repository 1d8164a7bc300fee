"""An invoice on paper: PDF, and CSV for bookkeeping.

Decides how it looks. Whoever may read the row may have the paper. Called by ``functions``.
"""

import asyncio
import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import orjson
from msgspec.structs import replace

from actors.features.auth.accounts import realm_of
from actors.features.auth.store import Session
from actors.features.billing import invoices
from actors.messages import Call, ProblemError, Result
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

_COLUMNS = (
    "number",
    "kind",
    "issued_on",
    "due_on",
    "status",
    "currency",
    "subtotal",
    "tax_rate",
    "tax",
    "total",
)
_LINE_COLUMNS = (
    "position",
    "kind",
    "description",
    "quantity",
    "unit_price",
    "amount",
    "period_start",
    "period_end",
)


async def paper(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return an invoice; ``entity`` is its key and ``key`` the format.

    Raises:
        ProblemError, QueryError: the caller may not read it, or there is none.
    """
    if generation.platform is None or call.key not in {"pdf", "csv"}:
        raise ProblemError("PGRST125", "there is nothing at this path")
    try:
        key = str(uuid.UUID(call.entity))
    except ValueError:
        raise ProblemError("billing.unknown_invoice", "there is no such invoice") from None
    look = replace(
        call, operation="get", method="GET", entity="invoices", key=key, query="select=id", accept=""
    )
    await rows.read(generation, look, principal, None)

    async def read(session: Session) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
        found = await invoices.find(session, key)
        return found, await invoices.lines_of(session, found["id"])

    invoice, lines = await realm_of(generation).store.transaction(read, reads=True)
    name = f'attachment; filename="{invoice["number"]}.{call.key}"'
    headers = (("Content-Disposition", name),)
    if call.key == "csv":
        return Result(200, as_csv(invoice, lines), "text/csv; charset=utf-8", headers)
    body = await asyncio.to_thread(as_pdf, invoice, lines)
    return Result(200, body, "application/pdf", headers)


def as_csv(invoice: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a line per line, each with what the invoice says as a whole."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"invoice_{name}" for name in _COLUMNS] + list(_LINE_COLUMNS))
    for line in lines:
        writer.writerow(
            [_cell(invoice[name]) for name in _COLUMNS] + [_cell(line[name]) for name in _LINE_COLUMNS]
        )
    return out.getvalue().encode()


def _cell(value: object) -> str:
    """Return a value no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return (
        f"'{text}"
        if text[:1] in {"=", "@", "\t", "\r"} or (text[:1] in {"+", "-"} and not _is_number(text))
        else text
    )


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdecimal()


def as_pdf(invoice: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw one; runs in a thread."""
    from reportlab.lib import colors, pagesizes, styles, units  # noqa: PLC0415 - only those who print pay for it
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle  # noqa: PLC0415

    look = styles.getSampleStyleSheet()
    plain, title = look["BodyText"], look["Title"]

    def text(value: object) -> Paragraph:
        return Paragraph(escape(str(value or "")).replace("\n", "<br/>"), plain)

    seller, customer = (_mapping(invoice[name]) for name in ("seller", "customer"))
    is_note = invoice["kind"] == "credit_note"
    currency = invoice["currency"]
    facts = [
        ["Number", invoice["number"]],
        ["Date", invoice["issued_on"]],
        *([] if is_note else [["Due", invoice["due_on"]]]),
        *([["Reason", text(invoice["reason"])]] if invoice["reason"] else []),
    ]
    body = [
        [
            text(line["description"]),
            line["quantity"].normalize().__format__("f"),
            line["unit_price"],
            line["amount"],
        ]
        for line in lines
    ]
    sums = [
        ["", "", "Subtotal", invoice["subtotal"]],
        ["", "", f"Tax {(invoice['tax_rate'] * 100).normalize():f} %", invoice["tax"]],
        ["", "", f"Total {currency}", invoice["total"]],
    ]
    head = [["Description", "Quantity", f"Price {currency}", f"Amount {currency}"]]
    table = Table(
        head + body + sums,
        colWidths=[90 * units.mm, 25 * units.mm, 30 * units.mm, 30 * units.mm],
        repeatRows=1,
    )
    table.setStyle(
        TableStyle(
            [
                ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                ("FONTNAME", (2, -1), (-1, -1), "Helvetica-Bold"),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
                ("LINEABOVE", (0, -3), (-1, -3), 0.5, colors.black),
            ]
        )
    )
    out = io.BytesIO()
    document = SimpleDocTemplate(out, pagesize=pagesizes.A4, title=str(invoice["number"]))
    document.build(
        [
            Paragraph("Credit note" if is_note else "Invoice", title),
            Table([[text(_address(seller)), text(_address(customer) or invoice["slug"])]]),
            Spacer(1, 8 * units.mm),
            Table(facts, hAlign="LEFT"),
            Spacer(1, 8 * units.mm),
            table,
        ]
    )
    return out.getvalue()


def _address(party: Mapping[str, Any]) -> str:
    return "\n".join(str(party[key]) for key in ("name", "address", "tax_number", "email") if party.get(key))


def _mapping(value: object) -> Mapping[str, Any]:
    found = orjson.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}
