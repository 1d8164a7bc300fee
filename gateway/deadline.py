"""What a tenant is asked ends when its time is over, with an answer or with a refusal.

Decides what a client is told that waited long enough. One timer serves all requests that end within the same
tenth of a second: a timer for each costs a twentieth of a small request. Owned by ``gateway.server``.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from actors.messages import ProblemError

R = TypeVar("R")

_STEP_SECONDS = 0.1
"""A request is broken off so much later than its deadline at least, and at most twice that: a tenant that is
still waking up says so itself before."""


class Deadlines:
    """The requests that wait for tenants, by the step of time in which they are broken off."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[asyncio.Task[Any]]] = {}
        self._overdue: set[asyncio.Task[Any]] = set()

    async def within(self, deadline: float, method: str, work: Coroutine[Any, Any, R]) -> R:
        """Return what ``work`` returns; at the deadline what was begun is broken off.

        Args:
            deadline: event-loop time.
            method: of the request: GET and HEAD change nothing.
            work: one thing at a time per task.

        Raises:
            ProblemError: http.deadline; outcome_unknown for what may have changed something; the work's own.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("not in a task")
        step = int(deadline / _STEP_SECONDS) + 2
        waiting = self._waiting.get(step)
        if waiting is None:
            waiting = self._waiting[step] = set()
            task.get_loop().call_at(step * _STEP_SECONDS, self._break_off, step)
        waiting.add(task)
        asked_to_end = task.cancelling()
        try:
            return await work
        except asyncio.CancelledError:
            if task not in self._overdue or task.uncancel() > asked_to_end:
                raise
        finally:
            waiting.discard(task)
            self._overdue.discard(task)
        if method in {"GET", "HEAD"}:
            raise ProblemError("http.deadline", "the request took longer than it may here")
        raise ProblemError(
            "outcome_unknown",
            "the request took longer than it may here, and may have changed something",
            hint="repeat the request with the same Idempotency-Key to learn what happened",
        )

    def _break_off(self, step: int) -> None:
        for task in self._waiting.pop(step):
            self._overdue.add(task)
            task.cancel()
