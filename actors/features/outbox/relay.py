"""One tenant's relay: changes become tasks, tasks are run, while there are any.

    commit -> hint -> [_outbox] -fan out-> [_tasks] -claim-> run -> done | again later | dead

Decides the order of that and what a failure means. It polls nothing: it sleeps until a commit of this process
hints at work, or until what it knows to be due next. What a change or a task means is its ``kinds``'. Run by
the tenant actor as a task of its own; a crash of the process at any point loses nothing, since each arrow is
one transaction, and repeats at most what was being run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

import asyncpg
import structlog

from actors.connections import ConnectError, TenantConnection
from actors.features.outbox import outcomes, queue
from actors.features.outbox.changes import read_change
from actors.features.outbox.kinds import Kinds
from actors.features.outbox.schedules import Clock
from actors.features.outbox.slots import Slots
from actors.features.outbox.tasks import NewTask, Task
from actors.messages import ProblemError
from actors.pool import PoolError
from actors.tenant.executor import StaleGenerationError, in_transaction
from actors.tenant.generation import Generation
from actors.tenant.refusals import problem

T = TypeVar("T")

BATCH = 200
"""Changes turned into tasks in one transaction."""
RENEW_SECONDS = queue.LEASE_SECONDS / 3
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
PAUSED_SECONDS = 3600.0
_AWAY = (ConnectError, OSError, StaleGenerationError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
_AWAY_CODES = frozenset(
    (
        *("database.unavailable", "database.busy", "database.conflict", "outcome_unknown"),
        *("query_timeout", "tenant.unavailable", "PGRST003", "storage_full"),
    )
)

log = structlog.get_logger("relay")


class Relay:
    """See the module's docstring.

    Args:
        generation: of the tenant, the one to begin with.
        kinds: what changes and tasks mean.
        slots: places for running tasks in this process.
        spawn: begins a task that ends with the tenant actor.
    """

    def __init__(
        self,
        generation: Generation,
        kinds: Kinds,
        slots: Slots,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        self.generation = generation
        self._kinds = kinds
        self._slots = slots
        self._spawn = spawn
        self._pool = generation.pool
        self._namespace = generation.identity.namespace
        self._woken = asyncio.Event()
        self._hinted = True
        self._behind_since: float | None = None
        self._clock = Clock(kinds.schedules, kinds.tidy)
        self._running: dict[str, Task] = {}
        self._ended: list[tuple[Task, BaseException | None]] = []
        self._batch = BATCH
        self._renew_at = 0.0
        self._slug = generation.identity.slug
        self.paused = False

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._running or self._ended or self._hinted)

    @property
    def lag(self) -> float:
        """Seconds since the oldest hint whose changes may still wait to be looked at; 0: none waits."""
        return 0.0 if self._behind_since is None else monotonic() - self._behind_since

    def committed(self) -> None:
        """Hear that a write may have left changes behind; costs its caller nothing."""
        self._hinted = True
        if self._behind_since is None:
            self._behind_since = monotonic()
        self._woken.set()

    def look(self) -> None:
        """Look whether something is due: the clock, another process, or a person says so."""
        self.committed()

    def serve(self, generation: Generation) -> None:
        """Go on with another version of the file; what runs finishes on its own."""
        self.generation = generation
        self.look()

    async def run(self) -> None:
        """Work until cancelled; trouble is waited out."""
        pause = FIRST_PAUSE
        while True:
            self._woken.clear()
            try:
                due = await self._turn()
                pause = FIRST_PAUSE
                if self.generation.usage is not None:
                    self.generation.usage.busy = True
            except Exception as error:
                if _passes(error):
                    log.warning("relay.waits", tenant=self._slug, reason=str(error)[:200])
                else:
                    log.exception("relay.failed", tenant=self._slug)
                due, pause = pause, min(pause * 2, LONGEST_PAUSE)
            await self._sleep(due)

    async def close(self) -> float | None:
        """Give back what was being run when the relay was cancelled; returns when it is needed again."""

        async def settle(connection: TenantConnection) -> float | None:
            await outcomes.write(connection, self._namespace, self._slug, self._ended)
            for task in self._running.values():
                await queue.retry(
                    connection,
                    self._namespace,
                    task,
                    seconds=0,
                    reason="the tenant was stopped",
                    counted=False,
                )
            if await queue.is_left(connection, self._namespace):
                return 0.0
            return await queue.next_due(connection, self._namespace, ())

        try:
            due = await in_transaction(self._pool, settle)
            return PAUSED_SECONDS if self.paused and due is not None else due
        finally:
            self._slots.give(len(self._running))
            self._running.clear()
            self._ended.clear()

    async def _sleep(self, seconds: float | None) -> None:
        if self._running:
            seconds = RENEW_SECONDS if seconds is None else min(seconds, RENEW_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _turn(self) -> float | None:
        """Do what can be done now; returns in how many seconds to come back."""
        generation = self.generation
        await self._write_outcomes()
        if self.paused:
            self._hinted, self._behind_since = False, None
            return None
        if self._hinted:
            self._hinted = False
            try:
                while await self._fan_out(generation):
                    await self._start(generation)
            except BaseException:
                self._hinted = True
                raise
            if not self._hinted:
                self._behind_since = None
        await self._clock.follow(generation)
        mine = list(self._running)
        # asked before the claim: what becomes due between the two is begun, or still ahead
        due = await self._alone(
            lambda connection: queue.next_due(connection, self._namespace, mine), reads=True
        )
        await self._start(generation)
        return due

    # -- changes to tasks -------------------------------------------------------------------------------

    async def _fan_out(self, generation: Generation) -> bool:
        """Turn the oldest changes into tasks, in one transaction; returns whether there may be more."""
        size = self._batch

        async def work(connection: TenantConnection) -> int:
            rows = await queue.changes(connection, self._namespace, size)
            tasks: list[NewTask] = []
            for row in rows:
                change = read_change(generation.model, row)
                if change is not None:
                    tasks += await self._kinds.tasks_of(generation, change, connection)
            seen = [row["seq"] for row in rows]
            await queue.put(connection, self._namespace, tasks, instead_of=seen)
            return len(rows)

        try:
            found = await in_transaction(self._pool, work)
        except Exception as error:
            if _passes(error):
                raise
            if size == 1:
                why = outcomes.reason(error)
                log.exception("relay.change_failed", tenant=self._slug)
                await in_transaction(self._pool, lambda connection: self._set_aside(connection, why))
            self._batch = 1  # one of them is the trouble: look at each alone
            return True
        self._batch = BATCH if found < size else size
        return found == size

    async def _set_aside(self, connection: TenantConnection, reason: str) -> None:
        """Keep the oldest change as a dead task: the next ones must not wait for it."""
        for row in await queue.changes(connection, self._namespace, 1):
            kept = {name: row[name] for name in ("entity", "key", "verb", "old", "new", "who")}
            task = NewTask("change", row["entity"], {**kept, "at": row["at"]})
            await queue.put(connection, self._namespace, [task], instead_of=[row["seq"]], dead=reason)

    # -- running tasks ----------------------------------------------------------------------------------

    async def _start(self, generation: Generation) -> None:
        granted = self._slots.take(len(self._running), self, self._woken.set)
        if not granted:
            return
        started = 0
        try:
            for task in await self._alone(
                lambda connection: queue.claim(connection, self._namespace, granted)
            ):
                self._running[task.id] = task
                self._spawn(self._run(generation, task), f"{task.kind} {task.name}")
                started += 1
        finally:
            self._slots.give(granted - started)

    async def _run(self, generation: Generation, task: Task) -> None:
        outcome: BaseException | None = None
        try:
            await self._kinds.run(generation, task)
        except asyncio.CancelledError:
            raise  # ``close`` gives it back
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this task's outcome
            outcome = error
        del self._running[task.id]
        self._slots.give()
        self._ended.append((task, outcome))
        self.committed()  # what it wrote may concern others

    async def _write_outcomes(self) -> None:
        """Write down how tasks came out, and that the others go on.

        What cannot be written now is written with the next turn.
        """
        ended, now = self._ended[:BATCH], asyncio.get_running_loop().time()
        if ended:

            async def write(connection: TenantConnection) -> None:
                await outcomes.write(connection, self._namespace, self._slug, ended)

            await in_transaction(self._pool, write)
            del self._ended[: len(ended)]
            if self.generation.usage is not None and any(error for _, error in ended):
                self.generation.usage.failing = True
        if now >= self._renew_at:
            self._renew_at = now + RENEW_SECONDS

            async def renew(connection: TenantConnection) -> None:
                await queue.renew(connection, self._namespace, list(self._running))
                await queue.expire(connection, self._namespace)

            await in_transaction(self._pool, renew)

    async def _alone(self, work: Callable[[TenantConnection], Awaitable[T]], *, reads: bool = False) -> T:
        """Run one statement, which is its own transaction."""
        connection = await self._pool.acquire()
        try:
            found = await work(connection)
        except asyncpg.PostgresError as error:
            self._pool.release(connection)
            raise problem(error, reads=reads) from error
        except BaseException:
            self._pool.discard(connection)
            raise
        self._pool.release(connection)
        return found


def _passes(error: Exception) -> bool:
    """Whether it is the surroundings' trouble, and over some time."""
    return isinstance(error, (*_AWAY, PoolError)) or (
        isinstance(error, ProblemError) and error.code in _AWAY_CODES
    )
