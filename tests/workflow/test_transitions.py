"""Transitions as clients meet them: who may, in which state, what is locked, who agreed, what is remembered."""

import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
roles: { member: {}, manager: { inherits: [member] }, clerk: { inherits: [member] }, admin: { inherits: [manager] } }
entities:
  customers:
    schema: { required: [name], properties: { name: { type: string, maxLength: 80 }, blocked: { type: boolean, default: false } } }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
  bills:
    schema:
      required: [customer_id]
      properties:
        customer_id: { references: customers }
        status: { type: string, enum: [draft, review, sent, paid, void], default: draft }
        net: { type: number, multipleOf: 0.01, default: 0 }
        lines: { type: array, items: { type: object, properties: { text: { type: string, maxLength: 20 } } } }
        note: { type: string, maxLength: 80 }
        why: { type: string, maxLength: 80 }
        stamp: { type: string, readOnly: true }
    rules:
      - { rule: "self.status != 'void' || has(self.why)", message: say why, fieldPath: .why }
    access:
      read: [ { role: member } ]
      create: [ { role: member } ]
      update:
        - { role: member, rule: "self.status in ['draft', 'review']", fields: [customer_id, net, lines, note] }
        - { role: manager }
      delete: [ { role: admin } ]
    workflow:
      field: status
      states: { review: { lock: [net, lines], editors: [clerk] }, paid: { lock: all } }
      transitions:
        submit: { from: draft, to: review, guard: self.net > 0.0 && !self.customer.blocked }
        approve: { from: review, to: sent, roles: [manager], quorum: 2, allow_self: false, comment: required }
        pay: { from: sent, to: paid, roles: [manager], comment: none }
        void: { from: [draft, review, sent], to: void, roles: [admin] }
    functions:
      stamp: { trigger: before_transition, condition: "self.status == 'review'", function: set_fields, config: { stamp: "{{ old.status }} to {{ self.status }}" } }
    tests:
      - { as: { role: member }, given: { status: draft, net: 5.0 }, may: [update, submit], may_not: [approve, void] }
      - { as: { role: member }, given: { status: draft, net: 0.0 }, may_not: [submit] }
      - { as: { role: manager }, given: { status: review, net: 5.0 }, may: [approve], may_not: [submit, pay] }
      - { as: { role: admin }, given: { status: sent }, may_not: [void], name: without a reason }
