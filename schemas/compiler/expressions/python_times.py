"""Dates, timestamps and durations in Python. Called by ``python_functions`` and ``to_python``."""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any

_DAYS = 3_652_058


def midnight(value: dt.date) -> dt.datetime:
    """Return a timestamp; a date is its midnight in UTC."""
    return (
        value
        if isinstance(value, dt.datetime)
        else dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    )


def day(value: object, zone: str) -> dt.date | None:
    """Return the day of a timestamp in a time zone."""
    if not isinstance(value, dt.datetime):
        return None
    try:
        return value.astimezone(zoneinfo.ZoneInfo(zone)).date()
    except OverflowError:
        return None


def part(moment: dt.date, part: str, zone: str = "UTC") -> int:
    """Return what a getter gives for a date or timestamp."""
    local = moment.astimezone(zoneinfo.ZoneInfo(zone)) if isinstance(moment, dt.datetime) else moment
    return _PARTS[part](local)


_PARTS: Mapping[str, Callable[[Any], int]] = {
    "year": lambda local: local.year,
    "month": lambda local: local.month - 1,
    "day": lambda local: local.day,
    "day0": lambda local: local.day - 1,
    "weekday": lambda local: local.isoweekday() % 7,
    "yearday": lambda local: local.timetuple().tm_yday - 1,
    "hours": lambda local: local.hour,
    "minutes": lambda local: local.minute,
    "seconds": lambda local: local.second,
    "milliseconds": lambda local: local.microsecond // 1000,
}
UNITS = {"hours": 3600, "minutes": 60, "seconds": 1}


def shift_days(value: dt.date, days: int) -> dt.date | None:
    """Return a date moved by days, None beyond the calendar."""
    return value + dt.timedelta(days=days) if abs(days) <= _DAYS else None


def timestamp_text(value: dt.datetime) -> str:
    """Return a timestamp as RFC 3339 in UTC, without trailing zeros."""
    text = value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return text.rstrip("0").rstrip(".") + "Z"


DURATIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "neg": lambda value: -value,
}
