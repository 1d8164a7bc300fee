"""Built-in functions before a write: what they set, what they refuse, what they are shown."""

import asyncio

import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
roles: { member: {}, manager: { inherits: [member] } }
entities:
  customers:
    schema:
      required: [name, slug]
      properties:
        name: { type: string, maxLength: 80 }
        slug: { type: string, maxLength: 40, unique: true, readOnly: true }
        email: { type: string }
        country: { type: string, default: DE }
    access:
      read: [ { role: member } ]
      write: [ { role: member, fields: [name, email, country] } ]
      delete: [ { role: member } ]
    functions:
      address: { type: validation, field: email, function: validate_email }
      named: { trigger: before_create, function: generate_slug, field: slug, config: { from: name, max_length: 20 } }
      kept: { trigger: before_delete, condition: self.name == 'Keep me', function: require_role, config: { role: manager, message: managers only } }
  notes:
    schema: { properties: { text: { type: string } , customer_id: { references: customers, onDelete: cascade } } }
    access: { read: [ { role: member } ] }
  orders:
    schema:
      required: [customer_id]
      properties:
        customer_id: { references: customers, onDelete: cascade }
        net: { type: number, multipleOf: 0.01, default: 0 }
        status: { type: string, enum: [draft, sent, paid], default: draft }
        sent_to: { type: string, readOnly: true }
        label: { type: string, readOnly: true }
        score: { type: number, readOnly: true }
    rules:
      - { rule: "self.status != 'paid' || has(self.label)", message: paid before it was sent, fieldPath: .status }
    access:
      read: [ { role: member } ]
      create: [ { role: member } ]
      update: [ { role: manager }, { role: member, rule: "self.status != 'paid'", check: "self.net < 1000.0" } ]
      delete: [ { role: manager } ]
    functions:
      price: { type: validation, field: net, function: validate_price, config: { max: 5000 } }
      sent:
        trigger: before_update
        condition: changed('status') && self.status == 'sent'
        function: set_fields
        config: { sent_to: "{{ self.customer.email }}", label: "{{ self.customer.name }}: {{ self.net }} {{7*7}}", score: "{{ self.net * 2.0 }}" }
      noted:
        trigger: before_update
        condition: self.status == 'sent' && self.customer.country == 'FR'
        function: create_record
        config: { entity: notes, values: { customer_id: "{{ self.customer_id }}", text: "sent {{ old.status }}" } }
