"""Crashes at every step, two migrators, long transactions, invalid indexes, drift."""

import asyncio
import time

import asyncpg
import pytest
from migrating import KilledError, Tenant, column, entity, kill_at, model
from msgspec.structs import replace

from actors.tenant import journal, migrator, registry
from schemas.compiler.model import Index

OLD = model(
    entity("things", column("a", "integer"), column("b"), column("c"), column("d")),
    entity("gone", column("x")),
)
NEW = model(
    entity(
        "stuff",
        column("a", "bigint", required=True, default_value=0),
        column("bb", renamed_from="b", unique=True, schema={"maxLength": 20}),
        column("c", required=True, default_value="-"),
        column("other_id", "uuid", references="others"),
        column("number", sequence="S-{n}"),
        indexes=(Index("", ("c", "a")),),
        renamed_from="things",
    ),
    entity("others", column("name")),
)
ROWS = 1200


async def prepared(tenant: Tenant) -> None:
    tenant.small_bytes = -1
    await tenant.migrate(OLD)
    await tenant.run(
        f"INSERT INTO ns.things (id, a, b, d) SELECT gen_random_uuid(), n, 'b' || n, 'd' FROM generate_series(1, {ROWS}) n"
    )
    await tenant.run("INSERT INTO ns.gone (id, x) VALUES (gen_random_uuid(), 'x')")


