"""A tenant's place in PostgreSQL: made, mended, removed."""

import asyncio

import asyncpg
import pytest

from actors.connections import ConnectError, TenantConnection, derive_password
from actors.database import Database
from actors.messages import TenantIdentity
from actors.tenant.executor import StaleGenerationError, fetch_one, fetch_rows_on, in_transaction
from actors.tenant.furniture import FURNITURE, OUTBOX, furnished
from actors.tenant.provision import deprovision, is_provisioned, provision, scram_verifier, secure_database
from tests.isolation.world import KEY, Tenants


async def test_provisioning_again_changes_nothing_and_mends_what_was_broken(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    owner, name = tenants.owner, identity.namespace
    query = (
        "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit"
        " FROM pg_roles WHERE rolname = $1"
    )
    before = tuple(await owner.fetchrow(query, name))
    assert before == (False, False, False, False, True, False, False, 50)
    await owner.execute(
        f"CREATE TABLE {name}.t (a int); REVOKE ALL ON {name}.t FROM {name}; REVOKE USAGE ON SCHEMA {name} FROM {name}"
    )
    await owner.execute(
        f"ALTER ROLE {name} SUPERUSER CREATEDB CONNECTION LIMIT 3 PASSWORD 'x'; GRANT pg_read_all_data TO {name}"
    )
    await tenants.provision(identity)
    assert tuple(await owner.fetchrow(query, name)) == before
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = $1",
            name,
        )
        == 0
    )
    connection = await pool.acquire()
    assert await connection.fetch(f"SELECT * FROM {name}.t") == []
    pool.release(connection)


async def test_many_at_once_and_the_same_twice(tenants: Tenants, database: Database) -> None:
    identity = TenantIdentity("same", "same", "t_" + "5" * 16, "a_" + "5" * 16)
    connections = [await database.dedicated() for _ in range(4)]
    await asyncio.gather(*(provision(connection, identity, "x") for connection in connections))
    await asyncio.gather(*(deprovision(connection, identity) for connection in connections))
    await asyncio.gather(*(secure_database(connection) for connection in connections))
    for connection in connections:
        await connection.close()
    assert (
        await tenants.owner.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", identity.namespace)
        == 0
    )


