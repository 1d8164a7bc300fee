"""Which tenant gets how many processes for its Python functions, and when.

Decides the fair share: a tenant has at most a few processes, all tenants together at most a few more; one
that waits gets the place of a process nobody uses. A process never changes its tenant or its version. Called
by ``host``.
"""

import asyncio
from collections import OrderedDict, deque
from typing import TypeAlias

import structlog

from actors.features.functions.calls import DataPort, Invocation, Outcome, RunError
from actors.features.functions.launcher import Launcher
from actors.features.functions.process import Code, LoadError, Process
from actors.features.functions.services import Services
from actors.messages import ProblemError
from actors.tenant.generation import Generation

log = structlog.get_logger("functions")

IDLE_SECONDS = 300.0
"""How long a process waits for the next call before it ends."""
_Waiter: TypeAlias = "asyncio.Future[Process | None]"


class WorkerPool:
    """See the module's docstring.

    Args:
        launcher: starts processes.
        services: what functions may reach.
        total: processes of all tenants.
        per_tenant: processes of one.
    """

    def __init__(
        self, launcher: Launcher, services: Services, *, total: int = 8, per_tenant: int = 2
    ) -> None:
        self._launcher = launcher
        self._services = services
        self._total, self._per_tenant = total, per_tenant
        self._idle: OrderedDict[Process, float] = OrderedDict()
        self._reaper: asyncio.TimerHandle | None = None
        self._alive: dict[str, int] = {}
        self._waiting: OrderedDict[str, deque[tuple[Code, _Waiter]]] = OrderedDict()

    async def run(self, generation: Generation, call: Invocation, data: DataPort) -> Outcome:
        """Run a function of the tenant's Python file.

        Raises:
            ProblemError: see ``FunctionHost.run``; function.busy when no process became free in time.
        """
        if isinstance(call.lane, Process) and call.lane.alive:
            # whoever waits for this call holds the process: a second one could wait for ever
            return await call.lane.run(generation, call, data)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + call.timeout
        try:
            process = await self._acquire(code_of(generation), call.timeout)
        except LoadError as error:
            raise RunError(
                "failed",
                "function.failed",
                "the tenant's functions cannot be loaded",
                str(error),
                (),
                error.line,
            ) from error
        try:
            if loop.time() >= deadline:
                raise ProblemError("function.busy", "no process for functions became free in time")
            return await process.run(generation, call, data)
        finally:
            self._release(process)

    async def load(self, generation: Generation, seconds: float) -> None:
        """Load a tenant's code into a process, which then waits for the first call.

        Raises:
            LoadError: the code cannot be loaded.
        """
        self._release(await self._acquire(code_of(generation), seconds))

    async def start(self) -> None:
        """Be ready to start processes quickly."""
        await self._launcher.start()

    def beside(self, services: Services) -> "WorkerPool":
        """Return a pool of the same kind whose functions reach something else."""
        return WorkerPool(self._launcher, services, total=1, per_tenant=1)

    def end(self) -> None:
        """End every process that nobody uses."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        for process in [*self._idle]:
            self._end(process)

    def close(self) -> None:
        """End every process, and what starts them."""
        self.end()
        self._launcher.close()

    # -- the share -------------------------------------------------------------------------------------------

    async def _acquire(self, code: Code, seconds: float) -> Process:
        process = self._take(code)
        if process is not None:
            return process
        if self._waiting.get(code.tenant) or not self._room(code.tenant):
            process = await self._wait(code, seconds)
            if process is not None:
                return process
        else:
            self._count(code.tenant, 1)
        try:
            return await Process.start(self._launcher, self._services, code)
        except BaseException:
            self._count(code.tenant, -1)
            self._serve_waiters()
            raise

    def _take(self, code: Code) -> Process | None:
        """Return an idle process of this version; those of other versions of the tenant end."""
        for process in [one for one in self._idle if one.code.tenant == code.tenant]:
            if process.alive and process.code == code:
                del self._idle[process]
                return process
            self._end(process)
        return None

    def _room(self, tenant: str) -> bool:
        """Whether the tenant may start a process, after ending an idle one of somebody if need be."""
        if self._alive.get(tenant, 0) >= self._per_tenant:
            return False
        if sum(self._alive.values()) < self._total:
            return True
        if self._idle:
            self._end(next(iter(self._idle)))
            return True
        return False

    async def _wait(self, code: Code, seconds: float) -> Process | None:
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(code.tenant, deque()).append((code, waiter))
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        except (TimeoutError, asyncio.CancelledError) as error:
            self._forget(code.tenant, waiter)
            if waiter.done() and not waiter.cancelled():
                # what was handed over in the same moment must not be lost
                process = waiter.result()
                if process is None:
                    self._count(code.tenant, -1)
                    self._serve_waiters()
                else:
                    self._release(process)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise ProblemError("function.busy", "no process for functions became free in time") from None

    def _forget(self, tenant: str, waiter: _Waiter) -> None:
        line = self._waiting.get(tenant, deque())
        self._waiting[tenant] = deque(entry for entry in line if entry[1] is not waiter)
        if not self._waiting[tenant]:
            del self._waiting[tenant]

    def _release(self, process: Process) -> None:
        if process.alive:
            loop = asyncio.get_running_loop()
            self._idle[process] = loop.time()
            if self._reaper is None:
                self._reaper = loop.call_later(IDLE_SECONDS, self._reap)
        else:
            self._count(process.code.tenant, -1)
        self._serve_waiters()

    def _serve_waiters(self) -> None:
        """Give what is free to whoever waits, one tenant after the other."""
        served = True
        while served:
            served = False
            for tenant in [*self._waiting]:
                code, waiter = self._waiting[tenant][0]
                if waiter.done():
                    self._forget(tenant, waiter)
                    served = True
                    continue
                process = self._take(code)
                if process is None and not self._room(tenant):
                    continue
                if process is None:
                    self._count(tenant, 1)
                self._forget(tenant, waiter)
                if tenant in self._waiting:
                    self._waiting.move_to_end(tenant)
                waiter.set_result(process)
                served = True

    def _reap(self) -> None:
        """End processes nobody has used for a while."""
        loop, self._reaper = asyncio.get_running_loop(), None
        for process, since in [*self._idle.items()]:
            if loop.time() - since >= IDLE_SECONDS:
                self._end(process)
        if self._idle:
            self._reaper = loop.call_later(IDLE_SECONDS / 4, self._reap)

    def _end(self, process: Process) -> None:
        self._idle.pop(process, None)
        process.kill()
        self._count(process.code.tenant, -1)

    def _count(self, tenant: str, change: int) -> None:
        count = self._alive.get(tenant, 0) + change
        if count:
            self._alive[tenant] = count
        else:
            self._alive.pop(tenant, None)


def code_of(generation: Generation) -> Code:
    """Return the code of a tenant's version."""
    slug = generation.model.slug
    file = "platform.py" if slug == "system" else f"{slug}.py"
    return Code(generation.identity.id, generation.version, file, generation.code)
