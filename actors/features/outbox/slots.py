"""How many tasks a process runs at a time, and that no tenant has them all.

Decides who may start another one. Shared by the relays of a process.
"""

from collections.abc import Callable

PER_PROCESS = 64
PER_TENANT = 16


class Slots:
    """Places for running tasks.

    Args:
        limit: of the process.
    """

    def __init__(self, limit: int = PER_PROCESS) -> None:
        self._limit = self._free = limit
        self._waiting: dict[object, Callable[[], None]] = {}

    @property
    def used(self) -> int:
        """Tasks that run now."""
        return self._limit - self._free

    def take(self, running: int, waiter: object, wake: Callable[[], None]) -> int:
        """Return how many more may start; who gets fewer than it could use is woken when one is free.

        Args:
            running: that the tenant has already.
            waiter: identifies who asks.
            wake: called once.
        """
        wanted = PER_TENANT - running
        granted = max(min(wanted, self._free), 0)
        self._free -= granted
        if granted < wanted:
            self._waiting[waiter] = wake
        return granted

    def give(self, number: int = 1) -> None:
        """Give places back."""
        self._free += number
        if number and self._waiting:
            waiter = next(iter(self._waiting))
            self._waiting.pop(waiter)()
