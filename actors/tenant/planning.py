"""Planning a migration against the real database: introspect, compare, ask the rows; touch nothing.

Called by the reload of a tenant and by the command line's ``plan``. The questions run in a transaction that
is rolled back.
"""

import json
import uuid
from typing import Any, TypeAlias

import asyncpg
from msgspec.structs import replace

from actors.messages import TenantIdentity
from actors.tenant.introspect import introspect
from actors.tenant.migration_run import StalePlanError
from schemas.compiler.layout import wanted_catalog
from schemas.compiler.migrate.catalog import Catalog, Table, Target
from schemas.compiler.migrate.causes import table_of
from schemas.compiler.migrate.changes import Change, ChangeKey, CreateTable
from schemas.compiler.migrate.diff import diff
from schemas.compiler.migrate.draft import Facts
from schemas.compiler.migrate.hazards import Finding, Hazard, Key, probes
from schemas.compiler.migrate.hints import hints_of
from schemas.compiler.migrate.misses import misses
from schemas.compiler.migrate.planner import current_by_wanted_name, names_before, plan
from schemas.compiler.migrate.rollback import rollback_hints
from schemas.compiler.migrate.steps import Migration, Record
from schemas.compiler.model import TenantModel

Connection: TypeAlias = "asyncpg.Connection[Any]"

SMALL_BYTES = 512 * 1024
"""Tables up to this size are scanned or filled under a lock in a few milliseconds, so they need no online
steps.
"""
_KNOWN = """
SELECT version, shape::text,
  (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
   WHERE e.extname = 'pg_trgm') AS trigram,
  EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
    AND d.refobjid = to_regnamespace(quote_ident($2)) AND d.classid = 'pg_catalog.pg_class'::regclass) AS used
FROM backsaas.tenants WHERE id = $1
"""
_CHANGED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedObjectError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalServerError,  # "could not open relation", of a table that was there a moment ago
)
_PROBE_TIMEOUT = "SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '1s'"


async def plan_migration(
    connection: Connection,
    identity: TenantIdentity,
    model: TenantModel,
    *,
    version: int,
    digest: str = "",
    back_through: list[Record] | None = None,
    small_bytes: int = SMALL_BYTES,
) -> Migration:
    """Return how the tenant's tables get from what they are to what ``model`` wants.

    Args:
        connection: the owner's.
        identity: the tenant.
        model: the wanted version.
        version: its number in the registry; archived names carry it.
        digest: of its text; part of the plan's name, so that a confirmation is for this file only.
        back_through: for a rollback, the records of all migrations since ``model`` was in force, oldest
            first.
        small_bytes: up to which size a table is changed directly.

    Raises:
        StalePlanError: another migration changed or holds the tables meanwhile: plan again.
    """
    try:
        return await _plan(connection, identity, model, (version, digest), back_through, small_bytes)
    except _CHANGED as error:
        raise StalePlanError("the tables changed while they were looked at") from error


async def _plan(
    connection: Connection,
    identity: TenantIdentity,
    model: TenantModel,
    named: tuple[int, str],
    back_through: list[Record] | None,
    small_bytes: int,
) -> Migration:
    version, digest = named
    row = await connection.fetchrow(_KNOWN, uuid.UUID(identity.id), identity.namespace)
    if row is None:
        raise LookupError(f"no tenant {identity.slug!r}")
    present = await introspect(connection, identity.namespace) if row["used"] else Catalog({})
    wanted = wanted_catalog(model, row["trigram"])
    hints, archive = hints_of(model), None
    if back_through:
        hints = rollback_hints(wanted, back_through)
        if hints.tables_restored:
            archive = await introspect(connection, identity.archive)
    changes = diff(present, wanted, hints, archive)
    empty = await _empty_tables(connection, identity, present, changes)
    rebuilt = _rebuilt(changes, present, empty)
    if rebuilt:
        changes = diff(present, wanted, replace(hints, rebuilt=rebuilt), archive)
    small = frozenset(name for name, size in present.sizes.items() if size <= small_bytes)
    target = Target(identity.namespace, identity.archive, identity.role or identity.namespace)
    findings = await _ask(connection, target, changes, present, empty)
    known = current_by_wanted_name(changes, present).items()
    filled = {name: table for name, table in known if table.name not in empty}
    noted = (*_drift(json.loads(row["shape"]), present), *misses(changes, hints, filled))
    facts = Facts(empty, small, findings)
    return plan(changes, (present, wanted), target, facts, (row["version"], version), digest, noted)


async def _empty_tables(
    connection: Connection, identity: TenantIdentity, present: Catalog, changes: list[Change]
) -> frozenset[str]:
    """Names of touched tables without a row; the others are not asked."""
    current = current_by_wanted_name(changes, present)
    touched = {table_of(change) for change in changes if not isinstance(change, CreateTable)}
    asked = sorted({current[name].name for name in touched if name in current})
    maybe = [name for name in asked if present.sizes[name] > 0]
    empty = {name for name in asked if present.sizes[name] == 0}
    if maybe:
        listed = ", ".join(f'NOT EXISTS (SELECT FROM "{identity.namespace}"."{name}")' for name in maybe)
        row = await connection.fetchrow(f"SELECT {listed}")
        empty |= {name for name, nothing in zip(maybe, row or (), strict=True) if nothing}
    return frozenset(empty)


def _rebuilt(changes: list[Change], present: Catalog, empty: frozenset[str]) -> frozenset[str]:
    current = current_by_wanted_name(changes, present)
    return frozenset(
        change.table
        for change in changes
        if isinstance(change, ChangeKey) and change.table in current and current[change.table].name in empty
    )


async def _ask(
    connection: Connection, target: Target, changes: list[Change], present: Catalog, empty: frozenset[str]
) -> dict[Key, Finding]:
    current: dict[str, Table] = {
        name: table
        for name, table in current_by_wanted_name(changes, present).items()
        if table.name not in empty
    }
    questions = list(probes(changes, names_before(changes, target), current))
    findings: dict[Key, Finding] = {}
    if not questions:
        return findings
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(_PROBE_TIMEOUT)
        for probe in questions:
            if probe.setup:
                await connection.execute(probe.setup)
            row = await connection.fetchrow(probe.sql)
            if row is not None and row[0]:
                findings[probe.key] = Finding(row[0], tuple(row[1] or ()))
    finally:
        await transaction.rollback()
    return findings


def _drift(shape: dict[str, str], present: Catalog) -> tuple[Hazard, ...]:
    """What somebody else did to the tables since the last migration: shown, and never undone unasked."""
    found: list[Hazard] = []
    for name in sorted(shape.keys() | present.tables.keys()):
        table = present.tables.get(name)
        if table is not None and shape.get(name) == table.digest:
            continue
        what = "was removed" if table is None else "appeared" if name not in shape else "was altered"
        found.append(
            Hazard(
                2,
                "migration.drift",
                f"table '{name}' {what} outside BackSaas",
                f"entities.{name}",
                "undo that, or confirm: the plan then brings the table back to what the file says",
            )
        )
    return tuple(found)
