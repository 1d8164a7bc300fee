"""Reading and writing rows through the whole stack: PostgREST's grammar and answers, and what we add."""

import pytest

from tests.api.harness import Client, World

SHOP = """
version: 1
service: { name: shop }
roles: { clerk: {}, boss: { inherits: [clerk] }, admin: { inherits: [boss] } }
entities:
  customers:
    label: name
    schema:
      required: [name]
      properties:
        name: { type: string, maxLength: 20, searchable: true }
        email: { type: string, format: email, unique: true }
        code: { type: string, maxLength: 10, unique: true }
        region: { type: string, enum: [EU, US], default: EU }
    access:
      read: [ { role: public, hide: [email] }, { role: clerk } ]
      create: [ { role: clerk } ]
      update: [ { role: clerk, rule: "self.region == user.region", check: "self.region == user.region" }, { role: boss } ]
      delete: [ { role: boss } ]
  orders:
    schema:
      required: [customer_id]
      properties:
        customer_id: { type: string, format: uuid, references: customers, onDelete: restrict }
        status: { type: string, enum: [open, paid, void], default: open }
        net: { type: number, minimum: 0, multipleOf: 0.01 }
        due_on: { type: string, format: date }
        meta: { type: object, properties: { a: { type: number }, t: { type: string } } }
        tags: { type: array, items: { type: string } }
        gross: { type: number, computed: self.net * 1.19 }
    rules:
      - { rule: "self.net >= 1.0 || self.status == 'open'", message: { en: Too little to be paid }, fieldPath: .net }
      - { rule: "oldSelf.status != 'void' || self.status == 'void'", message: Void is for ever }
  counters:
    key: n
    schema: { required: [n], properties: { n: { type: integer }, label: { type: string } } }
    managed: false
  ballots:
    schema: { properties: { choice: { type: string }, sealed: { type: boolean, default: false } } }
    rules:
      - { rule: "request.method == 'POST' || oldSelf.sealed == false", message: A sealed ballot stays, fieldPath: .sealed, optionalOldSelf: true }
  notes:
    soft_delete: true
    schema: { properties: { text: { type: string } } }
api: { cors: { origins: ["https://shop.example"] }, batch: { max_requests: 5 } }
"""


@pytest.fixture(scope="module")
async def shop(world: World) -> Client:
    await world.tenant("shop", SHOP)
    return world.client("shop")


async def make(shop: Client, name: str, **values: object) -> dict[str, object]:
    answer = await shop.post("/customers", {"name": name, **values}, Prefer="return=representation")
    assert answer.status == 201, answer
    return answer.json[0]


async def test_create_says_where(shop: Client) -> None:
    answer = await shop.post("/customers", {"name": "Where"})
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Content-Range"] == "*/*"
    path = answer.headers["Location"].removeprefix("/api/tenants/shop")
    [row] = (await shop.get(path)).json
    assert row["name"] == "Where"
    assert row["region"] == "EU"
    assert row["created_by"]


async def test_one_row_by_its_key(shop: Client) -> None:
    row = await make(shop, "One", email="one@example.com")
    answer = await shop.get(f"/customers/{row['id']}")
    assert (answer.status, answer.json["name"], answer.headers["ETag"]) == (200, "One", '"1"')
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    again = await shop.get(f"/customers/{row['id']}", If_None_Match='W/"1"')
    assert (again.status, again.body) == (304, b"")
    some = await shop.get(f"/customers/{row['id']}?select=name")
    assert some.json == {"name": "One"}
    missing = await shop.get("/customers/0197c0de-0000-7000-8000-000000000001")
    assert (missing.status, missing.json["code"]) == (404, "row.not_found")
    bad = await shop.get("/customers/nonsense")
    assert bad.status in (400, 404)


async def test_lists_filter_order_and_page(shop: Client) -> None:
    for number in range(5):
        await make(shop, f"page {number}")
    answer = await shop.get(
        "/customers?name=like.page*&order=name.desc&limit=2&select=name", Prefer="count=exact"
    )
    assert (answer.status, answer.json) == (206, [{"name": "page 4"}, {"name": "page 3"}])
    assert answer.headers["Content-Range"] == "0-1/5"
    assert answer.headers["Preference-Applied"] == "count=exact"
    answer = await shop.get(
        "/customers?name=like.page*&order=name&select=name", Range="1-2", Range_Unit="items"
    )
    assert (answer.status, answer.json, answer.headers["Content-Range"]) == (
        200,
        [{"name": "page 1"}, {"name": "page 2"}],
        "1-2/*",
    )
    empty = await shop.get("/customers?name=eq.nobody")
    assert (empty.status, empty.json, empty.headers["Content-Range"]) == (200, [], "*/*")
    beyond = await shop.get("/customers?name=like.page*&offset=9", Prefer="count=exact")
    assert (beyond.status, beyond.json["code"], beyond.headers["Content-Range"]) == (416, "PGRST103", "*/5")
    head = await shop.request("HEAD", "/customers?name=like.page*", Prefer="count=exact")
    assert (head.status, head.body, head.headers["Content-Range"]) == (200, b"", "0-4/5")


