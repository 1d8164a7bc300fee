"""A bounded two-lane queue: control before messages, and full means an error now, never a wait.

Decides the order in which one actor hears things. It never drops and never blocks a sender. Its only reader
is the cell that owns it.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runtime.signals import MailboxFullError, Signal


@dataclass(slots=True, eq=False)
class Envelope:
    """One message on its way, and the future of whoever asked."""

    message: Any
    reply: asyncio.Future[Any] | None = None

    @property
    def abandoned(self) -> bool:
        """Whether the asker has gone: timed out or cancelled."""
        return self.reply is not None and self.reply.done()

    def answer(self, value: Any) -> None:  # noqa: ANN401 - typed by the request
        """Hand the answer to the asker, if there is one that still waits."""
        if self.reply is not None and not self.reply.done():
            self.reply.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Tell the asker, if there is one that still waits."""
        if self.reply is not None and not self.reply.done():
            self.reply.set_exception(error)


class Mailbox:
    """Two lanes for one reader.

    The message lane holds at most ``capacity``. The control lane has no limit of its own because only the
    kernel writes to it, and what it can write is bounded by the actor's own tasks and children.
    """

    __slots__ = ("_control", "_messages", "_owner", "_wake", "capacity")

    def __init__(self, owner: str, capacity: int) -> None:
        self.capacity = capacity
        self._owner = owner
        self._control: deque[Signal] = deque()
        self._messages: deque[Envelope] = deque()
        self._wake: asyncio.Future[None] | None = None

    @property
    def depths(self) -> tuple[int, int]:
        """Waiting signals and waiting messages."""
        return len(self._control), len(self._messages)

    def put(self, envelope: Envelope) -> None:
        """Queue a message.

        Raises:
            MailboxFullError: the message lane is full.
        """
        if len(self._messages) >= self.capacity:
            self._discard_abandoned()
            if len(self._messages) >= self.capacity:
                raise MailboxFullError(self._owner, f"{self.capacity} messages wait already", retry_after=1.0)
        self._messages.append(envelope)
        self._notify()

    def put_signal(self, signal: Signal) -> None:
        """Queue a signal; it overtakes every message."""
        self._control.append(signal)
        self._notify()

    def take(self) -> Signal | Envelope | None:
        """Return what is next, or None when both lanes are empty."""
        if self._control:
            return self._control.popleft()
        if self._messages:
            return self._messages.popleft()
        return None

    async def wait(self) -> None:
        """Return when a lane is not empty."""
        if self._control or self._messages:
            return
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def clear_signals(self) -> None:
        """Forget signals meant for an incarnation that has ended."""
        self._control.clear()

    def clear_asks(self) -> Iterator[Envelope]:
        """Remove and yield the messages somebody waits for; plain tells stay for the next incarnation."""
        kept: deque[Envelope] = deque()
        waiting = self._messages
        self._messages = kept
        for envelope in waiting:
            if envelope.reply is None:
                kept.append(envelope)
            else:
                yield envelope

    def clear(self) -> Iterator[Envelope]:
        """Remove and yield every message."""
        waiting, self._messages = self._messages, deque()
        yield from waiting

    def _discard_abandoned(self) -> None:
        self._messages = deque(envelope for envelope in self._messages if not envelope.abandoned)

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
