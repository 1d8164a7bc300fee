"""An answer that is made at most once in a while, however many ask for it at once.

Decides that nobody can load the process by asking for what costs something. Used by the admin port.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """See the module's docstring.

    Args:
        make: makes a new one.
        seconds: how long one counts as fresh.
    """

    def __init__(self, make: Callable[[], Awaitable[T]], seconds: float = 1.0) -> None:
        self._make = make
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._made: tuple[float, T] | None = None

    async def get(self) -> T:
        """Return the last one while it is fresh, else a new one; only one is made at a time."""
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._made is None or now - self._made[0] >= self._seconds:
                self._made = (now, await self._make())
            return self._made[1]
