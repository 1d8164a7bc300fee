"""Random requests, headers and bodies: a refusal of ours or of the data, never an error of the statement itself."""

import asyncio
from typing import Any
from urllib.parse import quote

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.preferences import parse_preferences
from schemas.compiler.query.requests import ReadRequest, WriteRequest
from schemas.compiler.query.values import decode_json
from tests.query.kit import TODAY, Tenant, uid, who

ENTITIES = ("people", "projects", "badges", "memberships", "vault", "tickets", "counters", "kinds", "users", "jobs", "nope")
FIELDS = (
    "id name city town boss_id salary pin title lead_id backup_id secret person_id color project_id since code status "
    "owner_id net total note label n t u i b f ok d ti at mail ip j words nums lines created_at row_version deleted_at nope"
).split()
RELATIONS = ("people", "projects", "tickets", "badges", "memberships", "vault", "boss", "owner", "lead_id", "jobs", "x")
OPERATORS = "eq neq gt gte lt lte like ilike match imatch isdistinct fts plfts phfts wfts cs cd ov sl sr nxr nxl adj in is eq(any) like(all) fts(english) fts(klingon) bad".split()  # fmt: skip
VALUES = ("", "1", "-1", "1.5", "true", "null", "{}", "{a,b}", "(a,b)", "(1,2)", "{1,2}", "[1,2]", '{"a":1}', "a*", "(", "%", "x'y", 'q"r', "\\", uid(1), "2026-01-01", "NaN", "9" * 30, "1e400", "10.0.0.1", "é", "[")  # fmt: skip
MESS = st.text(alphabet='abi*,.:()!->"\\\'&=;%_ {}[]1\n?é', max_size=12)

field = st.one_of(st.sampled_from(FIELDS), st.builds("{}{}".format, st.sampled_from(FIELDS), st.sampled_from(["->a", "->>a", "->0->>b", '->"x y"', "->>-1"])))
value = st.one_of(st.sampled_from(VALUES), MESS)
condition = st.builds("{}{}.{}".format, st.sampled_from(["", "", "not."]), st.sampled_from(OPERATORS), value)
column = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "x:", "title:", "?hidden:", "row:"]),
    field,
    st.sampled_from(["", "", "", "::text", "::int", "::date", "::json", "::jsonb", "::bool", "::interval", "::regclass"]),
    st.sampled_from(["", "", "", ".sum()", ".avg()", ".min()", ".max()::text", ".count()::int", ".evil()"]),
)
item = st.one_of(column, st.just("*"), st.just("count()"), st.builds("{}:count()".format, st.sampled_from(["a", "b"])))
embed = st.builds(
    "{}{}{}({})".format,
    st.sampled_from(["", "", "...", "x:"]),
    st.sampled_from(RELATIONS),
    st.sampled_from(["", "", "!inner", "!left", "!owner_id", "!lead_id", "!memberships", "!memberships!inner", "!boss_id"]),
    st.lists(item, max_size=3).map(",".join),
)
deep = st.builds("{}({})".format, st.sampled_from(RELATIONS), st.lists(st.one_of(item, embed), max_size=2).map(",".join))
select = st.lists(st.one_of(item, item, embed, deep), max_size=4).map(",".join)
word = st.sampled_from(["", ".asc", ".desc", ".desc.nullslast", ".nullsfirst", ".up"])
order = st.lists(st.one_of(st.builds("{}{}".format, field, word), st.builds("{}({}){}".format, st.sampled_from(RELATIONS), field, word)), max_size=3).map(",".join)
leaf = st.builds("{}.{}".format, field, condition)
logic = st.recursive(leaf, lambda inner: st.builds("{}({})".format, st.sampled_from(["and", "or", "not.and", "not.or"]), st.lists(inner, min_size=1, max_size=3).map(",".join)), max_leaves=4)
tree = st.lists(logic, max_size=3).map(lambda parts: f"({','.join(parts)})")
level = st.sampled_from(["", "", "people.", "tickets.", "owner.", "x."])
pair = st.one_of(
    st.builds(lambda text: ("select", text), select),
    st.builds(lambda text: ("select", text), select),
    st.builds(lambda at, text: (f"{at}order", text), level, order),
    st.builds(lambda at, name, text: (f"{at}{name}", text), level, field, condition),
    st.builds(lambda at, name, text: (f"{at}{name}", text), level, field, condition),
    st.builds(lambda at, name, text: (f"{at}{name}", text), level, st.sampled_from(["and", "or", "not.and", "not.or"]), tree),
    st.tuples(st.sampled_from(["limit", "offset", "people.limit", "after", "search", "columns", "on_conflict"]), st.one_of(st.sampled_from(["0", "2", "", "id", "label"]), value)),
    st.tuples(st.sampled_from(["projects", "people", "tickets", "owner"]), st.sampled_from(["is.null", "not.is.null", "eq.1"])),
    st.tuples(MESS, MESS),
)
query = st.lists(pair, max_size=5).map(lambda pairs: "&".join(f"{quote(name)}={quote(text)}" for name, text in pairs))
prefer = st.lists(st.sampled_from(["return=representation", "return=minimal", "count=exact", "count=planned", "count=estimated", "resolution=merge-duplicates", "resolution=ignore-duplicates", "missing=default", "handling=strict", "handling=lenient", "max-affected=1", "x=y"]), max_size=3).map(",".join)  # fmt: skip
accept = st.sampled_from(["", "*/*", "text/csv", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json;nulls=stripped", "image/png"])
callers = st.sampled_from([who(1, "boss", "member", "admin", "clerk"), who(2, "member"), who(3, "boss"), who(None), who(2, "member", "boss")])
json_value = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(VALUES), MESS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "x"]), inner, max_size=2)),
    max_leaves=3,
)
rows = st.lists(st.dictionaries(st.sampled_from(FIELDS), json_value, max_size=4), max_size=3)
FUZZ = settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


