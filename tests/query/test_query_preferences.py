"""Prefer, Range and Accept as clients write them, and parameters that may stand once."""

import pytest

from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.media import media_of
from schemas.compiler.query.preferences import NONE, parse_preferences
from tests.query.kit import Tenant

MEDIA = {
    "": ("json", False, False),
    "application/json": ("json", False, False),
    "APPLICATION/JSON; charset=utf-8": ("json", False, False),
    "text/html,application/xhtml+xml,*/*;q=0.8": ("json", False, False),
    "application/vnd.pgrst.object+json": ("object", True, False),
    "application/vnd.pgrst.object+json;nulls=stripped": ("object", True, True),
    "application/vnd.pgrst.array+json;nulls=stripped": ("array", False, True),
    "application/json;nulls=stripped": ("json", False, False),
    "text/csv": ("csv", False, False),
    "application/x-ndjson": ("ndjson", False, False),
}


@pytest.mark.parametrize("accept", MEDIA)
def test_media(accept: str) -> None:
    assert media_of(accept) == MEDIA[accept]


@pytest.mark.parametrize("accept", ["image/png", "application/xml", ",", "json", "x" * 5000])
def test_media_not_made_here(accept: str) -> None:
    with pytest.raises(QueryError) as caught:
        media_of(accept)
    assert caught.value.code == "PGRST107"
    assert len(caught.value.message) < 200


def test_preferences_are_read_and_echoed() -> None:
    found = parse_preferences(
        "return=representation, count=exact,resolution=merge-duplicates , missing=default"
    )
    assert (found.returning, found.count, found.resolution, found.missing) == (
        "representation", "exact", "merge-duplicates", "default",
    )  # fmt: skip
    assert found.applied == (
        "return=representation", "count=exact", "resolution=merge-duplicates", "missing=default",
    )  # fmt: skip
    assert parse_preferences("") is NONE


def test_the_first_mention_counts() -> None:
    assert parse_preferences("count=exact,count=planned").count == "exact"


def test_unknown_preferences_matter_when_strict() -> None:
    assert parse_preferences("foo=bar,return=minimal").applied == ("return=minimal",)
    for text in ("handling=strict,foo=bar", "foo=bar,handling=strict", "handling=strict,return=x"):
        with pytest.raises(QueryError) as caught:
            parse_preferences(text)
        assert caught.value.code == "PGRST122"
        assert caught.value.details.startswith("Invalid preferences: ")


def test_max_affected_needs_strict() -> None:
    assert parse_preferences("max-affected=3").max_affected is None
    assert parse_preferences("max-affected=3").applied == ()
    assert parse_preferences("handling=lenient,max-affected=3").max_affected is None
    assert parse_preferences("max-affected=3,handling=strict").max_affected == 3
    for bad in ("-1", "x", "", "1e3", "\u0663", "9" * 20):
        with pytest.raises(QueryError):
            parse_preferences(f"handling=strict,max-affected={bad}")


RANGES = {
    "0-1": (0, 2),
    "2-": (2, None),
    "items=1-1": (1, 1),
    "": (0, None),
    "x": (0, None),
    "1": (0, None),
    "-5": (0, None),
    "1-2-3": (0, None),
    "\u0660-\u0663": (0, None),
}


@pytest.mark.parametrize("range_", RANGES)
def test_range(boss: Tenant, range_: str) -> None:
    prepared = boss.prepare("tickets", "order=title", range=range_)
    assert (prepared.offset, prepared.limit) == RANGES[range_]


def test_range_and_limit_both_hold(boss: Tenant) -> None:
    prepared = boss.prepare("tickets", "limit=2&offset=1", range="0-9")
    assert (prepared.offset, prepared.limit) == (1, 2)


@pytest.mark.parametrize("range_", ["3-1", "100001-100002"])
def test_range_out_of_reach(boss: Tenant, range_: str) -> None:
    with pytest.raises(QueryError) as caught:
        boss.prepare("tickets", "", range=range_)
    assert caught.value.code == "PGRST103"


@pytest.mark.parametrize("name", ["select", "order", "limit", "offset", "search", "after"])
def test_what_may_stand_once(boss: Tenant, name: str) -> None:
    with pytest.raises(QueryError) as caught:
        boss.prepare("tickets", f"{name}=1&{name}=2")
    assert caught.value.code == "PGRST100"


@pytest.mark.parametrize("name", ["order", "limit", "offset"])
def test_what_may_stand_once_for_an_embed(boss: Tenant, name: str) -> None:
    one = "title" if name == "order" else "1"
    with pytest.raises(QueryError):
        boss.prepare("projects", f"select=tickets(title)&tickets.{name}={one}&tickets.{name}={one}")


async def test_an_aliased_embed_answers_to_its_table(boss: Tenant) -> None:
    rows = await boss.get("projects", "select=title,t:tickets(title)&title=eq.Alpha&tickets.title=eq.one")
    assert rows == [{"title": "Alpha", "t": [{"title": "one"}]}]
