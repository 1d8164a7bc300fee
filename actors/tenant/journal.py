"""The journal of migrations: what was begun, which steps are done, what is in force.

Decides nothing; it writes what the migrator decided, inside the migrator's own transactions, so that a crash
leaves either both the step and its entry or neither.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import asyncpg
import msgspec
from msgspec import Struct

from actors.messages import TenantIdentity
from actors.tenant.audit import Who, act
from schemas.compiler.migrate.steps import Migration, Record, Step, steps_from_json, steps_to_json

Connection: TypeAlias = "asyncpg.Connection[Any]"
CHANNEL = "backsaas"
"""NOTIFY channel; the payload is a tenant's id and only a hint to look at the registry."""
ACCOUNTS = "accounts"
"""A payload of this word and a tenant's id is a hint to look at every credential again."""
GONE = "gone"
"""A payload of this word and a tenant's id says that the tenant was deleted for good."""


class OpenMigration(Struct, frozen=True):
    """A migration that has begun and not ended.

    Attributes:
        state: running (not yet in force) or switched (in force, not yet contracted).
        done: numbers of the steps that are finished.
        waiting: what it waits for right now, "" when it does not.
    """

    migration: Migration
    state: str
    done: frozenset[int]
    waiting: str


async def begin(connection: Connection, identity: TenantIdentity, migration: Migration, state: str) -> None:
    """Enter a migration with its steps."""
    await connection.execute(
        """
        INSERT INTO backsaas.migrations AS m (tenant, version, plan_id, state, steps, record, base,
          finished_at)
        VALUES ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, $7,
          CASE WHEN $4 = 'done' THEN clock_timestamp() END)
        ON CONFLICT (tenant, version, plan_id) DO UPDATE
        SET state = excluded.state, steps = excluded.steps, record = excluded.record, base = excluded.base,
            waiting = '', notes = '[]', started_at = clock_timestamp(), finished_at = excluded.finished_at
        """,
        *_key(identity, migration),
        state,
        json.dumps(steps_to_json(migration.steps)),
        msgspec.json.encode(migration.record).decode(),
        migration.base,
    )


async def set_state(
    connection: Connection, identity: TenantIdentity, migration: Migration, state: str
) -> None:
    """Move a migration on; done, reverted and failed end it."""
    await connection.execute(
        "UPDATE backsaas.migrations SET state = $4, waiting = '', "
        "finished_at = CASE WHEN $4 IN ('done', 'reverted', 'failed') THEN clock_timestamp() END "
        "WHERE tenant = $1 AND version = $2 AND plan_id = $3",
        *_key(identity, migration),
        state,
    )


async def set_waiting(
    connection: Connection, identity: TenantIdentity, migration: Migration, waiting: str
) -> None:
    """Show what a migration waits for."""
    await connection.execute(
        "UPDATE backsaas.migrations SET waiting = $4 WHERE tenant = $1 AND version = $2 AND plan_id = $3",
        *_key(identity, migration),
        waiting,
    )


async def add_note(connection: Connection, identity: TenantIdentity, migration: Migration, note: str) -> None:
    """Keep something the author of the file should hear about a finished migration."""
    await connection.execute(
        "UPDATE backsaas.migrations SET notes = notes || to_jsonb($4::text) "
        "WHERE tenant = $1 AND version = $2 AND plan_id = $3",
        *_key(identity, migration),
        note,
    )


async def mark_steps(
    connection: Connection,
    identity: TenantIdentity,
    migration: Migration,
    numbers: Sequence[int],
    state: str,
    error: str = "",
) -> None:
    """Enter the state of steps: running, done, skipped, undone."""
    await connection.execute(
        """
        INSERT INTO backsaas.steps (tenant, version, plan_id, number, state, error, finished_at)
        SELECT $1, $2, $3, number, $5, $6, CASE WHEN $5 <> 'running' THEN clock_timestamp() END
        FROM unnest($4::integer[]) AS number
        ON CONFLICT (tenant, version, plan_id, number) DO UPDATE
        SET state = excluded.state, error = excluded.error, finished_at = excluded.finished_at
        """,
        *_key(identity, migration),
        list(numbers),
        state,
        error,
    )


