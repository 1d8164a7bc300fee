"""How the rows of an import are written: batch by batch, or all at once.

Decides what one transaction is. ``skip``: a batch with its place in the file, so that no row is written twice
however often the run is begun again. ``all`` and dry runs: the whole file; what is not complete never was.
Each batch runs on the version of the file that is in force by then. Called by ``running``.
"""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple

from actors.connections import TenantConnection
from actors.features.files import records as file_records
from actors.features.transfer import records
from actors.features.transfer.records import Import, Rejected
from actors.features.transfer.source import Batch, Reading
from actors.features.transfer.writing import Writer
from actors.messages import ProblemError
from actors.tenant.executor import StaleGenerationError, in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.sections.auth import USERS

MOST_REJECTED, MOST_REJECTED_AT_ONCE = 100_000, 10_000
TELL_SECONDS = 0.5
REJECTED = "import.rejected"
_PAUSE, _TRIES = 0.2, 100
_DONE = {"state": "done", "finished_at": True, "file": None}


class CancelledRunError(Exception):
    """Somebody said to stop, or another process took over."""


class _Outcome(NamedTuple):
    read: int
    written: int
    rejected: list[Rejected]
    position: int
    at: int


async def change(generation: Generation, task: Import, *states: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change what is known of it.

    Raises:
        CancelledRunError: it is in no such state.
    """
    if not await in_transaction(
        generation.pool, lambda own: records.change(own, generation, task.id, *states, **values)
    ):
        raise CancelledRunError


class Run:
    """One run; see the module's docstring."""

    def __init__(self, generation: Generation, task: Import, principal: Principal) -> None:
        self._first, self._task, self._principal = generation, task, principal
        self._read, self._written, self._rejected = task.read, task.written, task.rejected
        self._told = 0.0

    @property
    def _generation(self) -> Generation:
        """The version in force now."""
        return self._first.outbox.generation if self._first.outbox is not None else self._first

    def _writer(self, generation: Generation) -> Writer:
        entity = generation.queries.entity(self._task.entity, datetime.now(UTC).date())
        for column in self._task.columns:
            if column.field and column.field not in entity.fields:
                raise ProblemError("import.columns", f"'{column.field}' is no field any more")
        return Writer(generation, self._principal, self._task, entity)

    # -- batch by batch ---------------------------------------------------------------------------------

    async def batches(self, reading: Reading) -> None:
        """Write what is acceptable, a transaction per batch."""
        writer, of = None, None
        async for batch in reading.batches:
            for _ in range(_TRIES):
                generation = self._generation
                if writer is None or of is not generation:
                    writer, of = self._writer(generation), generation
                try:
                    await self._batch(generation, writer, batch)
                except StaleGenerationError:
                    writer = None
                    await asyncio.sleep(_PAUSE)  # the version that knows the tables is on its way
                else:
                    break
            else:
                raise ProblemError("tenant.unavailable", "the tables are being changed")
            await self._written_some(generation)
            if self._rejected > MOST_REJECTED:
                raise _too_many(MOST_REJECTED)
        await self._end(self._generation)

    async def _batch(self, generation: Generation, writer: Writer, batch: Batch) -> None:
        task, last = self._task, batch.rows[-1].number

        async def work(connection: TenantConnection) -> tuple[int, int]:
            state, position = await records.hold(connection, generation, task.id)
            if state != "running" or position >= last:
                raise CancelledRunError
            written, rejected = await writer.write(connection, batch.rows)
            await records.reject(connection, generation, task.id, rejected)
            await records.change(
                connection, generation, task.id, "running", position=last, at=batch.at,
                read=self._read + len(batch.rows), written=self._written + written,
                rejected=self._rejected + len(rejected),
            )  # fmt: skip
            return written, len(rejected)

        with self._holding(generation):
            written, rejected = await in_transaction(generation.pool, work)
        self._read += len(batch.rows)
        self._written += written
        self._rejected += rejected

    async def _end(self, generation: Generation) -> None:
        async def work(connection: TenantConnection) -> None:
            await records.change(connection, generation, self._task.id, "running", **_DONE)
            await file_records.forget(connection, generation, [self._task.file])

        await in_transaction(generation.pool, work)
        await self._written_some(generation)

    # -- all or nothing ---------------------------------------------------------------------------------

    async def whole(self, reading: Reading) -> None:
        """Write everything in one transaction, or find out what would come of it."""
        generation, task = self._generation, self._task
        await in_transaction(generation.pool, lambda own: records.accept_all(own, generation, task.id))
        read = False

        async def work(connection: TenantConnection) -> _Outcome:
            nonlocal read
            if read:  # it runs again after a deadlock; the file has to be read again for that
                raise ProblemError("database.conflict", "other changes got in the way")
            read = True
            outcome = await self._all(generation, connection, reading)
            if outcome.rejected or task.options.dry_run:
                raise _UndoneError(outcome)
            await records.change(
                connection, generation, task.id, "running", position=outcome.position, at=outcome.at,
                read=outcome.read, written=outcome.written, **_DONE,
            )  # fmt: skip
            await file_records.forget(connection, generation, [task.file])
            return outcome

        try:
            with self._holding(generation):
                await in_transaction(generation.pool, work)
        except StaleGenerationError:
            raise ProblemError("database.conflict", "the tables were changed meanwhile") from None
        except _UndoneError as undone:
            await self._undone(generation, undone.outcome)
            return
        await self._written_some(generation)

    async def _all(self, generation: Generation, connection: TenantConnection, reading: Reading) -> _Outcome:
        writer, rejected = self._writer(generation), list[Rejected]()
        read = written = position = 0
        so_far = _Outcome(0, 0, rejected, 0, 0)
        async for batch in reading.batches:
            done, bad = await writer.write(connection, batch.rows)
            read, written, position = read + len(batch.rows), written + done, batch.rows[-1].number
            rejected += [one.shortened() for one in bad]
            so_far = _Outcome(read, written, rejected, position, batch.at)
            if len(rejected) > MOST_REJECTED_AT_ONCE:
                raise _UndoneError(so_far)
            await self._tell(generation, so_far)
        return so_far

    async def _tell(self, generation: Generation, so_far: _Outcome) -> None:
        """Let others see how far it is, now and then; on a connection of its own."""
        if monotonic() - self._told < TELL_SECONDS:
            return
        self._told = monotonic()
        await change(
            generation, self._task, "running", at=so_far.at, read=so_far.read, written=so_far.written,
            rejected=len(so_far.rejected), position=so_far.position,
        )  # fmt: skip

    async def _undone(self, generation: Generation, outcome: _Outcome) -> None:
        """Note what came of a transaction that was taken back."""
        task, bad, dry = self._task, len(outcome.rejected), self._task.options.dry_run
        problem = None
        if bad > MOST_REJECTED_AT_ONCE:
            problem = _too_many(MOST_REJECTED_AT_ONCE).message
        elif bad and not dry:
            problem = f"{bad} of {outcome.read} rows are not acceptable; none was kept"

        async def work(connection: TenantConnection) -> bool:
            await records.reject(connection, generation, task.id, outcome.rejected)
            return await records.change(
                connection, generation, task.id, "running", state="failed" if problem else "done",
                finished_at=True, read=outcome.read, written=outcome.written if dry else 0, rejected=bad,
                position=outcome.position, at=outcome.at,
                problem=None if problem is None else {"code": REJECTED, "message": problem, "hint": None},
            )  # fmt: skip

        await in_transaction(generation.pool, work)

    # -- what both do -----------------------------------------------------------------------------------

    async def _written_some(self, generation: Generation) -> None:
        """Tell those who listen that there are changes."""
        if generation.outbox is not None:
            generation.outbox.committed()
        if generation.live is not None:
            generation.live.hint()
        if generation.realm is not None and self._task.entity == USERS:
            await generation.realm.changed(None)

    def _holding(self, generation: Generation) -> AbstractContextManager[None]:
        usage = generation.usage
        return nullcontext() if usage is None else usage.quota.holding(self._principal)


class _UndoneError(ProblemError):
    """A transaction that is to be taken back, and what came of it."""

    def __init__(self, outcome: _Outcome) -> None:
        super().__init__(REJECTED, "nothing is kept")
        self.outcome = outcome


def _too_many(most: int) -> ProblemError:
    return ProblemError(REJECTED, f"more than {most} rows are not acceptable: look at the mapping")
