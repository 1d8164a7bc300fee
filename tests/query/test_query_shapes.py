"""One statement for all values of a shape: what is shared, what stays out of SQL, what the cache costs."""

import tracemalloc
from random import Random

import asyncpg
import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.query.compiler import QueryCompiler
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.requests import Prepared, ReadRequest
from schemas.compiler.query.tsquery import check_tsquery
from tests.query.conftest import DENSE
from tests.query.kit import TODAY, Tenant, uid, who

CALLER = who(1, "boss", "member", "admin")
MARK = "zqx';--"


@pytest.fixture
def queries() -> QueryCompiler:
    """A compiler with empty caches."""
    return QueryCompiler(compile_source(DENSE, "dense"), "t_0", cursor_key=b"k" * 32)


def read(queries: QueryCompiler, query: str, key: str | None = None, entity: str = "tickets") -> Prepared:
    return queries.read(ReadRequest(entity, key, query, today=TODAY), CALLER)


@pytest.mark.parametrize(
    "query",
    ["title=eq.{}", "title=neq.{}&limit=5", "net=gte.{}&status=eq.open&order=net.desc", "title=like.*{}*",
     "limit={}&offset={}"],
)  # fmt: skip
def test_values_share_a_statement(queries: QueryCompiler, query: str) -> None:
    one, two = (read(queries, query.replace("{}", value)) for value in ("11", "22"))
    assert one.statement is two.statement
    assert one.slots != two.slots


def test_keys_share_a_statement(queries: QueryCompiler) -> None:
    one, two = read(queries, "", uid(1)), read(queries, "", uid(2))
    assert one.statement is two.statement
    assert (uid(1) in one.slots, uid(2) in two.slots) == (True, True)


@pytest.mark.parametrize(
    "query",
    ["title=in.({},{}2)", "title=not.eq.{}", "or=(title.eq.{},status.eq.open)", "title=not.in.({})",
     "title=eq(any).{{{}}}", "title=wfts.{}", "people.name=eq.{}&select=id,people!owner_id(name)"],
)  # fmt: skip
def test_values_everywhere_share_their_text(queries: QueryCompiler, query: str) -> None:
    assert (
        read(queries, query.format("1", "1")).statement.text
        == read(queries, query.format("2", "2")).statement.text
    )


@pytest.mark.parametrize(
    "query",
    ["title=in.({},x)", "title=not.eq.{}", "or=(title.eq.{},status.eq.open)", "title=wfts.{}",
     "search={}", "or=(title.in.({},x),and(net.gt.{},note.is.null))", "select=id,people!owner_id(name)&people.name=eq.{}"],
)  # fmt: skip
def test_values_everywhere_share_a_shape(queries: QueryCompiler, query: str) -> None:
    one, two = (read(queries, query.replace("{}", value)) for value in ("11", "22"))
    assert one.statement is two.statement
    assert one.slots != two.slots


def test_a_flood_of_lists_leaves_hot_shapes_alone(queries: QueryCompiler) -> None:
    hot = read(queries, "title=eq.a").statement
    for number in range(4100):
        read(queries, f"title=in.({number},b)")
    assert read(queries, "title=eq.b").statement is hot


def test_the_cache_is_bounded_in_bytes(queries: QueryCompiler) -> None:
    read(queries, "id=in.(1)")
    tracemalloc.start()
    try:
        for number in range(100):
            read(queries, f"id=in.({','.join(uid(number * 400 + item) for item in range(400))})")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000


@pytest.mark.parametrize(
    "query",
    ["title=eq.{}", "title=in.({})", 'title=in.("{}")', "or=(title.eq.{})", "title=not.like.{}", "title=fts.{}",
     "title=match.{}", "search={}", "after=", 'order=note->>"{}"', "select=title&people.name=eq.{}"],
)  # fmt: skip
def test_no_text_of_a_client_is_in_the_statement(queries: QueryCompiler, query: str) -> None:
    try:
        prepared = read(queries, query.replace("{}", MARK))
    except QueryError:
        return
    assert "zqx" not in prepared.statement.text


def test_json_keys_are_parameters(queries: QueryCompiler) -> None:
    prepared = read(queries, f'select=j->"{MARK}"->>0&j->>"{MARK}"=eq.1&order=j->"{MARK}"', entity="kinds")
    assert "zqx" not in prepared.statement.text.replace('AS "zqx\';--"', "")


def test_callers_do_not_share_statements(queries: QueryCompiler) -> None:
    request = ReadRequest("tickets", None, "title=eq.a", today=TODAY)
    texts = {
        queries.read(request, caller).statement.text
        for caller in (CALLER, who(2, "member"), who(3, "member"), who(2, "boss", "member"))
    }
    assert len(texts) == 2  # members alike, whoever they are; those who see all


def test_a_known_request_is_not_compiled_again(queries: QueryCompiler) -> None:
    one = [read(queries, "", uid(number)).statement for number in range(3)]
    many = [
        read(queries, f"status=eq.open&net=gt.{number}&order=title.desc&limit=20").statement
        for number in range(3)
    ]
    assert one[0] is one[1] is one[2]
    assert many[0] is many[1] is many[2]


@pytest.mark.parametrize("value", ["a%20b", "(", "!", "%27"])
@pytest.mark.parametrize(
    "where", ["t=fts.{}", "t=not.fts.{}", "t=fts(simple).{}", "or=(t.fts.{},id.is.null)"]
)
async def test_a_bad_search_is_a_refusal_of_the_value(boss: Tenant, where: str, value: str) -> None:
    await boss.get("kinds", where.format("a"))  # so that its shape is known
    with pytest.raises(QueryError):
        await boss.get("kinds", where.format(value))


async def test_a_search_is_bad_when_postgresql_says_so(boss: Tenant) -> None:
    rng = Random(7)
    for _ in range(3000):
        text = "".join(rng.choice("  aab!&|()<->:*'\\3-é") for _ in range(rng.randint(0, 7)))
        try:
            await boss.own.fetchval("SELECT to_tsquery('simple', $1)::text", text)
            accepted = True
        except asyncpg.PostgresSyntaxError:
            accepted = False
        try:
            check_tsquery(text)
        except QueryError:
            assert not accepted, text
        else:
            assert accepted, text