async def test_media_types(shop: Client) -> None:
    await make(shop, "=cmd()", email="csv@example.com")
    query = "/customers?email=eq.csv@example.com&select=name,email"
    csv = await shop.get(query, Accept="text/csv")
    assert csv.body == b"name,email\n'=cmd(),csv@example.com\n"
    assert csv.headers["Content-Type"] == "text/csv; charset=utf-8"
    one = await shop.get(query, Accept="application/vnd.pgrst.object+json")
    assert one.json == {"name": "=cmd()", "email": "csv@example.com"}
    assert one.headers["Content-Type"].startswith("application/vnd.pgrst.object+json")
    lines = await shop.get(query, Accept="application/x-ndjson")
    assert lines.body == b'{"name":"=cmd()","email":"csv@example.com"}\n'
    none = await shop.get("/customers?name=eq.nobody", Accept="application/vnd.pgrst.object+json")
    assert (none.status, none.json["code"], none.json["details"]) == (
        406,
        "PGRST116",
        "The result contains 0 rows",
    )
    image = await shop.get("/customers", Accept="image/png")
    assert (image.status, image.json["code"]) == (406, "PGRST107")


async def test_bulk_and_missing_fields(shop: Client) -> None:
    answer = await shop.post(
        "/customers?select=name,region",
        [{"name": "b1", "region": "US"}, {"name": "b2"}],
        Prefer="return=representation, missing=default",
    )
    assert answer.json == [{"name": "b1", "region": "US"}, {"name": "b2", "region": "EU"}]
    quoted = await shop.post(
        '/customers?columns="name","email"&select=name',
        [{"name": "q1", "email": "q1@example.com"}],
        Prefer="return=representation",
    )
    assert (quoted.status, quoted.json) == (201, [{"name": "q1"}])
    empty = await shop.post("/customers", [], Prefer="return=representation")
    assert (empty.status, empty.json) == (201, [])


async def test_csv_and_forms_in(shop: Client) -> None:
    csv = await shop.post(
        "/orders?select=status,net",
        b"customer_id,status,net\n",
        Content_Type="text/csv",
        Prefer="return=representation",
    )
    assert (csv.status, csv.json) == (201, [])
    row = await make(shop, "csv")
    data = f'customer_id,net,tags,due_on\n{row["id"]},12.50,"[""a"",""b, c""]",2026-01-02\n{row["id"]},NULL,NULL,NULL\n'.encode()
    csv = await shop.post(
        "/orders?select=net,tags,due_on", data, Content_Type="text/csv", Prefer="return=representation"
    )
    assert csv.json == [
        {"net": 12.5, "tags": ["a", "b, c"], "due_on": "2026-01-02"},
        {"net": None, "tags": None, "due_on": None},
    ]
    form = await shop.post(
        "/customers?select=name",
        b"name=Form+x",
        Content_Type="application/x-www-form-urlencoded",
        Prefer="return=representation",
    )
    assert (form.status, form.json) == (201, [{"name": "Form x"}])


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name": "required"}),
        (
            {"name": "x" * 21, "region": "MARS", "nope": 1},
            {"/name": "maxLength", "/region": "enum", "/nope": "unknown_field"},
        ),
        (
            {"name": "x", "row_version": 9, "created_at": "2020-01-01T00:00:00Z"},
            {"/row_version": "read_only", "/created_at": "read_only"},
        ),
        ([{"name": "a"}, {"name": 5}], {"/1/name": "type"}),
        ({"name": "x", "id": "no uuid"}, {"/id": "format"}),
        ({"name": "x", "tenant_id": "other"}, {"/tenant_id": "unknown_field"}),
    ],
)
async def test_all_findings_at_once(shop: Client, body: object, pointers: dict[str, str]) -> None:
    answer = await shop.post("/customers", body)
    assert (answer.status, answer.json["code"]) == (422, "validation.failed")
    assert {error["pointer"]: error["code"] for error in answer.json["errors"]} == pointers


