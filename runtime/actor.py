"""What an actor is: state behind one mailbox, with a beginning, an end and tasks of its own.

Decides nothing by itself: subclasses do. It never starts itself; a supervisor does, from a ``ChildSpec``.
"""

from collections.abc import Awaitable, Coroutine
from typing import Any, ClassVar

from runtime.address import Address
from runtime.cell import Cell
from runtime.observe import Observation
from runtime.ref import ActorRef
from runtime.signals import ChildEvent, Halt
from runtime.tasks import OwnedTask


class Actor:
    """Base class. Serial messages reach ``handle``, interleaved ones ``serve``.

    Attributes:
        refusals: exceptions that are answers, not failures: they reach whoever asked and leave the actor
            alone.
    """

    refusals: ClassVar[tuple[type[Exception], ...]] = ()

    _address: Address
    _cell: Cell

    def bind(self, address: Address, cell: Cell) -> None:
        """Join this object to its address; the kernel does it before ``pre_start``."""
        self._address = address
        self._cell = cell

    async def pre_start(self) -> None:
        """Acquire what the actor needs; when it raises, ``post_stop`` is not called."""

    async def handle(self, message: Any, /) -> Any:  # noqa: ANN401 - subclasses narrow it
        """Answer one serial message; the next waits. Raising, except ``refusals``, fails the actor."""
        raise NotImplementedError(f"{type(self).__name__} takes no serial message: {message!r}")

    def serve(self, message: Any, /) -> Awaitable[Any]:  # noqa: ANN401 - subclasses narrow it
        """Answer one interleaved message in its caller's task; usually ``async def``."""
        raise NotImplementedError(f"{type(self).__name__} takes no interleaved message: {message!r}")

    async def post_stop(self) -> None:
        """Give back what ``pre_start`` acquired, after tasks and children ended; not called after kill."""

    def may_passivate(self) -> bool:
        """Whether the actor, quiet for its ``passivate_after``, may become cold now."""
        return True

    @property
    def ref(self) -> ActorRef:
        """This actor's own address."""
        return ActorRef(self._address)

    def spawn(self, main: Coroutine[Any, Any, Any], name: str = "") -> OwnedTask:
        """Run a task that this incarnation owns: cancelled when it ends; raising fails the actor.

        Raises:
            RuntimeError: the actor is ending.
        """
        return self._cell.spawn(main, name or getattr(main, "__qualname__", "task"))

    def observe(self, observation: Observation) -> None:
        """Report a fact."""
        self._address.context.observer(observation)

    async def on_child(self, event: ChildEvent) -> None:
        """Hear, before waiting messages, what became of a child; its restart is decided already."""

    async def launch(self) -> None:
        """Start what belongs to the actor; the kernel's hook, extended by ``Supervisor``."""
        await self.pre_start()

    async def release(self, how: Halt, seconds: float) -> None:
        """End what belongs to the actor; the kernel's hook, extended by ``Supervisor``."""

    def drop(self, how: Halt) -> None:
        """End what belongs to the actor at once; the kernel's hook, extended by ``Supervisor``."""
