"""Exact arithmetic in Python: the counterpart of PostgreSQL's numeric. Called by ``python_functions``."""

import decimal
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

CONTEXT = decimal.Context(prec=200_000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
"""Wide enough that no bounded expression rounds."""


def quotient(left: Decimal, right: Decimal) -> Decimal | None:
    """Return an exact quotient cut to 16 decimal places, None when dividing by zero."""
    if right == 0:
        return None
    return CONTEXT.scaleb(Decimal(_whole_quotient(CONTEXT.scaleb(left, 16), right)), -16)


def _whole_quotient(left: Decimal, right: Decimal) -> int:
    numerator, divisor = left.as_integer_ratio(), right.as_integer_ratio()
    above, below = numerator[0] * divisor[1], numerator[1] * divisor[0]
    size = abs(above) // abs(below)
    return size if (above < 0) == (below < 0) else -size


def _modulo(left: Decimal, right: Decimal) -> Decimal | None:
    return None if right == 0 else left - right * _whole_quotient(left, right)


def _round(value: Decimal, digits: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-int(digits)), decimal.ROUND_HALF_UP, CONTEXT)


def _integral(rounding: str) -> Callable[..., Any]:
    return lambda value: value.to_integral_value(rounding, CONTEXT)


NUMERIC: Mapping[str, Callable[..., Any]] = {
    "add": CONTEXT.add,
    "sub": CONTEXT.subtract,
    "mul": CONTEXT.multiply,
    "neg": lambda value: CONTEXT.subtract(Decimal(0), value),
    "div": quotient,
    "idiv": lambda left, right: None if right == 0 else Decimal(_whole_quotient(left, right)),
    "mod": _modulo,
    "round": _round,
    "abs": CONTEXT.abs,
    "ceil": _integral(decimal.ROUND_CEILING),
    "floor": _integral(decimal.ROUND_FLOOR),
    "trunc": _integral(decimal.ROUND_DOWN),
    "greatest": max,
    "least": min,
}
