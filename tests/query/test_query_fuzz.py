"""Random requests, headers and bodies: a refusal of ours or of the data, never an error of the statement itself."""

import asyncio
from typing import Any
from urllib.parse import quote

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.compiler.compile import compile_source
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.preferences import parse_preferences
from schemas.compiler.query.relationships import relationships
from schemas.compiler.query.requests import ReadRequest, WriteRequest
from schemas.compiler.query.values import decode_json
from tests.query.conftest import DENSE
from tests.query.kit import TODAY, Tenant, uid, who

OPERATORS = ["eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "isdistinct", "fts", "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj", "in", "is", "eq(any)", "like(all)", "fts(english)", "fts(klingon)", "bad"]  # fmt: skip
VALUES = ("", "1", "-1", "1.5", "true", "null", "{}", "{a,b}", "(a,b)", "(1,2)", "{1,2}", "[1,2]", '{"a":1}', "a*", "(", "%", "x'y", 'q"r', "\\", uid(1), "2026-01-01", "NaN", "9" * 30, "1e400", "10.0.0.1", "é", "[")  # fmt: skip
MESS = st.text(alphabet="abi*,.:()!->\"\\'&=;%_ {}[]1\n?é", max_size=12)

MODEL = compile_source(DENSE, "dense")
NEAR = {
    name: tuple({*(item.target for item in known), *(item.target_column for item in known if item.to_one), *(item.source_column for item in known if item.to_one)})
    for name, known in relationships(MODEL).items()
}  # fmt: skip


def _queries(entity: str) -> st.SearchStrategy[str]:
    """Queries that mostly make sense for an entity, so that most reach the database."""
    known = MODEL.entities[entity]
    plain = [name for name, item in known.fields.items() if not item.write_only]
    json_names = [name for name, item in known.fields.items() if item.kind in {"json", "array"}]
    paths = [
        f"{name}{steps}"
        for name in json_names
        for steps in ("->a", "->>a", "->0->>b", '->"x y"', "->>-1", "->a->b->1")
    ]
    field = st.sampled_from([*plain, *plain, *paths, "pin" if entity == "people" else "id"])
    value = st.one_of(st.sampled_from(VALUES), MESS)
    condition = st.builds(
        "{}{}.{}".format, st.sampled_from(["", "", "not."]), st.sampled_from(OPERATORS), value
    )
    fitting = st.one_of(
        st.sampled_from(
            [
                "is.null",
                "not.is.null",
                "not.eq.1",
                "eq.1",
                "neq.1",
                "in.(1,2)",
                "like.*a*",
                "gte.1",
                "isdistinct.1",
            ]
        ),
        condition,
    )
    column = st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "", "", "x:", "title:", "t0:", "g:", "row:", "?h:"]),
        field,
        st.sampled_from(
            [
                "",
                "",
                "",
                "",
                "::text",
                "::int",
                "::date",
                "::json",
                "::jsonb",
                "::bool",
                "::interval",
                "::regclass",
            ]
        ),
        st.sampled_from(
            ["", "", "", "", ".sum()", ".avg()", ".min()", ".max()::text", ".count()::int", ".evil()"]
        ),
    )
    item = st.one_of(column, column, st.just("*"), st.sampled_from(["count()", "a:count()"]))
    relation = st.sampled_from([*NEAR[entity], *NEAR[entity], "x"])
    hint = st.sampled_from(
        [
            "",
            "",
            "",
            "!inner",
            "!left",
            "!owner_id",
            "!lead_id",
            "!memberships",
            "!memberships!inner",
            "!boss_id",
        ]
    )
    inside = st.lists(
        st.sampled_from(
            [
                "id",
                "*",
                "count()",
                "id.max()",
                "name",
                "title",
                "created_at",
                "people(id)",
                "tickets(*)",
                "...projects(*)",
            ]
        ),
        max_size=2,
    ).map(",".join)
    embed = st.builds("{}{}{}({})".format, st.sampled_from(["", "", "...", "x:"]), relation, hint, inside)
    select = st.lists(st.one_of(item, item, embed), min_size=1, max_size=4).map(",".join)
    word = st.sampled_from(["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst", ".desc.nullsfirst"])
    sort = st.one_of(
        st.builds("{}{}".format, field, word),
        st.builds("{}({}){}".format, relation, st.sampled_from(["id", "name"]), word),
    )
    order = st.lists(sort, min_size=1, max_size=3).map(",".join)
    leaf = st.builds("{}.{}".format, field, fitting)
    logic = st.recursive(
        leaf,
        lambda inner: st.builds(
            "{}({})".format,
            st.sampled_from(["and", "or", "not.and"]),
            st.lists(inner, min_size=1, max_size=3).map(",".join),
        ),
        max_leaves=4,
    )
    tree = st.lists(logic, min_size=1, max_size=3).map(lambda parts: f"({','.join(parts)})")
    plain_pairs = st.one_of(
        st.builds(lambda name, text: (name, text), field, fitting),
        st.builds(lambda text: ("order", text), order),
        st.builds(lambda name, text: (name, text), st.sampled_from(["and", "or", "not.and", "not.or"]), tree),
        st.tuples(st.sampled_from(["limit", "offset"]), st.sampled_from(["0", "2", "1"])),
        st.tuples(
            st.sampled_from(["after", "search", "columns", "on_conflict"]),
            st.sampled_from(["", "id", "label", "a b"]),
        ),
        st.builds(lambda name, text: (name, text), relation, st.sampled_from(["is.null", "not.is.null"])),
        st.builds(
            lambda at, name, text: (f"{at}.{name}", text),
            relation,
            st.sampled_from(["id", "order", "limit"]),
            st.sampled_from(["eq.1", "id", "1"]),
        ),
        st.tuples(MESS, MESS),
    )
    pairs = st.tuples(
        st.lists(select.map(lambda text: ("select", text)), max_size=1), st.lists(plain_pairs, max_size=3)
    )
    return pairs.map(
        lambda both: "&".join(f"{quote(name)}={quote(text)}" for name, text in (*both[0], *both[1]))
    )


