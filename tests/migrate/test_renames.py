"""Renames: one line in the file, catalog only, everything named after it follows."""

import pytest
from migrating import Tenant, column, entity, model
from msgspec.structs import replace

from schemas.compiler.migrate.steps import INSTANT
from schemas.compiler.model import Index

PEOPLE = entity(
    "people",
    column("name", required=True, schema={"maxLength": 50, "enum": ["a", "b"]}, unique=True, searchable=True),
)
NOTES = entity(
    "notes",
    column("person_id", "uuid", references="people"),
    column("body", default_value="-"),
    column("number", sequence="N-{n:03}"),
    indexes=(Index("", ("body", "person_id")),),
)


async def both(tenant: Tenant) -> None:
    await tenant.migrate(model(PEOPLE, NOTES))
    await tenant.run(
        "INSERT INTO ns.people (id, name) VALUES (gen_random_uuid(), 'a'), (gen_random_uuid(), 'b')"
    )
    await tenant.run("INSERT INTO ns.notes (id, person_id) SELECT gen_random_uuid(), id FROM ns.people")
    tenant.small_bytes = -1


async def test_renaming_everything_at_once_touches_no_row(tenant: Tenant) -> None:
    await both(tenant)
    files = await tenant.value(
        "SELECT pg_relation_filenode('ns.people') || ',' || pg_relation_filenode('ns.notes')"
    )
    people = entity(
        "contacts",
        column(
            "title",
            required=True,
            schema={"maxLength": 50, "enum": ["a", "b"]},
            unique=True,
            searchable=True,
            renamed_from="name",
        ),
        renamed_from="people",
    )
    notes = entity(
        "remarks",
        column("contact_id", "uuid", references="contacts", renamed_from="person_id"),
        column("text", default_value="-", renamed_from="body"),
        column("code", sequence="N-{n:03}", renamed_from="number"),
        indexes=(Index("", ("text", "contact_id")),),
        renamed_from="notes",
    )
    wanted = model(people, notes)
    migration = await tenant.migrate(wanted)
    assert migration.level == 0
    assert {step.mode for step in migration.steps} == {INSTANT}
    await tenant.assert_is(wanted)
    after = await tenant.value(
        "SELECT pg_relation_filenode('ns.contacts') || ',' || pg_relation_filenode('ns.remarks')"
    )
    assert after == files
    await tenant.run("INSERT INTO ns.remarks (id) VALUES (gen_random_uuid())")
    assert await tenant.rows("SELECT code FROM ns.remarks ORDER BY code") == [
        ("N-001",),
        ("N-002",),
        ("N-003",),
    ]
    assert (await tenant.plan(wanted, text="again")).changes_nothing
    await tenant.back_to(1, model(PEOPLE, NOTES))
    await tenant.assert_is(model(PEOPLE, NOTES))
    assert await tenant.value("SELECT count(*) FROM ns.notes JOIN ns.people ON people.id = person_id") == 2


async def test_a_name_moves_on_and_is_taken_by_a_new_field(tenant: Tenant) -> None:
    await both(tenant)
    wanted = model(
        entity(
            "people",
            column("name"),
            column(
                "title",
                required=True,
                schema=PEOPLE.fields["name"].schema,
                unique=True,
                searchable=True,
                renamed_from="name",
            ),
        ),
        NOTES,
    )
    await tenant.migrate(wanted)
    await tenant.assert_is(wanted)
    assert await tenant.rows("SELECT name, title FROM ns.people ORDER BY title") == [(None, "a"), (None, "b")]
    await tenant.back_to(1, model(PEOPLE, NOTES))
    await tenant.assert_is(model(PEOPLE, NOTES))


async def test_names_move_along_a_chain(tenant: Tenant) -> None:
    first = model(entity("things", column("a", unique=True), column("b", unique=True)))
    await tenant.migrate(first)
    await tenant.run("INSERT INTO ns.things (id, a, b) VALUES (gen_random_uuid(), '1', '2')")
    wanted = model(
        entity(
            "things", column("b", unique=True, renamed_from="a"), column("c", unique=True, renamed_from="b")
        )
    )
    migration = await tenant.migrate(wanted)
    assert migration.level == 0
    await tenant.assert_is(wanted)
    assert await tenant.rows("SELECT b, c FROM ns.things") == [("1", "2")]
    assert (await tenant.plan(wanted, text="again")).changes_nothing
    await tenant.back_to(1, first)
    assert await tenant.rows("SELECT a, b FROM ns.things") == [("1", "2")]


async def test_of_several_former_names_the_one_that_is_there_counts(tenant: Tenant) -> None:
    wanted = model(entity("stuff", column("c", renamed_from=("b", "a")), renamed_from=("goods", "things")))
    for table, name in (("things", "a"), ("goods", "b")):  # two installations, one of them skipped a version
        await tenant.migrate(model(entity(table, column(name), renamed_from="stuff")), confirmed=True)
        await tenant.run(f"INSERT INTO ns.{table} (id, {name}) VALUES (gen_random_uuid(), '{name}')")
        assert (await tenant.migrate(wanted)).level == 0
        assert await tenant.value(f"SELECT count(*) FROM ns.stuff WHERE c = '{name}'") == 1


async def test_rename_and_other_type_in_one_edit(tenant: Tenant) -> None:
    await tenant.migrate(model(entity("things", column("a", "integer", required=True, unique=True))))
    await tenant.run(
        "INSERT INTO ns.things (id, a) SELECT gen_random_uuid(), n FROM generate_series(1, 2000) n"
    )
    tenant.small_bytes = -1
    wanted = model(
        entity(
            "stuff", column("b", "text", required=True, unique=True, renamed_from="a"), renamed_from="things"
        )
    )
    await tenant.migrate(wanted, confirmed=True)
    await tenant.assert_is(wanted)
    assert await tenant.value("SELECT count(DISTINCT b) FROM ns.stuff") == 2000


async def test_entities_change_names_with_references_between_them(tenant: Tenant) -> None:
    await both(tenant)
    people = replace(PEOPLE, name="notes", renamed_from=("people",))
    wanted = model(people, replace(NOTES, name="people", renamed_from=("notes",)))
    migration = await tenant.plan(wanted)
    assert not any(step.phase == "switch" and "rename table" in step.summary for step in migration.steps)


@pytest.mark.parametrize("length", [48, 40])
async def test_long_names_stay_apart(tenant: Tenant, length: int) -> None:
    first, second = "a" * length, "a" * (length - 1) + "b"
    wanted = model(
        *(
            entity(name, *(column(name, unique=True, schema={"maxLength": 9}) for name in (first, second)))
            for name in (first, second)
        )
    )
    await tenant.migrate(wanted)
    await tenant.assert_is(wanted)


async def test_indexes_of_similar_names_stay_apart(tenant: Tenant) -> None:
    wanted = model(entity("a", column("b_c", unique=True)), entity("a_b", column("c", unique=True)))
    await tenant.migrate(wanted)
    await tenant.assert_is(wanted)
