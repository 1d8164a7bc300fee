"""What the platform knows about tenants: names, versions with their text, confirmations, renames.

Decides what is deployed. It runs no DDL of a tenant (``migrator`` does) and knows no YAML. Every function
takes the owner's connection; callers are the tenant actor, ``reload`` and the command line.
"""

import json
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import msgspec
from msgspec import Struct, field

from actors.messages import TenantIdentity
from actors.tenant.audit import Who, act
from actors.tenant.registry_schema import BOOTSTRAP, BOOTSTRAP_LOCK, TRIGRAM
from schemas.compiler.diagnostics import Diagnostic, Position
from schemas.compiler.migrate.steps import Migration, Record

Connection: TypeAlias = "asyncpg.Connection[Any]"


class Version(Struct, frozen=True):
    """One version of a tenant's file.

    Attributes:
        state: draft (seen), pending (its plan waits for confirmation), deployed, superseded, rejected.
        plan: what ``describe`` of its migration said, {} when none was planned.
        record: its renames and archived names.
        code: of the Python file beside it.
    """

    number: int
    text: str
    digest: str
    state: str
    author: str
    created_at: datetime
    deployed_at: datetime | None
    plan: dict[str, Any] = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    diagnostics: tuple[Diagnostic, ...] = ()
    code: str = ""


class Deployed(Struct, frozen=True):
    """What is in force: version number and digest; 0 and "" for a tenant that never had a version.

    Attributes:
        state: active, suspended (closed, with a reason for callers) or archived (closed until it is deleted).
    """

    identity: TenantIdentity
    version: int
    digest: str
    state: str
    reason: str = ""


async def bootstrap(connection: Connection) -> None:
    """Make the control schema, or bring it up to date; safe at every start, in several processes."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", BOOTSTRAP_LOCK)
        await connection.execute("SET LOCAL client_min_messages = warning")
        await connection.execute(BOOTSTRAP)
        await connection.execute(TRIGRAM)


async def trigram(connection: Connection) -> str:
    """Return the namespace of pg_trgm, where every role may use it; "" without."""
    found: str | None = await connection.fetchval(
        "SELECT n.nspname::text FROM pg_catalog.pg_extension e "
        "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'pg_trgm' AND has_schema_privilege('public', n.oid, 'USAGE')"
    )
    return found or ""


async def cluster_key(connection: Connection) -> str:
    """Return the secret all processes of this database share, in hex; made at first use."""
    return await setting(connection, "cluster_key", secrets.token_hex(32))


async def setting(connection: Connection, key: str, initial: str) -> str:
    """Return a setting; ``initial`` is stored when there is none."""
    await connection.execute(
        "INSERT INTO backsaas.settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
        key,
        initial,
    )
    value: str = await connection.fetchval("SELECT value FROM backsaas.settings WHERE key = $1", key)
    return value


async def ensure_tenant(connection: Connection, slug: str) -> TenantIdentity:
    """Return a tenant's names in PostgreSQL; a slug seen for the first time gets new, opaque ones."""
    known = await find_tenant(connection, slug)
    if known is not None:
        return known
    identity = uuid.uuid4()
    namespace, archive = f"t_{identity.hex}", f"a_{identity.hex}"
    await connection.execute(
        "INSERT INTO backsaas.tenants (id, slug, namespace, archive, role) VALUES ($1, $2, $3, $4, $3) "
        "ON CONFLICT (slug) DO NOTHING",
        identity,
        slug,
        namespace,
        archive,
    )
    created = await find_tenant(connection, slug)
    if created is None:
        raise LookupError(f"tenant {slug!r} was removed while it was being made")
    return created


async def find_tenant(connection: Connection, slug: str) -> TenantIdentity | None:
    """Return a tenant's names, or None."""
    row = await connection.fetchrow(
        "SELECT id::text, slug, namespace, archive, role FROM backsaas.tenants WHERE slug = $1", slug
    )
    return None if row is None else TenantIdentity(*row)


async def tenants(connection: Connection, only: str | None = None) -> list[Deployed]:
    """Return every tenant and what it runs, or that with an id; not what is made beside one for a moment."""
    rows = await connection.fetch(
        """
        SELECT id::text, slug, namespace, archive, role, version, digest, state, reason
        FROM backsaas.tenants WHERE NOT starts_with(slug, '_') AND ($1::text IS NULL OR id = $1::text::uuid)
        ORDER BY slug
        """,
        only,
    )
    return [Deployed(TenantIdentity(*row[:5]), *row[5:]) for row in rows]


async def current(connection: Connection, identity: TenantIdentity) -> Deployed:
    """Return what a tenant runs.

    Raises:
        LookupError: there is no such tenant.
    """
    row = await connection.fetchrow(
        "SELECT version, digest, state, reason FROM backsaas.tenants WHERE id = $1", uuid.UUID(identity.id)
    )
    if row is None:
        raise LookupError(f"no tenant {identity.slug!r}")
    return Deployed(identity, *row)


