"""Every row of the class table, on tables with rows, by the direct and by the online way."""

from typing import Any

import pytest
from migrating import Tenant, column, entity, model

from actors.tenant import migrator
from schemas.compiler.migrate.steps import BACKFILL, CONTRACT
from schemas.compiler.model import Index

ROWS = 2500


@pytest.fixture(params=["direct", "online"])
def way(request: pytest.FixtureRequest, tenant: Tenant) -> str:
    if request.param == "online":
        tenant.small_bytes = -1
    return request.param


def things(*fields: Any, **more: Any) -> Any:
    return entity("things", *fields, **more)


NAME, AMOUNT, CODE = column("name"), column("amount", "integer"), column("code")


async def filled(tenant: Tenant, *fields: Any, **more: Any) -> None:
    await tenant.migrate(model(things(*fields, **more)))
    values = {"name": "'n' || n", "amount": "n", "code": "n::text", "flag": "true", "data": "to_jsonb(n)"}
    names = [item.name for item in fields if item.name in values]
    types = {item.name: item.pg_type for item in fields}
    listed = ", ".join(f"({values[name]})::{types[name]}" for name in names)
    await tenant.run(
        f"INSERT INTO ns.things (id, {', '.join(names)}) SELECT gen_random_uuid(), {listed} FROM generate_series(1, {ROWS}) n"
    )


async def test_nullable_column_is_instant(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME)
    wanted = model(things(NAME, column("note")))
    assert (await tenant.migrate(wanted)).level == 0
    await tenant.assert_is(wanted)


async def test_default_and_not_null_with_a_constant_are_instant(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME)
    wanted = model(things(NAME, column("rank", "integer", required=True, default_value=7)))
    assert (await tenant.migrate(wanted)).level == 0
    await tenant.assert_is(wanted)
    assert await tenant.value("SELECT count(*) FROM ns.things WHERE rank = 7") == ROWS
    without = model(things(NAME, column("rank", "integer")))
    assert (await tenant.migrate(without)).level == 0
    await tenant.assert_is(without)


async def test_index_is_built_beside_the_traffic(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME)
    wanted = model(things(NAME, indexes=(Index("", ("name",)),)))
    migration = await tenant.migrate(wanted)
    assert migration.level == (0 if way == "direct" else 1)
    assert any(step.phase == CONTRACT for step in migration.steps) == (way == "online")
    await tenant.assert_is(wanted)


async def test_unique_is_proven_before_the_switch(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME)
    wanted = model(things(column("name", unique=True)))
    migration = await tenant.migrate(wanted)
    assert any(step.phase == BACKFILL for step in migration.steps) == (way == "online")
    await tenant.assert_is(wanted)


async def test_unique_with_duplicates_is_refused_with_samples(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME)
    await tenant.run(
        "UPDATE ns.things SET name = 'same' WHERE amount_free(name)".replace(
            "amount_free(name)", "name < 'n2'"
        )
    )
    before = await tenant.catalog()
    migration = await tenant.plan(model(things(column("name", unique=True))))
    assert migration.level == 3
    assert [(hazard.code, hazard.count, len(hazard.sample)) for hazard in migration.hazards] == [
        ("migration.duplicates", 1, 1)
    ]
    with pytest.raises(migrator.MigrationRefusedError):
        await migrator.expand(tenant.connection, tenant.identity, migration, confirmed=True)
    assert await tenant.catalog() == before


async def test_check_that_rows_meet(tenant: Tenant, way: str) -> None:
    await filled(tenant, AMOUNT)
    wanted = model(things(column("amount", "integer", schema={"minimum": 1, "maximum": 5000})))
    assert (await tenant.migrate(wanted)).level == (0 if way == "direct" else 1)
    await tenant.assert_is(wanted)


async def test_check_that_rows_break_waits_and_then_holds_new_rows(tenant: Tenant, way: str) -> None:
    await filled(tenant, AMOUNT)
    wanted = model(things(column("amount", "integer", schema={"minimum": 100})))
    migration = await tenant.plan(wanted)
    assert migration.level == 2
    (hazard,) = migration.hazards
    assert (hazard.count, len(hazard.sample)) == (99, 5)
    with pytest.raises(migrator.ConfirmationNeededError):
        await migrator.expand(tenant.connection, tenant.identity, migration)
    await tenant.migrate(wanted, confirmed=True)
    assert await tenant.value("SELECT count(*) FROM ns.things") == ROWS
    with pytest.raises(Exception, match="things_amount_range"):
        await tenant.run("INSERT INTO ns.things (id, amount) VALUES (gen_random_uuid(), 5)")
    again = await tenant.migrate(wanted, text="still broken")
    assert again.changes_nothing
    await tenant.run("UPDATE ns.things SET amount = 100 WHERE amount < 100")
    await tenant.migrate(wanted, text="now they meet it")
    await tenant.assert_is(wanted)