async def check(tenant: Tenant) -> None:
    await tenant.assert_is(NEW)
    assert await tenant.rows(
        "SELECT count(*), sum(a), count(DISTINCT bb), min(c), count(DISTINCT number) FROM ns.stuff"
    ) == [(ROWS, ROWS * (ROWS + 1) // 2, ROWS, "-", ROWS)]


async def test_killed_at_every_step_it_resumes_or_is_taken_back(tenant: Tenant) -> None:
    await prepared(tenant)
    start = await registry.current(tenant.connection, tenant.identity)
    steady, number, outcomes = tenant.pace, 0, set()
    while True:
        number += 1
        checkpoint, _ = kill_at(number)
        tenant.pace = replace(steady, checkpoint=checkpoint)
        try:
            await tenant.migrate(NEW, confirmed=True, text=f"new {number}")
        except KilledError:
            await tenant.reconnect()
        else:
            break
        tenant.pace = steady
        left = await migrator.resume(tenant.connection, tenant.identity, pace=steady)
        assert await journal.open_migration(tenant.connection, tenant.identity) is None
        now = await registry.current(tenant.connection, tenant.identity)
        outcomes.add(left.state if left else "nothing")
        if now.version == start.version:
            await tenant.assert_is(OLD)
            assert await tenant.value("SELECT count(DISTINCT b) FROM ns.things") == ROWS
        else:
            await check(tenant)
            await tenant.back_to(start.version, OLD)
            await tenant.assert_is(OLD)
            start = await registry.current(tenant.connection, tenant.identity)
    assert outcomes == {"running", "switched"}
    assert number > 15
    await check(tenant)


async def test_a_statement_that_fails_takes_the_whole_step_with_it(tenant: Tenant) -> None:
    await prepared(tenant)
    before = await tenant.catalog()
    migration = await tenant.plan(NEW)
    for number, step in enumerate(migration.steps):
        if step.phase == "contract" or not step.sql or step.mode != "instant":
            continue
        broken = replace(
            migration,
            steps=(
                *migration.steps[:number],
                replace(step, sql=(*step.sql, "SELECT 1 / 0")),
                *migration.steps[number + 1 :],
            ),
        )
        with pytest.raises(migrator.MigrationRefusedError, match="division by zero"):
            await migrator.expand(tenant.connection, tenant.identity, broken, confirmed=True)
        assert await tenant.catalog() == before
        assert await journal.open_migration(tenant.connection, tenant.identity) is None
    await tenant.migrate(NEW, confirmed=True)
    await check(tenant)


async def test_of_two_migrators_exactly_one_runs(tenant: Tenant) -> None:
    await prepared(tenant)
    migration = await tenant.plan(NEW)
    other = await asyncpg.connect(tenant.url)

    async def attempt(connection: asyncpg.Connection) -> str:
        try:
            await migrator.expand(connection, tenant.identity, migration, confirmed=True)
        except migrator.StalePlanError:
            return "stale"
        return "ran"

    outcomes = await asyncio.gather(attempt(tenant.connection), attempt(other))
    assert sorted(outcomes) == ["ran", "stale"]
    await migrator.contract(other, tenant.identity)
    await check(tenant)
    await other.close()


async def test_a_long_transaction_does_not_stop_readers(tenant: Tenant) -> None:
    await prepared(tenant)
    holder, reader = await asyncpg.connect(tenant.url), await asyncpg.connect(tenant.url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.fetch(f'SELECT * FROM "{tenant.namespace}".things LIMIT 1')
    seen: list[str] = []

    async def watch(what: str) -> None:
        pass

    slowest, stop = 0.0, asyncio.Event()

    async def read() -> None:
        nonlocal slowest
        while not stop.is_set():
            started = time.perf_counter()
            await reader.fetch(f'SELECT * FROM "{tenant.namespace}".things LIMIT 1')
            slowest = max(slowest, time.perf_counter() - started)
            await asyncio.sleep(0.002)

    wanted = model(
        entity("things", *list(OLD.entities["things"].fields.values())[1:], column("e")), OLD.entities["gone"]
    )
    reading = asyncio.get_running_loop().create_task(read())
    migrating = asyncio.get_running_loop().create_task(tenant.migrate(wanted))
    await asyncio.sleep(1.2)
    assert not migrating.done()
    stop.set()
    await reading
    await transaction.rollback()
    await migrating
    await tenant.assert_is(wanted)
    print(f"slowest read {slowest * 1000:.0f} ms")
    assert slowest < 0.15
    assert seen == []
    await holder.close()
    await reader.close()


async def test_who_blocks_is_told(tenant: Tenant) -> None:
    await prepared(tenant)
    holder = await asyncpg.connect(tenant.url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.fetch(f'SELECT * FROM "{tenant.namespace}".things LIMIT 1')
    tenant.pace = replace(tenant.pace, patience=0.3)
    wanted = model(
        entity("things", *list(OLD.entities["things"].fields.values())[1:], column("e")), OLD.entities["gone"]
    )
    with pytest.raises(Exception, match=f"waiting on pid {holder.get_server_pid()}"):
        await tenant.migrate(wanted)
    await transaction.rollback()
    await holder.close()
    await tenant.assert_is(OLD)


async def test_an_invalid_index_is_rebuilt(tenant: Tenant) -> None:
    await prepared(tenant)
    wanted = model(
        entity("things", *list(OLD.entities["things"].fields.values())[1:], indexes=(Index("", ("b",)),)),
        OLD.entities["gone"],
    )
    migration = await tenant.plan(wanted)
    await migrator.expand(tenant.connection, tenant.identity, migration)
    name = next(step.index for step in migration.steps if step.index)
    await tenant.run('CREATE INDEX "things_b_idx" ON ns.things (b)')
    await tenant.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", name)
    await migrator.contract(tenant.connection, tenant.identity)
    await tenant.assert_is(wanted)


async def test_duplicates_that_appear_after_planning_take_the_plan_back(tenant: Tenant) -> None:
    await prepared(tenant)
    migration = await tenant.plan(NEW)
    await tenant.run("UPDATE ns.things SET b = 'same'")
    with pytest.raises(migrator.MigrationRefusedError):
        await migrator.expand(tenant.connection, tenant.identity, migration, confirmed=True)
    await tenant.assert_is(OLD)


async def test_rows_that_break_a_condition_after_planning_keep_the_version(tenant: Tenant) -> None:
    await prepared(tenant)
    wanted = model(
        entity(
            "things",
            column("a", "integer", schema={"minimum": 1}),
            *list(OLD.entities["things"].fields.values())[2:],
        ),
        OLD.entities["gone"],
    )
    migration = await tenant.plan(wanted)
    assert migration.level == 1
    await tenant.run("UPDATE ns.things SET a = 0 WHERE a = 1")
    await migrator.expand(tenant.connection, tenant.identity, migration)
    notes = await migrator.contract(tenant.connection, tenant.identity)
    assert len(notes) == 1
    assert "things_a_range" in notes[0]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE ns.things ADD COLUMN mine text",
        "ALTER TABLE ns.things ALTER COLUMN row_version SET DEFAULT 5",
        "DROP TABLE ns.gone",
        "CREATE TABLE ns.mine (id integer)",
        "ALTER TABLE ns.things ADD CHECK (a > 0)",
        "CREATE INDEX ON ns.things (c)",
    ],
)
async def test_drift_is_shown_and_waits(tenant: Tenant, sql: str) -> None:
    await prepared(tenant)
    await tenant.run(sql)
    migration = await tenant.plan(OLD, text="anything")
    assert migration.level >= 2
    assert [hazard.code for hazard in migration.hazards if hazard.code == "migration.drift"] == [
        "migration.drift"
    ]


async def test_nothing_of_a_removed_table_can_be_read_by_the_tenant(tenant: Tenant) -> None:
    await prepared(tenant)
    await tenant.migrate(model(OLD.entities["things"]), confirmed=True)
    archived = await tenant.value(
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relkind = 'r'",
        tenant.identity.archive,
    )
    rights = await tenant.value(
        "SELECT has_table_privilege($1, $2::oid, 'SELECT')", tenant.identity.role, archived
    )
    assert rights is False