async def test_removed_means_nothing_is_left(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    await tenants.owner.execute(
        f"CREATE TABLE {identity.namespace}.t (a int); CREATE TABLE {identity.archive}.t (a int)"
    )
    pool.release(await pool.acquire())
    pool.reset()
    await deprovision(tenants.owner, identity)
    await deprovision(tenants.owner, identity)
    left = await tenants.owner.fetchval(
        "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = $1) + (SELECT count(*) FROM pg_namespace WHERE nspname = ANY($2::text[]))"
        " + (SELECT count(*) FROM pg_default_acl d WHERE d.defaclacl::text LIKE '%' || $1 || '%')",
        identity.namespace,
        [identity.namespace, identity.archive],
    )
    assert left == 0
    with pytest.raises(ConnectError):
        await pool.acquire()


async def test_it_is_all_or_nothing(tenants: Tenants) -> None:
    identity = TenantIdentity("x", "x", "t_" + "7" * 16, "a_" + "7" * 16)
    transaction = tenants.owner.transaction()
    await transaction.start()
    await provision(tenants.owner, identity, "x")
    await transaction.rollback()
    assert (
        await tenants.owner.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", identity.namespace)
        == 0
    )


@pytest.mark.parametrize(
    "name",
    [
        "public",
        "pg_catalog",
        "backsaas",
        "t_x",
        "t_",
        "t_0123456Z",
        't_01234567"; DROP',
        "t_01234567\n",
        "postgres",
    ],
)
async def test_only_opaque_names_come_near_ddl(tenants: Tenants, name: str) -> None:
    for identity in (
        TenantIdentity("x", "x", name, "a_01234567"),
        TenantIdentity("x", "x", "t_01234567", name),
        TenantIdentity("x", "x", "t_01234567", "a_01234567", name),
    ):
        with pytest.raises(ValueError, match="no opaque tenant name"):
            await provision(tenants.owner, identity, "x")
        with pytest.raises(ValueError, match="no opaque tenant name"):
            await deprovision(tenants.owner, identity)


async def _let_lock(tenants: Tenants, role: str) -> None:
    """What a superuser who closes the doors leaves open for a plain owner."""
    await tenants.owner.execute(
        f"GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_xact_lock(int, int) TO {role}"
    )


async def test_the_password_is_derived_and_never_seen_by_the_server(tenants: Tenants) -> None:
    _, identity = await tenants.make()
    password = derive_password(KEY, identity.id)
    stored = await tenants.owner.fetchval(
        "SELECT rolpassword FROM pg_authid WHERE rolname = $1", identity.namespace
    )
    assert stored == scram_verifier(password, identity.id)
    assert password not in stored
    assert derive_password(KEY, identity.id) == password
    assert len({derive_password(KEY, "a"), derive_password(KEY, "b"), derive_password(b"x" * 32, "a")}) == 3
    with pytest.raises(ConnectError):
        await tenants.database._target.tenant(identity.namespace, derive_password(b"x" * 32, identity.id))


async def test_a_secured_database_reports_no_open_door_and_a_plain_owner_is_told_which_are(
    tenants: Tenants, database: Database
) -> None:
    assert database.facts.open_doors == ()
    assert await secure_database(tenants.owner) == ()
    role = "t_" + "8" * 16
    await tenants.owner.execute(f"CREATE ROLE {role} LOGIN CREATEROLE PASSWORD 'x'")
    name = await tenants.owner.fetchval("SELECT current_database()")
    await tenants.owner.execute(
        f'GRANT CREATE ON DATABASE "{name}" TO {role}; GRANT ALL ON SCHEMA backsaas_api TO {role}'
    )
    await tenants.owner.execute("GRANT EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) TO PUBLIC")
    await _let_lock(tenants, role)
    try:
        plain = await database._target.tenant(role, "x")
        assert await secure_database(plain) == (
            "every role may call 1 functions without a tenant boundary (advisory locks)",
        )
        await plain.close()
        assert await secure_database(tenants.owner) == ()
    finally:
        await tenants.owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_an_owner_without_rights_is_told_what_to_grant(tenants: Tenants, database: Database) -> None:
    role = "t_" + "9" * 16
    await tenants.owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        plain = await database._target.tenant(role, "x")
        with pytest.raises(Exception, match="CREATEROLE"):
            await secure_database(plain)
        await plain.close()
    finally:
        await tenants.owner.execute(f"DROP ROLE {role}")


async def test_a_plain_owner_can_run_tenants_too(tenants: Tenants, database: Database) -> None:
    """An external PostgreSQL need not give us a superuser."""
    role = "t_" + "6" * 16
    identity = TenantIdentity("plain", "plain", "t_" + "4" * 16, "a_" + "4" * 16)
    name = await tenants.owner.fetchval("SELECT current_database()")
    await tenants.owner.execute(f"CREATE ROLE {role} LOGIN CREATEROLE PASSWORD 'x'")
    await tenants.owner.execute(
        f'GRANT CREATE ON DATABASE "{name}" TO {role}; GRANT USAGE ON SCHEMA backsaas_api TO {role} '
        f"WITH GRANT OPTION; GRANT USAGE ON LANGUAGE plpgsql TO {role}"
    )
    await _let_lock(tenants, role)
    try:
        plain = await database._target.tenant(role, "x")
        await provision(plain, identity, "secret")
        await provision(plain, identity, "secret")
        await plain.execute(f"CREATE TABLE {identity.namespace}.t (a int)")
        tenant = await database._target.tenant(identity.namespace, "secret")
        await tenant.execute(f"INSERT INTO {identity.namespace}.t VALUES (1)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tenant.execute(f"DROP TABLE {identity.namespace}.t")
        await tenant.close()
        await deprovision(plain, identity)
        await plain.close()
    finally:
        await tenants.owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_what_most_tenants_never_use_is_made_at_first_use(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    other = tenants.database.tenant_pool(identity, derive_password(KEY, identity.id))  # of another process
    tenants.made.append((other, identity))
    ends = [name for one in FURNITURE for name in one.ends]
    assert await furnished(tenants.owner, identity.namespace, ends) == set()
    assert await is_provisioned(tenants.owner, identity)

    async def count(connection: TenantConnection) -> int:
        await connection.execute("SELECT 1")
        return int(await connection.fetchval(f"SELECT count(*) FROM {identity.namespace}._auth_accounts"))

    asked = [in_transaction(one, count, reads=reads) for one in (pool, other) for reads in (True, False)]
    one = fetch_one(pool, f"SELECT count(*) FROM {identity.namespace}._imports", (), reads=True)
    assert await asyncio.gather(*asked) == [0] * 4
    assert tuple(await one) == (0,)
    assert await is_provisioned(tenants.owner, identity)
    assert not await furnished(tenants.owner, identity.namespace, OUTBOX.tables), "each by itself"
    with pytest.raises(StaleGenerationError):  # and what is nobody's stays unknown
        await fetch_one(pool, f"SELECT * FROM {identity.namespace}._nothing", (), reads=True)


async def test_several_sets_missed_in_one_transaction_are_made_one_after_the_other(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    other = tenants.database.tenant_pool(identity, derive_password(KEY, identity.id))
    tenants.made.append((other, identity))
    tables = ("_idempotency", "_files", "_tasks", "_imports")

    async def work(connection: TenantConnection) -> int:
        found = [await fetch_rows_on(connection, f"TABLE {identity.namespace}.{name}", ()) for name in tables]
        return sum(map(len, found))

    assert await asyncio.gather(*(in_transaction(one, work) for one in (pool, other) * 3)) == [0] * 6
    # a file that is let go leaves a task behind: both tables come together
    await tenants.owner.execute(
        f"INSERT INTO {identity.namespace}._files (id, entity, field, size, media_type, sha256) VALUES ('1', 'a', 'b', 1, '', '');"
        f"DELETE FROM {identity.namespace}._files"
    )
    assert await tenants.owner.fetchval(f"SELECT name FROM {identity.namespace}._tasks") == "remove"


async def test_a_set_of_an_earlier_version_is_mended_and_no_other_made(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    await pool.furnish("_outbox")
    assert await is_provisioned(tenants.owner, identity)
    await tenants.owner.execute(f"DROP TABLE {identity.namespace}._schedules")
    assert not await is_provisioned(tenants.owner, identity)
    await tenants.provision(identity)
    assert await is_provisioned(tenants.owner, identity)
    ends = [name for one in FURNITURE for name in one.ends]
    assert await furnished(tenants.owner, identity.namespace, ends) == set(OUTBOX.ends)
    row = await fetch_one(pool, f"SELECT count(*) FROM {identity.namespace}._schedules", (), reads=True)
    assert tuple(row) == (0,), "its role may read it"
