"""A tenant's place in PostgreSQL: its role, its two namespaces and nothing else.

Decides what a tenant's role may do, and what nobody's role may do in a database of ours. A new place is
empty: ``migrator`` makes the entities' tables, ``furniture`` what features keep. It never logs in as the
role. Called by the tenant actor as it wakes, by the platform's tenant operations and, for
``secure_database``, by ``actors.database`` at start.

The role owns nothing and is a member of nothing. Its rights on tables come from default privileges of the
owner, so a table is usable by its tenant from the moment it exists, and never by another.
"""

import base64
import hashlib
import hmac

import asyncpg

from actors.messages import TenantIdentity
from actors.tenant.audit import SEALED
from actors.tenant.furniture import (
    FURNITURE,
    LOCK_CLASS,
    Furnishing,
    checked,
    furnished,
    lock,
    role_name,
    run,
)
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.sql import quote

API_NAMESPACE = "backsaas_api"
"""Functions of the platform that tenants' statements may call; the only namespace tenants share.

Every role may look into it: with a right per tenant PostgreSQL would read a list of all for each statement.
"""
CONNECTION_LIMIT = 50
"""What PostgreSQL itself lets one role hold, all processes together; the pool's own limit is far below."""
SCRAM_ITERATIONS = 1
"""Iterations slow down guessing; a 256-bit derived password cannot be guessed, and 4,096 of them cost each
new connection 2 ms of the event loop."""

_ROWS = "SELECT, INSERT, UPDATE, DELETE"
_PLACE = """
SELECT to_regnamespace($2) IS NOT NULL AS made, (
  SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
  FROM pg_roles WHERE rolname = $1) AS strong
"""

# What no tenant needs and any of them could use against the others: locks and channels have no tenant
# boundary, large objects and snapshots no owner's namespace, sleeping and signalling only hurt.
FORBIDDEN_FUNCTIONS = (
    r"pg_(try_)?advisory_.*|pg_notify|lo_.*|loread|lowrite|pg_sleep.*|pg_logical_emit_message|pg_export_snapshot"
    r"|pg_terminate_backend|pg_cancel_backend|dblink.*"
)


class ProvisionError(Exception):
    """A tenant's place in this database cannot be made; the message says what is missing."""


