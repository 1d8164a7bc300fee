"""Computed fields over children: selected, filtered, sorted, summed up, and read by rules."""

import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError
from tests.api.harness import Client, World, slug

FILE = """
version: 1
entities:
  orders:
    schema:
      properties:
        name: { type: string }
        most: { type: number, default: 100 }
        total: { type: number, computed: "self.lines.map(l, l.amount).sum()" }
        open: { type: integer, computed: "self.lines.filter(l, !l.done).size()" }
        left: { type: number, computed: self.most - self.total }
    access: { read: [ { role: admin, aggregate: true } ], write: [ { role: admin, rule: "self.open < 3" } ] }
  lines:
    schema:
      required: [order_id]
      properties:
        order_id: { references: orders, onDelete: cascade }
        amount: { type: number, default: 0 }
        done: { type: boolean, default: false }
        order_name: { type: string, computed: self.order.name }
    rules: [ { rule: "self.amount <= self.order.most", message: too much, fieldPath: .amount } ]
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
"""


@pytest.fixture(scope="module")
async def client(world: World) -> Client:
    name = slug()
    await world.tenant(name, FILE)
    client = world.client(name)
    for order, amounts in (("a", [10, 20]), ("b", [5]), ("c", [])):
        key = f"01890000-0000-7000-8000-00000000000{order}"
        assert (await client.post("/orders", {"id": key, "name": order})).status == 201
        for amount in amounts:
            made = await client.post("/lines", {"order_id": key, "amount": amount, "done": amount == 20})
            assert made.status == 201, made
    return client


async def test_selected_filtered_and_sorted(client: Client) -> None:
    answer = await client.get("/orders?select=name,total,open,left&order=total.desc")
    assert [list(row.values()) for row in answer.json] == [
        ["a", 30, 1, 70], ["b", 5, 1, 95], ["c", 0, 0, 100],
    ]  # fmt: skip
    assert (await client.get("/orders?select=name&total=gt.5")).json == [{"name": "a"}]
    assert (await client.get("/orders?select=total.sum(),count()")).json == [{"sum": 35, "count": 3}]
    parents = await client.get("/lines?select=order_name&order_name=eq.b")
    assert parents.json == [{"order_name": "b"}]


async def test_in_rules(client: Client) -> None:
    order = (await client.get("/orders?select=id&name=eq.c")).json[0]["id"]
    refused = await client.post("/lines", {"order_id": order, "amount": 101})
    assert refused.json["code"] == "rule.violated", refused
    for _ in range(3):
        assert (await client.post("/lines", {"order_id": order})).status == 201
    assert (await client.patch(f"/orders/{order}", {"name": "d"})).status == 403
    assert (await client.patch("/orders?open=gte.3", {"name": "d"})).status == 204
    assert (await client.get(f"/orders/{order}?select=name")).json == {"name": "c"}


@pytest.mark.parametrize(
    ("computed", "code"),
    [
        ('"self.lines.map(l, l.amout).sum()"', "expression.unknown_name"),
        ('"self.lines.map(l, l.done).sum()"', "expression."),
        ('"self.lines.map(l, l.amount).sum()", stored: true', "expression.use"),
    ],
)
def test_checked_when_loaded(computed: str, code: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile_source(FILE.replace('"self.lines.map(l, l.amount).sum()"', computed), "shop")
    assert any(finding.code.startswith(code) for finding in caught.value.diagnostics), (
        caught.value.diagnostics
    )
