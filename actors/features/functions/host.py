"""Runs functions: a tenant's own, the built-in ones, and those of the platform.

Decides where a name leads and what its failure means to the caller. Called by everything that has a function
to run; one per process, shared by all tenants.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import structlog
from msgspec.structs import replace

from actors.features.functions.built_in import BUILT_IN
from actors.features.functions.built_in.context import Context
from actors.features.functions.calls import MAX_DEPTH, DataPort, Invocation, Outcome
from actors.features.functions.recorder import Recorder
from actors.features.functions.services import Services
from actors.features.functions.silent import silent_services
from actors.messages import ProblemError
from actors.tenant.refusals import CONFLICTS, LOST, StaleGenerationError
from runtime.histogram import Histogram
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import SERVICE_ROLE
from schemas.compiler.query.errors import QueryError

if TYPE_CHECKING:
    from actors.tenant.generation import Generation

PlatformFunction: TypeAlias = Callable[["Generation", Invocation, DataPort], Awaitable[Any]]

RESULTS = ("ok", "rejected", "timeout", "failed")
"""How a run may end, for metrics; every other refusal is a failure."""

WARM_AFTER = 2.0

log = structlog.get_logger("functions")


class Workers(Protocol):
    """Runs functions of tenants' Python files elsewhere."""

    async def run(self, generation: "Generation", call: Invocation, data: DataPort) -> Outcome:
        """Run a function of the tenant's file; errors as ``FunctionHost.run``."""
        ...

    async def load(self, generation: "Generation", seconds: float) -> None:
        """Load the tenant's file; LoadError when it cannot be."""
        ...

    async def start(self) -> None:
        """Be ready to start processes quickly."""
        ...

    def beside(self, services: Services) -> "Workers":
        """Return others of the same kind that reach something else."""
        ...

    def end(self) -> None:
        """End every process."""
        ...

    def close(self) -> None:
        """End every process, and what starts them."""
        ...


class FunctionHost:
    """See the module's docstring.

    Args:
        services: what functions may reach.
        workers: for Python files; None where there are none.
        platform: functions of the tenant ``system``, by name.

    Attributes:
        durations: of runs, by how they ended.
    """

    def __init__(
        self,
        services: Services,
        *,
        workers: Workers | None = None,
        platform: Mapping[str, PlatformFunction] | None = None,
    ) -> None:
        self.services = services
        self.recorder = Recorder()
        self.durations = {result: Histogram() for result in RESULTS}
        self._workers = workers
        self._platform = platform or {}

    async def run(self, generation: "Generation", call: Invocation, data: DataPort) -> Outcome:
        """Run one function.

        Args:
            generation: the tenant's version it belongs to.
            call: which one, on what.
            data: its way to the tenant's rows.

        Raises:
            ProblemError: function.rejected (with pointers), function.timeout, function.failed,
                function.upstream, function.not_found, function.too_deep, or a refusal of what it asked for.
        """
        if call.depth > MAX_DEPTH:
            raise ProblemError("function.too_deep", f"functions set off each other {MAX_DEPTH} times")
        caller = data.origin.caller if SERVICE_ROLE in call.principal.roles else call.principal
        data = data.nested(replace(data.origin, caller=caller, function=call.label or call.name))
        began = time.perf_counter()
        try:
            if call.name in generation.model.python:
                outcome = await self._require_workers().run(generation, call, data)
            else:
                outcome = await self._run_here(generation, call, data)
        except ProblemError as error:
            self._count(error.code, time.perf_counter() - began)
            self.recorder.keep(generation, call, time.perf_counter() - began, error)
            raise
        finally:
            if generation.usage is not None:
                generation.usage.counted.function_seconds += time.perf_counter() - began
        self._count("ok", outcome.seconds)
        self.recorder.keep(generation, call, outcome.seconds, outcome)
        return outcome

    def _count(self, result: str, seconds: float) -> None:
        kind = result.removeprefix("function.")
        self.durations[kind if kind in self.durations else "failed"].add(seconds)

    async def check(self, generation: "Generation", seconds: float = 5.0) -> None:
        """Load a version's Python file; a process then waits for the first call.

        Raises:
            LoadError: it cannot be loaded.
        """
        if self._workers is not None and generation.code:
            await self._workers.load(generation, seconds)

    async def warm(self, generation: "Generation") -> None:
        """Be ready for the first call of a tenant with Python functions; without, it only takes longer."""
        if self._workers is not None and generation.code:
            await asyncio.sleep(WARM_AFTER)  # what starts the server comes first
            with contextlib.suppress(OSError):
                await self._workers.start()

    def trial(self) -> "FunctionHost":
        """Return a host whose functions reach nobody outside, for their tests; ``end`` it."""
        services = silent_services()
        workers = None if self._workers is None else self._workers.beside(services)
        return FunctionHost(services, workers=workers, platform=self._platform)

    def end(self) -> None:
        """End the processes of a trial."""
        if self._workers is not None:
            self._workers.end()

    def close(self) -> None:
        """End what runs, and what starts it."""
        if self._workers is not None:
            self._workers.close()

    def _require_workers(self) -> Workers:
        if self._workers is None:
            raise ProblemError("function.failed", "Python functions are not run here")
        return self._workers

    def has(self, generation: "Generation", name: str) -> bool:
        """Whether a name leads to a function."""
        return (
            name in generation.model.python
            or name in BUILT_IN
            or (generation.model.slug == SYSTEM_SLUG and name in self._platform)
        )

    async def _run_here(self, generation: "Generation", call: Invocation, data: DataPort) -> Outcome:
        services = self.services
        context = Context(generation, call, data, services.mailer, services.outbound, services.events)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(call.timeout):
                value = await self._find(generation, call, context)
        except TimeoutError:
            raise ProblemError("function.timeout", f"'{call.label or call.name}' took too long") from None
        except (ProblemError, QueryError, StaleGenerationError, *CONFLICTS, *LOST):
            raise  # refusals, and what makes the transaction around it worth another try
        except Exception as error:
            log.exception("function.failed", tenant=generation.model.slug, function=call.name)
            raise ProblemError("function.failed", f"'{call.label or call.name}' failed") from error
        return Outcome(value, time.perf_counter() - began, tuple(context.log))

    def _find(self, generation: "Generation", call: Invocation, context: Context) -> Awaitable[Any]:
        if generation.model.slug == SYSTEM_SLUG and call.name in self._platform:
            return self._platform[call.name](generation, call, context.data)
        built_in = BUILT_IN.get(call.name)
        if built_in is None:
            raise ProblemError("function.not_found", f"there is no function '{call.name[:80]}'")
        return built_in(context, dict(call.record or {}), call.config)
