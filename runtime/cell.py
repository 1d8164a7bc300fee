"""One address and the loop that runs its actor: lanes, timeouts, status transitions.

    ref.ask/tell ──▶ mailbox ──▶ handle          one at a time, in the actor's task   (serial)
    ref.call ──────▶ gate ─────▶ serve           many at a time, in the caller's task (interleaved)

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
    STOPPED (revived when a supervisor starts the same name again)

The address and its mailbox outlive incarnations, so a ref stays valid and what was queued waits for the next
one. Decides what a message meets: run, wait, or a typed refusal. It never decides whether to restart: its
parent does.

A deliberate departure from OTP: an exception in ``serve`` belongs to its caller alone, for it ran in the
caller's task on state it leased; an exception in ``handle`` may have left the actor's own state half changed
and is a failure.
"""

import asyncio
import io
import random
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from runtime.life import CLOSED, GRACE, Gate, Life
from runtime.mailbox import Envelope, Mailbox
from runtime.observe import (
    ActorEnded,
    ActorFailed,
    ActorLeaked,
    ActorParked,
    ActorRestarting,
    ActorStarted,
    ActorStuck,
    MessageRefused,
    MessagesDropped,
    Observer,
    log_observation,
)
from runtime.restarts import History, on_probe
from runtime.signals import (
    ActorError,
    ActorFailedError,
    ActorKilledError,
    ActorParkedError,
    ActorStartError,
    ActorStatus,
    ActorStoppedError,
    ActorStuckError,
    AskTimeoutError,
    Crash,
    Halt,
    OverloadedError,
    Signal,
    Stop,
)
from runtime.spec import ChildSpec

T = TypeVar("T")

BREATH = 64
"""Messages handled in a row before other tasks get the loop."""

DRAIN_SHARE = 0.8
"""Share of the stop timeout that calls in flight get; the rest belongs to children and ``post_stop``."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all actors of one tree share."""

    observer: Observer = log_observation
    chance: random.Random = field(default_factory=random.SystemRandom)
    addresses: "MutableMapping[str, Cell]" = field(default_factory=WeakValueDictionary)


class Parent(Protocol):
    """Whoever started a cell and decides about its failures."""

    def child_started(self, cell: "Cell") -> None:
        """Hear that it runs."""

    def child_failed(self, cell: "Cell", error: BaseException) -> None:
        """Decide: ``restart_in``, ``park`` or fail."""

    def child_stopped(self, cell: "Cell") -> None:
        """Hear that it ended for good."""


