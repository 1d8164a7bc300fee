"""The switch: a file's own tests run inside it, its description says what it does, going back finds old texts."""

import pytest
from migrating import Tenant, column, entity, model

from actors.tenant import journal, migrator, registry, rollbacks
from schemas.compiler.migrate.describe import describe, render_plan
from schemas.compiler.model import Index

OLD = model(entity("things", column("a")))
NEW = model(entity("things", column("a", unique=True), column("b")))


class RuleFailedError(Exception):
    pass


@pytest.mark.parametrize("way", ["direct", "online"])
async def test_a_failing_verification_keeps_the_old_version(tenant: Tenant, way: str) -> None:
    await tenant.migrate(OLD)
    await tenant.run("INSERT INTO ns.things (id, a) VALUES (gen_random_uuid(), 'x')")
    tenant.small_bytes = -1 if way == "online" else tenant.small_bytes
    before = await registry.current(tenant.connection, tenant.identity)
    migration = await tenant.plan(NEW)
    seen = []

    async def verify(connection: object) -> None:
        seen.append(await tenant.value("SELECT count(*) FROM ns.things WHERE b IS NULL"))
        raise RuleFailedError("a member may not read this")

    with pytest.raises(RuleFailedError, match="a member"):
        await migrator.expand(tenant.connection, tenant.identity, migration, verify=verify)
    assert seen == [1]
    assert await registry.current(tenant.connection, tenant.identity) == before
    assert await journal.open_migration(tenant.connection, tenant.identity) is None
    await tenant.assert_is(OLD)
    assert (await tenant.plan(OLD, text="unchanged")).hazards == ()


async def test_a_plan_describes_itself(tenant: Tenant) -> None:
    await tenant.migrate(
        model(entity("things", column("a"), column("old", "integer"), indexes=(Index("", ("a",)),)))
    )
    await tenant.run("INSERT INTO ns.things (id, old) VALUES (gen_random_uuid(), 1)")
    tenant.small_bytes = -1
    migration = await tenant.plan(
        model(entity("things", column("b", renamed_from="a"), column("c", references="things", kind="uuid")))
    )
    said = describe(migration)
    assert (said["level"], said["plan_id"]) == (2, migration.plan_id)
    assert "1 row move" in said["summary"][0]
    text = render_plan(migration, "acme-corp")
    for part in (
        "needs confirmation",
        "RENAME COLUMN",
        f"--confirm {migration.plan_id}",
        "_arch_old_",
        "renamed_from",
        "CONCURRENTLY",
    ):
        assert part in text
    assert render_plan(await tenant.plan(OLD, text="x"), "acme-corp") != ""


async def test_an_old_text_is_known_again(tenant: Tenant) -> None:
    first = await tenant.migrate(OLD, text="first")
    digest = (await registry.current(tenant.connection, tenant.identity)).digest
    assert await rollbacks.earlier_version(tenant.connection, tenant.identity, digest) is None
    await tenant.migrate(NEW, text="second")
    assert await rollbacks.earlier_version(tenant.connection, tenant.identity, digest) == first.version