async def attempt(tenant: Tenant, make: Any) -> None:  # noqa: ANN401
    try:
        prepared = make()
    except QueryError as error:
        assert error.code
        assert error.message
        return
    try:
        await tenant.run(prepared, keep=False)
    except asyncpg.PostgresError as error:
        state = str(error.sqlstate)
        assert state[:2] in {"22", "23", "BS", "54"} or state == "21000", f"{state} {error}\n{prepared.statement.text}"


async def test_random_reads(boss: Tenant) -> None:
    loop = asyncio.get_running_loop()

    @FUZZ
    @given(callers, st.sampled_from(ENTITIES), query, prefer, accept, st.sampled_from(["", "", "0-1", "5-", "x", "3-1"]), st.sampled_from([None, None, None, uid(1), "x", ""]))
    def check(caller: Any, entity: str, text: str, wish: str, media: str, span: str, key: str | None) -> None:  # noqa: ANN401, PLR0913
        tenant = boss.as_(caller)

        def make() -> Any:  # noqa: ANN401
            return boss.queries.read(ReadRequest(entity, key, text, parse_preferences(wish), media, span, TODAY), caller)

        asyncio.run_coroutine_threadsafe(attempt(tenant, make), loop).result()

    await asyncio.to_thread(check)


async def test_random_writes(boss: Tenant) -> None:
    loop = asyncio.get_running_loop()

    @FUZZ
    @given(callers, st.sampled_from(ENTITIES), st.sampled_from(["insert", "update", "delete", "replace"]), rows, query, prefer, st.sampled_from([None, None, uid(1), "1"]), st.sampled_from([None, None, "1"]))
    def check(caller: Any, entity: str, verb: str, body: Any, text: str, wish: str, key: str | None, version: str | None) -> None:  # noqa: ANN401, PLR0913
        tenant = boss.as_(caller)

        def make() -> Any:  # noqa: ANN401
            request = WriteRequest(entity, tuple(body), key, text, parse_preferences(wish), "", version, TODAY)
            return getattr(boss.queries, verb)(request, caller)

        asyncio.run_coroutine_threadsafe(attempt(tenant, make), loop).result()

    await asyncio.to_thread(check)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.binary(max_size=40), st.text(alphabet='{}[]":,0123456789.eE-+ntrufalse\\ ', max_size=30).map(str.encode)))
def test_random_bodies(data: bytes) -> None:
    try:
        decode_json(data)
    except QueryError as error:
        assert error.code in {"PGRST102", "22P05"}