class Cell:
    """An address: durable, while incarnations of its actor come and go."""

    def __init__(self, context: Context, path: str, spec: ChildSpec, parent: Parent) -> None:
        self.context = context
        self.path = path
        self.spec = spec
        self.parent = parent
        self.children: dict[str, Cell] = {}
        self.status = ActorStatus.COLD
        self.gate = CLOSED
        self.life: Life | None = None
        self.mailbox = Mailbox(path, spec.mailbox)
        self.history = History()
        self.restarts = 0
        self.reason = ""
        self.retry_at: float | None = None
        self._again = False
        self._waiters: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    # -- messages ----------------------------------------------------------------------------------

    def post(self, envelope: Envelope) -> None:
        """Queue a serial message, waking the actor when it is cold.

        Raises:
            MailboxFullError, ActorParkedError, ActorStoppedError: refused at once.
        """
        self._require_reachable()
        self.mailbox.put(envelope)
        self._wake()

    async def ask(self, message: object, seconds: float) -> Any:  # noqa: ANN401 - typed by the ref
        """Queue a serial message and wait for its answer."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.post(Envelope(message, reply))
        return await self._within(reply, asyncio.get_running_loop().time() + seconds)

    async def admit(self, deadline: float) -> Gate:
        """Wait until the actor runs and has room; the slow half of ``ActorRef.call``.

        Raises:
            OverloadedError, AskTimeoutError, ActorStartError, ActorParkedError, ActorStoppedError: not
            admitted.
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
            self._require_reachable()
            if len(self._waiters) >= max(1, self.spec.in_flight):
                raise OverloadedError(self.path, f"{len(self._waiters)} calls wait for it", retry_after=1.0)
            self._wake()
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await self._within(waiter, deadline)
            finally:
                self._waiters.discard(waiter)

    async def settled(self) -> None:
        """Wait until it neither starts nor stops."""
        while self.status in {ActorStatus.STARTING, ActorStatus.STOPPING} and self.life is not None:
            task = self.life.task
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait({waiter, *({task} if task else ())}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._waiters.discard(waiter)
                _retrieve(waiter)

    def _require_reachable(self) -> None:
        if self.status is ActorStatus.PARKED:
            raise self._parked_error()
        stopping = self.life is not None and self.life.halt is Halt.STOP
        if self.status is ActorStatus.STOPPED or stopping:
            raise ActorStoppedError(self.path, "has stopped")

    def _wake(self) -> None:
        if self.status is ActorStatus.COLD:
            self.start()

    async def _within(self, future: asyncio.Future[T], deadline: float) -> T:
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                return await future
        except TimeoutError:
            if limit.expired():
                raise AskTimeoutError(self.path, f"no answer in time while {self.status.value}") from None
            raise
        finally:
            _retrieve(future)

    # -- transitions, called by the supervisor and by refs -----------------------------------------

    def start(self) -> None:
        """Begin an incarnation unless there is one; many wakers, one start."""
        if self.status is ActorStatus.STOPPED:
            return
        if self.life is not None:
            self._again = self.life.halt is not None  # the one that ends makes room first
            return
        self._again = False
        self._cancel_timer()
        self.status = ActorStatus.STARTING
        life = Life(self.path, self.context.observer, self.crash)
        self.life = life
        life.begin(self._live(life))

    def restart_in(self, delay: float) -> None:
        """Start again after a pause; messages wait in the meantime."""
        self.context.observer(ActorRestarting(self.path, delay))
        self._set_timer(delay, self.start)

    def park(self, delay: float) -> None:
        """Refuse messages, and probe after ``delay`` seconds."""
        self.status = ActorStatus.PARKED
        self._set_timer(delay, self.probe)
        self.context.observer(ActorParked(self.path, self.reason, delay))
        self._fail_waiting(self._parked_error)

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

    def revive(self, spec: ChildSpec, parent: Parent) -> None:
        """Take a new specification and parent, with a clean record, after a stop or hold."""
        self._cancel_timer()
        self.history = History()
        self.spec = spec
        self.parent = parent
        self.mailbox.capacity = spec.mailbox
        if self.life is None:
            self.status = ActorStatus.COLD

    def resume(self) -> None:
        """Start, but a lazy actor only if something waits for it."""
        if not self.spec.lazy or self._awaited():
            self.start()
        elif self.life is None and self.status is ActorStatus.RESTARTING:
            self.status = ActorStatus.COLD

    def finish(self) -> None:
        """End the address of an actor that does not run."""
        self._cancel_timer()
        self._settle(Halt.STOP)

    def kill(self) -> None:
        """End the incarnation now, without drain or ``post_stop``; its supervisor sees a failure."""
        life = self.life
        if life is not None:
            life.cancel(ActorKilledError(self.path, "was killed"), brutal=True)
            asyncio.get_running_loop().call_later(GRACE, self._abandon, life)

    def crash(self, error: BaseException) -> None:
        """Fail the incarnation because something it owns failed; the message at hand is finished first."""
        life = self.life
        if life is None or life.halt is not None:
            return
        if life.ran:
            self.mailbox.put_signal(Crash(error))
        else:
            life.cancel(error)

    async def halt(self, how: Halt, seconds: float | None = None) -> None:
        """End the incarnation in order within ``seconds`` (default: the spec's), by force after that."""
        self._cancel_timer()
        life = self.life
        if life is None:
            self._settle(how)
            return
        if life.halt is None or how is Halt.STOP:
            life.halt = how
        limit = self.spec.stop_timeout if seconds is None else seconds
        if self.status is ActorStatus.STARTING:
            life.cancel(ActorStoppedError(self.path, "was stopped while it started"))
        elif self.status is ActorStatus.RUNNING:
            self._close(life)
            life.stop_by = _now() + limit
            self.mailbox.put_signal(Stop(how))
        task = life.task
        if task is None or task is asyncio.current_task():
            return
        if (await asyncio.wait({task}, timeout=limit))[0]:
            return
        life.cancel(ActorKilledError(self.path, "did not stop in time"), brutal=True)
        await asyncio.wait({task}, timeout=GRACE)
        self._abandon(life)

    # -- one incarnation ---------------------------------------------------------------------------

    async def _live(self, life: Life) -> None:
        error: BaseException | None = None
        try:
            await self._begin(life)
            await self._loop(life)
        except asyncio.CancelledError:
            error = life.interrupt or ActorKilledError(self.path, "its task was cancelled")
        except Exception as failure:  # noqa: BLE001 - whatever it is, the supervisor decides
            error = failure
        try:
            await self._let_go(life, failed=error is not None)
        except asyncio.CancelledError:
            life.cancel_tasks()
        self._ended(life, error)

    async def _begin(self, life: Life) -> None:
        limit = asyncio.timeout(self.spec.start_timeout)
        try:
            async with limit:
                life.actor = actor = self.spec.factory()
                actor.bind(self, life)
                await actor.launch()
        except TimeoutError as error:
            if limit.expired():
                message = f"did not start within {self.spec.start_timeout:g} s"
                raise ActorStartError(self.path, message) from error
            raise
        life.ran = True
        life.gate = self.gate = Gate(
            self.path, self.context.observer, self.spec.in_flight, actor.serve, actor.refusals
        )
        self.status = ActorStatus.RUNNING
        self.reason = ""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.context.observer(ActorStarted(self.path, _now() - life.started_at, self.restarts))
        self.parent.child_started(self)
        self._watch_idleness(life)

    async def _loop(self, life: Life) -> None:
        mailbox = self.mailbox
        while True:
            item = mailbox.take()
            if item is None:
                await mailbox.wait()
            elif isinstance(item, Envelope):
                if not item.abandoned:
                    await self._handle(life, item)
                life.handled += 1
                if life.handled % BREATH == 0:
                    await asyncio.sleep(0)
            elif await self._obey(life, item):
                return

    async def _obey(self, life: Life, signal: Signal) -> bool:
        match signal:
            case Stop():
                return True
            case Crash(error):
                raise error
            case _:
                assert life.actor is not None  # noqa: S101 - it has run pre_start
                await life.actor.on_child(signal)
                return False

    async def _handle(self, life: Life, envelope: Envelope) -> None:
        assert life.actor is not None  # noqa: S101 - it has run pre_start
        limit = self.spec.stuck_after
        alarm = None
        if limit is not None:
            alarm = asyncio.get_running_loop().call_later(limit, self._stuck, life, envelope.message)
        life.busy = envelope.message
        try:
            answer = await life.actor.handle(envelope.message)
        except life.actor.refusals as refusal:
            if envelope.reply is None:
                self.context.observer(MessageRefused(self.path, type(envelope.message).__name__, refusal))
            envelope.fail(refusal)
        except BaseException as error:
            cause = life.interrupt or error
            failure = ActorFailedError(self.path, f"failed on {type(envelope.message).__name__}: {cause!r}")
            failure.__cause__ = cause
            envelope.fail(failure)
            raise
        else:
            if envelope.reply is not None and not envelope.reply.done():
                envelope.reply.set_result(answer)
        finally:
            life.busy = None
            if alarm is not None:
                alarm.cancel()

    def _stuck(self, life: Life, message: object) -> None:
        limit = self.spec.stuck_after or 0.0
        trace = io.StringIO()
        if life.task is not None:
            life.task.print_stack(file=trace)
        name = type(message).__name__
        self.context.observer(ActorStuck(self.path, name, limit, trace.getvalue()))
        life.cancel(ActorStuckError(self.path, f"{name} took longer than {limit:g} s"))

    async def _let_go(self, life: Life, *, failed: bool) -> None:
        self._close(life)
        if life.stop_by is None:
            life.stop_by = _now() + self.spec.stop_timeout
        if not failed:
            await life.gate.drain(DRAIN_SHARE * (life.stop_by - _now()))
        if life.actor is not None:
            children = Halt.HOLD if life.halt in {None, Halt.HOLD} else Halt.STOP
            await life.actor.release(children, 0.0 if life.brutal else max(0.0, life.stop_by - _now()))
        await life.end_tasks()
        if life.actor is not None and life.ran and not life.brutal:
            try:
                async with asyncio.timeout_at(life.stop_by):
                    await life.actor.post_stop()
            except Exception as error:  # noqa: BLE001 - it is over; said, and nothing to undo
                self.context.observer(ActorFailed(self.path, "stopping", error))

    def _close(self, life: Life) -> None:
        life.gate.close()
        self.gate = CLOSED
        self.status = ActorStatus.STOPPING

    def _abandon(self, life: Life) -> None:
        if self.life is life and life.task is not None:
            self.context.observer(ActorLeaked(self.path, (life.task.get_name(),)))
            self._close(life)
            life.cancel_tasks()
            self._ended(life, life.interrupt)

    def _ended(self, life: Life, error: BaseException | None) -> None:
        if self.life is not life:
            return  # it was abandoned before, and its successor is none of its business
        self.life = None
        self.mailbox.clear_signals()
        if error is not None and life.halt is None:
            self.reason = f"{type(error).__name__}: {error}"
            self.restarts += 1
            self.status = ActorStatus.RESTARTING
            self.context.observer(ActorFailed(self.path, "running" if life.ran else "starting", error))
            if not life.ran:
                self._fail_waiting(lambda: _caused(ActorStartError(self.path, repr(error)), error))
            self.parent.child_failed(self, error)
        else:
            how = life.halt or Halt.STOP
            self.context.observer(ActorEnded(self.path, how.value, _now() - life.started_at))
            self._settle(how)

    def _settle(self, how: Halt) -> None:
        match how:
            case Halt.STOP if self.status is not ActorStatus.STOPPED:
                self.status = ActorStatus.STOPPED
                self._fail_waiting(lambda: ActorStoppedError(self.path, "has stopped"))
                self.parent.child_stopped(self)
            case Halt.PASSIVATE if self.status is ActorStatus.STOPPING:
                self.status = ActorStatus.COLD
                if self._again or self._awaited():
                    self.start()
            case Halt.HOLD if self.status is ActorStatus.STOPPING:
                self.status = ActorStatus.RESTARTING
                if self._again:
                    self.start()
            case _:
                pass  # cold, parked, held and stopped addresses stay what they are

    # -- helpers -----------------------------------------------------------------------------------

    def _awaited(self) -> bool:
        return bool(self._waiters) or self.mailbox.depths[1] > 0

    def _watch_idleness(self, life: Life) -> None:
        limit = self.spec.passivate_after
        if limit is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(limit, self._passivate_if_idle, life, life.activity)

    def _passivate_if_idle(self, life: Life, activity: int) -> None:
        if self.life is not life or self.status is not ActorStatus.RUNNING or life.actor is None:
            return
        quiet = life.activity == activity and life.gate.in_flight == 0 and life.busy is None
        if quiet and self.mailbox.depths == (0, 0) and life.actor.may_passivate():
            self.passivate()
        else:
            self._watch_idleness(life)

    def passivate(self) -> None:
        """Become cold after the message at hand; the next message activates it again."""
        life = self.life
        if life is not None and self.status is ActorStatus.RUNNING:
            life.halt = Halt.PASSIVATE
            self._close(life)
            self.mailbox.put_signal(Stop(Halt.PASSIVATE))

    def _fail_waiting(self, error: Callable[[], ActorError]) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(error())
        final = self.status in {ActorStatus.STOPPED, ActorStatus.PARKED}
        dropped = 0
        for envelope in self.mailbox.clear() if final else self.mailbox.clear_asks():
            dropped += envelope.reply is None
            envelope.fail(error())
        if dropped:
            self.context.observer(MessagesDropped(self.path, dropped))

    def _parked_error(self) -> ActorParkedError:
        after = None if self.retry_at is None else max(0.0, self.retry_at - _now())
        return ActorParkedError(self.path, self.reason, retry_after=after)

    def _set_timer(self, delay: float, then: Callable[[], None]) -> None:
        self._cancel_timer()
        self.retry_at = _now() + delay
        self._timer = asyncio.get_running_loop().call_later(delay, then)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.retry_at = None


def _now() -> float:
    return asyncio.get_running_loop().time()


def _caused(error: ActorError, cause: BaseException) -> ActorError:
    error.__cause__ = cause
    return error


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Mark an answer as seen that came at the moment its asker left, so that nothing is logged about it."""
    if future.done() and not future.cancelled():
        future.exception()