async def test_enum_grows_and_shrinks(tenant: Tenant, way: str) -> None:
    await filled(tenant, column("name", schema={"enum": [f"n{n}" for n in range(1, ROWS + 1)]}))
    grown = model(things(column("name", schema={"enum": [f"n{n}" for n in range(1, ROWS + 2)]})))
    assert (await tenant.migrate(grown)).level < 2
    await tenant.assert_is(grown)
    shrunk = model(things(column("name", schema={"enum": [f"n{n}" for n in range(1, ROWS)]})))
    migration = await tenant.plan(shrunk)
    assert (migration.level, migration.hazards[0].count) == (2, 1)


async def test_required_with_default_fills_old_rows(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME, column("amount", "integer"))
    await tenant.run("UPDATE ns.things SET name = NULL WHERE amount % 2 = 0")
    wanted = model(things(column("name", required=True, default_value="none"), AMOUNT))
    assert (await tenant.migrate(wanted)).level == (0 if way == "direct" else 1)
    await tenant.assert_is(wanted)
    assert await tenant.value("SELECT count(*) FROM ns.things WHERE name = 'none'") == ROWS // 2


async def test_required_without_value_waits_then_catches_up(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME)
    wanted = model(things(NAME, column("code", required=True)))
    migration = await tenant.plan(wanted)
    assert migration.level == 2
    assert migration.hazards[0].code == "migration.required_without_value"
    assert migration.hazards[0].count > 1000
    await tenant.migrate(wanted, confirmed=True)
    assert await tenant.value("SELECT count(*) FROM ns.things WHERE code IS NULL") == ROWS
    with pytest.raises(Exception, match="things_code_required"):
        await tenant.run("INSERT INTO ns.things (id) VALUES (gen_random_uuid())")
    assert (await tenant.migrate(wanted, text="not yet")).changes_nothing
    await tenant.run("UPDATE ns.things SET code = 'x'")
    await tenant.migrate(wanted, text="filled")
    await tenant.assert_is(wanted)


async def test_foreign_key(tenant: Tenant, way: str) -> None:
    owner = entity("owners", column("name"))
    plain = things(NAME, column("owner_id", "uuid"))
    await tenant.migrate(model(owner, plain))
    await tenant.run("INSERT INTO ns.owners (id) SELECT gen_random_uuid() FROM generate_series(1, 5)")
    await tenant.run(
        "INSERT INTO ns.things (id, owner_id) SELECT gen_random_uuid(), (SELECT id FROM ns.owners LIMIT 1) FROM generate_series(1, 50)"
    )
    wanted = model(owner, things(NAME, column("owner_id", "uuid", references="owners")))
    assert (await tenant.migrate(wanted)).level == (0 if way == "direct" else 1)
    await tenant.assert_is(wanted)
    changed = model(owner, things(NAME, column("owner_id", "uuid", references="owners", on_delete="cascade")))
    migration = await tenant.migrate(changed, confirmed=True)
    assert [hazard.code for hazard in migration.hazards] == ["migration.reference_change"]
    await tenant.assert_is(changed)


async def test_foreign_key_with_orphans_waits(tenant: Tenant, way: str) -> None:
    owner = entity("owners", column("name"))
    await tenant.migrate(model(owner, things(column("owner_id", "uuid"))))
    await tenant.run(
        "INSERT INTO ns.things (id, owner_id) SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 3)"
    )
    wanted = model(owner, things(column("owner_id", "uuid", references="owners")))
    migration = await tenant.migrate(wanted, confirmed=True)
    assert (migration.level, migration.hazards[0].count) == (2, 3)
    await tenant.run("DELETE FROM ns.things")
    await tenant.migrate(wanted, text="clean")
    await tenant.assert_is(wanted)


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ("integer", "bigint", 2), ("integer", "numeric", 2), ("integer", "text", 2), ("numeric(38,2)", "numeric", 0),
        ("numeric", "numeric(38,2)", 2), ("text", "bigint", 2), ("text", "json", 2), ("bigint", "integer", 2),
        ("text", "text[]", 2), ("integer", "double", 2),
    ],
)  # fmt: skip
async def test_type_change_keeps_both_forms(
    tenant: Tenant, way: str, before: str, after: str, level: int
) -> None:
    old = things(
        column("code", before, required=True, default_value=0 if before != "text" else "0"),
        indexes=(Index("", ("code",)),),
    )
    await filled(tenant, *list(old.fields.values())[1:], indexes=old.indexes)
    method = "gin" if after in ("json", "text[]") else "btree"
    wanted = model(
        things(
            column("code", after, required=True, schema={"type": "any"}),
            indexes=(Index("", ("code",), method=method),),
        )
    )
    migration = await tenant.migrate(wanted, confirmed=True)
    assert migration.level == level
    await tenant.assert_is(wanted)
    assert await tenant.value("SELECT count(*) FROM ns.things WHERE code IS NOT NULL") == ROWS
    if level:
        kept = f"_arch_code_{migration.version}"
        assert await tenant.value(f'SELECT count(*) FROM ns.things WHERE "{kept}" IS NOT NULL') == ROWS