QUERIES = {name: _queries(name) for name in MODEL.entities}
target = st.sampled_from([*MODEL.entities]).flatmap(lambda name: st.tuples(st.just(name), QUERIES[name]))


def _bodies(entity: str) -> st.SearchStrategy[list[dict[str, object]]]:
    names = list(MODEL.entities[entity].fields)
    return st.lists(
        st.dictionaries(st.sampled_from([*names, *names, "nope"]), json_value, max_size=4), max_size=3
    )


prefer = st.lists(st.sampled_from(["return=representation", "return=minimal", "count=exact", "count=planned", "count=estimated", "resolution=merge-duplicates", "resolution=ignore-duplicates", "missing=default", "handling=strict", "handling=lenient", "max-affected=1", "x=y"]), max_size=3).map(",".join)  # fmt: skip
accept = st.sampled_from(
    [
        "",
        "*/*",
        "text/csv",
        "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.array+json;nulls=stripped",
        "image/png",
    ]
)
callers = st.sampled_from(
    [
        who(1, "boss", "member", "admin", "clerk"),
        who(1, "boss", "member", "admin", "clerk"),
        who(1, "boss", "member", "admin", "clerk"),
        who(2, "member"),
        who(3, "boss"),
        who(None),
        who(2, "member", "boss"),
    ]
)
json_value = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(VALUES),
        MESS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "x"]), inner, max_size=2)
    ),
    max_leaves=3,
)
written = st.sampled_from([*MODEL.entities]).flatmap(
    lambda name: st.tuples(st.just(name), st.one_of(QUERIES[name], st.just("id=not.is.null")), _bodies(name))
)
FUZZ = settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


async def attempt(tenant: Tenant, make: Any) -> None:
    try:
        prepared = make()
    except QueryError as error:
        assert error.code  # noqa: PT017 - any number of outcomes are fine
        assert error.message  # noqa: PT017 - any number of outcomes are fine
        return
    try:
        await tenant.run(prepared, keep=False)
    except asyncpg.PostgresError as error:
        state = str(error.sqlstate)
        assert state[:2] in {"22", "23", "BS", "54"} or state == "21000", (  # noqa: PT017 - success is fine too
            f"{state} {error}\n{prepared.statement.text}"
        )


async def test_random_reads(boss: Tenant) -> None:
    loop = asyncio.get_running_loop()

    @FUZZ
    @given(
        callers,
        target,
        prefer,
        accept,
        st.sampled_from(["", "", "0-1", "5-", "x", "3-1"]),
        st.sampled_from([None, None, None, uid(1), "x", ""]),
    )
    def check(caller: Any, where: tuple[str, str], wish: str, media: str, span: str, key: str | None) -> None:
        tenant = boss.as_(caller)
        entity, text = where

        def make() -> Any:
            return boss.queries.read(
                ReadRequest(entity, key, text, parse_preferences(wish), media, span, TODAY), caller
            )

        asyncio.run_coroutine_threadsafe(attempt(tenant, make), loop).result()

    await asyncio.to_thread(check)


async def test_random_writes(boss: Tenant) -> None:
    loop = asyncio.get_running_loop()

    @FUZZ
    @given(
        callers,
        written,
        st.sampled_from(["insert", "update", "delete", "replace"]),
        prefer,
        st.sampled_from([None, None, uid(1), "1"]),
        st.sampled_from([None, None, "1"]),
    )
    def check(
        caller: Any, where: tuple[str, str, Any], verb: str, wish: str, key: str | None, version: str | None
    ) -> None:
        tenant = boss.as_(caller)
        entity, text, body = where

        def make() -> Any:
            request = WriteRequest(
                entity, tuple(body), key, text, parse_preferences(wish), "", version, TODAY
            )
            return boss.queries.write(verb, request, caller)

        asyncio.run_coroutine_threadsafe(attempt(tenant, make), loop).result()

    await asyncio.to_thread(check)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.text(alphabet='{}[]":,0123456789.eE-+ntrufalse\\ ', max_size=30).map(str.encode),
    )
)
def test_random_bodies(data: bytes) -> None:
    try:
        decode_json(data)
    except QueryError as error:
        assert error.code in {"PGRST102", "22P05"}  # noqa: PT017 - reading it is fine too
