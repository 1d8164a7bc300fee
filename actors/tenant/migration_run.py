"""One migration on one connection: its groups of steps, the switch, the way forward and the way back.

Decides what is one transaction and what a failure means: before the switch everything is taken back,
after it what the rows do not allow is noted and left. Used by ``migrator``, which holds the tenant's lock
meanwhile.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import asyncpg

from actors.messages import TenantIdentity
from actors.tenant import journal
from actors.tenant.introspect import introspect
from actors.tenant.step_runner import (
    Pace,
    build_index,
    end_with_us,
    lock_tables,
    patiently,
    run_batches,
    run_online,
    run_statements,
)
from schemas.compiler.migrate.steps import BATCHED, CONCURRENT, CONTRACT, INSTANT, Migration, Step

Connection: TypeAlias = "asyncpg.Connection[Any]"

Verify: TypeAlias = Callable[["asyncpg.Connection[Any]"], Awaitable[None]]
"""Looks at the new tables before anybody else does; whatever it raises keeps the old version."""

_BLOCKED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
_ROWS_DISAGREE = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)


class MigrationRefusedError(Exception):
    """The plan has a hazard nobody may confirm, or the rows did not allow a step; nothing has changed."""


class StalePlanError(Exception):
    """Another version is in force than the plan starts from: plan again."""


class _VerifyError(Exception):
    """Carries what a verification raised past the handling of the rows' own errors."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class MigrationRun:
    """One migration on one connection."""

    def __init__(
        self,
        connection: Connection,
        identity: TenantIdentity,
        migration: Migration,
        pace: Pace,
        verify: Verify | None = None,
    ) -> None:
        self._connection = connection
        self._identity = identity
        self._migration = migration
        self._pace = pace
        self._verify = verify

    async def expand(self, done: frozenset[int], *, begun: bool) -> None:
        """Run what is left up to the switch, and the switch."""
        left = [(n, step) for n, step in journal.pending(self._migration, done) if step.phase != CONTRACT]
        groups = _groups(left)
        if len(groups) > 1 or begun:
            await self._begin()
            begun = True
        try:
            for group in groups[:-1]:
                await self._group(group)
            await self._switch(groups[-1], begun=begun)
        except _ROWS_DISAGREE as error:
            await self._take_back(begun=begun)
            raise MigrationRefusedError(_explain(error)) from error
        except _VerifyError as error:
            await self._take_back(begun=begun)
            raise error.reason from error

    async def _take_back(self, *, begun: bool) -> None:
        if begun:
            left = await journal.open_migration(self._connection, self._identity)
            await self.revert(left.done if left is not None else frozenset())

    async def contract(self, done: frozenset[int]) -> tuple[str, ...]:
        """Run what is left after the switch; returns what the rows did not allow."""
        notes: list[str] = []
        skipped: set[str] = set()
        for number, step in journal.pending(self._migration, done):
            if step.optional and step.cause in skipped:
                await self._mark([number], "skipped")
                continue
            try:
                await self._group([(number, step)])
            except _ROWS_DISAGREE as error:
                if not step.optional and step.mode != CONCURRENT:
                    raise
                notes.append(f"{step.summary}: {_explain(error)}")
                skipped.add(step.cause)
                await self._mark([number], "skipped", _explain(error))
                await journal.add_note(self._connection, self._identity, self._migration, notes[-1])
        async with self._connection.transaction():
            names = await self._touched()
            await journal.set_shape(self._connection, self._identity, names, await self._shape(names))
            await journal.set_state(self._connection, self._identity, self._migration, "done")
        return tuple(notes)

    async def revert(self, done: frozenset[int]) -> None:
        """Take back what was prepared, last first. Every reverse may run again."""
        begun = [(n, step) for n, step in enumerate(self._migration.steps) if step.reverse]
        for number, step in reversed(begun):
            if number not in done and step.mode == INSTANT:
                continue  # its transaction never happened
            await self._pace.checkpoint(f"undo {step.summary}")

            async def attempt(step: Step = step, number: int = number) -> None:
                async with self._connection.transaction():
                    await lock_tables(self._connection, [])
                    await self._connection.execute(";\n".join(step.reverse))
                    await self._mark([number], "undone")

            await patiently(self._connection, self._pace, attempt, _tables([step]), self._waiting)
        async with self._connection.transaction():
            names = await self._touched()
            await journal.set_shape(self._connection, self._identity, names, await self._shape(names))
            await journal.set_state(self._connection, self._identity, self._migration, "reverted")

    async def _begin(self) -> None:
        async with self._connection.transaction():
            await self._check_base()
            await journal.begin(self._connection, self._identity, self._migration, "running")
        await self._pace.checkpoint("begun")

    async def _check_base(self) -> None:
        """Lock the tenant's row: whoever deploys next waits for us."""
        version = await self._connection.fetchval(
            "SELECT version FROM backsaas.tenants WHERE id = $1 FOR UPDATE", uuid.UUID(self._identity.id)
        )
        if version != self._migration.base:
            raise StalePlanError(
                f"version {version} is in force, the plan starts from {self._migration.base}"
            )

    async def _switch(self, group: list[tuple[int, Step]], *, begun: bool) -> None:
        steps = [step for _, step in group]
        migration = self._migration
        rest = any(step.phase == CONTRACT for step in migration.steps)
        state = "switched" if rest else "done"

        async def attempt() -> None:
            async with self._connection.transaction():
                await lock_tables(self._connection, steps)
                await self._check_base()
                await run_statements(self._connection, steps)
                await self._verified()
                if begun:
                    await journal.set_state(self._connection, self._identity, migration, state)
                else:
                    await journal.begin(self._connection, self._identity, migration, state)
                if group:
                    await self._mark([number for number, _ in group], "done")
                shape = await self._shape(migration.touched)
                await journal.deploy(self._connection, self._identity, migration, shape)
                await self._pace.checkpoint("before the commit of the switch")

        await self._pace.checkpoint("before the switch")
        await patiently(self._connection, self._pace, attempt, _tables(steps), self._waiting)
        await self._pace.checkpoint("after the switch")

    async def _verified(self) -> None:
        if self._verify is None:
            return
        try:
            await self._verify(self._connection)
        except _BLOCKED:
            raise  # a lock, not a verdict: the switch is tried again
        except Exception as error:
            raise _VerifyError(error) from error

    async def _group(self, group: list[tuple[int, Step]]) -> None:
        steps = [step for _, step in group]
        numbers = [number for number, _ in group]
        first = steps[0]
        await self._pace.checkpoint(f"before {first.summary}")
        if first.mode != INSTANT:
            await end_with_us(self._connection)
        if first.mode == INSTANT:
            await patiently(
                self._connection, self._pace, self._instant(steps, numbers), _tables(steps), self._waiting
            )
        elif first.mode == BATCHED and first.batches is not None:
            await self._mark(numbers, "running")
            await run_batches(self._connection, first.batches, self._pace, self._waiting)
            await self._mark(numbers, "done")
        elif first.mode == CONCURRENT:
            await self._mark(numbers, "running")

            async def build() -> None:
                await build_index(self._connection, first)

            await patiently(self._connection, self._pace, build, _tables(steps), self._waiting)
            await self._pace.checkpoint(f"built {first.index}")
            await self._mark(numbers, "done")
        else:

            async def prove() -> None:
                async with self._connection.transaction():
                    await run_online(self._connection, first)
                    await self._mark(numbers, "done")

            await patiently(self._connection, self._pace, prove, _tables(steps), self._waiting)
        await self._pace.checkpoint(f"after {first.summary}")

    def _instant(self, steps: list[Step], numbers: list[int]) -> Callable[[], Awaitable[None]]:
        async def attempt() -> None:
            async with self._connection.transaction():
                await lock_tables(self._connection, steps)
                await run_statements(self._connection, steps)
                await self._mark(numbers, "done")
                await self._pace.checkpoint("before a commit")

        return attempt

    async def _mark(self, numbers: list[int], state: str, error: str = "") -> None:
        await journal.mark_steps(self._connection, self._identity, self._migration, numbers, state, error)

    async def _waiting(self, who: str) -> None:
        self._pace.told(who)
        await journal.set_waiting(self._connection, self._identity, self._migration, who)

    async def _touched(self) -> list[str]:
        """A migration read back from the journal does not know its tables: all are looked at."""
        if self._migration.touched:
            return list(self._migration.touched)
        known = await self._connection.fetchval(
            "SELECT ARRAY(SELECT jsonb_object_keys(shape)) FROM backsaas.tenants WHERE id = $1",
            uuid.UUID(self._identity.id),
        )
        return [*known, *(await introspect(self._connection, self._identity.namespace)).tables]

    async def _shape(self, tables: Sequence[str]) -> dict[str, str]:
        if not tables:
            return {}
        found = await introspect(self._connection, self._identity.namespace, list(tables))
        return {table.name: table.digest for table in found.tables.values()}


def _groups(steps: list[tuple[int, Step]]) -> list[list[tuple[int, Step]]]:
    """Join neighbouring instant steps into one transaction; the last group is the switch and may be empty."""
    groups: list[list[tuple[int, Step]]] = []
    for number, step in steps:
        if step.mode == INSTANT and groups and groups[-1][0][1].mode == INSTANT:
            groups[-1].append((number, step))
        else:
            groups.append([(number, step)])
    if not groups or groups[-1][0][1].mode != INSTANT:
        groups.append([])
    return groups


def _tables(steps: list[Step]) -> tuple[str, ...]:
    tables = {table for step in steps for table, _ in step.locks}
    tables |= {step.batches.table for step in steps if step.batches is not None}
    return tuple(sorted(tables))


def _explain(error: Exception) -> str:
    """PostgreSQL's message without the values of rows, which are in its detail."""
    return str(error).splitlines()[0]
