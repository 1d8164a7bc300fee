"""One incarnation of an actor: its task, its owned tasks and the gate interleaved messages pass.

Decides when an incarnation has let go of everything. It never restarts anything; the cell that owns the
address does.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context as Variables
from typing import TYPE_CHECKING, Any

from runtime.observe import ActorLeaked, CallFailed, Observer, TaskFailed
from runtime.signals import Halt

if TYPE_CHECKING:
    from runtime.actor import Actor

GRACE = 1.0
"""Seconds a cancelled task gets before it is left behind."""


class Gate:
    """Admission of interleaved messages: open while ``in_flight < limit``; 0 is closed for good."""

    __slots__ = ("_actor", "_empty", "_observer", "in_flight", "limit", "refusals", "serve", "served")

    def __init__(
        self,
        actor: str,
        observer: Observer,
        limit: int,
        serve: Callable[[Any], Awaitable[Any]],
        refusals: tuple[type[Exception], ...],
    ) -> None:
        self.limit = limit
        self.in_flight = 0
        self.served = 0
        self.serve = serve
        self.refusals = refusals
        self._actor = actor
        self._observer = observer
        self._empty: asyncio.Future[None] | None = None

    def close(self) -> None:
        """Admit nothing any more."""
        self.limit = 0

    def emptied(self) -> None:
        """Hear that the last message has left a closed gate."""
        if self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is in flight, at most ``seconds``."""
        if self.in_flight:
            self._empty = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty

    def report(self, message: object, error: Exception) -> None:
        """Observe that a call raised something unexpected."""
        self._observer(CallFailed(self._actor, type(message).__name__, error))


async def _never(message: object) -> None:
    raise RuntimeError(f"a closed gate was asked to serve {message!r}")


CLOSED = Gate("", lambda _: None, 0, _never, ())
"""The gate of every address that does not run."""


class Life:
    """What dies with an incarnation.

    Attributes:
        task: runs the actor's loop.
        actor: None until the factory has made it.
        ran: whether ``pre_start`` completed.
        halt: how it was asked to end, or None.
        interrupt: why it was cancelled, or None.
        brutal: end without drain and ``post_stop``.
        stop_by: loop time by which it has to be gone, or None.
        busy: the message being handled, or None.
        handled: serial messages so far.
    """

    __slots__ = (
        "_observer",
        "_on_crash",
        "_path",
        "_tasks",
        "actor",
        "brutal",
        "busy",
        "gate",
        "halt",
        "handled",
        "interrupt",
        "ran",
        "started_at",
        "stop_by",
        "task",
    )

    def __init__(self, path: str, observer: Observer, on_crash: Callable[[BaseException], None]) -> None:
        self._path = path
        self._observer = observer
        self._on_crash = on_crash
        self._tasks: set[asyncio.Task[Any]] = set()
        self.actor: Actor | None = None
        self.gate = CLOSED
        self.task: asyncio.Task[None] | None = None
        self.started_at = asyncio.get_running_loop().time()
        self.ran = False
        self.halt: Halt | None = None
        self.interrupt: BaseException | None = None
        self.brutal = False
        self.stop_by: float | None = None
        self.busy: object = None
        self.handled = 0

    @property
    def activity(self) -> int:
        """A number that changes with every message."""
        return self.handled + self.gate.served

    @property
    def task_names(self) -> tuple[str, ...]:
        """The owned tasks."""
        return tuple(sorted(task.get_name() for task in self._tasks))

    def begin(self, main: Coroutine[Any, Any, None]) -> None:
        """Run the actor's loop, free of the context variables of whoever woke it."""
        loop = asyncio.get_running_loop()
        self.task = loop.create_task(main, name=self._path, context=Variables())

    def spawn(self, main: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a task that belongs to this incarnation: cancelled with it, and failing it when it raises."""
        if self.halt is not None or self.interrupt is not None:
            main.close()
            raise RuntimeError(f"{self._path} is ending and cannot own {name}")
        task = asyncio.get_running_loop().create_task(main, name=f"{self._path}:{name}", context=Variables())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self, why: BaseException, *, brutal: bool = False) -> None:
        """Interrupt the loop wherever it is."""
        self.interrupt = self.interrupt or why
        self.brutal = self.brutal or brutal
        if self.task is not None:
            self.task.cancel()

    async def end_tasks(self) -> None:
        """Cancel the owned tasks and wait for them a moment; report those that stay."""
        pending = self.cancel_tasks()
        if pending:
            _, left = await asyncio.wait(pending, timeout=GRACE)
            if left:
                self._observer(ActorLeaked(self._path, tuple(task.get_name() for task in left)))

    def cancel_tasks(self) -> set[asyncio.Task[Any]]:
        """Cancel the owned tasks and return them."""
        pending = {task for task in self._tasks if task is not asyncio.current_task()}
        for task in pending:
            task.cancel()
        return pending

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._observer(TaskFailed(self._path, task.get_name(), error))
            self._on_crash(error)
