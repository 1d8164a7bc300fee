"""An invoice on paper: PDF, and CSV for bookkeeping.

Decides how it looks. Whoever may read the row may have the paper. Called by ``functions``.
"""

import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from msgspec.structs import replace

from actors.features.auth.accounts import realm_of
from actors.features.auth.store import Session
from actors.features.billing import invoices
from actors.messages import Call, ProblemError, Result
from actors.paper import Paper, Words
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.workbook import in_turn
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
    body = await in_turn(as_pdf, invoice, lines)
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
    seller, customer = (_mapping(invoice[name]) for name in ("seller", "customer"))
    is_note = invoice["kind"] == "credit_note"
    currency = invoice["currency"]
    paper = Paper(str(invoice["number"]))
    paper.heading("Credit note" if is_note else "Invoice")
    paper.table([[Words(_address(seller)), Words(_address(customer) or invoice["slug"])]])
    paper.space()
    paper.table(
        [
            ["Number", invoice["number"]],
            ["Date", invoice["issued_on"]],
            *([] if is_note else [["Due", invoice["due_on"]]]),
            *([["Reason", Words(invoice["reason"])]] if invoice["reason"] else []),
        ]
    )
    paper.space()
    body = [
        [
            Words(line["description"]),
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
    head = ["Description", "Quantity", f"Price {currency}", f"Amount {currency}"]
    rows = [head, *body, *sums]
    paper.table(
        rows, widths=(90, 25, 30, 30), head=True, right=(1, 2, 3), bold={len(rows) - 1}, ruled={len(rows) - 3}
    )
    return paper.close()


def _address(party: Mapping[str, Any]) -> str:
    return "\n".join(str(party[key]) for key in ("name", "address", "tax_number", "email") if party.get(key))


def _mapping(value: object) -> Mapping[str, Any]:
    found = orjson.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}
