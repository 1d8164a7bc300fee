"""Numbers by the name of their field: amounts that are often small and rarely large, hours, counts, rates.

Decides a number that keeps the field's bounds and steps. Called by ``values``.
"""

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from actors.seed.story import Story

_MONEY = {
    "revenue": 4_000_000,
    "budget": 24_000,
    "limit": 12_000,
    "salary": 52_000,
    "quota": 280_000,
    "price": 110,
    "rate": 105,
    "cost": 62,
    "fee": 80,
    "shipping": 8,
    "margin": 600,
    "net": 1_900,
    "total": 2_300,
    "value": 8_000,
    "amount": 1_400,
    "balance": 900,
}
"""Medians of amounts of money, by a word in the field's name."""
_NARROW = {"price", "rate", "cost", "fee", "salary", "quota", "limit"}
"""Amounts that do not differ much from row to row."""
_SCALES = {"expense": 0.08, "cost": 0.1, "order": 0.1, "item": 0.05, "deal": 8, "opportunit": 8}
"""What everything is multiplied with, by a word in the entity's name."""
_COUNTS = {
    "quantity": (1, 12),
    "qty": (1, 12),
    "stock": (0, 400),
    "rating": (1, 5),
    "stars": (1, 5),
    "score": (0, 100),
    "percent": (0, 100),
    "probability": (0, 100),
    "age": (18, 80),
    "year": (1995, 2026),
    "employees": (1, 900),
    "seats": (1, 60),
    "guests": (1, 8),
    "days": (1, 30),
    "views": (0, 5000),
}
_HOURS = (0.25, 0.5, 0.75, 1, 1, 1.5, 2, 2, 2.5, 3, 3.5, 4, 4, 5, 6, 7.5, 8)
_MINUTES = (10, 15, 20, 30, 30, 45, 60, 60, 90)


def number(name: str, schema: Mapping[str, Any], story: Story) -> float | int:
    """Return a number for a field called ``name``, inside the bounds of its schema."""
    whole = "integer" in _types(schema)
    return fitted(_wished(name.lower(), schema, story, whole=whole), schema, whole=whole)


def fitted(wish: float, schema: Mapping[str, Any], *, whole: bool) -> float | int:
    """Return the number nearest to ``wish`` that the schema allows."""
    step = Decimal(str(schema.get("multipleOf", 1 if whole else "0.01")))
    low, high = bounds(schema, step)
    steps = (Decimal(str(wish)) / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    value = steps * step
    if low is not None and value < low:
        value = (low / step).to_integral_value(rounding="ROUND_CEILING") * step
    if high is not None and value > high:
        value = (high / step).to_integral_value(rounding="ROUND_FLOOR") * step
    return int(value) if whole or value == value.to_integral_value() else float(value)


def bounds(schema: Mapping[str, Any], step: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return the least and greatest value."""
    lows = [Decimal(str(schema["minimum"]))] if "minimum" in schema else []
    highs = [Decimal(str(schema["maximum"]))] if "maximum" in schema else []
    if "exclusiveMinimum" in schema:
        lows.append(Decimal(str(schema["exclusiveMinimum"])) + step)
    if "exclusiveMaximum" in schema:
        highs.append(Decimal(str(schema["exclusiveMaximum"])) - step)
    if schema.get("format") == "int32":
        highs.append(Decimal(2**31 - 1))
    return max(lows, default=None), min(highs, default=None)


def _median_of(name: str) -> float | None:
    """Return the usual amount of money for a field of this name, or None when it is no amount."""
    words = name.lower().split("_")
    return next((_MONEY[word] for word in reversed(words) if word in _MONEY), None)


def _wished(name: str, schema: Mapping[str, Any], story: Story, *, whole: bool) -> float:
    chance = story.chance
    words = name.split("_")
    low, high = bounds(schema, Decimal(str(schema.get("multipleOf", 1 if whole else "0.01"))))
    if high is not None and high <= 1:
        return float(high) * chance.choice((0, 0, 0, 0.1, 0.2, 0.3, 0.5))
    if any(word in {"hours", "hour", "estimate", "duration", "effort"} for word in words):
        return chance.choice(_HOURS)
    if "minutes" in words:
        return chance.choice(_MINUTES)
    if any(word in {"position", "order", "rank", "sort", "sequence"} for word in words):
        return story.sibling + float(low or 0)
    for word in words:
        if word in _COUNTS:
            least, most = _COUNTS[word]
            return chance.randint(least, most)
    median = _median_of(name)
    if median is not None and (not whole or "multipleOf" not in schema):
        scale = next((s for word, s in _SCALES.items() if word in story.entity), 1.0)
        return _amount(median * scale, chance.gauss(0, 0.3 if _NARROW & set(words) else 0.9))
    if low is not None and high is not None and high - low < 10_000:
        return float(low) + float(high - low) * math.pow(chance.random(), 1.5)
    return float(low or 0) + _amount(20, chance.gauss(0, 1.2))


def _amount(median: float, spread: float) -> float:
    """Return an amount around a median, the larger ones in round figures."""
    amount = median * math.exp(spread)
    for least, step in ((100_000, 1000), (5_000, 50), (500, 5)):
        if amount >= least:
            return round(amount / step) * step
    return round(amount * 2) / 2 if amount >= 20 else round(amount, 2)


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else tuple(kind)
