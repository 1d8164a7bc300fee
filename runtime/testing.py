"""A clock that jumps, an actor that tells what happens to it, and faults to inject.

For tests and documentation; nothing of the program imports it. Time is virtual because the loop's clock is:
every timeout, backoff and sleep takes no time, in a reproducible order.
"""

# mypy: disable-error-code="explicit-override"
# (typing.override came with Python 3.12, and the kernel imports nothing else)

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from runtime.actor import Actor
from runtime.observe import Observation
from runtime.ref import Interleaved, Request

T = TypeVar("T")
O = TypeVar("O", bound=Observation)  # noqa: E741 - nothing to confuse it with


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for time: tells by how much the loop would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, or jump."""
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing is left that could happen: every task waits for another")
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when there is nothing else to do."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Return virtual seconds."""
        return self._clock.now


def simulate(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main`` to its end on a loop of its own, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class Recorder(Generic[O]):
    """An observer that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Observation] = []

    def __call__(self, observation: Observation, /) -> None:
        """Keep it."""
        self.heard.append(observation)

    def of(self, kind: type[O]) -> list[O]:
        """Return the observations of one kind, in order."""
        return [observation for observation in self.heard if isinstance(observation, kind)]


@dataclass(slots=True)
class Faults:
    """What goes wrong in a probe; outlives its incarnations.

    Attributes:
        starts: how many of the next starts raise.
        start_seconds: how long a start takes.
        stop_seconds: how long ``post_stop`` takes.
    """

    starts: int = 0
    start_seconds: float = 0.0
    stop_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Note(Request[int]):
    """Write ``text`` into the journal; answered with the number of notes of this incarnation."""

    text: str


@dataclass(frozen=True, slots=True)
class Break(Request[None]):
    """Raise while handling."""


@dataclass(frozen=True, slots=True)
class BreakTask(Request[None]):
    """Raise in an owned task, a moment later."""


@dataclass(frozen=True, slots=True)
class Refuse(Request[None]):
    """Raise what is an answer, not a failure."""


@dataclass(frozen=True, slots=True)
class Linger(Request[None]):
    """Take ``seconds`` to handle."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Peek(Interleaved[int]):
    """Answered, after ``seconds``, with the incarnation's number; raises when ``broken``."""

    seconds: float = 0.0
    broken: bool = False


class InjectedError(Exception):
    """A fault that was asked for."""


class RefusedError(Exception):
    """A probe's refusal."""


@dataclass(slots=True)
class Journal:
    """What happened to the probes that share it: ``name:event`` in order."""

    lines: list[str] = field(default_factory=list)
    incarnations: dict[str, int] = field(default_factory=dict)


class Probe(Actor):
    """Writes what happens to it into a journal, and fails on demand."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (RefusedError,)

    def __init__(self, name: str, journal: Journal, faults: Faults | None = None) -> None:
        self._name = name
        self._journal = journal
        self._faults = faults or Faults()
        self._notes = 0
        journal.incarnations[name] = journal.incarnations.get(name, 0) + 1
        self._number = journal.incarnations[name]

    async def pre_start(self) -> None:
        """Start, or fail to."""
        await asyncio.sleep(self._faults.start_seconds)
        if self._faults.starts > 0:
            self._faults.starts -= 1
            raise InjectedError(f"{self._name} does not start")
        self._write("start")

    async def handle(self, message: Note | Break | BreakTask | Refuse | Linger) -> int | None:
        """Do as the message says."""
        match message:
            case Note(text):
                self._notes += 1
                self._write(text)
                return self._notes
            case Break():
                raise InjectedError(f"{self._name} breaks")
            case BreakTask():
                self.spawn(self._break_later(), "broken")
            case Refuse():
                raise RefusedError(self._name)
            case Linger(seconds):
                await asyncio.sleep(seconds)
        return None

    async def serve(self, message: Peek) -> int:
        """Answer in the caller's task."""
        if message.seconds:
            await asyncio.sleep(message.seconds)
        if message.broken:
            raise InjectedError(f"{self._name} breaks a call")
        return self._number

    async def post_stop(self) -> None:
        """Stop."""
        await asyncio.sleep(self._faults.stop_seconds)
        self._write("stop")

    async def _break_later(self) -> None:
        await asyncio.sleep(0.001)
        raise InjectedError(f"a task of {self._name} breaks")

    def _write(self, what: str) -> None:
        self._journal.lines.append(f"{self._name}:{what}")
