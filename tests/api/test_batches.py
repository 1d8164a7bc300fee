"""Several operations in one transaction, and requests that are repeated."""

import asyncio

import pytest

from tests.api.harness import Client, World

TEXT = """
version: 1
service: { name: batch-co }
roles: { clerk: {}, admin: { inherits: [clerk] } }
entities:
  customers:
    schema: { required: [name], properties: { name: { type: string, maxLength: 20, unique: true } } }
    access: { read: [ { role: clerk } ], create: [ { role: clerk } ] }
  orders:
    schema:
      properties:
        customer_id: { type: string, format: uuid, references: customers }
        net: { type: number }
        note: { type: string }
api: { batch: { max_requests: 6 } }
"""


@pytest.fixture(scope="module")
async def shop(world: World) -> Client:
    await world.tenant("batch-co", TEXT)
    return world.client("batch-co")


def batch(*operations: object) -> dict[str, object]:
    return {"operations": list(operations)}


async def test_later_operations_use_earlier_results(shop: Client) -> None:
    answer = await shop.post(
        "/batch",
        batch(
            {"id": "c", "method": "POST", "path": "customers", "body": {"name": "Ref"}},
            {
                "id": "o",
                "method": "POST",
                "path": "rest/v1/orders",
                "body": [{"customer_id": "$ref:c.id", "net": 1}, {"customer_id": "$ref:c.0.id", "net": 2}],
            },
            {
                "method": "PATCH",
                "path": "orders/{{o.1.id}}",
                "body": {"note": "$$ref:c.id"},
                "headers": {"If-Match": '"1"'},
            },
            {"method": "GET", "path": "customers/{{c.id}}?select=name,orders(net,note)"},
            {
                "method": "DELETE",
                "path": "orders?net=eq.{{o.0.net}}",
                "headers": {"Prefer": "return=minimal"},
            },
        ),
    )
    assert answer.status == 200, answer
    results = answer.json["results"]
    assert [result["status"] for result in results] == [201, 201, 200, 200, 204]
    assert results[2]["body"]["note"] == "$ref:c.id"
    assert results[2]["headers"]["ETag"] == '"2"'
    assert sorted(results[3]["body"]["orders"], key=lambda order: order["net"]) == [
        {"net": 1, "note": None},
        {"net": 2, "note": "$ref:c.id"},
    ]
    assert results[4]["body"] is None


async def test_one_refusal_undoes_everything(shop: Client) -> None:
    answer = await shop.post(
        "/batch",
        batch(
            {"method": "POST", "path": "customers", "body": {"name": "undone"}},
            {"method": "POST", "path": "customers", "body": {"name": "undone"}},
        ),
    )
    assert (answer.status, answer.json["code"]) == (409, "23505")
    assert answer.json["errors"][0]["pointer"] == "/operations/1/body/name"
    answer = await shop.post(
        "/batch",
        batch(
            {"method": "POST", "path": "customers", "body": {"name": "undone"}},
            {"method": "PATCH", "path": "orders", "body": {}},
        ),
    )
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/operations/1")
    answer = await shop.post(
        "/batch",
        batch(
            {"method": "POST", "path": "customers", "body": {"name": "undone"}},
            {"method": "GET", "path": "customers?select=1/0"},
        ),
    )
    assert answer.status == 400
    assert (await shop.get("/customers?name=eq.undone")).json == []


async def test_a_batch_can_be_a_dry_run(shop: Client) -> None:
    answer = await shop.post(
        "/batch",
        batch({"method": "POST", "path": "customers", "body": {"name": "dry"}}),
        Prefer="tx=rollback",
    )
    assert answer.status == 200
    assert (await shop.get("/customers?name=eq.dry")).json == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "batch.invalid"), ({}, "batch.invalid"), ({"operations": []}, "batch.invalid"), ({"operations": [1]}, "batch.invalid"),
        (batch({"method": "TRACE", "path": "x"}), "batch.invalid"), (batch({"method": "GET", "path": "a/b/c"}), "batch.invalid"),
        (batch({"method": "GET", "path": ""}), "batch.invalid"), (batch({"method": "POST", "path": "customers/1", "body": {}}), "batch.invalid"),
        (batch({"id": "a b", "method": "GET", "path": "customers"}), "batch.invalid"),
        (batch({"id": "a", "method": "GET", "path": "customers"}, {"id": "a", "method": "GET", "path": "customers"}), "batch.invalid"),
        (batch({"method": "GET", "path": "customers", "headers": {"Host": "x"}}), "batch.invalid"),
        (batch({"method": "GET", "path": "customers/{{a.id}}"}), "batch.reference"),
        (batch({"method": "POST", "path": "customers", "body": {"name": "$ref:later.id"}}), "batch.reference"),
        (batch({"id": "a", "method": "GET", "path": "customers"}, {"method": "GET", "path": "customers/{{a.nope}}"}), "batch.reference"),
        (batch(*[{"method": "GET", "path": "customers"}] * 7), "batch.too_many"), (b"{", "batch.invalid"), (b"[" * 5000, "batch.invalid"),
        (batch({"method": "GET", "path": "nothing"}), "PGRST205"),
    ],
)  # fmt: skip
async def test_malformed_batches(shop: Client, body: object, code: str) -> None:
    answer = await shop.post("/batch", body)
    assert answer.json["code"] == code
    assert 400 <= answer.status < 500


