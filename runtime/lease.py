"""A value many use and one replaces: acquire the current one, swap, await the drain of the old.

Decides when an old value is unused. It never closes values: whoever swapped does, after the drain. The tenant
actor holds its generation in one.
"""

import asyncio
from types import TracebackType
from typing import Generic, TypeVar

from runtime.signals import LeaseClosedError

T = TypeVar("T")


class Held(Generic[T]):
    """One value and how many use it.

    Either ``with lease.acquire() as value:`` or, where every nanosecond counts, ``held = lease.acquire()``,
    ``held.value`` and ``held.release()`` in a ``finally``. Release exactly once per acquire.
    """

    __slots__ = ("_unused", "retired", "users", "value")

    def __init__(self, value: T) -> None:
        self.value = value
        self.users = 0
        self.retired = False
        self._unused: list[asyncio.Future[None]] = []

    def release(self) -> None:
        """Give it back."""
        self.users -= 1
        if self.retired and self.users == 0:
            self._wake()

    async def drained(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait until nobody uses this retired value.

        Returns:
            False when somebody still did after ``timeout`` seconds.
        """
        if not self.retired:
            raise ValueError("only a value that was swapped out can drain")
        if self.users == 0:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unused.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return self.users == 0
        finally:
            self._unused.remove(waiter)
        return True

    def _wake(self) -> None:
        for waiter in self._unused:
            if not waiter.done():
                waiter.set_result(None)

    def __enter__(self) -> T:
        return self.value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Lease(Generic[T]):
    """The current value; replaced by one assignment, so that nobody sees half of two."""

    __slots__ = ("_current", "_name")

    def __init__(self, name: str, value: T) -> None:
        self._name = name
        self._current: Held[T] | None = Held(value)

    @property
    def closed(self) -> bool:
        """Whether there is no value any more."""
        return self._current is None

    @property
    def current(self) -> T:
        """The value, for a look that does not outlast this moment.

        Raises:
            LeaseClosedError: it was closed.
        """
        return self._require().value

    @property
    def users(self) -> int:
        """How many use the current value."""
        return 0 if self._current is None else self._current.users

    def acquire(self) -> Held[T]:
        """Use the current value until ``release``.

        Raises:
            LeaseClosedError: it was closed.
        """
        held = self._current
        if held is None:
            raise LeaseClosedError(self._name, "the leased value is closed")
        held.users += 1
        return held

    def swap(self, value: T) -> Held[T]:
        """Make ``value`` current and return the old one, to be drained and closed by the caller.

        Raises:
            LeaseClosedError: it was closed.
        """
        old = self._require()
        self._current = Held(value)
        old.retired = True
        return old

    def close(self) -> Held[T]:
        """End the lease and return the last value, to be drained and closed by the caller.

        Raises:
            LeaseClosedError: it was closed before.
        """
        old = self._require()
        self._current = None
        old.retired = True
        return old

    def _require(self) -> Held[T]:
        if self._current is None:
            raise LeaseClosedError(self._name, "the leased value is closed")
        return self._current
