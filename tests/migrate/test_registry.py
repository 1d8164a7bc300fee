"""The registry: names, versions, confirmations, and the function statements refuse by."""

import asyncio
import json

import asyncpg
import pytest
from migrating import Tenant, column, entity, model

from actors.tenant import registry
from schemas.compiler.diagnostics import Diagnostic, Position


async def test_bootstrap_by_many_processes_at_once(database_url: str) -> None:
    connections = [await asyncpg.connect(database_url) for _ in range(4)]
    await asyncio.gather(*(registry.bootstrap(connection) for connection in connections))
    keys = await asyncio.gather(*(registry.cluster_key(connection) for connection in connections))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 64
    identities = await asyncio.gather(
        *(registry.ensure_tenant(connection, "race-corp") for connection in connections)
    )
    assert len(set(identities)) == 1
    for connection in connections:
        await connection.close()


async def test_names_are_opaque(tenant: Tenant) -> None:
    identity = tenant.identity
    assert identity.namespace.startswith("t_")
    assert identity.archive.startswith("a_")
    assert "acme" not in identity.namespace + identity.archive + identity.role
    assert await registry.find_tenant(tenant.connection, identity.slug) == identity
    assert await registry.find_tenant(tenant.connection, "nobody") is None


async def test_versions_are_kept_and_not_piled_up(tenant: Tenant) -> None:
    connection, identity = tenant.connection, tenant.identity
    finding = Diagnostic("field.unknown", "no such field", Position(3, 5), "entities.x", "did you mean 'y'?")
    first = await registry.record(
        connection, identity, text="a", digest="1", state="rejected", diagnostics=[finding]
    )
    assert (
        await registry.record(
            connection, identity, text="a", digest="1", state="rejected", diagnostics=[finding]
        )
        == first
    )
    second = await registry.record(connection, identity, text="b", digest="2", author="me")
    assert second == first + 1
    kept = await registry.version(connection, identity, first)
    assert kept is not None
    assert (kept.text, kept.state, kept.diagnostics) == ("a", "rejected", (finding,))
    assert [version.number for version in await registry.history(connection, identity)] == [second, first]
    assert await registry.version(connection, identity, 99) is None


async def test_a_plan_waits_for_its_confirmation(tenant: Tenant) -> None:
    await tenant.migrate(model(entity("things", column("name"))))
    await tenant.run("INSERT INTO ns.things (id, name) VALUES (gen_random_uuid(), 'x')")
    migration = await tenant.plan(model(entity("things")))
    await registry.hold(tenant.connection, tenant.identity, migration, {"plan_id": migration.plan_id})
    held = await registry.version(tenant.connection, tenant.identity, migration.version)
    assert held is not None
    assert (held.state, held.plan) == ("pending", {"plan_id": migration.plan_id})
    assert not await registry.is_confirmed(tenant.connection, tenant.identity, migration.plan_id)
    await registry.confirm(tenant.connection, tenant.identity, migration.plan_id, "me")
    assert await registry.is_confirmed(tenant.connection, tenant.identity, migration.plan_id)
    again = await tenant.plan(model(entity("things")))
    assert again.plan_id == migration.plan_id
    assert (await tenant.plan(model(entity("things")), text="another file")).plan_id != migration.plan_id


@pytest.mark.parametrize("code", ["BS403", "BS409", "BS422", "BS429"])
async def test_statements_refuse_with_a_code_and_a_detail(tenant: Tenant, code: str) -> None:
    detail = json.dumps({"entity": "things"})
    await tenant.connection.execute(f'SET ROLE "{tenant.identity.role}"')
    with pytest.raises(asyncpg.PostgresError) as caught:
        await tenant.connection.fetchval("SELECT backsaas_api.refuse($1::text, $2::text)", code, detail)
    assert (caught.value.sqlstate, caught.value.detail) == (code, detail)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tenant.connection.fetchval("SELECT count(*) FROM backsaas.tenants")
    await tenant.connection.execute("RESET ROLE")
