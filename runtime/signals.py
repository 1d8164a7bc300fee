"""The kernel's vocabulary: what an actor can be, what the control lane carries, and why a message fails.

Decides nothing. Errors are one closed family with documented codes; the gateway's problem table is their only
other reader. Used by every module of the kernel.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum


class ActorStatus(Enum):
    """Where an address is in its life; only ``RUNNING`` takes interleaved messages at once.

    ``COLD``: not started or passivated; the next message activates it. ``RESTARTING``: failed or held, will
    be started again; messages wait. ``PARKED``: failed too often; messages are refused. ``STOPPED``: for
    good.
    """

    COLD = "cold"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    RESTARTING = "restarting"
    PARKED = "parked"
    STOPPED = "stopped"


class Halt(IntEnum):
    """Why an incarnation is asked to end, which decides what its address becomes; the greater wish wins.

    ``PASSIVATE`` makes the address cold, ``HOLD`` keeps it waiting for its supervisor, ``STOP`` ends it.
    """

    PASSIVATE = 1
    HOLD = 2
    STOP = 3


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish the message at hand, then end."""

    halt: Halt = Halt.STOP


@dataclass(frozen=True, slots=True)
class Crash:
    """Something the actor owns failed: a task, or a child too often."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class ChildStarted:
    """A child runs, for the first time or again."""

    name: str


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """A child failed; its restart is already decided."""

    name: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class ChildParked:
    """A child failed too often and refuses messages until a probe succeeds or somebody unparks it."""

    name: str
    reason: str
    retry_after: float


@dataclass(frozen=True, slots=True)
class ChildStopped:
    """A child ended for good; its name was free before this was sent."""

    name: str


ChildEvent = ChildStarted | ChildFailed | ChildParked | ChildStopped
Signal = Stop | Crash | ChildEvent


class ActorError(Exception):
    """A message that was not answered, or an actor that could not go on.

    Attributes:
        code: documented error code.
        actor: path of the actor concerned.
        message: one sentence.
        hint: what the caller can do.
        retry_after: seconds after which trying again makes sense, None when it does not.
    """

    code = "actor.error"
    hint = ""

    def __init__(
        self,
        actor: str,
        message: str,
        *,
        retry_after: float | None = None,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(f"{actor}: {message}")
        self.__cause__ = cause
        self.actor = actor
        self.message = message
        self.retry_after = retry_after


class MailboxFullError(ActorError):
    """The mailbox is full; nothing was queued."""

    code = "actor.mailbox_full"
    hint = "try again later"


class OverloadedError(ActorError):
    """As many interleaved messages as the actor admits are in flight."""

    code = "actor.overloaded"
    hint = "try again later"


class AskTimeoutError(ActorError):
    """No answer within the deadline; the message may still be processed if it had begun."""

    code = "actor.timeout"
    hint = "the actor is stuck, starting or busy"


class ActorStoppedError(ActorError):
    """The address has ended; nobody will answer."""

    code = "actor.stopped"
    hint = "look the name up again"


class ActorFailedError(ActorError):
    """The actor failed while it handled this message; ``__cause__`` says why."""

    code = "actor.failed"
    hint = "the actor is being restarted"


class ActorStartError(ActorError):
    """The actor could not start; everybody who waited for it gets this. ``__cause__`` says why."""

    code = "actor.start_failed"
    hint = "the actor is started again after a pause"


class ActorParkedError(ActorError):
    """The actor failed too often and is set aside; ``reason`` says why."""

    code = "actor.parked"
    hint = "it is probed from time to time; mend the cause"

    def __init__(self, actor: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(actor, f"parked after repeated failures: {reason}", retry_after=retry_after)
        self.reason = reason


class ActorKilledError(ActorError):
    """The actor was killed; its supervisor treats that as a failure."""

    code = "actor.killed"


class ActorStuckError(ActorError):
    """A handler took longer than the actor's ``stuck_after``."""

    code = "actor.stuck"


class RestartsExceededError(ActorError):
    """Children failed more often than their supervisor accepts; ``__cause__`` is the last failure."""

    code = "actor.restarts_exceeded"


class NameTakenError(ActorError):
    """Another living actor has this name."""

    code = "actor.name_taken"


class LeaseClosedError(ActorError):
    """The leased value is gone; nothing new may use it."""

    code = "actor.lease_closed"