async def record(  # noqa: PLR0913 - a version
    connection: Connection,
    identity: TenantIdentity,
    *,
    text: str,
    digest: str,
    author: str = "",
    state: str = "draft",
    diagnostics: Sequence[Diagnostic] = (),
    code: str = "",
) -> int:
    """Keep a version of the file and return its number.

    The newest version is used again while it has the same digest and was never deployed, so that rescans
    don't pile up versions. One before it that waited for a confirmation waits no longer: it is a draft.
    """
    number: int = await connection.fetchval(
        """
        WITH newest AS (
          SELECT number, digest, state FROM backsaas.versions WHERE tenant = $1 ORDER BY number DESC LIMIT 1
        ), target AS (
          SELECT CASE WHEN (SELECT digest = $3 AND state NOT IN ('deployed', 'superseded') FROM newest)
                 THEN (SELECT number FROM newest)
                 ELSE coalesce((SELECT number FROM newest), 0) + 1 END AS number
        ), overtaken AS (
          UPDATE backsaas.versions SET state = 'draft', mirrored = false
          WHERE tenant = $1 AND state = 'pending' AND number < (SELECT number FROM target)
        )
        INSERT INTO backsaas.versions AS v (tenant, number, text, digest, state, author, diagnostics, code)
        SELECT $1, number, $2, $3, $4, $5, $6::text::jsonb, $7 FROM target
        ON CONFLICT (tenant, number) DO UPDATE
        SET state = excluded.state, diagnostics = excluded.diagnostics, mirrored = false
        RETURNING number
        """,
        uuid.UUID(identity.id),
        text,
        digest,
        state,
        author,
        msgspec.json.encode(diagnostics).decode(),
        code,
    )
    return number


async def hold(
    connection: Connection, identity: TenantIdentity, migration: Migration, plan: dict[str, Any]
) -> None:
    """Let a version wait for the confirmation of its plan."""
    await connection.execute(
        "UPDATE backsaas.versions SET state = 'pending', plan = $3::text::jsonb, mirrored = false "
        "WHERE tenant = $1 AND number = $2 AND state IN ('draft', 'pending', 'rejected')",
        uuid.UUID(identity.id),
        migration.version,
        json.dumps(plan),
    )


async def reopen(connection: Connection, identity: TenantIdentity, digest: str) -> None:
    """Let a refused text be looked at again: what its rows did not allow, they may allow by now."""
    await connection.execute(
        "UPDATE backsaas.versions SET state = 'draft', mirrored = false WHERE tenant = $1 AND digest = $2 "
        "AND state = 'rejected' AND number = (SELECT max(number) FROM backsaas.versions WHERE tenant = $1)",
        uuid.UUID(identity.id),
        digest,
    )


async def confirm(connection: Connection, identity: TenantIdentity, plan: str, author: str = "") -> None:
    """Allow exactly one plan to run."""
    await connection.execute(
        "INSERT INTO backsaas.confirmations (tenant, plan_id, author) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING",
        uuid.UUID(identity.id),
        plan,
        author,
    )
    await act(connection, "schema.confirmed", identity.slug, Who(author), {"plan": plan})


async def is_confirmed(connection: Connection, identity: TenantIdentity, plan: str) -> bool:
    """Whether somebody allowed this plan."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM backsaas.confirmations WHERE tenant = $1 AND plan_id = $2)",
        uuid.UUID(identity.id),
        plan,
    )
    return found


async def history(connection: Connection, identity: TenantIdentity, limit: int = 100) -> list[Version]:
    """Return versions, newest first."""
    rows = await connection.fetch(
        f"SELECT {_VERSION} FROM backsaas.versions WHERE tenant = $1 ORDER BY number DESC LIMIT $2",  # noqa: S608
        uuid.UUID(identity.id),
        limit,
    )
    return [_version(row) for row in rows]


async def version(connection: Connection, identity: TenantIdentity, number: int) -> Version | None:
    """Return one version, or None."""
    row = await connection.fetchrow(
        f"SELECT {_VERSION} FROM backsaas.versions WHERE tenant = $1 AND number = $2",  # noqa: S608
        uuid.UUID(identity.id),
        number,
    )
    return None if row is None else _version(row)


_VERSION = """
number, text, digest, state, author, created_at, deployed_at, plan::text, record::text, diagnostics::text,
code
"""


def _version(row: Sequence[Any]) -> Version:
    diagnostics = [
        Diagnostic(**{**item, "position": Position(**item["position"])}) for item in json.loads(row[9])
    ]
    number, text, digest, state, author, created_at, deployed_at = row[:7]
    return Version(
        number,
        text,
        digest,
        state,
        author,
        created_at,
        deployed_at,
        json.loads(row[7]),
        Record(**json.loads(row[8])),
        tuple(diagnostics),
        row[10],
    )