async def test_update_by_filter_and_key(shop: Client) -> None:
    row = await make(shop, "Old")
    answer = await shop.patch(f"/customers?id=eq.{row['id']}", {"name": "New"})
    assert (answer.status, answer.body, answer.headers["Content-Range"]) == (204, b"", "0-0/*")
    answer = await shop.patch(
        f"/customers/{row['id']}?select=name",
        {"name": "Newer"},
        Prefer="return=representation",
        If_Match='"2"',
    )
    assert (answer.status, answer.json, answer.headers["ETag"]) == (200, {"name": "Newer"}, '"3"')
    stale = await shop.patch(f"/customers/{row['id']}", {"name": "Lost"}, If_Match='"2"')
    assert (stale.status, stale.json["code"]) == (412, "row.version_mismatch")
    assert (await shop.patch(f"/customers/{row['id']}", {"name": "x"}, If_Match="nonsense")).status == 412
    assert (await shop.patch("/customers/0197c0de-0000-7000-8000-000000000001", {"name": "x"})).status == 404
    assert (
        await shop.patch("/customers?name=eq.nobody", {"name": "x"}, Prefer="return=representation")
    ).json == []
    assert (await shop.get(f"/customers/{row['id']}")).json["name"] == "Newer"


async def test_writes_without_filter_are_refused(shop: Client) -> None:
    for answer in (await shop.patch("/customers", {"name": "all"}), await shop.delete("/customers")):
        assert answer.status == 400
        assert "max-affected" in answer.json["hint"]
    many = await shop.delete("/customers?name=like.*", Prefer="handling=strict, max-affected=1")
    assert (many.status, many.json["code"]) == (400, "PGRST124")
    assert (await shop.get("/customers")).json


async def test_delete(shop: Client) -> None:
    row = await make(shop, "Gone")
    assert (await shop.delete(f"/customers/{row['id']}", If_Match='"7"')).status == 412
    answer = await shop.delete(f"/customers/{row['id']}")
    assert (answer.status, answer.body) == (204, b"")
    assert (await shop.delete(f"/customers/{row['id']}")).status == 404
    row = await make(shop, "Gone too")
    answer = await shop.delete(f"/customers?id=eq.{row['id']}&select=name", Prefer="return=representation")
    assert (answer.status, answer.json) == (200, [{"name": "Gone too"}])
    note = (await shop.post("/notes", {"text": "soft"}, Prefer="return=representation")).json[0]
    answer = await shop.delete(f"/notes/{note['id']}", Prefer="return=representation")
    assert (answer.status, answer.json["text"]) == (200, "soft")
    assert (await shop.get(f"/notes/{note['id']}")).status == 404


async def test_put(shop: Client) -> None:
    key = "0197c0de-0000-7000-8000-0000000000aa"
    made = await shop.put(f"/customers/{key}", {"name": "Put"}, Prefer="return=representation")
    assert (made.status, made.json["id"]) == (201, key)
    again = await shop.put(
        f"/customers?id=eq.{key}", {"id": key, "name": "Put 2"}, Prefer="return=representation"
    )
    assert again.status == 200
    assert (await shop.put(f"/customers/{key}", {"id": key[:-1] + "b", "name": "x"})).json[
        "code"
    ] == "PGRST115"
    assert (await shop.put("/customers?name=eq.x", {"id": key, "name": "x"})).status == 405
    assert (await shop.put(f"/customers?id=eq.{key}&limit=1", {"id": key, "name": "x"})).json[
        "code"
    ] == "PGRST114"
    assert (await shop.get(f"/customers/{key}")).json["name"] == "Put 2"


async def test_upsert(shop: Client) -> None:
    rows = [{"n": 1, "label": "a"}, {"n": 2, "label": "b"}]
    assert (await shop.post("/counters", rows)).status == 201
    taken = await shop.post("/counters", {"n": 1, "label": "c"})
    assert (taken.status, taken.json["code"], taken.json["errors"][0]["pointer"]) == (409, "23505", "/n")
    merged = await shop.post(
        "/counters",
        [{"n": 1, "label": "c"}, {"n": 3, "label": "d"}],
        Prefer="resolution=merge-duplicates,return=representation",
    )
    assert merged.json == [{"n": 1, "label": "c"}, {"n": 3, "label": "d"}]
    ignored = await shop.post(
        "/counters", [{"n": 1, "label": "z"}], Prefer="resolution=ignore-duplicates,return=representation"
    )
    assert ignored.json == []
    assert (await shop.get("/counters/1")).json == {"n": 1, "label": "c"}


