"""What is owed: proration, overage, tax and credit, as exact decimals.

Decides every rounding: each line is rounded once, half to even, to the currency's smallest unit; tax is
computed
on the sum of the lines and rounded once. It reads no clock and no table. Days are whole days in UTC; a period
begins on its first day and ends before ``end``.
"""

import calendar
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

from msgspec import Struct

_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
CENT = Decimal("0.01")
_PLACES = Decimal("0.000001")
NO_CENTS = frozenset({"JPY", "KRW", "CLP", "VND", "ISK", "XAF", "XOF", "PYG", "UGX"})
"""Currencies of ISO 4217 without a smaller unit."""


class Period(Struct, frozen=True):
    """Days from ``start`` to before ``end``."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days

    def rest(self, day: date) -> int:
        """How many days are left from a day on, that day included."""
        return min(max((self.end - day).days, 0), self.days)


class Line(Struct, frozen=True):
    """One line of an invoice; ``amount`` is rounded, ``quantity`` times ``unit_price`` need not be."""

    kind: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    period: Period


class Totals(Struct, frozen=True):
    """Sums of an invoice: ``subtotal`` + ``tax`` = ``total``, to the smallest unit."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's smallest unit, half to even; always with two places."""
    unit = Decimal(1) if currency in NO_CENTS else CENT
    return amount.quantize(unit, context=_EXACT).quantize(CENT, context=_EXACT)


def month_after(start: date, anchor: int) -> date:
    """Return the day a month later: the anchor's day of the month, or the last there is."""
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return date(year, month, min(anchor, calendar.monthrange(year, month)[1]))


def base_line(title: str, price: Decimal, period: Period, currency: str) -> Line:
    """Return the line of a plan for one whole period."""
    return Line("plan", title, Decimal(1), price, rounded(price, currency), period)


def proration(
    old: tuple[str, Decimal], new: tuple[str, Decimal], period: Period, day: date, currency: str
) -> tuple[Line, ...]:
    """Return what changing plans on a day costs: the old one's rest comes back, the new one's is charged.

    Args:
        old: title and price of the plan that was paid for the whole period.
        new: of the plan from ``day`` on.
        period: that was paid for.
        day: the first day of the new plan.
        currency: of both.
    """
    rest = Period(max(day, period.start), period.end)
    left = period.rest(day)
    share = _EXACT.divide(Decimal(left), Decimal(period.days)) if period.days else Decimal(0)
    lines = []
    for (title, price), sign, words in ((old, -1, "unused days of"), (new, 1, "remaining days of")):
        amount = rounded(_EXACT.divide(sign * price * left, Decimal(period.days or 1)), currency)
        if amount:
            lines.append(
                Line("proration", f"{words} {title}", share.quantize(_PLACES), sign * price, amount, rest)
            )
    return tuple(lines)


def overage(  # noqa: PLR0913, PLR0917 - what an amount depends on
    title: str, used: Decimal, included: int, per: int, price: Decimal, period: Period, segment: Period,
    currency: str
) -> Line | None:  # fmt: skip
    """Return what use beyond the plan costs in a part of a period, None when nothing.

    The part includes its days' share of what the whole period includes.

    Args:
        title: of what is used.
        used: in the part, in the metric's own unit.
        included: in the whole period.
        per: units that ``price`` is for.
        price: of ``per`` units.
        period: the whole one.
        segment: the part.
        currency: of the price.
    """
    allowed = _EXACT.divide(Decimal(included) * segment.days, Decimal(period.days or 1))
    beyond = used - allowed
    if beyond <= 0 or not segment.days:
        return None
    quantity = _EXACT.divide(beyond, Decimal(per))
    amount = rounded(_EXACT.multiply(quantity, price), currency)
    if not amount:
        return None
    return Line("overage", title, quantity.quantize(_PLACES, context=_EXACT), price, amount, segment)


def totals(lines: Iterable[Decimal], tax_rate: Decimal, currency: str) -> Totals:
    """Add up lines."""
    subtotal = sum(lines, Decimal(0)).quantize(CENT, context=_EXACT)
    tax = rounded(_EXACT.multiply(subtotal, tax_rate), currency)
    return Totals(subtotal, tax, subtotal + tax)


def credit(invoice: Totals, credited: Totals, amount: Decimal | None, currency: str) -> Totals | None:
    """Return what a credit note says, as positive numbers; None when more than was charged is asked for.

    Args:
        invoice: what was charged.
        credited: what came back already.
        amount: to give back, tax included; None: all that is left.
        currency: of all of them.
    """
    left = invoice.total - credited.total
    wanted = left if amount is None else rounded(amount, currency)
    if wanted <= 0 or wanted > left:
        return None
    if wanted == left:
        # the last one takes what rounding left, so that all notes together are the invoice
        return Totals(invoice.subtotal - credited.subtotal, invoice.tax - credited.tax, left)
    tax = rounded(_EXACT.divide(_EXACT.multiply(wanted, invoice.tax), invoice.total), currency)
    tax = min(tax, invoice.tax - credited.tax)
    return Totals(wanted - tax, tax, wanted)


def usage_of_segment(metric: str, days: Mapping[date, Decimal], segment: Period, per_period: int) -> Decimal:
    """Return what was used in a part of a period.

    Requests add up. What is there every day (storage, rows, people) counts by its days: the sum of the days
    divided by the days of the whole period, so that a part adds to the whole.
    """
    total = sum((value for day, value in days.items() if segment.start <= day < segment.end), Decimal(0))
    return total if metric == "requests" else _EXACT.divide(total, Decimal(per_period or 1))
