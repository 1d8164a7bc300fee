"""Admission of interleaved messages: how many run at a time, and when the last has left.

Decides nothing about an actor's life: the cell opens one per incarnation and closes it for good. Every HTTP
request passes it, in ``ActorRef.call``.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from runtime.observe import CallFailed, Observer


class Gate:
    """Open while ``in_flight < limit``; a limit of 0 is closed for good.

    The caller counts itself in and out, and says ``emptied`` when it was the last to leave a closed gate:
    everything that is not needed for that is left out of this path.
    """

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
