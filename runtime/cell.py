"""The loop that runs one incarnation of an actor: lanes, timeouts, owned tasks, and letting go of everything.

    ref.ask, tell ──▶ mailbox ──▶ handle     one at a time, in the actor's own task   (serial)
    ref.call ───────▶ gate ─────▶ serve      many at a time, in the callers' tasks    (interleaved)

    factory ─▶ pre_start ─▶ children ─▶ opened ─▶ loop ─┬─ Stop ──────────────▶ drain calls ─┐
                  │            │                        ├─ handle, task or child fails ──────┤
                  └────────────┴── raises, timeout ─────┴─ kill (no post_stop) ──────────────┤
                                                                                             ▼
                                       ended ◀─ post_stop ◀─ owned tasks cancelled ◀─ children halted

Decides what one incarnation does with its next message. Whether there is a next one is for others to say.

A deliberate departure from OTP: an exception in ``serve`` belongs to its caller alone, for it ran in the
caller's task on state it leased; one in ``handle`` may have left the actor's state half changed: a failure.
"""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from runtime.context import Owner
from runtime.gate import CLOSED, Gate
from runtime.idleness import IdleWatch
from runtime.mailbox import Envelope
from runtime.observe import ActorFailed, ActorLeaked, ActorStuck, MessageRefused, Observer
from runtime.signals import (
    ActorFailedError,
    ActorKilledError,
    ActorStartError,
    ActorStuckError,
    Crash,
    Halt,
    Signal,
    Stop,
)
from runtime.stacks import of_task
from runtime.tasks import GRACE, OwnedTask, OwnedTasks, begin

if TYPE_CHECKING:
    from runtime.actor import Actor

BREATH = 64
"""Messages handled in a row before other tasks get the loop."""

DRAIN_SHARE = 0.8
"""Share of the stop timeout that calls in flight get; the rest belongs to children and ``post_stop``."""


