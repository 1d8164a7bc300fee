"""A pattern that PostgreSQL may see matches there what RE2 matches; everything else is kept away from it."""

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.compiler.expressions import patterns
from tests.speed import examples


@pytest.fixture(scope="module")
async def connection(database_url: str):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+?", "a*?", r"\bfoo", r"\pL", r"(?i)abc", r"(?P<x>a)", "[[:alpha:]]", r"\Aabc", "a{256}", "a{1000}", "^*", "x**", "a|", "()", "[é-ü]", "***=a", "a" * 201, r"\1", r"\n", "(((((((((a)))))))))"],
)  # fmt: skip
def test_what_differs_is_not_translated(pattern: str) -> None:
    assert patterns.translate(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{2}-[0-9]{4}$",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"\d{3}|x",
        "(?:ab|c)*d?",
        "[-+]?[0-9]+",
        "[a^]",
        "[]]",
    ],
)
def test_what_people_write_is_translated(pattern: str) -> None:
    assert (patterns.translate(pattern) is None) == (pattern == "[]]" or pattern == "[a^]")


PIECES = ["a", "b", "é", "\n", ".", "^", "$", "|", "(", ")", "(?:", "[", "]", "[^", "-", "*", "+", "?", "{2}", "{1,3}", r"\d", r"\w", r"\s", r"\.", r"\\", "1", "_", "/", "[a-c]", "[^b]", " ", "{", "}"]  # fmt: skip
TEXTS = ["", "a", "b", "ab", "ba", "a\nb", "\n", "é", "1", "a1_", "aab", " ", "\\", ".", "[", "-", "a-b", "c^", "b\n", "aaa", "$", "(a)", "/"]  # fmt: skip


@settings(max_examples=examples(500), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(pattern=st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
async def test_both_engines_agree_on_what_is_translated(pattern: str, connection: asyncpg.Connection) -> None:
    translated = patterns.translate(pattern)
    if patterns.problem(pattern) or translated is None:
        return
    search = patterns.compiled(pattern).search
    found = await connection.fetch(
        "SELECT t ~ $1::text AS m FROM unnest($2::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
        translated,
        TEXTS,
    )
    assert [row["m"] for row in found] == [search(text) is not None for text in TEXTS], pattern
