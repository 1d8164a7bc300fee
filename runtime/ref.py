"""How everybody else talks to an actor: a reference to an address that outlives its incarnations.

Decides which way a message goes: interleaved ones run here, in the caller's task; others are queued. It never
holds the actor. Everyone outside the kernel uses this.
"""

# mypy: disable-error-code="explicit-override"
# (typing.override came with Python 3.12, and the kernel imports nothing else)

import asyncio
from collections.abc import Awaitable
from typing import Generic, TypeVar

from runtime.address import Address
from runtime.mailbox import Envelope
from runtime.signals import ActorStatus, AskTimeoutError, Halt

R_co = TypeVar("R_co", covariant=True)
A = TypeVar("A")

ASK_SECONDS = 5.0
"""How long an ask waits when nothing is said."""


class Request(Generic[R_co]):
    """Base of messages that are answered with an ``R_co``; ``ask`` is typed by it.

    Subclasses are frozen slotted dataclasses. Serial: queued, handled one at a time by ``Actor.handle``.
    """

    __slots__ = ()


class Interleaved(Request[R_co]):
    """Base of requests that run in the caller's task, by ``Actor.serve``, many at a time."""

    __slots__ = ()


class ActorRef:
    """Names one address. Two refs are equal when they name the same one."""

    __slots__ = ("_address",)

    def __init__(self, address: Address) -> None:
        self._address = address

    @property
    def path(self) -> str:
        """The full name, ``parent/child``."""
        return self._address.path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._address.spec.name

    @property
    def status(self) -> ActorStatus:
        """Where the address is in its life."""
        return self._address.status

    @property
    def reason(self) -> str:
        """The last failure while it restarts or is parked, else ""."""
        return self._address.reason

    async def ask(self, message: Request[A], *, timeout: float = ASK_SECONDS) -> A:  # noqa: ASYNC109
        """Send a request and wait for its answer, for at most ``timeout`` seconds in all.

        Raises:
            ActorError: its subclasses say why there is no answer; see ``signals``.
        """
        if not isinstance(message, Interleaved):
            answer: A = await self._address.ask(message, timeout)
            return answer
        deadline = asyncio.get_running_loop().time() + timeout
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                return await self.call(message, deadline + 1.0)
        except TimeoutError:
            if limit.expired():
                raise AskTimeoutError(self.path, f"no answer in {timeout:g} s") from None
            raise

    async def call(self, message: Interleaved[A], deadline: float = 0.0) -> A:
        """Run an interleaved request here and now: the path of every HTTP request.

        No task, no future, no timer. ``deadline`` (loop time) bounds only the wait for an actor that does not
        run yet; who calls keeps its own deadline for the rest.

        Raises:
            ActorError: not admitted.
            Exception: whatever ``serve`` raises.
        """
        gate = self._address.gate
        if gate.in_flight >= gate.limit:
            gate = await self._address.admit(deadline or asyncio.get_running_loop().time() + ASK_SECONDS)
        gate.in_flight += 1
        gate.served += 1
        try:
            answer: Awaitable[A] = gate.serve(message)
            return await answer
        except gate.refusals:
            raise
        except Exception as error:
            gate.report(message, error)
            raise
        finally:
            gate.in_flight -= 1
            if not (gate.in_flight or gate.limit):
                gate.emptied()

    def tell(self, message: object) -> None:
        """Queue a message nobody waits for.

        Raises:
            MailboxFullError, ActorParkedError, ActorStoppedError: refused at once.
        """
        if isinstance(message, Interleaved):
            raise TypeError(f"{type(message).__name__} is interleaved: ask or call it")
        self._address.post(Envelope(message))

    async def ready(self, *, timeout: float = ASK_SECONDS) -> None:  # noqa: ASYNC109
        """Start the actor when it is cold and wait until it runs.

        Raises:
            ActorError: it does not, or not in time.
        """
        await self._address.until_running(asyncio.get_running_loop().time() + timeout)

    async def stop(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """End the address: finish what is in flight, then children in reverse order, then ``post_stop``.

        After ``timeout`` seconds (default: its specification's) it is killed. From inside the actor's own
        handler it returns at once and takes effect after the message at hand.
        """
        await self._address.halt(Halt.STOP, timeout)

    def kill(self) -> None:
        """End this incarnation at once; the supervisor treats it as a failure."""
        self._address.kill()

    def passivate(self) -> None:
        """Make a running actor cold after the message at hand; the next message activates it again."""
        self._address.passivate()

    def unpark(self) -> None:
        """Start a parked actor again with a clean record."""
        self._address.unpark()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorRef) and other._address is self._address

    def __hash__(self) -> int:
        return hash(self._address)

    def __repr__(self) -> str:
        return f"<ActorRef {self.path} {self.status.value}>"


def address_of(ref: ActorRef) -> Address:
    """Return the address behind a ref; for the kernel's own modules."""
    return ref._address  # noqa: SLF001 - the one door