class Cell:
    """One incarnation.

    Attributes:
        actor: None until the factory has made it.
        ran: whether ``pre_start`` completed.
        halt: how it was asked to end, or None.
        busy: the serial message being handled, or None.
        handled: serial messages so far.
    """

    __slots__ = (
        "_brutal",
        "_idle_watch",
        "_interrupt",
        "_left_behind",
        "_letting_go",
        "_observer",
        "_owner",
        "_stop_by",
        "actor",
        "busy",
        "gate",
        "halt",
        "handled",
        "ran",
        "started_at",
        "task",
        "tasks",
    )

    def __init__(self, owner: Owner, observer: Observer) -> None:
        self.actor: Actor | None = None
        self.gate = CLOSED
        self.started_at = asyncio.get_running_loop().time()
        self.ran = False
        self.halt: Halt | None = None
        self.busy: object = None
        self.handled = 0
        self._owner = owner
        self._observer = observer
        self.tasks = OwnedTasks(owner.path, observer, self.crash)
        self._interrupt: BaseException | None = None
        self._brutal = False
        self._letting_go = False
        self._left_behind = False
        self._idle_watch: IdleWatch | None = None
        self._stop_by: float | None = None
        self.task = begin(self._live(), owner.path)

    def spawn(self, main: Coroutine[Any, Any, Any], name: str) -> OwnedTask:
        """Run a task that belongs to this incarnation: cancelled with it, and failing it when it raises.

        Raises:
            RuntimeError: the incarnation is ending.
        """
        if self._letting_go or self.halt is not None or self._interrupt is not None:
            main.close()
            raise RuntimeError(f"{self._owner.path} is ending and cannot own {name}")
        return self.tasks.spawn(main, name)

    def ask_to_end(self, how: Halt, seconds: float) -> None:
        """End in order: after the message at hand, within ``seconds``. The greatest wish wins."""
        self.halt = how if self.halt is None else max(self.halt, how)
        if self._letting_go:
            return
        if not self.ran:
            self._cancel(ActorStartError(self._owner.path, "was stopped while it started"))
        elif self._stop_by is None:
            self._stop_by = asyncio.get_running_loop().time() + seconds
            self._close()
            self._owner.mailbox.put_signal(Stop(how))

    def crash(self, error: BaseException) -> None:
        """Fail because something it owns failed; the message at hand is finished first."""
        if self.halt is not None or self._letting_go:
            return
        if self.ran:
            self._owner.mailbox.put_signal(Crash(error))
        else:
            self._cancel(error)

    async def end(self, how: Halt, seconds: float) -> None:
        """End in order within ``seconds``, by force after that; from inside the actor itself, only ask to."""
        self.ask_to_end(how, seconds)
        if self.task is asyncio.current_task():
            return
        await asyncio.wait({self.task}, timeout=seconds)
        if not self.task.done():
            self.kill("did not stop in time")
            await asyncio.wait({self.task}, timeout=GRACE)
            self._leave_behind()

    def kill(self, why: str) -> None:
        """End now: no drain, no ``post_stop``."""
        self._brutal = True
        self._cancel(ActorKilledError(self._owner.path, why))
        asyncio.get_running_loop().call_later(GRACE, self._leave_behind)

    async def _live(self) -> None:
        error: BaseException | None = None
        try:
            await self._begin()
            await self._loop()
        except asyncio.CancelledError:
            error = self._interrupt or ActorKilledError(self._owner.path, "its task was cancelled")
        except Exception as failure:  # noqa: BLE001 - whatever it is, the supervisor decides
            error = failure
        try:
            await self._let_go(failed=error is not None)
        except asyncio.CancelledError:
            error = self._interrupt or error
            self._drop()
        if not self._left_behind:
            self._owner.ended(self, error)

    async def _begin(self) -> None:
        spec = self._owner.spec
        limit = asyncio.timeout(spec.start_timeout)
        try:
            async with limit:
                self.actor = actor = self._owner.make(self)
                await actor.launch()
        except TimeoutError as error:
            if limit.expired():
                message = f"did not start within {spec.start_timeout:g} s"
                raise ActorStartError(self._owner.path, message) from error
            raise
        self.ran = True
        self.gate = Gate(self._owner.path, self._observer, spec.in_flight, actor.serve, actor.refusals)
        self._owner.opened(self)
        if spec.passivate_after is not None:
            self._idle_watch = IdleWatch(spec.passivate_after, self._count, self._passivate)

    async def _loop(self) -> None:
        mailbox = self._owner.mailbox
        while True:
            item = mailbox.take()
            if item is None:
                await mailbox.wait()
            elif isinstance(item, Envelope):
                if not item.abandoned:
                    await self._handle(item)
                self.handled += 1
                if self.handled % BREATH == 0:
                    await asyncio.sleep(0)
            elif await self._obey(item):
                return

    async def _obey(self, signal: Signal) -> bool:
        match signal:
            case Stop():
                return True
            case Crash(error):
                raise error
            case _:
                assert self.actor is not None  # noqa: S101 - the loop begins after pre_start
                await self.actor.on_child(signal)
                return False

    async def _handle(self, envelope: Envelope) -> None:
        assert self.actor is not None  # noqa: S101 - the loop begins after pre_start
        name = type(envelope.message).__name__
        limit = self._owner.spec.stuck_after
        alarm = None
        if limit is not None:
            alarm = asyncio.get_running_loop().call_later(limit, self._stuck, name, limit)
        self.busy = envelope.message
        try:
            answer = await self.actor.handle(envelope.message)
        except self.actor.refusals as refusal:
            if envelope.reply is None:
                self._observer(MessageRefused(self._owner.path, name, refusal))
            envelope.fail(refusal)
        except BaseException as error:
            cause = self._interrupt or error
            envelope.fail(ActorFailedError(self._owner.path, f"failed on {name}: {cause!r}", cause=cause))
            raise
        else:
            envelope.answer(answer)
        finally:
            self.busy = None
            if alarm is not None:
                alarm.cancel()

    def _stuck(self, name: str, limit: float) -> None:
        self._observer(ActorStuck(self._owner.path, name, limit, of_task(self.task)))
        self._cancel(ActorStuckError(self._owner.path, f"{name} took longer than {limit:g} s"))

    def _leave_behind(self) -> None:
        """Give up on a task that ignores its cancellation."""
        if not self.task.done() and not self._left_behind:
            self._left_behind = True
            self._observer(ActorLeaked(self._owner.path, (self.task.get_name(),)))
            self._close()
            self._drop()
            self._owner.ended(self, self._interrupt)

    async def _let_go(self, *, failed: bool) -> None:
        """Everything this incarnation holds, in the reverse order of how it came to it."""
        loop = asyncio.get_running_loop()
        self._letting_go = True
        if self._idle_watch is not None:
            self._idle_watch.cancel()
        self._close()
        if self._stop_by is None:
            self._stop_by = loop.time() + self._owner.spec.stop_timeout
        if self.actor is None:
            return
        if not failed:
            await self.gate.drain(DRAIN_SHARE * (self._stop_by - loop.time()))
        await self.actor.release(self._fate, 0.0 if self._brutal else max(0.0, self._stop_by - loop.time()))
        await self.tasks.end()
        if self.ran and not self._brutal:
            try:
                async with asyncio.timeout_at(self._stop_by):
                    await self.actor.post_stop()
            except Exception as error:  # noqa: BLE001 - it is over; said, and nothing to undo
                self._observer(ActorFailed(self._owner.path, "stopping", error))

    @property
    def _fate(self) -> Halt:
        """What the children become: held for the next incarnation unless none is coming by itself."""
        return Halt.STOP if self.halt in {Halt.STOP, Halt.PASSIVATE} else Halt.HOLD

    def _close(self) -> None:
        self.gate.close()
        self._owner.closing(self)

    def _cancel(self, why: BaseException) -> None:
        self._interrupt = self._interrupt or why
        self.task.cancel()

    def _drop(self) -> None:
        """Let go of everything at once, for there is no time left."""
        self.tasks.cancel()
        if self.actor is not None:
            self.actor.drop(self._fate)

    def _count(self) -> int | None:
        quiet = self.busy is None and not self.gate.in_flight and self._owner.mailbox.depths == (0, 0)
        return self.handled + self.gate.served if quiet else None

    def _passivate(self) -> bool:
        if self.actor is None or not self.actor.may_passivate():
            return False
        self.ask_to_end(Halt.PASSIVATE, self._owner.spec.stop_timeout)
        return True
