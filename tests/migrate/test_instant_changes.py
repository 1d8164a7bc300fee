"""Class 0: one short transaction, nothing else."""

import time

import pytest
from migrating import Tenant, column, entity, model

from actors.tenant import migrator, registry
from schemas.compiler.migrate.steps import SWITCH

CUSTOMERS = entity(
    "customers",
    column("name", required=True, schema={"maxLength": 120}, searchable=True),
    column("email", schema={"format": "email"}, unique=True),
    column("region", schema={"enum": ["EU", "US"]}, default_value="EU"),
)
INVOICES = entity(
    "invoices",
    column("customer_id", "uuid", required=True, references="customers"),
    column("number", sequence="INV-{year}-{n:05}", unique=True),
    column("net", "numeric(38,2)", schema={"minimum": 0, "multipleOf": 0.01}),
    column("tags", "text[]"),
    column("lines", "json"),
    soft_delete=True,
)


async def test_new_tenant_has_all_tables_and_a_second_plan_is_empty(tenant: Tenant) -> None:
    wanted = model(CUSTOMERS, INVOICES)
    migration = await tenant.migrate(wanted)
    assert migration.level == 0
    assert {step.phase for step in migration.steps} == {SWITCH}
    await tenant.assert_is(wanted)
    again = await tenant.plan(wanted, text="again")
    assert again.changes_nothing
    assert again.hazards == ()


async def test_added_column_is_quick_and_keeps_rows(tenant: Tenant) -> None:
    await tenant.migrate(model(CUSTOMERS))
    await tenant.run(
        "INSERT INTO ns.customers (id, name) SELECT gen_random_uuid(), 'c' || n FROM generate_series(1, 100) n"
    )
    more = entity(
        "customers",
        *list(CUSTOMERS.fields.values())[1:],
        column("vip", "boolean", required=True, default_value=False),
    )
    migration = await tenant.plan(model(more))
    assert migration.level == 0
    started = time.perf_counter()
    await migrator.expand(tenant.connection, tenant.identity, migration)
    print(f"expand took {(time.perf_counter() - started) * 1000:.1f} ms")
    await tenant.assert_is(model(more))
    assert await tenant.value("SELECT count(*) FROM ns.customers WHERE NOT vip") == 100
    assert (await registry.current(tenant.connection, tenant.identity)).version == migration.version


async def test_an_unchanged_model_still_becomes_the_version(tenant: Tenant) -> None:
    await tenant.migrate(model(CUSTOMERS))
    migration = await tenant.migrate(model(CUSTOMERS), text="only a comment changed")
    assert (await registry.current(tenant.connection, tenant.identity)).version == migration.version
    states = [version.state for version in await registry.history(tenant.connection, tenant.identity)]
    assert states == ["deployed", "superseded"]


@pytest.mark.parametrize("rows", [0, 10])
async def test_numbers_come_without_gaps(tenant: Tenant, rows: int) -> None:
    await tenant.migrate(model(CUSTOMERS, INVOICES))
    customer = await tenant.value(
        "INSERT INTO ns.customers (id, name) VALUES (gen_random_uuid(), 'x') RETURNING id"
    )
    for _ in range(rows):
        await tenant.run("INSERT INTO ns.invoices (id, customer_id) VALUES (gen_random_uuid(), $1)", customer)
    numbers = [number for (number,) in await tenant.rows("SELECT number FROM ns.invoices ORDER BY number")]
    year = await tenant.value("SELECT to_char(now(), 'YYYY')")
    assert numbers == [f"INV-{year}-{n:05}" for n in range(1, rows + 1)]