async def secure_database(connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[str, ...]:
    """Take from every role what PostgreSQL grants to all by default; idempotent, once per database and start.

    Args:
        connection: as the platform's owner.

    Returns:
        What could not be taken away because the owner is no superuser, one sentence each; empty for our own
        server.

    Raises:
        ProvisionError: the owner lacks a right the platform cannot work without.
    """
    async with connection.transaction():
        await _require_owner_rights(connection)
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", LOCK_CLASS)
        database = quote(str(await connection.fetchval("SELECT current_database()")))
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(API_NAMESPACE)}")
        # someone else's database may forbid some of this; what is left open is then reported below
        await _attempt(connection, f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC")
        await _attempt(connection, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await _attempt(connection, "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")  # DO blocks
        for function in await _open_functions(connection):
            await _attempt(connection, f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        return await _still_open(connection)


async def seal_maintenance_databases(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """On our own server: tenants' roles, which are server-wide, get into the platform's database only."""
    for name in ("postgres", "template1"):
        await connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {quote(name)} FROM PUBLIC")


async def provision(
    connection: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity, password: str
) -> None:
    """Make a tenant's role and namespaces, or mend what differs; one transaction, safe to repeat.

    Of furniture it mends what is there; the platform's own place gets all of it.

    Args:
        connection: as the platform's owner.
        identity: names to use; opaque, never derived from the slug.
        password: of the role, see ``actors.connections.derive_password``.
    """
    role, namespace, archive = role_name(identity), checked(identity.namespace), checked(identity.archive)
    login = (
        f"LOGIN CONNECTION LIMIT {CONNECTION_LIMIT} PASSWORD '{scram_verifier(password, identity.id)}'"
    )  # fmt: skip
    async with connection.transaction():
        await lock(connection, identity)
        place = await connection.fetchrow(_PLACE, role, namespace)
        assert place is not None  # noqa: S101 - a SELECT without FROM has one row
        weak = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        if place["strong"] is None:
            await connection.execute(f"CREATE ROLE {quote(role)} NOINHERIT {weak} {login}")
        else:
            # naming NOSUPERUSER needs a superuser before PostgreSQL 16, so only when there is something to
            # take away
            await connection.execute(f"ALTER ROLE {quote(role)} {weak if place['strong'] else ''} {login}")
            await _revoke_memberships(connection, role)
        # how much of a mistyped word has to be right; PostgreSQL's 0.6 misses two letters that changed places
        await _attempt(connection, f"ALTER ROLE {quote(role)} SET pg_trgm.word_similarity_threshold = 0.42")
        await connection.execute(_rights(quote(role), quote(namespace), quote(archive)))
        if place["made"]:
            # PostgreSQL looks through the tables of all tenants for these: not for each new one
            await connection.execute(_rights_again(quote(role), quote(namespace)))
        if identity.slug == SYSTEM_SLUG:
            await run(connection, identity, FURNITURE)
        elif place["made"]:
            await run(connection, identity, [one for one, _ in await _furniture(connection, namespace)])
        if place["made"]:
            for log in await connection.fetch(SEALED, namespace):
                # what was granted on every table is taken from this one again
                await connection.execute(f"REVOKE INSERT, UPDATE, DELETE ON {log[0]} FROM {quote(role)}")


async def is_provisioned(connection: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity) -> bool:
    """Whether a tenant has what ``provision`` makes; an earlier version may have made less."""
    namespace = checked(identity.namespace)
    if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", namespace):
        return False
    return all(whole for _, whole in await _furniture(connection, namespace))


async def _furniture(
    connection: "asyncpg.Connection[asyncpg.Record]", namespace: str
) -> list[tuple[Furnishing, bool]]:
    """Return the sets a place has, each with whether it is whole."""
    there = await furnished(connection, namespace, [name for one in FURNITURE for name in one.ends])
    return [(one, one.ends[1] in there) for one in FURNITURE if one.ends[0] in there]


async def deprovision(connection: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity) -> None:
    """Remove a tenant's role and both namespaces with everything in them; safe to repeat. Nothing is kept."""
    role, namespace, archive = role_name(identity), checked(identity.namespace), checked(identity.archive)
    async with connection.transaction():
        # one at a time: roles of earlier versions have rights of their own on the namespace tenants share
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", LOCK_CLASS)
        await connection.execute(f"DROP SCHEMA IF EXISTS {quote(namespace)} CASCADE")
        await connection.execute(f"DROP SCHEMA IF EXISTS {quote(archive)} CASCADE")
        if await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"REVOKE USAGE ON SCHEMA {quote(API_NAMESPACE)} FROM {quote(role)}")
            await connection.execute(f"DROP ROLE {quote(role)}")


def scram_verifier(password: str, salt_seed: str) -> str:
    """Return what PostgreSQL stores for a password; so the password itself never reaches its log."""
    salt = hashlib.sha256(b"backsaas salt\0" + salt_seed.encode()).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


def _rights(role: str, namespace: str, archive: str) -> str:
    return f"""
        CREATE SCHEMA IF NOT EXISTS {namespace};
        CREATE SCHEMA IF NOT EXISTS {archive};
        GRANT USAGE ON SCHEMA {namespace} TO {role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA {namespace} GRANT {_ROWS} ON TABLES TO {role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA {namespace} GRANT USAGE ON SEQUENCES TO {role};
    """


def _rights_again(role: str, namespace: str) -> str:
    return f"""
        GRANT {_ROWS} ON ALL TABLES IN SCHEMA {namespace} TO {role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA {namespace} TO {role};
    """


async def _revoke_memberships(connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> None:
    groups = await connection.fetch(
        "SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
        "JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = $1",
        role,
    )
    for group in groups:
        await connection.execute(f"REVOKE {quote(group['rolname'])} FROM {quote(role)} CASCADE")


async def _require_owner_rights(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    row = await connection.fetchrow(
        "SELECT current_user::text AS name, rolsuper OR rolcreaterole AS may_create_roles, "
        "has_database_privilege(current_database(), 'CREATE') AS may_create_namespaces "
        "FROM pg_roles WHERE rolname = current_user"
    )
    if row is None or not (row["may_create_roles"] and row["may_create_namespaces"]):
        msg = (
            f"role {row['name'] if row else '?'} may not create roles and schemas: as a superuser run "
            "ALTER ROLE ... CREATEROLE and GRANT CREATE ON DATABASE ... TO that role"
        )
        raise ProvisionError(msg)


async def _open_functions(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    rows = await connection.fetch(
        "SELECT p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p "
        "WHERE p.proname ~ ('^(' || $1 || ')$') AND p.prokind = 'f' "
        "AND has_function_privilege('public', p.oid, 'EXECUTE')",
        FORBIDDEN_FUNCTIONS,
    )
    # regprocedure names the namespace of what the search path does not show
    return [str(row["name"]) for row in rows]


async def _still_open(connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[str, ...]:
    row = await connection.fetchrow(
        "SELECT has_database_privilege('public', current_database(), 'TEMPORARY') AS temporary, "
        "has_schema_privilege('public', 'public', 'CREATE') AS public, "
        "has_language_privilege('public', 'plpgsql', 'USAGE') AS language"
    )
    functions = await _open_functions(connection)
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    found = [
        (row["temporary"], "every role may create temporary tables"),
        (row["public"], "every role may create objects in schema public"),
        (row["language"], "every role may run DO blocks"),
        (
            functions,
            f"every role may call {len(functions)} functions without a tenant boundary (advisory locks)",
        ),
    ]
    return tuple(text for still, text in found if still)


async def _attempt(connection: "asyncpg.Connection[asyncpg.Record]", sql: str) -> None:
    try:
        async with connection.transaction():
            await connection.execute(sql)
    except asyncpg.InsufficientPrivilegeError:
        return