async def test_values_that_do_not_convert_are_counted_and_kept(tenant: Tenant, way: str) -> None:
    await filled(tenant, CODE)
    await tenant.run("UPDATE ns.things SET code = 'x' || code WHERE code::int <= 3")
    wanted = model(things(column("code", "integer")))
    migration = await tenant.migrate(wanted, confirmed=True)
    assert (migration.hazards[0].code, migration.hazards[0].count) == ("migration.type_change", 3)
    await tenant.assert_is(wanted)
    await tenant.run("UPDATE ns.things SET code = 9999 WHERE code = 10")
    await tenant.back_to(1, model(things(CODE)))
    await tenant.assert_is(model(things(CODE)))
    assert await tenant.value("SELECT count(*) FROM ns.things WHERE code IN ('x1', 'x2', 'x3', '9999')") == 4


async def test_no_conversion_is_refused_while_there_are_values(tenant: Tenant, way: str) -> None:
    await filled(tenant, column("flag", "boolean"))
    migration = await tenant.plan(model(things(column("flag", "date"))))
    assert migration.level == 3
    await tenant.run("UPDATE ns.things SET flag = NULL")
    wanted = model(things(column("flag", "date")))
    await tenant.migrate(wanted, confirmed=True)
    await tenant.assert_is(wanted)


async def test_removed_field_is_archived_and_comes_back(tenant: Tenant, way: str) -> None:
    await filled(tenant, NAME, column("code", required=True, unique=True))
    wanted = model(things(NAME))
    migration = await tenant.plan(wanted)
    assert (migration.level, migration.hazards[0].code) == (2, "migration.remove_field")
    migration = await tenant.migrate(wanted, confirmed=True)
    await tenant.assert_is(wanted)
    await tenant.run("INSERT INTO ns.things (id) VALUES (gen_random_uuid())")
    again = model(things(NAME, CODE))
    assert (await tenant.migrate(again)).level == 0
    assert await tenant.value("SELECT count(code) FROM ns.things") == 0
    await tenant.migrate(wanted, text="away again")
    restored = model(things(NAME, column("code", restore_from=f"code@{migration.version}")))
    await tenant.migrate(restored)
    await tenant.assert_is(restored)
    assert await tenant.value("SELECT count(DISTINCT code) FROM ns.things") == ROWS


async def test_removed_entity_is_archived_and_comes_back(tenant: Tenant, way: str) -> None:
    parts = entity(
        "parts", column("thing_id", "uuid", references="things"), column("n", "bigint", generated="identity")
    )
    await filled(tenant, NAME)
    both = model(things(NAME), parts)
    await tenant.migrate(both)
    version = (await tenant.plan(both, text="same")).base
    await tenant.run(
        "INSERT INTO ns.parts (id, thing_id) SELECT gen_random_uuid(), id FROM ns.things LIMIT 10"
    )
    only = model(things(NAME))
    migration = await tenant.migrate(only, confirmed=True)
    assert migration.hazards[0].code == "migration.remove_entity"
    await tenant.assert_is(only)
    await tenant.run("DELETE FROM ns.things")  # archived rows hold nothing back
    new = model(things(NAME), parts)
    await tenant.migrate(new, text="a new one")
    assert await tenant.value("SELECT count(*) FROM ns.parts") == 0
    await tenant.migrate(only, text="away")
    await tenant.back_to(version, both)
    assert await tenant.value("SELECT count(*) FROM ns.parts") == 10


async def test_key_change(tenant: Tenant, way: str) -> None:
    whole = entity("things", NAME, key=column("id", "bigint", required=True, generated="identity"))
    await filled(tenant, NAME)
    assert (await tenant.plan(model(whole))).level == 3
    await tenant.run("DELETE FROM ns.things")
    await tenant.migrate(model(whole))
    await tenant.assert_is(model(whole))


async def test_removing_what_is_empty_needs_no_yes(tenant: Tenant, way: str) -> None:
    await tenant.migrate(model(things(NAME, CODE), entity("others", NAME)))
    assert (await tenant.migrate(model(things(NAME)))).level == 0
    await tenant.assert_is(model(things(NAME)))