async def test_references(shop: Client) -> None:
    row = await make(shop, "Parent")
    wrong = await shop.post("/orders", {"customer_id": "0197c0de-0000-7000-8000-000000000001"})
    assert (wrong.status, wrong.json["code"], wrong.json["errors"][0]["pointer"]) == (
        409,
        "23503",
        "/customer_id",
    )
    assert (await shop.post("/orders", {"customer_id": row["id"], "net": 5})).status == 201
    held = await shop.delete(f"/customers/{row['id']}")
    assert (held.status, held.json["code"]) == (409, "23503")
    embedded = await shop.get(f"/customers?id=eq.{row['id']}&select=name,orders(net,gross)")
    assert embedded.json == [{"name": "Parent", "orders": [{"net": 5, "gross": 5.95}]}]
    parent = await shop.get(f"/orders?customer_id=eq.{row['id']}&select=net,customer:customers(name)")
    assert parent.json == [{"net": 5, "customer": {"name": "Parent"}}]


async def test_rules_speak(shop: Client) -> None:
    row = await make(shop, "Ruled")
    answer = await shop.post("/orders", {"customer_id": row["id"], "net": 0.5, "status": "paid"})
    assert (answer.status, answer.json["code"]) == (422, "rule.violated")
    assert answer.json["errors"] == [
        {"pointer": "/net", "code": "FieldValueInvalid", "detail": "Too little to be paid"}
    ]
    made = await shop.post("/orders", {"customer_id": row["id"], "net": 0.5, "status": "void"})
    assert made.status == 422
    order = (
        await shop.post(
            "/orders", {"customer_id": row["id"], "net": 2, "status": "void"}, Prefer="return=representation"
        )
    ).json[0]
    answer = await shop.patch(f"/orders/{order['id']}", {"status": "open"})
    assert (answer.status, answer.json["message"]) == (422, "Void is for ever")


async def test_rules_that_ask_about_the_request(shop: Client) -> None:
    made = (await shop.post("/ballots", {"choice": "a"}, Prefer="return=representation")).json[0]
    assert (await shop.patch(f"/ballots/{made['id']}", {"sealed": True})).status == 204
    answer = await shop.patch(f"/ballots/{made['id']}", {"choice": "b"})
    assert (answer.status, answer.json["errors"][0]) == (
        422,
        {"pointer": "/sealed", "code": "FieldValueInvalid", "detail": "A sealed ballot stays"},
    )
    assert (await shop.get(f"/ballots/{made['id']}")).json["choice"] == "a"
    filtered = await shop.patch("/ballots?choice=eq.a", {"choice": "c"})
    assert (filtered.status, filtered.json["code"]) == (400, "write.refused")


async def test_json_and_numbers_keep_their_value(shop: Client) -> None:
    row = await make(shop, "Json")
    body = (
        b'{"customer_id":"%s","net":12345678901234.56,"meta":{"a":1,"t":"\\u00e4"}}' % str(row["id"]).encode()
    )
    answer = await shop.post("/orders?select=net,meta", body, Prefer="return=representation")
    assert answer.status == 201, answer
    assert b"12345678901234.56" in answer.body
    assert answer.json[0]["meta"] == {"a": 1, "t": "ä"}
    assert (await shop.get("/orders?meta->>t=eq.%C3%A4&select=net")).status == 200


async def test_fractions_inside_json_stay_numbers(shop: Client) -> None:
    row = await make(shop, "Fraction")
    answer = await shop.post(
        "/orders?select=meta", {"customer_id": row["id"], "meta": {"a": 1.25}}, Prefer="return=representation"
    )
    assert answer.json == [{"meta": {"a": 1.25}}]


async def test_a_dry_run_changes_nothing(shop: Client) -> None:
    answer = await shop.post("/customers", {"name": "dry"}, Prefer="tx=rollback, return=representation")
    assert (answer.status, answer.json[0]["name"]) == (201, "dry")
    assert "tx=rollback" in answer.headers["Preference-Applied"]
    assert (await shop.get("/customers?name=eq.dry")).json == []


