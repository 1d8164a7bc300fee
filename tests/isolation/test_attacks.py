"""What a tenant's role is refused even if hostile SQL ran as it (A17-A21), and that the victim is untouched.

No request can send SQL; this is what stands behind that.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from actors.connections import ConnectError, TenantConnection, derive_password
from actors.database import Database
from actors.messages import TenantIdentity
from tests.isolation.world import KEY, Tenants, opened

DENIED = asyncpg.InsufficientPrivilegeError


@dataclass
class Arena:
    """An attacker's connection, and a victim with data."""

    attacker: TenantConnection
    me: TenantIdentity
    victim: TenantIdentity
    owner: asyncpg.Connection
    database: Database

    async def checksum(self) -> str:
        rows = await self.owner.fetch(f'SELECT t::text FROM "{self.victim.namespace}".secrets t ORDER BY 1')
        relations = await self.owner.fetch(
            "SELECT n.nspname, c.relname, c.relkind::text, c.relacl::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY($1::text[]) ORDER BY 1, 2",
            [self.victim.namespace, self.victim.archive, "public", "backsaas_api"],
        )
        return repr([tuple(row) for row in (*rows, *relations)])


@pytest.fixture(scope="module")
async def two(database: Database) -> AsyncIterator[Tenants]:
    """An attacker and a victim for the module: whatever is tried, both must come out as they were."""
    async with opened(database) as tenants:
        for _ in ("me", "the victim"):
            _, identity = await tenants.make()
            await tenants.owner.execute(
                f'CREATE TABLE "{identity.namespace}".secrets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);'
                f"INSERT INTO \"{identity.namespace}\".secrets (v) VALUES ('{identity.slug}');"
                f'CREATE TABLE "{identity.archive}".old AS SELECT * FROM "{identity.namespace}".secrets;'
                f'ANALYZE "{identity.namespace}".secrets, "{identity.archive}".old'
            )
        yield tenants


@pytest.fixture
async def arena(two: Tenants) -> AsyncIterator[Arena]:
    (pool, me), (_, victim) = two.made
    made = Arena(await pool.acquire(), me, victim, two.owner, two.database)
    before = await made.checksum()
    yield made
    assert await made.checksum() == before, "the victim changed"
    pool.discard(made.attacker)


async def test_positive_control_it_may_work_with_its_own_rows(arena: Arena) -> None:
    own = f'"{arena.me.namespace}".secrets'
    await arena.attacker.execute(f"INSERT INTO {own} (v) VALUES ('new')")
    await arena.attacker.execute(f"UPDATE {own} SET v = 'x' WHERE v = 'new'")
    await arena.attacker.execute(f"DELETE FROM {own} WHERE v = 'x'")
    assert await arena.attacker.fetchval(f"SELECT v FROM {own}") == arena.me.slug


@pytest.mark.parametrize("verb", ["SELECT * FROM {t}", "INSERT INTO {t} (v) VALUES ('x')", "UPDATE {t} SET v = 'x'", "DELETE FROM {t}",
                                  "TRUNCATE {t}", "DROP TABLE {t}", "ALTER TABLE {t} ADD x text", "LOCK TABLE {t}", "COPY {t} TO STDOUT",
                                  "CREATE INDEX ON {t} (v)", "SELECT nextval('{n}.secrets_id_seq')", "COMMENT ON TABLE {t} IS 'x'",
                                  "GRANT SELECT ON {t} TO PUBLIC", "CREATE VIEW {n}.x AS SELECT 1", "VACUUM {t}", "ANALYZE {t}"])  # fmt: skip
async def test_the_neighbours_tables(arena: Arena, verb: str) -> None:
    for namespace, table in (
        (arena.victim.namespace, "secrets"),
        (arena.victim.archive, "old"),
        (arena.me.archive, "old"),
    ):
        sql = verb.format(t=f'"{namespace}".{table}', n=f'"{namespace}"')
        if verb.startswith("LOCK"):
            sql = f"BEGIN; {sql}"
        with pytest.raises(DENIED):
            await arena.attacker.execute(sql)
        if verb.startswith("LOCK"):
            await arena.attacker.execute("ROLLBACK")


