"""An old row that breaks a newer rule stays editable in its other fields."""

import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
entities:
  orders:
    schema:
      properties:
        net: { type: number, default: 0 }
        rate: { type: number, default: 2 }
        note: { type: string, maxLength: 80 }
        gross: { type: number, computed: self.net * self.rate }
        doubled: { type: number, stored: true, computed: self.net * 2.0 }
    access: { read: [ { role: admin } ], create: [ { role: admin } ], update: [ { role: admin } ] }
"""
RULES = """    rules:
      - { rule: "self.gross <= 100.0", message: too much, fieldPath: .net }
      - { rule: "self.doubled <= 150.0", message: twice too much, fieldPath: .net }
"""
HOOK = """    functions:
      noted: { trigger: before_update, condition: "self.note == 'hook'", function: set_fields, config: { note: hooked } }
"""


@pytest.fixture(scope="module", params=["", HOOK], ids=["statement", "function"])
async def client(world: World, request: pytest.FixtureRequest) -> Client:
    name = slug()
    await world.tenant(name, FILE + request.param)
    before = world.client(name)
    for net in (10, 90):
        made = await before.post("/orders", {"net": net, "id": f"01890000-0000-7000-8000-0000000000{net}"})
        assert made.status == 201, made
    await world.tenant(name, FILE + RULES + request.param)
    return before


OLD = "/orders/01890000-0000-7000-8000-000000000090"


async def test_other_fields_stay_editable(client: Client) -> None:
    assert (await client.patch(OLD, {"note": "hook"})).status == 204
    # a form sends all its fields back
    assert (await client.patch(OLD, {"note": "b", "net": 90, "rate": 2})).status == 204
    whole = {"id": OLD.rpartition("/")[2], "net": 90, "rate": 2, "note": "c"}
    assert (await client.put(OLD, whole)).status in {200, 204}
    merged = await client.post("/orders", [whole], Prefer="resolution=merge-duplicates")
    assert merged.status == 200, merged
    assert (await client.patch("/orders?net=gt.0", {"note": "all"})).status == 204


async def test_what_a_rule_is_about_must_be_right_when_it_changes(client: Client) -> None:
    for change in ({"net": 95}, {"rate": 3}, {"net": 60, "note": "x"}):
        refused = await client.patch(OLD, change)
        assert (refused.status, refused.json["code"]) == (422, "rule.violated"), refused
    assert (await client.post("/orders", {"net": 90})).status == 422
    assert (await client.patch(OLD, {"net": 40})).status == 204
    back = await client.patch(OLD, {"net": 90})
    assert {error["detail"] for error in back.json["errors"]} == {"too much", "twice too much"}
    assert (await client.patch(OLD, {"net": 40, "rate": 2})).status == 204