"""


@pytest.fixture(scope="module")
async def tenant(world: World) -> str:
    name = slug()
    await world.tenant(name, FILE)
    return name


@pytest.fixture
def member(world: World, tenant: str) -> Client:
    return world.client(tenant, "member")


async def made(client: Client, path: str, body: object) -> dict:
    answer = await client.post(
        path, body, Prefer="return=representation", Accept="application/vnd.pgrst.object+json"
    )
    assert answer.status == 201, answer
    return answer.json


async def test_a_function_fills_in_what_is_required_and_not_the_callers_to_write(member: Client) -> None:
    one = await made(member, "/customers", {"name": "Müller & Söhne"})
    two = await made(member, "/customers", {"name": "Muller  Söhne"})
    three = await made(member, "/customers", {"name": "Müller & Söhne"})
    assert [one["slug"], two["slug"], three["slug"]] == [
        "mueller-soehne",
        "muller-soehne",
        "mueller-soehne-2",
    ]
    refused = await member.post("/customers", {"name": "x", "slug": "mine"})
    assert refused.status == 403, "what a function may set is not the caller's"


async def test_names_stay_unique_when_many_are_made_at_once(member: Client) -> None:
    answers = await asyncio.gather(*(member.post("/customers", {"name": "At Once"}) for _ in range(6)))
    assert [answer.status for answer in answers] == [201] * 6
    rows = (await member.get("/customers?name=eq.At+Once&select=slug&order=slug")).json
    assert [row["slug"] for row in rows] == ["at-once", *(f"at-once-{n}" for n in range(2, 7))]


async def test_several_rows_each_get_their_own(member: Client) -> None:
    answer = await member.post(
        "/customers?select=name,slug,country",
        [{"name": "Aa"}, {"name": "Bb", "country": "FR"}, {"name": "Aa"}],
        Prefer="return=representation,missing=default",
    )
    assert answer.json == [
        {"name": "Aa", "slug": "aa", "country": "DE"},
        {"name": "Bb", "slug": "bb", "country": "FR"},
        {"name": "Aa", "slug": "aa-2", "country": "DE"},
    ]  # fmt: skip


async def test_all_refusals_at_once(member: Client) -> None:
    answer = await member.post(
        "/customers", [{"name": "ok"}, {"name": 5, "email": "nobody"}, {"email": "x@y"}]
    )
    assert answer.status == 422
    found = {(error["pointer"], error["code"]) for error in answer.json["errors"]}
    assert found == {
        ("/1/name", "type"), ("/1/email", "email"), ("/2/email", "email"), ("/2/name", "required"),
    }  # fmt: skip
    assert (await member.get("/customers?name=eq.ok")).json == []


async def test_functions_and_rules_are_told_together(member: Client) -> None:
    customer = await made(member, "/customers", {"name": "Told", "email": "a@example.com"})
    order = await made(member, "/orders", {"customer_id": customer["id"]})
    answer = await member.patch(f"/orders/{order['id']}", {"net": -1, "status": "paid"})
    assert answer.status == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {"/net", "/status"}, answer


async def test_a_template_follows_relations_and_evaluates_nothing_of_a_row(
    member: Client, world: World, tenant: str
) -> None:
    customer = await made(member, "/customers", {"name": "{{7*7}} ${SECRET}", "email": "to@example.com"})
    order = await made(member, "/orders", {"customer_id": customer["id"], "net": 12.5})
    answer = await member.patch(f"/orders/{order['id']}", {"status": "sent"}, Prefer="return=representation")
    assert answer.status == 200, answer
    row = answer.json
    assert (row["sent_to"], row["label"], row["score"]) == (
        "to@example.com", "{{7*7}} ${SECRET}: 12.50 49", 25.0,
    )  # fmt: skip
    again = await member.patch(f"/orders/{order['id']}", {"sent_to": "me"})
    assert again.status == 422, "what functions may set is not the caller's"


async def test_many_rows_by_a_filter_each_with_its_own_values(member: Client) -> None:
    orders = []
    for name in ("One", "Two"):
        customer = await made(
            member, "/customers", {"name": name, "email": f"{name}@example.com", "country": "FR"}
        )
        orders.append(await made(member, "/orders", {"customer_id": customer["id"], "net": 3}))
    ids = ",".join(order["id"] for order in orders)
    answer = await member.patch(
        f"/orders?id=in.({ids})&select=label&order=label", {"status": "sent"}, Prefer="return=representation"
    )
    assert answer.json == [{"label": "One: 3 49"}, {"label": "Two: 3 49"}]
    notes = await member.get(f"/notes?customer_id=eq.{orders[0]['customer_id']}&select=text")
    assert notes.json == [{"text": "sent draft"}]


async def test_functions_see_only_rows_the_caller_may_change(
    member: Client, world: World, tenant: str
) -> None:
    manager = world.client(tenant, "manager")
    customer = await made(member, "/customers", {"name": "Hidden", "email": "h@example.com", "country": "FR"})
    order = await made(manager, "/orders", {"customer_id": customer["id"], "net": 3})
    assert (await manager.patch(f"/orders/{order['id']}", {"status": "sent"})).status == 204
    assert (await manager.patch(f"/orders/{order['id']}", {"status": "paid"})).status == 204
    notes = (await member.get(f"/notes?customer_id=eq.{customer['id']}")).json
    answer = await member.patch(f"/orders/{order['id']}", {"status": "sent"})
    assert answer.status in {403, 404}
    assert (await member.get(f"/notes?customer_id=eq.{customer['id']}")).json == notes
    # the check after the change refuses, and what the function did goes with it
    free = await made(member, "/orders", {"customer_id": customer["id"], "net": 3})
    refused = await member.patch(f"/orders/{free['id']}", {"status": "sent", "net": 2000})
    assert refused.status == 403, refused
    assert (await member.get(f"/notes?customer_id=eq.{customer['id']}")).json == notes


async def test_before_delete(member: Client, world: World, tenant: str) -> None:
    kept = await made(member, "/customers", {"name": "Keep me"})
    gone = await made(member, "/customers", {"name": "Let go"})
    refused = await member.delete(f"/customers?id=in.({kept['id']},{gone['id']})")
    assert (refused.status, refused.json["detail"]) == (403, "managers only")
    assert (await member.delete(f"/customers/{gone['id']}")).status == 204
    assert (await world.client(tenant, "manager").delete(f"/customers/{kept['id']}")).status == 204
    assert (await member.delete(f"/customers/{kept['id']}")).status == 404


async def test_upserts_run_what_each_row_is_for(world: World, tenant: str) -> None:
    manager = world.client(tenant, "manager")
    customer = await made(manager, "/customers", {"name": "Up", "email": "up@example.com"})
    order = await made(manager, "/orders", {"customer_id": customer["id"], "net": 1})
    new = "01890000-0000-7000-8000-000000000001"
    answer = await manager.post(
        "/orders?select=id,status,label",
        [{"id": order["id"], "customer_id": customer["id"], "status": "sent", "net": 1},
         {"id": new, "customer_id": customer["id"], "status": "sent", "net": 1}],
        Prefer="return=representation,resolution=merge-duplicates",
    )  # fmt: skip
    assert answer.status in {200, 201}, answer
    assert {row["id"]: row["label"] for row in answer.json} == {order["id"]: "Up: 1 49", new: None}
    put = await manager.put(
        f"/orders/{new}", {"id": new, "customer_id": customer["id"], "net": 2, "status": "draft"}
    )
    assert put.status in {200, 201, 204}, put
    put = await manager.put(
        f"/orders/{new}?select=label", {"id": new, "customer_id": customer["id"], "net": 2, "status": "sent"},
        Prefer="return=representation",
    )  # fmt: skip
    assert put.json["label"] == "Up: 2 49"


async def test_if_match_and_dry_runs(member: Client) -> None:
    customer = await made(member, "/customers", {"name": "Match", "country": "FR"})
    order = await made(member, "/orders", {"customer_id": customer["id"], "net": 1})
    stale = await member.patch(f"/orders/{order['id']}", {"status": "sent"}, If_Match='"9"')
    assert stale.status == 412, stale
    dry = await member.patch(f"/orders/{order['id']}", {"status": "sent"}, Prefer="tx=rollback")
    assert dry.status in {200, 204}
    assert (await member.get(f"/notes?customer_id=eq.{customer['id']}")).json == []
    assert (await member.patch(f"/orders/{order['id']}", {"status": "sent"}, If_Match='"1"')).status in {
        200,
        204,
    }
