"""What PostgREST answers, request by request: the corners its clients rely on (its specs are the checklist)."""

from typing import Any

import pytest

from tests.api.harness import Client, World

SPEC = """
version: 1
service: { name: spec }
roles: { admin: {} }
entities:
  clients: { key: id, managed: false, schema: { properties: { id: { type: integer }, name: { type: string } } } }
  projects:
    key: id
    managed: false
    schema: { properties: { id: { type: integer }, name: { type: string }, client_id: { references: clients } } }
  items: { key: id, managed: false, schema: { properties: { id: { type: integer } } } }
  defaults:
    key: id
    managed: false
    schema: { properties: { id: { type: integer }, u: { type: string, unique: true }, v: { type: string, default: d } } }
  papers:
    key: id
    managed: false
    schema:
      properties:
        id: { type: integer }
        at: { type: string, format: date-time }
        data: { type: object, additionalProperties: true }
        list: { type: array, items: { type: integer } }
"""
KEEP_NOTHING = "return=representation, tx=rollback"
MERGE = f"resolution=merge-duplicates, {KEEP_NOTHING}"


@pytest.fixture(scope="module")
async def spec(world: World) -> Client:
    await world.tenant("spec", SPEC)
    client = world.client("spec")
    paper = {
        "id": 1,
        "at": "2026-01-02T03:04:05Z",
        "data": {"a": [1, "x"], "with space": 1, "a-b": 2},
        "list": [1, 2],
    }
    for path, rows in (
        ("/clients", [{"id": 1, "name": "Microsoft"}, {"id": 2, "name": "Apple (x)"}]),
        ("/projects", [{"id": 1, "name": "W7", "client_id": 1}, {"id": 2, "name": "W10", "client_id": 1}]),
        ("/items", [{"id": number} for number in range(1, 16)]),
        ("/papers", [paper]),
    ):
        assert (await client.post(path, rows)).status == 201
    return client


ONE_THREE = [{"id": 1}, {"id": 3}]
READS: dict[str, Any] = {
    # white space between the parts of a logic tree, a list, an order
    "/items?or=(id.eq.1,%20id.eq.3)&order=id": ONE_THREE,
    "/items?and=(%20and%20(%20id.in.(%201,%202,%203%20)%20,%20id.gt.0%20)%20,%20or%20(%20id.eq.1%20,%20id.eq.3%20)%20)&order=id": ONE_THREE,
    "/clients?or=(name.eq.%22Apple%20(x)%22%20,%20id.eq.9)&select=id": [{"id": 2}],
    "/clients?order=name%20,%20id&select=id": [{"id": 2}, {"id": 1}],
    # keys of JSON paths may hold what names of columns may not; an index names nothing, from the end neither
    "/papers?select=data->with%20space": [{"with space": 1}],
    "/papers?select=data->a-b": [{"a-b": 2}],
    "/papers?data->>with%20space=eq.1&select=id": [{"id": 1}],
    "/papers?select=list->-1": [{"list": 2}],
    "/papers?select=data->a->-1": [{"a": "x"}],
    "/items?id=in.()": [],
    "/clients?name=imatch.^m%5Cw%2Bt$&select=id": [{"id": 1}],
    "/clients?name=not.match.[M]&select=id": [{"id": 2}],
    "/clients?name=match(any).{^A,zz}&select=id": [{"id": 2}],
}
REFUSED = {
    "/items?id=in(any).(1,2)": (400, "PGRST100"),
    "/items?id=is(any).null": (400, "PGRST100"),
    "/items?id=eq().1": (400, "PGRST100"),
    "/items?id=is.true": (400, "42804"),
    "/items?limit=-1": (416, "PGRST103"),
    "/items?offset=-1": (416, "PGRST103"),
    "/clients?select=id,projects(id)&projects.limit=-1": (416, "PGRST103"),
    "/items?limit=x": (400, "PGRST100"),
    "/clients?select=id,projects(id)&projects=eq.1": (400, "PGRST120"),
    "/clients?select=id,projects(id)&projects=is.true": (400, "PGRST120"),
    "/papers?select=data->": (400, "PGRST100"),
    # patterns that another engine than PostgreSQL's would not read, or that take exponential time
    "/clients?name=match.(a)%5C1": (400, "2201B"),
    "/clients?name=not.imatch.(a)%5C1": (400, "2201B"),
    "/clients?name=match(any).{b,(a)%5C1}": (400, "2201B"),
    "/clients?or=(name.match.a(?%3Db),id.eq.1)": (400, "2201B"),
    "/clients?name=match.(": (400, "2201B"),
}


@pytest.mark.parametrize("path", READS)
async def test_read(spec: Client, path: str) -> None:
    answer = await spec.get(path)
    assert (answer.status, answer.json) == (200, READS[path]), answer


@pytest.mark.parametrize("path", REFUSED)
async def test_refused(spec: Client, path: str) -> None:
    answer = await spec.get(path)
    assert (answer.status, answer.json["code"]) == REFUSED[path], answer