@pytest.mark.parametrize(
    "sql",
    [
        'SET ROLE "{victim}"', "SET ROLE postgres", 'SET SESSION AUTHORIZATION "{victim}"', "SET LOCAL ROLE pg_read_all_data",
        "SELECT set_config('role', '{victim}', false)", "SELECT set_config('session_authorization', 'postgres', false)",
        "SET session_replication_role = replica", "SET log_statement = 'none'", "ALTER SYSTEM SET fsync = off",
        'GRANT "{victim}" TO "{me}"', "GRANT pg_read_all_data TO \"{me}\"", 'ALTER ROLE "{me}" SUPERUSER', 'ALTER ROLE "{me}" CREATEROLE',
        'ALTER ROLE "{victim}" PASSWORD \'x\'', 'DROP ROLE "{victim}"', "CREATE ROLE intruder", 'ALTER ROLE "{victim}" SET search_path = x',
        "REASSIGN OWNED BY postgres TO \"{me}\"", 'DROP OWNED BY "{victim}"',
    ],
)  # fmt: skip
async def test_becoming_somebody_else(arena: Arena, sql: str) -> None:
    with pytest.raises(DENIED):
        await arena.attacker.execute(sql.format(victim=arena.victim.namespace, me=arena.me.namespace))
    who = await arena.attacker.fetchrow(
        "SELECT current_user::text, session_user::text, current_setting('is_superuser')"
    )
    assert tuple(who) == (arena.me.namespace, arena.me.namespace, "off")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO PROGRAM 'touch {proof}'", "COPY {own} FROM PROGRAM 'touch {proof}'", "COPY (SELECT 1) TO '{proof}'",
        "COPY {own} (v) FROM '/etc/passwd'", "SELECT pg_read_file('/etc/passwd')", "SELECT pg_read_binary_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')", "SELECT pg_stat_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '{proof}')",
        "SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_open(1, 131072)", "SELECT lo_unlink(1)",
        "SELECT pg_ls_logdir()", "SELECT pg_current_logfile()", "LOAD 'plpgsql_x'", "CREATE EXTENSION dblink", "CREATE EXTENSION hstore",
        "SELECT pg_reload_conf()", "SELECT pg_rotate_logfile()", "CHECKPOINT", "SELECT pg_switch_wal()", "SELECT pg_create_restore_point('x')", "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
    ],
)  # fmt: skip
async def test_files_and_programs(arena: Arena, tmp_path: Path, sql: str) -> None:
    proof = tmp_path / "proof"
    tmp_path.chmod(0o777)
    with pytest.raises(
        (DENIED, asyncpg.UndefinedObjectError)
    ):  # a wrapper that is not there cannot be used either
        await arena.attacker.execute(sql.format(proof=proof, own=f'"{arena.me.namespace}".secrets'))
    assert not proof.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE public.x (a int)", 'CREATE TABLE "{me}".x (a int)', "CREATE TABLE backsaas_api.x (a int)", "CREATE TABLE pg_catalog.x (a int)",
        "CREATE TEMP TABLE secrets (a int)", "SELECT 1 AS a INTO TEMP x", "CREATE TEMP VIEW secrets AS SELECT 1", "CREATE TEMP SEQUENCE s",
        "CREATE SCHEMA mine", "CREATE DATABASE mine", 'DROP SCHEMA "{me}"', 'ALTER SCHEMA "{me}" RENAME TO x', "CREATE PUBLICATION p FOR ALL TABLES",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", 'CREATE FUNCTION "{me}".f() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", 'CREATE TYPE "{me}".x AS (a int)', 'CREATE OPERATOR "{me}".= (LEFTARG=int, RIGHTARG=int, FUNCTION=int4eq)',
        'DROP TABLE "{me}".secrets', 'ALTER TABLE "{me}".secrets ADD x int', 'TRUNCATE "{me}".secrets', 'CREATE INDEX ON "{me}".secrets (v)',
        'CREATE TRIGGER t BEFORE INSERT ON "{me}".secrets FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
        'ALTER TABLE "{me}".secrets DISABLE TRIGGER ALL', 'CREATE RULE r AS ON SELECT TO "{me}".secrets DO INSTEAD SELECT 1',
        'CREATE POLICY p ON "{me}".secrets', "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION x()",
        "DO $$ BEGIN PERFORM 1; END $$",
    ],
)  # fmt: skip
async def test_making_or_changing_objects(arena: Arena, sql: str) -> None:
    before = await arena.owner.fetchval("SELECT count(*) FROM pg_class")
    with pytest.raises(
        (
            DENIED,
            asyncpg.InvalidObjectDefinitionError,
            asyncpg.UndefinedFunctionError,
            asyncpg.InvalidSchemaNameError,
        )
    ):
        await arena.attacker.execute(sql.format(me=arena.me.namespace))
    assert await arena.owner.fetchval("SELECT count(*) FROM pg_class") == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock(1)", "SELECT pg_advisory_xact_lock(1, 2)", "SELECT pg_try_advisory_xact_lock(1)",
        "SELECT pg_advisory_lock_shared(1)", "SELECT pg_advisory_unlock_all()", "SELECT pg_notify('x', 'y')", "SELECT pg_sleep(10)",
        "SELECT pg_sleep_for('10 s')", "SELECT pg_logical_emit_message(true, 'x', 'y')", "SELECT pg_export_snapshot()",
        "SELECT pg_create_logical_replication_slot('x', 'pgoutput')", "SELECT pg_create_physical_replication_slot('x')",
        "SELECT pg_terminate_backend({pid})", "SELECT pg_cancel_backend({pid})", "SELECT pg_stat_reset()", "SELECT pg_promote()",
        "SELECT pg_log_backend_memory_contexts({pid})", "SELECT pg_stat_reset_shared('bgwriter')",
    ],
)  # fmt: skip
async def test_what_has_no_tenant_boundary(arena: Arena, sql: str) -> None:
    pid = await arena.owner.fetchval("SELECT pg_backend_pid()")
    with pytest.raises(DENIED):
        await arena.attacker.execute(sql.format(pid=pid))
    assert await arena.owner.fetchval("SELECT pg_backend_pid()") == pid
    mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    held = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {mine}"
    assert await arena.owner.fetchval(held) == 0