async def test_a_batch_has_no_more_rights(world: World) -> None:
    clerk = world.client("batch-co", "clerk")
    answer = await clerk.post(
        "/batch",
        batch(
            {"method": "POST", "path": "customers", "body": {"name": "mine"}},
            {"method": "GET", "path": "orders"},
        ),
    )
    assert (answer.status, answer.json["code"]) == (403, "42501")
    assert (await clerk.get("/customers?name=eq.mine")).json == []


async def test_the_same_key_does_it_once(shop: Client) -> None:
    first = await shop.post(
        "/customers", {"name": "once"}, Idempotency_Key="k1", Prefer="return=representation"
    )
    again = await shop.post(
        "/customers", {"name": "once"}, Idempotency_Key="k1", Prefer="return=representation"
    )
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Idempotency-Replayed" not in first.headers
    other = await shop.post(
        "/customers", {"name": "other"}, Idempotency_Key="k1", Prefer="return=representation"
    )
    assert (other.status, other.json["code"]) == (422, "idempotency.key_reused")
    assert len((await shop.get("/customers?name=in.(once,other)")).json) == 1


async def test_keys_are_of_their_caller(world: World, shop: Client) -> None:
    assert (await shop.post("/customers", {"name": "k2"}, Idempotency_Key="k2")).status == 201
    clerk = world.client("batch-co", "clerk", subject="someone else")
    taken = await clerk.post("/customers", {"name": "k2"}, Idempotency_Key="k2")
    assert taken.status == 409
    assert taken.json["code"] == "23505"


async def test_a_refused_request_may_be_repeated(shop: Client) -> None:
    bad = await shop.post("/customers", {"name": "x" * 30}, Idempotency_Key="k3")
    assert bad.status == 422
    assert (await shop.post("/customers", {"name": "k3"}, Idempotency_Key="k3")).status == 201


async def test_parallel_repeats_do_it_once(shop: Client) -> None:
    answers = await asyncio.gather(
        *(shop.post("/orders", {"note": "parallel"}, Idempotency_Key="k4") for _ in range(12))
    )
    assert {answer.status for answer in answers} <= {201, 409}
    assert any(answer.status == 201 for answer in answers)
    assert all(answer.json["code"] == "idempotency.in_flight" for answer in answers if answer.status == 409)
    assert len((await shop.get("/orders?note=eq.parallel")).json) == 1


async def test_patch_delete_and_batch_take_keys(shop: Client) -> None:
    order = (await shop.post("/orders", {"note": "keys"}, Prefer="return=representation")).json[0]
    for _ in range(2):
        assert (await shop.patch(f"/orders/{order['id']}", {"net": 1}, Idempotency_Key="k5")).status == 204
    assert (await shop.get(f"/orders/{order['id']}")).json["row_version"] == 2
    for _ in range(2):
        assert (await shop.delete(f"/orders/{order['id']}", Idempotency_Key="k6")).status == 204
    for _ in range(2):
        answer = await shop.post(
            "/batch",
            batch({"method": "POST", "path": "customers", "body": {"name": "k7"}}),
            Idempotency_Key="k7",
        )
        assert answer.status == 200
    assert len((await shop.get("/customers?name=eq.k7")).json) == 1


async def test_keys_have_a_size(shop: Client) -> None:
    for key in ("k" * 256, "k" * 10_000):
        answer = await shop.post("/customers", {"name": "long"}, Idempotency_Key=key)
        assert (answer.status, answer.json["code"]) == (400, "idempotency.key_invalid")
    assert (await shop.get("/customers?name=eq.long")).json == []


async def test_old_answers_go(world: World, shop: Client) -> None:
    assert (await shop.post("/orders", {"note": "aged"}, Idempotency_Key="k8")).status == 201
    await world.sql(
        world.ports["batch-co"].generation.identity,
        "UPDATE ns._idempotency SET created_at = now() - interval '25 hours' WHERE key = 'k8'",
    )
    assert (await shop.post("/orders", {"note": "aged"}, Idempotency_Key="k8")).status == 201
    assert len((await shop.get("/orders?note=eq.aged")).json) == 2
