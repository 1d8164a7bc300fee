"""Executes migrations: expand and switch, then contract; one at a time per tenant, resumable after any crash.

Decides the order of effects and what a failure means: before the switch everything is taken back, after it
the rest is done again until it is done. It plans nothing (``planning``) and prints no SQL
(``schemas.compiler.migrate``). Called by the reload of a tenant and by the command line, with a connection of
the owner that nobody else uses meanwhile.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from actors.messages import TenantIdentity
from actors.tenant import journal
from actors.tenant.furniture import furnish, named_in
from actors.tenant.migration_run import MigrationRefusedError, MigrationRun, StalePlanError, Verify
from actors.tenant.step_runner import MigrationBlockedError, Pace
from schemas.compiler.migrate.steps import Migration

__all__ = [
    "ConfirmationNeededError",
    "MigrationBlockedError",
    "MigrationBusyError",
    "MigrationRefusedError",
    "StalePlanError",
    "contract",
    "expand",
    "resume",
]

Connection: TypeAlias = "asyncpg.Connection[Any]"

LOCK_CLASS = 0x62732E6D
"""First key of the advisory lock; the second is from the tenant's id."""
_POLL = 0.05
_STEADY = Pace()


class ConfirmationNeededError(Exception):
    """The plan waits for somebody's yes."""


class MigrationBusyError(Exception):
    """Another process migrates this tenant: look at the registry again later."""


async def expand(
    connection: Connection,
    identity: TenantIdentity,
    migration: Migration,
    *,
    confirmed: bool = False,
    verify: Verify | None = None,
    pace: Pace = _STEADY,
) -> None:
    """Run everything up to and including the switch; afterwards the version is in force.

    A plan of instant steps is one transaction, journal and version included.

    Args:
        connection: the owner's, used by nobody else meanwhile.
        identity: the tenant.
        migration: from ``planning``.
        confirmed: somebody allowed this plan.
        verify: awaited with the connection inside the switch's transaction, after its statements; what it
            raises keeps the old version and comes out of here.
        pace: how to wait.

    Raises:
        MigrationRefusedError: a level 3 hazard, or the rows broke a step; what had been prepared is taken
            back.
        ConfirmationNeededError: level 2 and not ``confirmed``.
        StalePlanError, MigrationBusyError, MigrationBlockedError: nothing is in force that was not before.
    """
    if migration.level >= 3:
        raise MigrationRefusedError(
            "; ".join(hazard.message for hazard in migration.hazards if hazard.level >= 3)
        )
    if migration.level == 2 and not confirmed:
        raise ConfirmationNeededError(migration.plan_id)
    async with only_one(connection, identity, pace):
        left = await journal.open_migration(connection, identity)
        if left is not None and left.migration.plan_id != migration.plan_id:
            await _settle(connection, identity, left, pace)
            raise StalePlanError("an earlier migration had to be finished first")
        texts = (text for step in migration.steps for text in step.sql)
        await furnish(connection, identity, named_in(*texts))
        run = MigrationRun(connection, identity, migration, pace, verify)
        await run.expand(left.done if left is not None else frozenset(), begun=left is not None)


async def contract(
    connection: Connection, identity: TenantIdentity, *, pace: Pace = _STEADY
) -> tuple[str, ...]:
    """Run what is left after the switch, once no old code uses the tables.

    Returns:
        Notes for the file's author, e.g. that old rows do not meet a new condition yet.

    Raises:
        MigrationBusyError, MigrationBlockedError: what is left stays in the journal; call again.
    """
    async with only_one(connection, identity, pace):
        left = await journal.open_migration(connection, identity)
        if left is None or left.state != "switched":
            return ()
        return await MigrationRun(connection, identity, left.migration, pace).contract(left.done)


async def resume(
    connection: Connection,
    identity: TenantIdentity,
    *,
    complete: bool = True,
    busy_after: float | None = None,
    pace: Pace = _STEADY,
) -> journal.OpenMigration | None:
    """Finish what a crash interrupted: take back what was not yet in force, complete what was.

    Args:
        connection: the owner's.
        identity: the tenant.
        complete: False leaves what is in force for ``contract``: it may take as long as its indexes.
        busy_after: seconds another process may be at work on this tenant; by default as ``pace`` waits.
        pace: how to wait.

    Returns:
        The migration found open, or None.

    Raises:
        MigrationBusyError: another process is at work on it; what is in force can be served.
    """
    async with only_one(connection, identity, pace, busy_after):
        left = await journal.open_migration(connection, identity)
        if left is not None and (complete or left.state != "switched"):
            await _settle(connection, identity, left, pace)
        return left


async def _settle(
    connection: Connection, identity: TenantIdentity, left: journal.OpenMigration, pace: Pace
) -> None:
    run = MigrationRun(connection, identity, left.migration, pace)
    if left.state == "switched":
        await run.contract(left.done)
    else:
        await run.revert(left.done)


@asynccontextmanager
async def only_one(
    connection: Connection, identity: TenantIdentity, pace: Pace, busy_after: float | None = None
) -> AsyncIterator[None]:
    """Hold the tenant's advisory lock on this session; a crash frees it with the session."""
    key = uuid.UUID(identity.id).int & 0x7FFFFFFF
    deadline = pace.clock() + (pace.patience if busy_after is None else busy_after)
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK_CLASS, key):
        if pace.clock() > deadline:
            raise MigrationBusyError(identity.slug)
        await pace.sleep(_POLL)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(f"SELECT pg_advisory_unlock({LOCK_CLASS}, {key})")