async def deploy(
    connection: Connection, identity: TenantIdentity, migration: Migration, shape: Mapping[str, str]
) -> None:
    """Put a version in force: in the transaction that made its tables so."""
    tenant = uuid.UUID(identity.id)
    await connection.execute(
        """
        UPDATE backsaas.versions SET state = 'superseded', mirrored = false
        WHERE tenant = $1 AND state = 'deployed' AND number <> $2
        """,
        tenant,
        migration.version,
    )
    await connection.execute(
        """
        WITH version AS (
          UPDATE backsaas.versions
          SET state = 'deployed', deployed_at = clock_timestamp(), record = $3::text::jsonb,
            mirrored = false
          WHERE tenant = $1 AND number = $2 RETURNING digest
        )
        UPDATE backsaas.tenants SET version = $2, digest = coalesce((SELECT digest FROM version), digest),
          shape = (shape - $4::text[]) || $5::text::jsonb, updated_at = clock_timestamp()
        WHERE id = $1 RETURNING pg_notify($6, id::text)
        """,
        tenant,
        migration.version,
        msgspec.json.encode(migration.record).decode(),
        list(migration.touched),
        json.dumps(shape),
        CHANNEL,
    )
    row = await connection.fetchrow(
        "SELECT v.digest, v.author FROM backsaas.versions v JOIN backsaas.tenants t ON t.id = v.tenant "
        "WHERE v.tenant = $1 AND v.number = $2 AND t.slug = $3",
        tenant,
        migration.version,
        identity.slug,  # what is made beside the tenant of that name is nobody's news
    )
    if row is not None:
        said = {"version": migration.version, "hash": row["digest"], "plan": migration.plan_id}
        before = {"version": migration.base} if migration.base else None
        await act(connection, "schema.deployed", identity.slug, Who(row["author"]), said, before)


async def set_shape(
    connection: Connection, identity: TenantIdentity, touched: Sequence[str], shape: Mapping[str, str]
) -> None:
    """Remember what the tables look like now, to notice when somebody else alters them."""
    await connection.execute(
        "UPDATE backsaas.tenants SET shape = (shape - $2::text[]) || $3::text::jsonb WHERE id = $1",
        uuid.UUID(identity.id),
        list(touched),
        json.dumps(shape),
    )


async def open_migration(connection: Connection, identity: TenantIdentity) -> OpenMigration | None:
    """Return the migration that has begun and not ended, or None."""
    row = await connection.fetchrow(
        """
        SELECT version, plan_id, state, steps::text, record::text, base, waiting,
          ARRAY(SELECT number FROM backsaas.steps s
                WHERE (s.tenant, s.version, s.plan_id) = (m.tenant, m.version, m.plan_id)
                  AND s.state IN ('done', 'skipped')) AS finished
        FROM backsaas.migrations m WHERE tenant = $1 AND state IN ('running', 'switched')
        """,
        uuid.UUID(identity.id),
    )
    if row is None:
        return None
    steps = steps_from_json(json.loads(row["steps"]))
    record = Record(**json.loads(row["record"]))
    level = max((step.level for step in steps), default=0)
    migration = Migration(row["plan_id"], row["version"], row["base"], level, steps, (), record)
    return OpenMigration(migration, row["state"], frozenset(row["finished"]), row["waiting"])


async def progress(connection: Connection, identity: TenantIdentity) -> dict[str, Any] | None:
    """Return how far the newest migration is, as JSON values; None when there never was one.

    A step that is not entered yet ``waits``. What runs in one transaction is done all at once.
    """
    row = await connection.fetchrow(
        """
        SELECT version, plan_id, state, waiting, notes::text, started_at, finished_at,
          (SELECT coalesce(json_agg(json_build_object('summary', step->'summary', 'phase', step->'phase',
             'level', step->'level', 'state', coalesce(s.state, 'waits')) ORDER BY nth), '[]')
           FROM jsonb_array_elements(m.steps) WITH ORDINALITY AS entered(step, nth)
           LEFT JOIN backsaas.steps s
             ON (s.tenant, s.version, s.plan_id, s.number) = (m.tenant, m.version, m.plan_id, nth - 1))::text
            AS steps
        FROM backsaas.migrations m WHERE tenant = $1 ORDER BY started_at DESC, version DESC LIMIT 1
        """,
        uuid.UUID(identity.id),
    )
    if row is None:
        return None
    moments = {
        name: row[name] and row[name].isoformat().replace("+00:00", "Z")
        for name in ("started_at", "finished_at")
    }
    told = {name: row[name] for name in ("version", "plan_id", "state", "waiting")}
    return told | moments | {name: json.loads(row[name]) for name in ("notes", "steps")}


def pending(migration: Migration, done: frozenset[int]) -> list[tuple[int, Step]]:
    """Return the steps that are left, with their numbers."""
    return [(number, step) for number, step in enumerate(migration.steps) if number not in done]


def _key(identity: TenantIdentity, migration: Migration) -> tuple[uuid.UUID, int, str]:
    return uuid.UUID(identity.id), migration.version, migration.plan_id
