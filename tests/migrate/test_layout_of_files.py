"""Whole tenant files: what the compiler makes of them is what the database then holds."""

from pathlib import Path

import asyncpg
import pytest
from migrating import Tenant

from schemas.compiler.compile import compile_source, slug_of_file

SHIPPED = sorted((Path(__file__).parents[2] / "schemas").glob("*.yaml"))
SOURCE = """
version: 1
service: { name: acme-corp }
entities:
  offers:
    schema:
      type: object
      required: [title, net]
      properties:
        title: { type: string, minLength: 1, maxLength: 80, pattern: "^[A-Z][a-z0-9 ]*$", searchable: true }
        code: { type: string, pattern: "^[^x]+?$" }
        status: { type: string, enum: [open, won, "it's"], default: open }
        net: { type: number, minimum: 0, exclusiveMaximum: 1000000, multipleOf: 0.01 }
        share: { type: number, format: double, maximum: 1 }
        count: { type: integer, format: int32, multipleOf: 5 }
        tags: { type: array, maxItems: 3, items: { type: string, enum: [a, b] } }
        extra: { type: object, default: { a: 1 } }
        due: { type: string, format: date }
        number: { type: string, readOnly: true, unique: true, sequence: "O-{year}-{month}-{n:04}" }
    indexes:
      - { fields: [status, due] }
      - { fields: [title], where: "self.status == 'open'" }
"""


async def test_every_constraint_of_a_file_holds(tenant: Tenant) -> None:
    wanted = compile_source(SOURCE, "acme-corp")
    await tenant.migrate(wanted)
    await tenant.assert_is(wanted)
    good = {"title": "Roof", "net": "1.5"}

    async def insert(**values: str) -> None:
        row = {**good, **values}
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(f"${n}::text::{types[name]}" for n, name in enumerate(row, 1))
        await tenant.run(
            f"INSERT INTO ns.offers (id, {names}) VALUES (gen_random_uuid(), {places})", *row.values()
        )

    types = {item.name: item.pg_type for item in wanted.entities["offers"].fields.values()}
    await insert(status="it's", share="0.5", count="10", tags="{a,b}", code="x")
    bad = [
        {"title": ""}, {"title": "roof"}, {"title": "R" + "o" * 80}, {"status": "lost"}, {"net": "-1"}, {"net": "1000000"},
        {"share": "1.5"}, {"count": "7"}, {"tags": "{a,c}"}, {"tags": "{a,a,a,a}"}, {"extra": "[1]"},
    ]  # fmt: skip
    for values in bad:
        with pytest.raises(asyncpg.CheckViolationError):
            await insert(**values)
    assert await tenant.rows(
        "SELECT status, extra, number ~ '^O-[0-9]{4}-[0-9]{2}-0001$' FROM ns.offers"
    ) == [("it's", '{"a": 1}', True)]


async def test_what_another_edit_leaves_alone_is_left_alone(tenant: Tenant) -> None:
    await tenant.migrate(compile_source(SOURCE, "acme-corp"))
    renamed = SOURCE.replace("status: {", "state: { renamed_from: status,").replace(
        "[status, due]", "[state, due]"
    )
    wanted = compile_source(renamed.replace("self.status", "self.state"), "acme-corp")
    migration = await tenant.migrate(wanted)
    assert [
        step.summary for step in migration.steps if step.summary.startswith(("index", "check", "add", "drop"))
    ] == []
    await tenant.assert_is(wanted)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
async def test_shipped_tenants(tenant: Tenant, path: Path) -> None:
    wanted = compile_source(path.read_bytes(), slug_of_file(path.stem))
    migration = await tenant.migrate(wanted)
    assert migration.level == 0
    await tenant.assert_is(wanted)
    assert (await tenant.plan(wanted, text="again")).changes_nothing
