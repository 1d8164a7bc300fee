"""Actors that start, restart, set aside and stop other actors.

Decides what follows a child's failure, by ``restarts`` and the strategy; does so at once, also while the
supervisor handles a message. It never looks into a child. Directory, tenants and the root extend it.
"""

# mypy: disable-error-code="explicit-override"
# (typing.override came with Python 3.12, and the kernel imports nothing else)

import asyncio
from collections.abc import Sequence
from typing import Literal

from runtime.actor import Actor
from runtime.address import Address
from runtime.ref import ActorRef
from runtime.restarts import GiveUp, History, Restart, RestartPolicy, after_failure
from runtime.signals import (
    ActorStatus,
    ChildEvent,
    ChildFailed,
    ChildParked,
    ChildStarted,
    ChildStopped,
    Halt,
    NameTakenError,
    RestartsExceededError,
)
from runtime.spec import ChildSpec

Strategy = Literal["one_for_one", "rest_for_one"]


class Supervisor(Actor):
    """An actor with children.

    ``one_for_one``: a failed child is restarted alone. ``rest_for_one``: those started after it stop in
    reverse order, then it and they start in order. Children given here start in order, each when the one
    before runs, after ``pre_start``; the supervisor runs when they do. Children stop in reverse order; those
    of ``start_child`` under ``one_for_one`` are independent and stop together, first.

    When a supervisor fails, its children are held: their addresses stay valid, messages wait, and the next
    incarnation takes them over by starting the same names. Those it does not name are stopped.

    Args:
        children: started with the supervisor.
        strategy: what a failure does to the siblings.
        restarts: the policy of children that bring none.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec] = (),
        *,
        strategy: Strategy = "one_for_one",
        restarts: RestartPolicy | None = None,
    ) -> None:
        self._static = tuple(children)
        self._strategy = strategy
        self._policy = restarts or RestartPolicy()
        self._history = History()
        self._adopted: set[str] = set()
        self._broken: dict[str, float] = {}
        self._repairing = False
        self._closing = False

    @property
    def children(self) -> tuple[ActorRef, ...]:
        """The addresses of the children this incarnation has started, in that order."""
        held = self._address.children.items()
        return tuple(ActorRef(address) for name, address in held if name in self._adopted)

    def child(self, name: str) -> ActorRef | None:
        """Return the address of a child this incarnation has started."""
        return ActorRef(self._address.children[name]) if name in self._adopted else None

    def start_child(self, spec: ChildSpec) -> ActorRef:
        """Add a child; it starts in the background, or at its first message when it is lazy.

        ``await ref.ready()`` waits for it. A ref to an earlier child of that name is valid again.

        Raises:
            NameTakenError: a living child has the name.
        """
        address = self._adopt(spec)
        address.resume()
        return ActorRef(address)

    async def stop_child(self, name: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Stop a child for good and wait for it; nothing happens when there is none."""
        address = self._address.children.get(name)
        if address is not None:
            await address.halt(Halt.STOP, timeout)

    # -- the kernel's hooks ------------------------------------------------------------------------

    async def launch(self) -> None:
        """Run ``pre_start``, then start the children in order."""
        await self.pre_start()
        static = [self._adopt(spec) for spec in self._static]
        for name in [name for name in self._address.children if name not in self._adopted]:
            await self.stop_child(name)
        if static and self._strategy == "rest_for_one":
            self._broken = {static[0].spec.name: 0.0}
            await self._repair()
        elif static:
            for address in static:
                address.resume()
                await address.settled()

    async def release(self, how: Halt, seconds: float) -> None:
        """Stop or hold the children within ``seconds``."""
        self._closing = True
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        static = {spec.name for spec in self._static}
        addresses = list(self._address.children.values())
        if self._strategy == "one_for_one":
            loose = [address for address in addresses if address.spec.name not in static]
            await asyncio.gather(
                *(address.halt(how, min(address.spec.stop_timeout, seconds)) for address in loose)
            )
            addresses = [address for address in addresses if address.spec.name in static]
        for address in reversed(addresses):
            await address.halt(how, min(address.spec.stop_timeout, max(0.0, end - loop.time())))

    def drop(self, how: Halt) -> None:
        """Kill the children."""
        self._closing = True
        for address in list(self._address.children.values()):
            address.drop(how)

    def child_started(self, address: Address) -> None:
        """Hear from a child's address that it runs."""
        self._notify(ChildStarted(address.spec.name))

    def child_stopped(self, address: Address) -> None:
        """Hear from a child's address that it ended for good."""
        self._address.children.pop(address.spec.name, None)
        self._adopted.discard(address.spec.name)
        self._broken.pop(address.spec.name, None)
        self._notify(ChildStopped(address.spec.name))

    def child_failed(self, address: Address, error: BaseException) -> None:
        """Decide what follows a child's failure."""
        if self._closing:
            return  # it is held; the next incarnation starts it
        name = address.spec.name
        policy = address.spec.restarts or self._policy
        now = asyncio.get_running_loop().time()
        chance = self._address.context.chance.random()
        shared = policy.exceeded == "escalate"
        history, verdict = after_failure(policy, self._history if shared else address.history, now, chance)
        if shared:
            self._history = history
        else:
            address.history = history
        self._notify(ChildFailed(name, error))
        match verdict:
            case Restart(delay) if self._strategy == "one_for_one":
                address.restart_in(delay)
            case Restart(delay):
                self._broken[name] = delay
                if not self._repairing:
                    self._repairing = True
                    self.spawn(self._repair(), "repair")
            case GiveUp() if shared:
                message = f"its children failed more than {policy.limit} times, {name} last: {error!r}"
                self._cell.crash(RestartsExceededError(self._address.path, message, cause=error))
            case GiveUp(delay):
                address.park(delay)
                self._notify(ChildParked(name, address.reason, delay))

    # -- rest for one ------------------------------------------------------------------------------

    async def _repair(self) -> None:
        """Stop what came after the earliest broken child, then start from it in order, until all is well."""
        self._repairing = True
        while self._broken:
            order = list(self._address.children.values())
            first = min(at for at, address in enumerate(order) if address.spec.name in self._broken)
            delay = max(self._broken.values())
            self._broken.clear()
            for address in reversed(order[first + 1 :]):
                await address.halt(Halt.HOLD)
            await asyncio.sleep(delay)
            for address in order[first:]:
                if self._broken:
                    break  # somebody failed meanwhile: begin again from there
                if address.status is not ActorStatus.PARKED:
                    address.resume()
                    await address.settled()
        self._repairing = False

    def _adopt(self, spec: ChildSpec) -> Address:
        children = self._address.children
        if not spec.name or "/" in spec.name:
            raise ValueError(f"not a name for an actor: {spec.name!r}")
        if spec.name in self._adopted:
            raise NameTakenError(self._address.path, f"already has a child {spec.name}")
        path = f"{self._address.path}/{spec.name}"
        addresses = self._address.context.addresses
        address = addresses.get(path)
        if address is None:
            address = Address(self._address.context, path, spec, self)
            addresses[path] = address
        else:
            address.revive(spec, self)
        self._adopted.add(spec.name)
        children.pop(spec.name, None)
        children[spec.name] = address
        return address

    def _notify(self, event: ChildEvent) -> None:
        if not self._closing and type(self).on_child is not Actor.on_child:
            self._address.mailbox.put_signal(event)
