"""The tasks one incarnation owns: cancelled with it, failing it when they raise.

Decides nothing else. The only place besides ``cell`` where tasks are made; ``Actor.spawn`` leads here.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context as Variables
from typing import Any

from runtime.observe import ActorLeaked, Observer, TaskFailed

GRACE = 1.0
"""Seconds a cancelled task gets before it is left behind."""


def begin(main: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Make a task, free of the context variables of whoever happened to cause it."""
    return asyncio.get_running_loop().create_task(main, name=name, context=Variables())


class OwnedTask:
    """A task somebody else waits for: it can be ended early, not awaited."""

    __slots__ = ("_task",)

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    def cancel(self) -> None:
        """Ask it to end; that is no failure of the actor."""
        self._task.cancel()


class OwnedTasks:
    """The living tasks of one incarnation."""

    __slots__ = ("_actor", "_observer", "_on_failure", "_tasks")

    def __init__(self, actor: str, observer: Observer, on_failure: Callable[[BaseException], None]) -> None:
        self._actor = actor
        self._observer = observer
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(sorted(task.get_name() for task in self._tasks))

    def spawn(self, main: Coroutine[Any, Any, Any], name: str) -> "OwnedTask":
        """Begin one more."""
        task = begin(main, f"{self._actor}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return OwnedTask(task)

    def cancel(self) -> None:
        """Ask all to end."""
        for task in self._tasks:
            task.cancel()

    async def end(self) -> None:
        """Ask all to end and wait a moment for it; report those that stay."""
        self.cancel()
        if self._tasks:
            _, left = await asyncio.wait(set(self._tasks), timeout=GRACE)
            if left:
                self._observer(ActorLeaked(self._actor, tuple(task.get_name() for task in left)))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._observer(TaskFailed(self._actor, task.get_name(), error))
            self._on_failure(error)


class Alarm:
    """At most one thing to do later.

    Attributes:
        at: loop time at which it is due, or None.
    """

    __slots__ = ("_timer", "at")

    def __init__(self) -> None:
        self.at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, delay: float, then: Callable[[], None]) -> None:
        """Do ``then`` in ``delay`` seconds, instead of what was planned."""
        self.clear()
        loop = asyncio.get_running_loop()
        self.at = loop.time() + delay
        self._timer = loop.call_later(delay, then)

    def clear(self) -> None:
        """Plan nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.at = None
