"""The tree's top: starts the root actor, stops it, and says why it ended.

Decides that a failed root ends everything: there is nobody above to restart it. Used by ``run.py`` and tests.
"""

import asyncio
import random

from runtime.address import Address
from runtime.context import Context
from runtime.observe import FanOut, Observer, log_observation
from runtime.ref import ActorRef
from runtime.registry import Registry
from runtime.signals import Halt
from runtime.snapshot import ActorInfo, snapshot
from runtime.spec import ChildSpec


class ActorSystem:
    """One tree of actors.

    Args:
        root: usually a ``Supervisor``; its name begins every path.
        observer: hears everything; the default writes to the standard log.
        chance: source of jitter, for tests.
    """

    def __init__(
        self, root: ChildSpec, *, observer: Observer = log_observation, chance: random.Random | None = None
    ) -> None:
        self._context = Context(FanOut(observer), chance or random.SystemRandom())
        self.registry = Registry(self._context)
        self._guardian = _Guardian()
        self._address = Address(self._context, root.name, root, self._guardian)
        self._context.addresses[root.name] = self._address
        self.root = ActorRef(self._address)

    async def start(self) -> ActorRef:
        """Start the root and its children in order.

        Raises:
            ActorStartError: it could not; everything that had started is stopped again.
        """
        self._address.start()
        await self.root.ready(timeout=self._address.spec.start_timeout + 1.0)
        return self.root

    async def stop(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Stop everything in reverse order, by force after ``timeout`` seconds."""
        await self._address.halt(Halt.STOP, timeout)

    async def ended(self) -> BaseException | None:
        """Wait for the end of the tree.

        Returns:
            The failure that ended it, or None when it was stopped.
        """
        await self._guardian.end.wait()
        return self._guardian.error

    def snapshot(self) -> ActorInfo:
        """Describe every actor."""
        return snapshot(self.root)


class _Guardian:
    """The root's parent."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.error: BaseException | None = None

    def child_started(self, address: Address) -> None:
        """Nothing to do."""

    def child_failed(self, address: Address, error: BaseException) -> None:
        """End the tree."""
        self.error = error
        asyncio.get_running_loop().call_soon(address.drop, Halt.STOP)

    def child_stopped(self, address: Address) -> None:
        """Tell whoever waits."""
        self.end.set()