async def test_its_rights_stay_what_they_are_after_new_tables(arena: Arena) -> None:
    await arena.owner.execute(
        f'CREATE TABLE "{arena.me.namespace}".later (id bigint GENERATED BY DEFAULT AS IDENTITY, v text)'
    )
    assert (
        await arena.attacker.fetchval(
            f"INSERT INTO \"{arena.me.namespace}\".later (v) VALUES ('x') RETURNING id"
        )
        == 1
    )
    rights = await arena.owner.fetchval(
        f"SELECT relacl::text FROM pg_class WHERE oid = '{arena.me.namespace}.later'::regclass"
    )
    assert f"{arena.me.namespace}=arwd/" in rights


async def test_statistics_and_queries_of_the_neighbour_are_invisible(arena: Arena) -> None:
    assert (
        await arena.attacker.fetchval(
            "SELECT count(*) FROM pg_stats WHERE schemaname = $1", arena.victim.namespace
        )
        == 0
    )
    assert (
        await arena.attacker.fetchval(
            "SELECT count(*) FROM pg_stats WHERE schemaname = $1", arena.me.namespace
        )
        > 0
    )
    with pytest.raises(DENIED):
        await arena.attacker.fetch("SELECT count(*) FROM pg_statistic")
    with pytest.raises(DENIED):
        await arena.attacker.fetch("SELECT * FROM pg_authid")
    others = await arena.attacker.fetch(
        "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query <> ''"
    )
    assert {row["query"] for row in others} <= {"<insufficient privilege>"}
    names = await arena.attacker.fetch("SELECT coalesce(application_name, '') AS name FROM pg_stat_activity")
    assert not any(arena.victim.slug in row["name"] for row in names)
    assert (
        await arena.attacker.fetchval(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = $1", arena.victim.namespace
        )
        == 0
    )


async def test_opaque_names_tell_nothing(arena: Arena) -> None:
    names = await arena.attacker.fetch(
        "SELECT nspname::text AS name FROM pg_namespace UNION ALL SELECT rolname::text FROM pg_roles"
    )
    text = " ".join(row["name"] for row in names)
    assert arena.victim.slug not in text
    assert arena.me.slug not in text


async def test_its_password_opens_only_its_own_role(arena: Arena) -> None:
    target, password = arena.database._target, derive_password(KEY, arena.me.id)
    (await target.tenant(arena.me.namespace, password)).terminate()
    with pytest.raises(ConnectError, match="password authentication failed"):
        await target.tenant(arena.victim.namespace, password)


async def test_large_sorts_cannot_outlive_the_timeout(arena: Arena) -> None:
    await arena.attacker.execute("SET statement_timeout = '100ms'")
    with pytest.raises(asyncpg.QueryCanceledError):
        await arena.attacker.execute("SELECT count(*) FROM generate_series(1, 100000000) a ORDER BY 1")