async def test_one_row_wanted_from_a_write(shop: Client) -> None:
    single = "application/vnd.pgrst.object+json"
    await make(shop, "s1")
    await make(shop, "s1")
    many = await shop.patch(
        "/customers?name=eq.s1", {"region": "US"}, Prefer="return=representation", Accept=single
    )
    assert (many.status, many.json["code"]) == (406, "PGRST116")
    assert [row["region"] for row in (await shop.get("/customers?name=eq.s1")).json] == ["EU", "EU"]
    one = await shop.post(
        "/customers?select=name", {"name": "s2"}, Prefer="return=representation", Accept=single
    )
    assert (one.status, one.json) == (201, {"name": "s2"})


async def test_time_zones(shop: Client) -> None:
    row = await make(shop, "zone")
    answer = await shop.get(
        f"/customers/{row['id']}?select=created_at", Prefer="timezone=America/Los_Angeles"
    )
    assert answer.json["created_at"][-6:] in ("-07:00", "-08:00")
    assert (await shop.get(f"/customers/{row['id']}?select=created_at")).json["created_at"].endswith("+00:00")
    assert (await shop.get("/customers", Prefer="timezone=Mars/Base, handling=strict")).status == 400


async def test_profiles(shop: Client) -> None:
    assert (await shop.get("/customers", Accept_Profile="public")).status == 200
    assert (await shop.get("/customers", Accept_Profile="shop")).status == 200
    assert (await shop.get("/customers", Accept_Profile="secret")).json["code"] == "PGRST106"
    assert (await shop.post("/customers", {"name": "p"}, Content_Profile="secret")).status == 406


async def test_roles_see_and_do_what_they_may(world: World, shop: Client) -> None:
    anyone, clerk = world.client("shop", None), world.client("shop", "clerk", region="EU")
    row = await make(shop, "Seen", email="seen@example.com")
    seen = await anyone.get(f"/customers/{row['id']}")
    assert (seen.status, "email" in seen.json) == (200, False)
    assert (await anyone.get("/customers?email=eq.seen@example.com")).status in (400, 403)
    assert (await anyone.post("/customers", {"name": "x"})).status == 401
    assert (await clerk.delete(f"/customers/{row['id']}")).status == 403
    assert (await clerk.get("/orders")).status == 403
    assert (await clerk.patch(f"/customers/{row['id']}", {"name": "By clerk"})).status == 204
    moved = await clerk.patch(f"/customers/{row['id']}", {"region": "US"})
    assert (moved.status, moved.json["code"]) == (403, "42501")
    abroad = await make(shop, "Abroad", region="US")
    assert (await clerk.patch(f"/customers/{abroad['id']}", {"name": "x"})).status == 403
    assert (await shop.get(f"/customers/{abroad['id']}")).json["name"] == "Abroad"


async def test_the_rest_prefix_is_the_same_surface(shop: Client) -> None:
    row = await make(shop, "Rest")
    assert (await shop.get(f"/rest/v1/customers?id=eq.{row['id']}&select=name")).json == [{"name": "Rest"}]
    assert (await shop.get(f"/rest/v1/customers/{row['id']}")).status == 200


async def test_what_is_not_there(shop: Client) -> None:
    for path, status, code in (
        ("/customer", 404, "PGRST205"), ("/rpc/nothing", 404, "PGRST202"), ("/customers?nope=eq.1", 400, "PGRST204"),
        ("/customers?name=nope.1", 400, "PGRST100"), ("/customers?limit=-1", 416, "PGRST103"), ("/a/b/c", 404, "PGRST125"),
        ("/auth/v1/nothing", 404, "PGRST125"), ("/customers?select=nope(*)", 400, "PGRST200"),
    ):  # fmt: skip
        answer = await shop.get(path)
        assert (answer.status, answer.json["code"]) == (status, code), (path, answer)


async def test_descriptions(world: World, shop: Client) -> None:
    index = (await shop.get("")).json
    assert set(index["entities"]) == {"customers", "orders", "counters", "ballots", "notes", "users"}
    openapi = (await shop.get("/openapi.json")).json
    assert openapi["openapi"] == "3.1.0"
    assert openapi["components"]["schemas"]["customers.create"]["required"] == ["name"]
    schema = (await world.client("shop", None).get("/schema")).json
    assert set(schema["entities"]) == {"customers"}
    assert "email" not in schema["entities"]["customers"]["fields"]
    root = await shop.get("/rest/v1/", Accept="application/openapi+json")
    assert root.json["openapi"] == "3.1.0"


async def test_origins_of_the_file(shop: Client) -> None:
    answer = await shop.get("/customers?limit=1", Origin="https://shop.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert (
        "Access-Control-Allow-Origin"
        not in (await shop.get("/customers?limit=1", Origin="https://evil.example")).headers
    )
