"""Typed facts for logs and metrics: what the kernel reports, and who hears it.

Decides nothing; an observer can neither fail nor slow an actor by raising. ``config.logs`` turns observations
into JSON lines; metrics count them.
"""

import logging
from dataclasses import dataclass
from typing import ClassVar, Protocol

_log = logging.getLogger("backsaas.runtime")


@dataclass(frozen=True, slots=True)
class Observation:
    """Base of every observation.

    Attributes:
        event: ``area.what``, stable, for log queries.
        level: a name of the logging levels in lower case.
    """

    event: ClassVar[str] = "observation"
    level: ClassVar[str] = "info"


class Observer(Protocol):
    """Hears observations; called on the event loop, except for ``LoopStalled`` (the watchdog's thread)."""

    def __call__(self, observation: Observation, /) -> None:
        """Take note; must not block."""


class FanOut:
    """Passes everything to several observers; one that raises is logged and does not stop the others."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def __call__(self, observation: Observation, /) -> None:
        """Pass it on."""
        for observer in self._observers:
            try:
                observer(observation)
            except Exception:  # noqa: BLE001 - observing must not change what is observed
                _log.exception("observer failed on %s", observation.event)


def log_observation(observation: Observation, /) -> None:
    """Write an observation to the standard log; the default, so that nothing is silent."""
    error = getattr(observation, "error", None)
    level = logging.getLevelNamesMapping()[observation.level.upper()]
    _log.log(level, "%s %s", observation.event, observation, exc_info=error)


@dataclass(frozen=True, slots=True)
class ActorStarted(Observation):
    """An incarnation runs."""

    event = "actor.started"
    actor: str
    seconds: float
    restarts: int


@dataclass(frozen=True, slots=True)
class ActorEnded(Observation):
    """An incarnation ended as asked: stop, passivate or hold."""

    event = "actor.ended"
    actor: str
    how: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ActorFailed(Observation):
    """An incarnation failed while ``phase``: starting, running or stopping."""

    event = "actor.failed"
    level = "error"
    actor: str
    phase: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class ActorRestarting(Observation):
    """A failed actor is started again after ``delay`` seconds."""

    event = "actor.restarting"
    level = "warning"
    actor: str
    delay: float


@dataclass(frozen=True, slots=True)
class ActorParked(Observation):
    """An actor failed too often and refuses messages; it is probed after ``delay`` seconds."""

    event = "actor.parked"
    level = "error"
    actor: str
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class ActorStuck(Observation):
    """A handler took too long and is cancelled; ``stack`` is where it waited."""

    event = "actor.stuck"
    level = "error"
    actor: str
    message: str
    seconds: float
    stack: str


@dataclass(frozen=True, slots=True)
class ActorLeaked(Observation):
    """Tasks that ignored their cancellation; they are left behind."""

    event = "actor.leaked"
    level = "error"
    actor: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskFailed(Observation):
    """A task an actor owned raised; the actor fails with it."""

    event = "actor.task_failed"
    level = "error"
    actor: str
    task: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class CallFailed(Observation):
    """An interleaved message raised what is not one of the actor's refusals; its caller has it too."""

    event = "actor.call_failed"
    level = "error"
    actor: str
    message: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class MessageRefused(Observation):
    """A told message was refused, so nobody else hears of it."""

    event = "actor.message_refused"
    level = "warning"
    actor: str
    message: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class MessagesDropped(Observation):
    """Told messages that died with their actor."""

    event = "actor.messages_dropped"
    level = "warning"
    actor: str
    count: int


@dataclass(frozen=True, slots=True)
class LoopStalled(Observation):
    """The event loop has not run for ``seconds``; reported while it stands, from the watchdog's thread."""

    event = "loop.stalled"
    level = "error"
    seconds: float
    stack: str


@dataclass(frozen=True, slots=True)
class LoopRecovered(Observation):
    """The event loop runs again after standing for ``seconds``."""

    event = "loop.recovered"
    level = "warning"
    seconds: float
