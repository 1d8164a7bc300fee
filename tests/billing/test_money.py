"""Amounts are exact: whatever plans, days and changes there are, nothing is lost and nobody pays twice."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.features.billing import money
from actors.features.billing.money import Period, Totals

CENTS = st.integers(0, 1_000_000).map(lambda cents: Decimal(cents) / 100)
DAYS = st.dates(date(2020, 1, 1), date(2035, 1, 1))
RATES = st.sampled_from([Decimal(text) for text in ("0", "0.07", "0.19", "0.077", "0.255", "1")])


def whole_month(start: date) -> Period:
    return Period(start, money.month_after(start, start.day))


@given(CENTS, DAYS, st.integers(0, 30))
def test_the_same_plan_again_costs_nothing(price: Decimal, start: date, after: int) -> None:
    lines = money.proration(("a", price), ("a", price), whole_month(start), start + timedelta(after), "EUR")
    assert sum((line.amount for line in lines), Decimal(0)) == 0


@given(CENTS, CENTS, DAYS)
def test_a_change_on_the_first_day_is_the_difference(old: Decimal, new: Decimal, start: date) -> None:
    lines = money.proration(("a", old), ("b", new), whole_month(start), start, "EUR")
    assert sum((line.amount for line in lines), Decimal(0)) == new - old


@given(st.lists(st.tuples(CENTS, st.integers(0, 31)), min_size=1, max_size=6), CENTS, DAYS)
def test_any_chain_of_changes_costs_between_the_cheapest_and_the_dearest(
    changes: list[tuple[Decimal, int]], first: Decimal, start: date
) -> None:
    period = whole_month(start)
    paid, current = first, first
    for price, after in sorted(changes, key=lambda change: change[1]):
        day = start + timedelta(after)
        lines = money.proration(("a", current), ("b", price), period, day, "EUR")
        paid += sum((line.amount for line in lines), Decimal(0))
        current = price
    prices = [first, *(price for price, _ in changes)]
    rounding = Decimal("0.01") * len(changes)  # half a cent for each of two lines
    assert min(prices) - rounding <= paid <= max(prices) + rounding


@given(st.lists(CENTS, max_size=20), RATES)
def test_totals_add_up_to_the_cent(amounts: list[Decimal], rate: Decimal) -> None:
    found = money.totals(amounts, rate, "EUR")
    assert found.subtotal == sum(amounts, Decimal(0))
    assert found.subtotal + found.tax == found.total
    assert abs(found.tax - found.subtotal * rate) <= Decimal("0.005")


@given(CENTS.filter(bool), RATES, st.lists(CENTS, max_size=6))
def test_credit_notes_never_give_back_more_than_was_charged(
    price: Decimal, rate: Decimal, wishes: list[Decimal]
) -> None:
    invoice = money.totals([price], rate, "EUR")
    credited = Totals(Decimal(0), Decimal(0), Decimal(0))
    for wish in [*wishes, None]:
        note = money.credit(invoice, credited, wish, "EUR")
        if note is not None:
            assert note.subtotal + note.tax == note.total > 0
            credited = Totals(
                credited.subtotal + note.subtotal, credited.tax + note.tax, credited.total + note.total
            )
            assert credited.total <= invoice.total
            assert 0 <= credited.tax <= invoice.tax
    assert credited == invoice  # the last wish was: all that is left


@given(st.integers(0, 10**9), st.integers(0, 10**8), st.integers(1, 10**4), CENTS, DAYS, st.integers(0, 31))
def test_overage_is_only_for_what_is_beyond_and_grows_with_use(
    used: int, included: int, per: int, price: Decimal, start: date, days: int
) -> None:
    period = whole_month(start)
    segment = Period(start, min(start + timedelta(days), period.end))
    line = money.overage("requests", Decimal(used), included, per, price, period, segment, "EUR")
    more = money.overage("requests", Decimal(used + per), included, per, price, period, segment, "EUR")
    allowed = Decimal(included) * segment.days / period.days
    if used <= allowed:
        assert line is None
    elif line is not None:
        assert abs(line.amount - (used - allowed) / per * price) <= Decimal("0.0051")
        assert more is not None
        assert more.amount >= line.amount


def test_currencies_without_cents_have_none() -> None:
    assert money.rounded(Decimal("12.5"), "JPY") == Decimal("12.00")
    assert money.rounded(Decimal("12.345"), "EUR") == Decimal("12.34")


def test_months_end_where_they_end() -> None:
    assert money.month_after(date(2027, 1, 31), 31) == date(2027, 2, 28)
    assert money.month_after(date(2027, 2, 28), 31) == date(2027, 3, 31)
    assert money.month_after(date(2027, 12, 15), 15) == date(2028, 1, 15)
