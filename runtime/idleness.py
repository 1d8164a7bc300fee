"""When an actor has been quiet long enough to become cold.

Decides by counting messages at both ends of an interval: that costs a call nothing, while reading a clock in
each would. Used by the cell.
"""

import asyncio
from collections.abc import Callable


class IdleWatch:
    """Calls ``on_idle`` once after an interval in which the count of messages did not change.

    Args:
        seconds: the interval; idleness is noticed within twice that.
        count: a number that changes with every message, or None while one is at hand.
        on_idle: returns whether it is content; otherwise the watch goes on.
    """

    __slots__ = ("_count", "_on_idle", "_seconds", "_timer")

    def __init__(self, seconds: float, count: Callable[[], int | None], on_idle: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._count = count
        self._on_idle = on_idle
        self._timer = self._wait()

    def cancel(self) -> None:
        """End the watch."""
        self._timer.cancel()

    def _wait(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, self._look, self._count())

    def _look(self, before: int | None) -> None:
        quiet = before is not None and self._count() == before
        if not (quiet and self._on_idle()):
            self._timer = self._wait()
