# mypy: disable-error-code="explicit-override"
"""Actors that start, restart, set aside and stop other actors.

Decides what follows a child's failure, by ``restarts`` and the strategy; does so at once, also while the
supervisor handles a message. It never looks into a child. Directory, tenants and the root extend it.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal

from runtime.actor import Actor
from runtime.cell import Cell
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
        self._repairs: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def children(self) -> tuple[ActorRef, ...]:
        """The children's addresses, in the order of their start."""
        return tuple(ActorRef(cell) for cell in self._cell.children.values())

    def child(self, name: str) -> ActorRef | None:
        """Return a child's address."""
        cell = self._cell.children.get(name)
        return None if cell is None else ActorRef(cell)

    def start_child(self, spec: ChildSpec) -> ActorRef:
        """Add a child; it starts in the background, or at its first message when it is lazy.

        ``await ref.ready()`` waits for it. A ref to an earlier child of that name is valid again.

        Raises:
            NameTakenError: a living child has the name.
        """
        cell = self._adopt(spec)
        cell.resume()
        return ActorRef(cell)

    async def stop_child(self, name: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Stop a child for good and wait for it; nothing happens when there is none."""
        cell = self._cell.children.get(name)
        if cell is not None:
            await cell.halt(Halt.STOP, timeout)

    # -- the kernel's hooks ------------------------------------------------------------------------

    async def launch(self) -> None:
        """Run ``pre_start``, then start the children in order."""
        await self.pre_start()
        static = [self._adopt(spec) for spec in self._static]
        for name in [name for name in self._cell.children if name not in self._adopted]:
            await self.stop_child(name)
        if static and self._strategy == "rest_for_one":
            self._broken = {static[0].spec.name: 0.0}
            await self._repair()
        elif static:
            for cell in static:
                cell.resume()
                await cell.settled()

    async def release(self, how: Halt, seconds: float) -> None:
        """Stop or hold the children within ``seconds``."""
        self._closing = True
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        static = {spec.name for spec in self._static}
        cells = list(self._cell.children.values())
        if self._strategy == "one_for_one":
            loose = [cell for cell in cells if cell.spec.name not in static]
            await asyncio.gather(*(cell.halt(how, min(cell.spec.stop_timeout, seconds)) for cell in loose))
            cells = [cell for cell in cells if cell.spec.name in static]
        for cell in reversed(cells):
            await cell.halt(how, min(cell.spec.stop_timeout, max(0.0, end - loop.time())))

    def child_started(self, cell: Cell) -> None:
        """Hear from a child's cell that it runs."""
        self._notify(ChildStarted(cell.spec.name))

    def child_stopped(self, cell: Cell) -> None:
        """Hear from a child's cell that it ended for good."""
        self._cell.children.pop(cell.spec.name, None)
        self._adopted.discard(cell.spec.name)
        self._broken.pop(cell.spec.name, None)
        self._notify(ChildStopped(cell.spec.name))

    def child_failed(self, cell: Cell, error: BaseException) -> None:
        """Decide what follows a child's failure."""
        if self._closing:
            return  # it is held; the next incarnation starts it
        name = cell.spec.name
        policy = cell.spec.restarts or self._policy
        now = asyncio.get_running_loop().time()
        chance = self._cell.context.chance.random()
        shared = policy.exceeded == "escalate"
        history, verdict = after_failure(policy, self._history if shared else cell.history, now, chance)
        if shared:
            self._history = history
        else:
            cell.history = history
        self._notify(ChildFailed(name, error))
        match verdict:
            case Restart(delay) if self._strategy == "one_for_one":
                cell.restart_in(delay)
            case Restart(delay):
                self._broken[name] = delay
                if not self._repairing:
                    self._repairing = True
                    self._repairs = self.spawn(self._repair(), "repair")
            case GiveUp() if shared:
                failure = RestartsExceededError(
                    self._cell.path,
                    f"{name} and its siblings failed more than {policy.limit} times: {error!r}",
                )
                failure.__cause__ = error
                self._cell.crash(failure)
            case GiveUp(delay):
                cell.park(delay)
                self._notify(ChildParked(name, cell.reason, delay))

    # -- rest for one ------------------------------------------------------------------------------

    async def _repair(self) -> None:
        """Stop what came after the earliest broken child, then start from it in order, until all is well."""
        self._repairing = True
        while self._broken:
            order = list(self._cell.children.values())
            first = min(at for at, cell in enumerate(order) if cell.spec.name in self._broken)
            delay = max(self._broken.values())
            self._broken.clear()
            for cell in reversed(order[first + 1 :]):
                await cell.halt(Halt.HOLD)
            await asyncio.sleep(delay)
            for cell in order[first:]:
                if self._broken:
                    break  # somebody failed meanwhile: begin again from there
                if cell.status is not ActorStatus.PARKED:
                    cell.resume()
                    await cell.settled()
        self._repairing = False

    def _adopt(self, spec: ChildSpec) -> Cell:
        children = self._cell.children
        if not spec.name or "/" in spec.name:
            raise ValueError(f"not a name for an actor: {spec.name!r}")
        if spec.name in self._adopted:
            raise NameTakenError(self._cell.path, f"already has a child {spec.name}")
        path = f"{self._cell.path}/{spec.name}"
        addresses = self._cell.context.addresses
        cell = addresses.get(path)
        if cell is None:
            cell = Cell(self._cell.context, path, spec, self)
            addresses[path] = cell
        else:
            cell.revive(spec, self)
        self._adopted.add(spec.name)
        children.pop(spec.name, None)
        children[spec.name] = cell
        return cell

    def _notify(self, event: ChildEvent) -> None:
        if not self._closing and type(self).on_child is not Actor.on_child:
            self._cell.mailbox.put_signal(event)