"""


FORGED = {
    "entity": "bills", "key": "1", "transition": "pay", "from_state": "sent", "to_state": "paid",
    "at": "2026-01-01T00:00:00Z",
}  # fmt: skip


@pytest.fixture(scope="module")
async def tenant(world: World) -> str:
    name = slug()
    await world.tenant(name, FILE)
    return name


@pytest.fixture
def member(world: World, tenant: str) -> Client:
    return world.client(tenant, "member", subject="01890000-0000-7000-8000-00000000000a")


def manager(world: World, tenant: str, number: int) -> Client:
    return world.client(tenant, "manager", subject=f"01890000-0000-7000-8000-0000000000b{number}")


async def made(client: Client, **values: object) -> str:
    answer = await client.post("/customers", {"name": "Acme"}, Prefer="return=representation")
    assert answer.status == 201, answer
    bill = await client.post(
        "/bills", {"customer_id": answer.json[0]["id"], **values}, Prefer="return=representation"
    )
    assert bill.status == 201, bill
    return str(bill.json[0]["id"])


async def test_a_state_changes_by_transitions_only(member: Client, world: World, tenant: str) -> None:
    bill = await made(member, net=5)
    chief = world.client(tenant, "admin")
    for body in ({"status": "sent"}, {"status": "sent", "note": "x"}):
        answer = await chief.patch(f"/bills/{bill}", body)
        assert (answer.status, answer.json["code"]) == (422, "workflow.state"), answer
        assert answer.json["errors"][0]["pointer"] == "/status"
    assert (await chief.patch(f"/bills/{bill}", {"status": "draft", "note": "same"})).status == 204
    answer = await chief.patch("/bills?net=gt.0", {"status": "sent"})
    assert answer.json["code"] == "workflow.state"
    row = (await chief.get(f"/bills/{bill}")).json
    whole = {name: row[name] for name in ("id", "customer_id", "net", "note")}
    assert (await chief.put(f"/bills/{bill}", {**whole, "status": "paid"})).json["code"] == "workflow.state"
    merged = await chief.post("/bills", [{**whole, "status": "paid"}], Prefer="resolution=merge-duplicates")
    assert merged.json["code"] == "workflow.state"
    moved = await member.post(f"/bills/{bill}/transitions/submit", {})
    assert (moved.status, moved.json["status"]) == (200, "review"), moved
    # a PUT that does not name the state leaves it alone
    assert (await chief.put(f"/bills/{bill}", whole)).status in {200, 204}
    assert (await chief.get(f"/bills/{bill}?select=status")).json == {"status": "review"}


async def test_rows_begin_where_rows_begin(member: Client, world: World, tenant: str) -> None:
    bill = await made(member)
    customer = (await member.get(f"/bills/{bill}?select=customer_id")).json["customer_id"]
    answer = await member.post("/bills", {"customer_id": customer, "status": "paid"})
    assert (answer.status, answer.json["code"]) == (422, "workflow.state"), answer
    assert "draft" in answer.json["detail"]
    assert (await member.post("/bills", {"customer_id": customer, "status": "draft"})).status == 201
    imported = await world.client(tenant, "admin").post("/bills", {"customer_id": customer, "status": "paid"})
    assert imported.status == 201, "admins bring rows from elsewhere"


async def test_guards_roles_and_states(member: Client, world: World, tenant: str) -> None:
    bill = await made(member)
    answer = await member.post(f"/bills/{bill}/transitions/submit", {})
    assert (answer.status, answer.json["code"]) == (409, "workflow.guard"), answer
    answer = await member.post(f"/bills/{bill}/transitions/submit", {"values": {"net": 7.5, "note": "now"}})
    assert answer.status == 200, answer
    assert (answer.json["net"], answer.json["note"]) == (7.5, "now")
    assert answer.json["stamp"] == "draft to review", "a function before the transition"
    again = await member.post(f"/bills/{bill}/transitions/submit", {})
    assert (again.status, again.json["code"]) == (409, "workflow.elsewhere"), again
    assert (await member.post(f"/bills/{bill}/transitions/approve", {})).status == 403
    unknown = await member.post(f"/bills/{bill}/transitions/fly", {})
    assert (unknown.status, unknown.json["code"]) == (404, "workflow.unknown")
    assert (
        await member.post(f"/bills/{'0' * 8}-0000-7000-8000-{'0' * 12}/transitions/submit", {})
    ).status == 404
    blocked = await made(member, net=3)
    customer = (await member.get(f"/bills/{blocked}?select=customer_id")).json["customer_id"]
    assert (await member.patch(f"/customers/{customer}", {"blocked": True})).status == 204
    answer = await member.post(f"/bills/{blocked}/transitions/submit", {})
    assert answer.json["code"] == "workflow.guard", "a guard follows relations"
    sneaky = await member.post(f"/bills/{blocked}/transitions/submit", {"values": {"status": "paid"}})
    assert sneaky.json["code"] == "workflow.state"
    stale = await member.post(f"/bills/{blocked}/transitions/submit", {}, If_Match='"99"')
    assert stale.status == 412


async def test_locks_hold_all_but_editors(member: Client, world: World, tenant: str) -> None:
    bill = await made(member, net=5)
    assert (await member.post(f"/bills/{bill}/transitions/submit", {})).status == 200
    answer = await member.patch(f"/bills/{bill}", {"net": 6, "note": "x"})
    assert (answer.status, answer.json["code"]) == (409, "workflow.locked"), answer
    assert [error["pointer"] for error in answer.json["errors"]] == ["/net"]
    assert (await member.patch(f"/bills/{bill}", {"net": 5, "note": "unchanged"})).status == 204
    assert (await world.client(tenant, "clerk").patch(f"/bills/{bill}", {"net": 6})).status == 204
    assert (await member.patch("/bills?status=eq.review", {"lines": []})).status == 409


async def test_several_people_agree(member: Client, world: World, tenant: str) -> None:
    one, two, three = (manager(world, tenant, number) for number in (1, 2, 3))
    bill = await made(one, net=5)
    assert (await member.post(f"/bills/{bill}/transitions/submit", {})).status == 200
    path = f"/bills/{bill}/transitions/approve"
    assert (await two.post(path, {})).json["code"] == "workflow.comment"
    own = await one.post(path, {"comment": "fine"})
    assert (own.status, own.json["code"]) == (403, "workflow.own"), own
    first = await two.post(path, {"comment": "fine"})
    assert (first.status, first.json["approvals"], first.json["quorum"]) == (202, 1, 2), first
    twice = await two.post(path, {"comment": "fine"})
    assert (twice.status, twice.json["code"]) == (409, "workflow.approved")
    # who agreed, agreed to the row as it was
    assert (await member.patch(f"/bills/{bill}", {"note": "changed"})).status == 204
    assert (await three.post(path, {"comment": "ok"})).status == 202
    seen = (await two.get(f"/bills/{bill}/transitions")).json
    assert [step["transition"] for step in seen["history"]] == ["submit"]
    assert "approve" in [way["name"] for way in seen["transitions"]]
    last = await two.post(path, {"comment": "still fine"})
    assert (last.status, last.json["status"]) == (200, "sent"), last
    paid = await three.post(f"/bills/{bill}/transitions/pay", {}, Prefer="return=minimal")
    assert (paid.status, paid.body) == (204, b"")
    assert (await three.patch(f"/bills/{bill}", {"note": "x"})).json["code"] == "workflow.locked"
    past = (await member.get(f"/bills/{bill}/transitions")).json
    assert [(step["transition"], step["comment"]) for step in past["history"]] == [
        ("pay", None), ("approve", "still fine"), ("submit", None),
    ]  # fmt: skip
    assert past["state"] == "paid"
    assert past["transitions"] == []
    chief = world.client(tenant, "admin")
    kept = await chief.get(f"/approvals?key=eq.{bill}&select=outcome&order=at")
    assert [row["outcome"] for row in kept.json] == ["lapsed", "used", "used"]
    assert (await member.get("/workflow_history")).status == 403
    assert (await chief.post("/workflow_history", FORGED)).status == 403


async def test_a_refused_move_leaves_nothing(world: World, tenant: str) -> None:
    chief = world.client(tenant, "admin", subject="01890000-0000-7000-8000-0000000000c1")
    bill = await made(chief, net=5)
    answer = await chief.post(f"/bills/{bill}/transitions/void", {})
    assert (answer.status, answer.json["code"]) == (422, "rule.violated"), answer
    dry = await chief.post(
        f"/bills/{bill}/transitions/void", {"values": {"why": "test"}}, Prefer="tx=rollback"
    )
    assert (dry.status, dry.json["status"]) == (200, "void"), dry
    seen = (await chief.get(f"/bills/{bill}/transitions")).json
    assert (seen["state"], seen["history"]) == ("draft", [])
    once = {"Idempotency_Key": f"k-{bill}"}
    body = {"values": {"why": "mistake"}}
    assert (await chief.post(f"/bills/{bill}/transitions/void", body, **once)).status == 200
    again = await chief.post(f"/bills/{bill}/transitions/void", body, **once)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")


async def test_in_a_batch(member: Client) -> None:
    bill = await made(member, net=5)
    answer = await member.post("/batch", {"operations": [
        {"method": "PATCH", "path": f"/bills/{bill}", "body": {"note": "b"}},
        {"method": "POST", "path": f"/bills/{bill}/transitions/submit", "body": {"comment": "in one"}},
    ]})  # fmt: skip
    assert answer.status == 200, answer
    assert answer.json["results"][1]["body"]["status"] == "review"


async def test_capabilities_of_rows(member: Client, world: World, tenant: str) -> None:
    bill = await made(member, net=5)
    asked = f"/bills?id=eq.{bill}&select=id,status&capabilities=true"
    row = (await member.get(asked)).json[0]
    assert row["capabilities"] == {
        "update": True, "delete": False, "fields": ["customer_id", "net", "lines", "note"],
        "transitions": ["submit"],
    }  # fmt: skip
    assert (await member.post(f"/bills/{bill}/transitions/submit", {})).status == 200
    mine = (await member.get(asked)).json[0]["capabilities"]
    assert (mine["fields"], mine["transitions"]) == (["customer_id", "note"], [])
    chief = (await manager(world, tenant, 1).get(f"/bills/{bill}?capabilities=true")).json["capabilities"]
    assert chief["transitions"] == ["approve"]
    assert (await member.get("/bills?select=status&capabilities=true")).status == 400
    assert (await member.get("/customers?capabilities=true")).json[0]["capabilities"]["update"] is True
