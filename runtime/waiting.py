"""Everything that waits for one actor: queued messages, and callers in front of a closed gate.

Decides nothing; the address says when they are let in, or turned away and why. It outlives incarnations.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from runtime.mailbox import Mailbox
from runtime.signals import ActorError


class Waiting:
    """A queue for the mailbox, a crowd for the gate.

    Attributes:
        mailbox: serial messages and signals.
    """

    __slots__ = ("_crowd", "mailbox")

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self._crowd: set[asyncio.Future[None]] = set()

    @property
    def callers(self) -> int:
        """How many wait for the gate."""
        return len(self._crowd)

    @property
    def anybody(self) -> bool:
        """Whether there is a reason to start the actor."""
        return bool(self._crowd) or self.mailbox.depths[1] > 0

    async def for_answer(self, reply: asyncio.Future[Any], seconds: float) -> Any:  # noqa: ANN401 - typed by the ref
        """Wait for the answer to a queued message.

        Raises:
            TimeoutError: none came in time; one that ``handle`` raised arrives wrapped, never as itself.
            ActorError: what the actor or ``turn_away`` gave.
        """
        try:
            async with asyncio.timeout(seconds):
                return await reply
        finally:
            _mark_seen(reply)

    async def for_gate(self, deadline: float) -> None:
        """Wait until ``let_in`` or the deadline (loop time).

        Raises:
            TimeoutError: the deadline has passed.
            ActorError: what ``turn_away`` gave.
        """
        future = self._join()
        try:
            async with asyncio.timeout_at(deadline):
                await future
        finally:
            self._leave(future)

    async def for_gate_or_end(self, task: "asyncio.Task[None]") -> None:
        """Wait until ``let_in``, ``turn_away`` or the end of ``task``."""
        future = self._join()
        try:
            await asyncio.wait({future, task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave(future)

    def let_in(self) -> None:
        """End the wait for the gate."""
        for future in self._crowd:
            if not future.done():
                future.set_result(None)

    def turn_away(self, error: Callable[[], ActorError], *, told_too: bool) -> int:
        """End everybody's wait with an error of their own.

        Args:
            error: makes one; shared ones would grow a traceback per reader.
            told_too: drop messages nobody waits for as well; else they stay for the next incarnation.

        Returns:
            How many of those were dropped.
        """
        for future in self._crowd:
            if not future.done():
                future.set_exception(error())
        dropped = 0
        for envelope in self.mailbox.clear() if told_too else self.mailbox.clear_asks():
            dropped += envelope.reply is None
            envelope.fail(error())
        return dropped

    def _join(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._crowd.add(future)
        return future

    def _leave(self, future: asyncio.Future[None]) -> None:
        self._crowd.discard(future)
        _mark_seen(future)


def _mark_seen(future: asyncio.Future[Any]) -> None:
    """Say that an error has been seen that came as its reader left, so that nothing is logged about it."""
    if future.done() and not future.cancelled():
        future.exception()
