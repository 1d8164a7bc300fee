"""Sending made data: batches through the create operation, refusals isolated, counted keys replaced."""

import orjson

from actors.messages import Call, ProblemError, Result
from actors.seed.send import seed_tenant
from schemas.compiler.compile import compile_source

COUNTED = """
version: 1
entities:
  rooms: { key: no, schema: { properties: { no: { type: integer }, name: { type: string } } } }
  beds: { schema: { required: [room_no], properties: { room_no: { references: rooms }, wide: { type: boolean } } } }
"""


class Tenant:
    """Takes rows as the operations do: a list at once or not at all."""

    def __init__(self, refuses=lambda entity, row: False) -> None:
        self.refuses = refuses
        self.rows: dict[str, list[dict]] = {}
        self.calls: list[Call] = []

    async def __call__(self, call: Call) -> Result:
        self.calls.append(call)
        rows = orjson.loads(call.body)
        if any(self.refuses(call.entity, row) for row in rows):
            raise ProblemError(
                "rule.failed", "a rule does not hold", errors=({"pointer": "/x", "detail": "no"},)
            )
        taken = self.rows.setdefault(call.entity, [])
        taken += rows
        if "return=representation" not in call.prefer:
            return Result(201)
        first = 1000 + len(taken) - len(rows)
        return Result(201, orjson.dumps([{"no": first + index} for index in range(len(rows))]))


def quiet(*_):
    pass


async def test_rows_go_through_the_create_operation_as_admin():
    tenant = Tenant()
    told = []
    report = await seed_tenant(
        tenant, compile_source(COUNTED, "tried"), 60, 1, lambda *args: told.append(args)
    )
    assert all(call.operation == "create" and "admin" in call.principal.roles for call in tenant.calls)
    assert report.sent == {name: len(rows) for name, rows in tenant.rows.items()}
    assert told[-1][2] == sum(report.sent.values())
    assert not report.refused


async def test_counted_keys_are_the_databases():
    tenant = Tenant()
    await seed_tenant(tenant, compile_source(COUNTED, "tried"), 60, 1, quiet)
    assert all("no" not in room for room in tenant.rows["rooms"])
    known = range(1000, 1000 + len(tenant.rows["rooms"]))
    assert all(bed["room_no"] in known for bed in tenant.rows["beds"])


async def test_a_refused_row_does_not_take_others_with_it():
    def refuses(entity, row):
        return entity == "beds" and row["wide"] is True

    tenant = Tenant(refuses)
    report = await seed_tenant(tenant, compile_source(COUNTED, "tried"), 60, 1, quiet)
    assert report.refused["beds"] > 0
    assert report.sent["beds"] == len(tenant.rows["beds"])
    assert not any(bed["wide"] for bed in tenant.rows["beds"])
    assert report.reasons == ["beds: a rule does not hold /x: no"]
