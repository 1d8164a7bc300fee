"""Invoices and credit notes: numbers without gaps, lines that never change, and their states.

Decides when a number is given: in the transaction that writes the invoice, under a lock, so that one
that fails
leaves no gap. ``open`` invoices become ``paid`` or ``void``; credit notes give back what was charged, and an
invoice that was given back wholly is ``credited``. Called by ``subscriptions`` and ``functions``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from actors.features.auth.store import Session
from actors.features.billing import money
from actors.features.billing.money import Line, Totals
from actors.features.billing.plans import PlanFile
from actors.messages import ProblemError
from actors.tenant.identifiers import new_key

_INVOICE = """
INSERT INTO {ns}.invoices (id, number, series, tenant_id, slug, kind, credits_id, status, currency, subtotal,
  tax_rate, tax, total, period_start, period_end, issued_on, due_on, paid_at, provider, reason, seller,
  customer)
VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
  $21::text::jsonb, $22::text::jsonb)
"""
_LINE = """
INSERT INTO {ns}.invoice_lines (id, tenant_id, invoice_id, position, kind, description, quantity, unit_price,
  amount, currency, period_start, period_end)
VALUES ($1::text::uuid, $2, $3::text::uuid, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_WAITING = """
SELECT id, amount FROM {ns}.invoice_lines WHERE tenant_id = $1 AND invoice_id IS NULL ORDER BY created_at, id
FOR UPDATE
"""
_FIND = "SELECT * FROM {ns}.invoices WHERE number = $1 OR id::text = $1"
_FIND_LOCKED = _FIND + " FOR UPDATE"
_ZERO = Decimal(0)


async def keep_line(
    session: Session, tenant: object, line: Line, currency: str, invoice: str | None = None, position: int = 0
) -> None:
    """Write a line; without an invoice it waits for the tenant's next."""
    await session.run(
        _LINE, new_key(), tenant, invoice, position, line.kind, line.description, line.quantity,
        line.unit_price, line.amount, currency, line.period.start, line.period.end,
    )  # fmt: skip


async def waiting_lines(session: Session, tenant: object) -> list[Mapping[str, Any]]:
    """Return the lines that wait for a tenant's next invoice, locked."""
    return [dict(row) for row in await session.rows(_WAITING, tenant)]


async def issue(
    session: Session, file: PlanFile, subscription: Mapping[str, Any], lines: Sequence[Line], day: date
) -> str | None:
    """Issue an invoice of new lines and those that wait; returns its key, None when there is nothing to say.

    When more comes back than is charged, the rest waits for the next invoice.
    """
    tenant, currency = subscription["tenant_id"], subscription["currency"]
    waiting = await waiting_lines(session, tenant)
    if not waiting and not any(line.amount for line in lines):
        return None
    amounts = [*(row["amount"] for row in waiting), *(line.amount for line in lines)]
    lines = list(lines)
    left = sum(amounts, _ZERO)
    if left < 0:
        period = money.Period(day, day)
        over = Line("credit", "carried over to the next invoice", Decimal(1), -left, -left, period)
        lines.append(over)
        amounts.append(-left)
    rate = subscription["tax_rate"] if subscription["tax_rate"] is not None else file.tax_rate
    sums = money.totals(amounts, rate, currency)
    customer = {
        key: subscription[f"customer_{key}"] or "" for key in ("name", "email", "address", "tax_number")
    }
    key = await _write(
        session,
        file,
        {**subscription, "tax_rate": rate, "customer": customer, "kind": "invoice", "reason": None},
        sums,
        day,
        status="open" if sums.total else "paid",
    )
    await session.run(
        "UPDATE {ns}.invoice_lines SET invoice_id = $2::text::uuid WHERE id = ANY($1::uuid[])",
        [row["id"] for row in waiting],
        key,
    )
    for position, line in enumerate(lines, len(waiting)):
        await keep_line(session, tenant, line, currency, key, position)
    if left < 0:
        back = Line("credit", "carried over", Decimal(1), left, left, money.Period(day, day))
        await keep_line(session, tenant, back, currency)
    return key


async def _write(
    session: Session, file: PlanFile, about: Mapping[str, Any], sums: Totals, day: date, *, status: str
) -> str:
    # whoever comes second waits here until the first has committed or given up: numbers have no gaps
    await session.run("LOCK TABLE {ns}.invoices IN SHARE ROW EXCLUSIVE MODE")
    last = await session.row("SELECT coalesce(max(series), 0) AS last FROM {ns}.invoices")
    series = (last["last"] if last else 0) + 1
    key = new_key()
    await session.run(
        _INVOICE, key, f"{day.year}-{series:06d}", series, about["tenant_id"], about["slug"], about["kind"],
        about.get("credits_id"), status, about["currency"], sums.subtotal, about["tax_rate"], sums.tax,
        sums.total, about.get("period_start"), about.get("period_end"), day,
        day + timedelta(days=file.due_days), datetime.now(UTC) if status != "open" else None,
        about["provider"] or "manual", about["reason"], orjson.dumps(dict(file.seller)).decode(),
        about["customer"] if isinstance(about["customer"], str) else orjson.dumps(about["customer"]).decode(),
    )  # fmt: skip
    return key


async def find(session: Session, number: str, *, lock: bool = False) -> Mapping[str, Any]:
    """Return an invoice by its number, or its key.

    Raises:
        ProblemError: billing.unknown_invoice.
    """
    row = await session.row(_FIND_LOCKED if lock else _FIND, number)
    if row is None:
        raise ProblemError("billing.unknown_invoice", f"there is no invoice '{number[:60]}'")
    return dict(row)


async def lines_of(session: Session, key: object) -> list[Mapping[str, Any]]:
    """Return the lines of an invoice in their order."""
    text = "SELECT * FROM {ns}.invoice_lines WHERE invoice_id = $1 ORDER BY position, created_at, id"
    return [dict(row) for row in await session.rows(text, key)]


async def settle(session: Session, number: str, reference: str) -> Mapping[str, Any]:
    """Note that an invoice is paid; again for the same one changes nothing.

    Raises:
        ProblemError: billing.unknown_invoice, billing.wrong_state.
    """
    invoice = await find(session, number, lock=True)
    if invoice["status"] == "paid":
        return invoice
    _require(invoice, "open")
    await session.run(
        "UPDATE {ns}.invoices SET status = 'paid', paid_at = now(), provider_reference = "
        "coalesce(nullif($2, ''), provider_reference), updated_at = now() WHERE id = $1",
        invoice["id"],
        reference,
    )
    await session.run(
        "UPDATE {ns}.subscriptions s SET status = 'active' WHERE tenant_id = $1 AND status = 'past_due' "
        "AND NOT EXISTS (SELECT 1 FROM {ns}.invoices i WHERE i.tenant_id = $1 AND i.status = 'open' "
        "AND i.due_on < $2)",
        invoice["tenant_id"],
        datetime.now(UTC).date(),
    )
    return await find(session, number)


async def void(session: Session, number: str, reason: str) -> Mapping[str, Any]:
    """Take back an invoice nobody paid; it keeps its number."""
    invoice = await find(session, number, lock=True)
    _require(invoice, "open")
    noted = await session.row("SELECT 1 FROM {ns}.invoices WHERE credits_id = $1", invoice["id"])
    if noted is not None:
        raise ProblemError("billing.wrong_state", "part of it was credited: credit the rest instead")
    await session.run(
        "UPDATE {ns}.invoices SET status = 'void', reason = $2, updated_at = now() WHERE id = $1",
        invoice["id"],
        reason or None,
    )
    return await find(session, number)


async def credit(
    session: Session, file: PlanFile, number: str, amount: Decimal | None, reason: str, day: date
) -> Mapping[str, Any]:
    """Write a credit note about an invoice; ``amount`` is with tax, None means all that is left.

    Raises:
        ProblemError: billing.unknown_invoice, billing.wrong_state, billing.too_much.
    """
    invoice = await find(session, number, lock=True)
    if invoice["kind"] != "invoice":
        raise ProblemError("billing.wrong_state", "only invoices are credited")
    _require(invoice, "open", "paid")
    before = await session.row(
        "SELECT coalesce(-sum(subtotal), 0) AS subtotal, coalesce(-sum(tax), 0) AS tax, "
        "coalesce(-sum(total), 0) AS total FROM {ns}.invoices WHERE credits_id = $1",
        invoice["id"],
    )
    credited = Totals(*before) if before is not None else Totals(_ZERO, _ZERO, _ZERO)
    charged = Totals(invoice["subtotal"], invoice["tax"], invoice["total"])
    note = money.credit(charged, credited, amount, invoice["currency"])
    if note is None:
        left = charged.total - credited.total
        raise ProblemError("billing.too_much", f"at most {left} {invoice['currency']} can be credited")
    about = {**invoice, "kind": "credit_note", "credits_id": invoice["id"], "reason": reason or None}
    negative = Totals(-note.subtotal, -note.tax, -note.total)
    key = await _write(
        session, file, about, negative, day, status="paid" if invoice["status"] == "open" else "open"
    )
    line = Line(
        "credit", f"credit for invoice {invoice['number']}", Decimal(1), -note.subtotal, -note.subtotal,
        money.Period(day, day),
    )  # fmt: skip
    await keep_line(session, invoice["tenant_id"], line, invoice["currency"], key)
    if credited.total + note.total == charged.total:
        await session.run(
            "UPDATE {ns}.invoices SET status = 'credited', updated_at = now() WHERE id = $1", invoice["id"]
        )
    return await find(session, key)


async def mark_overdue(session: Session, today: date) -> int:
    """Let subscriptions say that an invoice of theirs is overdue."""
    return await session.run(
        "UPDATE {ns}.subscriptions SET status = 'past_due' WHERE status = 'active' AND EXISTS (SELECT 1 FROM "
        "{ns}.invoices i WHERE i.tenant_id = subscriptions.tenant_id AND i.kind = 'invoice' AND "
        "i.status = 'open' AND i.due_on < $1)",
        today,
    )


def _require(invoice: Mapping[str, Any], *states: str) -> None:
    if invoice["status"] not in states:
        raise ProblemError(
            "billing.wrong_state", f"the invoice {invoice['number']} is {invoice['status']}, not {states[0]}"
        )
