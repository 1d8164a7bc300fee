"""Where messages go: durable, while incarnations of its actor come and go.

                start()              pre_start done
      COLD ───────────────▶ STARTING ──────────────▶ RUNNING
       ▲                     ▲   │                      │
       │ passivate     start()   │ raises               │ a serial handler, an owned task
       │                     │   │                      │ or a child (too often) fails; kill
       │                     │   ▼                      ▼
    STOPPING ◀─ halt     RESTARTING ◀──────────── post_stop, children held
       │                     │ too often
       │ stop                ▼
       ▼                  PARKED ── probe, unpark ──▶ STARTING
    STOPPED (revived when its name is started again)

The mailbox is the address's: what is queued waits for the next incarnation, and a ref stays valid. Decides
what a message meets: run, wait, or a typed refusal. Whether to restart is its parent's decision.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.cell import Cell
from runtime.context import Context, Parent
from runtime.gate import CLOSED, Gate
from runtime.mailbox import Envelope, Mailbox
from runtime.observe import (
    ActorEnded,
    ActorFailed,
    ActorParked,
    ActorRestarting,
    ActorStarted,
    MessagesDropped,
)
from runtime.restarts import History, on_probe
from runtime.signals import (
    ActorError,
    ActorParkedError,
    ActorStartError,
    ActorStatus,
    ActorStoppedError,
    AskTimeoutError,
    Halt,
    OverloadedError,
)
from runtime.spec import ChildSpec
from runtime.tasks import Alarm
from runtime.waiting import Waiting

if TYPE_CHECKING:
    from runtime.actor import Actor


class Address:
    """One name in the tree, what waits there, and the cell that runs there now."""

    def __init__(self, context: Context, path: str, spec: ChildSpec, parent: Parent) -> None:
        self.context = context
        self.path = path
        self.spec = spec
        self.parent = parent
        self.children: dict[str, Address] = {}
        self.status = ActorStatus.COLD
        self.gate = CLOSED
        self.cell: Cell | None = None
        self.mailbox = Mailbox(path, spec.mailbox)
        self.history = History()
        self.restarts = 0
        self.reason = ""
        self._again = False
        self._waiting = Waiting(self.mailbox)
        self._alarm = Alarm()

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is started again or probed, or None when no such thing is planned."""
        return None if self._alarm.at is None else max(0.0, self._alarm.at - _now())

    # -- messages

    def post(self, envelope: Envelope) -> None:
        """Queue a serial message, waking the actor when it is cold.

        Raises:
            MailboxFullError, ActorParkedError, ActorStoppedError: refused at once.
        """
        self._reach()
        self.mailbox.put(envelope)

    async def ask(self, message: object, seconds: float) -> Any:  # noqa: ANN401 - typed by the ref
        """Queue a serial message and wait for its answer."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.post(Envelope(message, reply))
        try:
            return await self._waiting.for_answer(reply, seconds)
        except TimeoutError:
            raise self._timeout_error() from None

    async def admit(self, deadline: float) -> Gate:
        """Wait until the actor runs and has room; the slow half of ``ActorRef.call``.

        Raises:
            OverloadedError, AskTimeoutError, ActorStartError, ActorParkedError, ActorStoppedError: no.
        """
        while True:
            gate = self.gate
            if gate.in_flight < gate.limit:
                return gate
            if gate.limit:
                raise OverloadedError(self.path, f"{gate.limit} calls are in flight", retry_after=1.0)
            await self.until_running(deadline)

    async def until_running(self, deadline: float) -> None:
        """Start the actor when it is cold and wait until it runs."""
        while self.status is not ActorStatus.RUNNING:
            self._reach()
            if self._waiting.callers >= self.spec.in_flight:
                raise OverloadedError(self.path, f"{self.spec.in_flight} calls wait for it", retry_after=1.0)
            try:
                await self._waiting.for_gate(deadline)
            except TimeoutError:
                raise self._timeout_error() from None

    async def settled(self) -> None:
        """Wait until it runs, or has failed to."""
        while self.cell is not None and self.status is not ActorStatus.RUNNING:
            await self._waiting.for_gate_or_end(self.cell.task)

    # -- transitions, called by the supervisor and by refs

    def start(self) -> None:
        """Begin an incarnation unless there is one; many wakers, one start."""
        if self.status is ActorStatus.STOPPED:
            return
        if self.cell is not None:
            self._again = self.cell.halt is not None  # the one that ends makes room first
            return
        self._again = False
        self._alarm.clear()
        self.status = ActorStatus.STARTING
        self.cell = Cell(self, self.context.observer)

    def resume(self) -> None:
        """Start, but a lazy actor only if something waits for it."""
        if not self.spec.lazy or self._waiting.anybody:
            self.start()
        elif self.cell is None and self.status is ActorStatus.RESTARTING:
            self._alarm.clear()
            self.status = ActorStatus.COLD

    def revive(self, spec: ChildSpec, parent: Parent) -> None:
        """Take a new specification and parent, with a clean record, after a stop or hold."""
        self._alarm.clear()
        self._again = False
        self.history = History()
        self.spec = spec
        self.parent = parent
        self.mailbox.capacity = spec.mailbox
        if self.cell is None:
            self.status = ActorStatus.COLD
        elif self.cell.halt is not None:
            self.cell.halt = Halt.HOLD  # it still ends, but no longer for good

    def restart_in(self, delay: float) -> None:
        """Start again after a pause; messages wait in the meantime."""
        self.context.observer(ActorRestarting(self.path, delay))
        self._alarm.set(delay, self.start)

    def park(self, delay: float) -> None:
        """Refuse messages, and probe after ``delay`` seconds."""
        self.status = ActorStatus.PARKED
        self._alarm.set(delay, self.probe)
        self.context.observer(ActorParked(self.path, self.reason, delay))
        self._turn_away(self._parked_error)

    def probe(self) -> None:
        """Try a parked actor once; one more failure parks it again, for longer."""
        if self.status is ActorStatus.PARKED:
            self.history = on_probe(self.history, _now())
            self.start()

    def unpark(self) -> None:
        """Start a parked actor with a clean record: its cause has been mended."""
        if self.status is ActorStatus.PARKED:
            self.history = History()
            self.start()

    def passivate(self) -> None:
        """Become cold after the message at hand; the next message activates it again."""
        if self.cell is not None and self.status is ActorStatus.RUNNING:
            self.cell.ask_to_end(Halt.PASSIVATE, self.spec.stop_timeout)

    def kill(self) -> None:
        """End the incarnation now, with no drain or ``post_stop``; its supervisor sees a failure."""
        if self.cell is not None:
            self.cell.kill("was killed")

    def drop(self, how: Halt) -> None:
        """End the incarnation now, because its parent has no time left."""
        self._alarm.clear()
        if self.cell is None:
            self._settle(how)
        else:
            self.cell.halt = how
            self.cell.kill("was killed with its supervisor")

    async def halt(self, how: Halt, seconds: float | None = None) -> None:
        """End the incarnation in order within ``seconds`` (default: the spec's), by force after that."""
        self._alarm.clear()
        if self.cell is None:
            self._settle(how)
        else:
            await self.cell.end(how, self.spec.stop_timeout if seconds is None else seconds)

    # -- what the cell reports

    def make(self, cell: Cell) -> "Actor":
        """Return a fresh actor bound to this address."""
        actor = self.spec.factory()
        actor.bind(self, cell)
        return actor

    def opened(self, cell: Cell) -> None:
        """Let in what waits."""
        self.gate = cell.gate
        self.status = ActorStatus.RUNNING
        self.reason = ""
        self._waiting.let_in()
        self.context.observer(ActorStarted(self.path, _now() - cell.started_at, self.restarts))
        self.parent.child_started(self)

    def closing(self, cell: Cell) -> None:
        """Let nothing in any more."""
        self.gate = CLOSED
        self.status = ActorStatus.STOPPING

    def ended(self, cell: Cell, error: BaseException | None) -> None:
        """Become what the end of the incarnation makes of this address."""
        self.cell = None
        self.mailbox.clear_signals()
        if error is not None and (cell.halt is None or cell.ran):
            self.context.observer(ActorFailed(self.path, "running" if cell.ran else "starting", error))
        if error is None or cell.halt is not None:
            how = cell.halt or Halt.STOP
            self.context.observer(ActorEnded(self.path, how.name.lower(), _now() - cell.started_at))
            self._settle(how)
            return
        self.reason = f"{type(error).__name__}: {error}"
        self.restarts += 1
        self.status = ActorStatus.RESTARTING
        if not cell.ran:
            self._turn_away(lambda: ActorStartError(self.path, repr(error), cause=error))
        self.parent.child_failed(self, error)

    # -- helpers

    def _settle(self, how: Halt) -> None:
        match how:
            case Halt.STOP if self.status is not ActorStatus.STOPPED:
                self.status = ActorStatus.STOPPED
                self._turn_away(lambda: ActorStoppedError(self.path, "has stopped"))
                self.parent.child_stopped(self)
            case Halt.HOLD if self.status is not ActorStatus.STOPPED:
                self.status = ActorStatus.RESTARTING
                if self._again:
                    self.resume()
            case Halt.PASSIVATE if self.status is ActorStatus.STOPPING:
                self.status = ActorStatus.COLD
                if self._again or self._waiting.anybody:
                    self.start()
            case _:
                pass  # what does not run cannot become cold, and what has stopped stays so

    def _reach(self) -> None:
        """Refuse when nobody will answer; wake the actor when it is cold."""
        if self.status is ActorStatus.PARKED:
            raise self._parked_error()
        stopping = self.cell is not None and self.cell.halt is Halt.STOP
        if self.status is ActorStatus.STOPPED or stopping:
            raise ActorStoppedError(self.path, "has stopped")
        if self.status is ActorStatus.COLD:
            self.start()

    def _timeout_error(self) -> AskTimeoutError:
        return AskTimeoutError(self.path, f"no answer in time; it is {self.status.value}")

    def _turn_away(self, error: Callable[[], ActorError]) -> None:
        final = self.status in {ActorStatus.STOPPED, ActorStatus.PARKED}
        for child in list(self.children.values()) if final else ():
            child.drop(Halt.STOP)  # held for a next incarnation that is not coming
        dropped = self._waiting.turn_away(error, told_too=final)
        if dropped:
            self.context.observer(MessagesDropped(self.path, dropped))

    def _parked_error(self) -> ActorParkedError:
        return ActorParkedError(self.path, self.reason, retry_after=self.retry_after)


def _now() -> float:
    return asyncio.get_running_loop().time()