async def test_media_types_are_weighed(spec: Client) -> None:
    for accept, wanted in (
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.5", "text/csv"),
        ("text/csv;q=0, application/json;q=0.1", "application/json"),
        (
            "application/vnd.pgrst.array+json;nulls=stripped",
            "application/vnd.pgrst.array+json;nulls=stripped",
        ),
    ):
        answer = await spec.get("/clients", Accept=accept)
        assert answer.headers["Content-Type"] == f"{wanted}; charset=utf-8"
    assert (await spec.get("/clients", Accept="application/json;q=0")).status == 406


async def test_columns_chooses_what_counts_of_a_body(spec: Client) -> None:
    async def post(query: str, body: Any, prefer: str = "") -> Any:
        answer = await spec.post(f"/defaults?{query}", body, Prefer=f"{KEEP_NOTHING},{prefer}")
        assert answer.status == 201, answer
        return answer.json

    assert await post("columns=id,u", {"id": 1, "u": "x", "v": "left out", "none": 1}) == [
        {"id": 1, "u": "x", "v": "d"}
    ]
    assert await post("columns=id,v", [{"id": 1}]) == [{"id": 1, "u": None, "v": None}]
    assert await post("columns=id,v", [{"id": 1}], "missing=default") == [{"id": 1, "u": None, "v": "d"}]
    changed = await spec.patch("/clients?id=eq.1&columns=name", {"name": "q", "id": 7}, Prefer=KEEP_NOTHING)
    assert changed.json == [{"id": 1, "name": "q"}]
    unknown = await spec.post("/defaults?columns=id,none", {"id": 1})
    assert (unknown.status, unknown.json["code"]) == (400, "PGRST204")


async def test_no_rows_are_created_by_an_empty_list(spec: Client) -> None:
    for entity in ("items", "clients"):
        answer = await spec.post(f"/{entity}", [], Prefer="return=representation")
        assert (answer.status, answer.json, answer.headers["Content-Range"]) == (201, [], "*/*")


async def test_an_upsert_says_whether_it_created(spec: Client) -> None:
    new, old = {"id": 9, "name": "new"}, {"id": 1, "name": "changed"}
    for body, status in (([old], 200), ([new], 201), ([old, new], 201)):
        answer = await spec.post("/clients", body, Prefer=MERGE)
        assert (answer.status, answer.json) == (status, body)
        quiet = await spec.post("/clients", body, Prefer="resolution=merge-duplicates, tx=rollback")
        assert (quiet.status, quiet.body) == (status, b"")
    skipped = await spec.post("/clients", [old, new], Prefer=MERGE.replace("merge", "ignore"))
    assert (skipped.status, skipped.json) == (201, [new])
    for path in ("/clients?id=eq.{id}", "/clients/{id}"):
        for body, status in ((old, 200), (new, 201)):
            answer = await spec.put(path.format(**body), body, Prefer=KEEP_NOTHING)
            assert answer.status == status, answer
            assert ("Location" in answer.headers) == (status == 201)
    below = "select=id,projects(name)&projects.order=name&projects.name=eq.W7"
    filtered = await spec.put(f"/clients/1?{below}", old, Prefer=KEEP_NOTHING)
    assert filtered.json == {"id": 1, "projects": [{"name": "W7"}]}
    only_a_key = await spec.post("/items", [{"id": 1}, {"id": 99}], Prefer=MERGE)
    assert (only_a_key.status, only_a_key.json) == (201, [{"id": 1}, {"id": 99}])


async def test_a_body_that_names_a_row_twice(spec: Client) -> None:
    twice = [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]
    answer = await spec.post("/clients", twice, Prefer="resolution=merge-duplicates")
    assert (answer.status, answer.json["code"]) == (400, "21000")
    assert (await spec.get("/clients/1")).json["name"] == "Microsoft"


async def test_more_rows_than_allowed(spec: Client) -> None:
    answer = await spec.delete("/items?id=gt.0", Prefer="handling=strict, max-affected=2")
    assert (answer.status, answer.json["code"]) == (400, "PGRST124")
    assert answer.json["message"] == "Query result exceeds max-affected preference constraint"
    assert answer.json["details"] == "The query affects 15 rows"


async def test_an_unknown_time_zone_is_ignored_unless_strict(spec: Client) -> None:
    zoned = await spec.get("/papers?select=at", Prefer="timezone=America/Los_Angeles")
    assert zoned.json == [{"at": "2026-01-01T19:04:05-08:00"}]
    assert zoned.headers["Preference-Applied"] == "timezone=America/Los_Angeles"
    unknown = await spec.get("/papers?select=at", Prefer="timezone=Nope/Zone, count=exact")
    assert unknown.json == [{"at": "2026-01-02T03:04:05+00:00"}]
    assert unknown.headers["Preference-Applied"] == "count=exact"
    strict = await spec.get("/papers", Prefer="handling=strict, timezone=Nope/Zone")
    assert (strict.status, strict.json["code"]) == (400, "PGRST122")
