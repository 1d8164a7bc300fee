"""Cron lines: five fields, lists, ranges, steps, names of months and days.

Decides whether a line can be read, with words for what is wrong; when it is due is cronsim's.
"""

import re
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?", re.ASCII)
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def cron_problem(line: str) -> str:
    """Return what is wrong with a cron line, or ``""``."""
    if line in _MACROS:
        return ""
    fields = line.split(" ")
    if len(fields) != len(_FIELDS) or not all(fields):
        return f"it has {len(line.split())} fields, not five separated by single spaces"
    for text, (name, least, most) in zip(fields, _FIELDS, strict=True):
        for part in text.lower().split(","):
            problem = _part_problem(part, name, least, most)
            if problem:
                return problem
    try:
        next(CronSim(line, _SOME_TIME))
    except CronSimError as error:
        return str(error)
    except StopIteration:
        return "it names a day that never comes"
    return ""


def after(line: str, moment: datetime) -> datetime | None:
    """Return the next time of a cron line after ``moment``, in its time zone; None when there is none.

    Where clocks change, it is Debian's cron: what falls into the hour that is left out runs right after it,
    what falls into the hour that comes twice runs once.
    """
    return next(CronSim(_MACROS.get(line, line), moment), None)


def _part_problem(part: str, name: str, least: int, most: int) -> str:
    match = _PART.fullmatch(part)
    if match is None:
        return f"'{part}' is no {name}"
    first, last, step = match.groups()
    words = {"month": _MONTHS, "day of week": _DAYS}.get(name, {})
    numbers = []
    for word in (first, last):
        if word is None or word == "*":
            continue
        number = int(word) if word.isdigit() else words.get(word)
        if number is None or not least <= number <= most:
            return f"{name} '{word}' is not from {least} to {most}"
        numbers.append(number)
    if first == "*" and last is not None:
        return f"'{part}' is no {name}"
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        return f"{name} '{part}' runs backwards"
    if step is not None and int(step) == 0:
        return f"{name} '{part}' has a step of 0"
    return ""
