"""What the naive model knows of values alone: comparing in three values, aggregates, names in a query."""

import fnmatch
from collections.abc import Iterable
from typing import Any

from schemas.compiler.model import AccessEntry
from tests.oracle.oracle_queries import Cond, Embed, Group, Item, Test


def called(function: str, values: list[Any]) -> Any:
    """The outcome of an aggregate of values that are there."""
    if function == "count":
        return len(values)
    return {"sum": sum, "min": min, "max": max}[function](values) if values else None


def names(items: tuple[Item, ...]) -> list[str]:
    """Keys that a spread of these items makes."""
    return [name for item in items for name in (names(item.items) if isinstance(item, Embed) and item.spread else [item.alias])]  # fmt: skip


def inside(name: str) -> str:
    """The field of ``relation(field)``."""
    return name.partition("(")[2].removesuffix(")")


def flat(tests: Iterable[Test]) -> list[Cond]:
    """The conditions of tests, however they nest."""
    return [one for test in tests for one in (flat(test.items) if isinstance(test, Group) else [test])]


def shows(entry: AccessEntry, name: str) -> bool:
    """Whether an entry shows a field."""
    return name not in entry.hide and (entry.fields is None or name in entry.fields)


def compare(value: Any, test: Cond) -> bool | None:
    """Whether a value meets a condition, in SQL's three values."""
    if test.operator == "is":
        return value is None if test.value is None else value is test.value
    if test.operator == "isdistinct":
        return bool(value != test.value)
    if value is None:
        return False if test.value == () else None  # nothing is among none
    match test.operator:
        case "in":
            return value in test.value
        case "like":
            return fnmatch.fnmatchcase(str(value), test.value)
        case "eq":
            return bool(value == test.value)
        case "neq":
            return bool(value != test.value)
        case "gt":
            return bool(value > test.value)
        case "gte":
            return bool(value >= test.value)
        case "lt":
            return bool(value < test.value)
        case _:
            return bool(value <= test.value)
