"""When a failed actor is started again: restart window, jittered backoff, parking and probes. Pure.

Time and randomness are arguments. It never starts anything; the supervisor does.
"""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How many failures are accepted, and how long to wait after each.

    Attributes:
        limit: restarts within ``window`` seconds; one more is too many.
        window: length of the sliding window in seconds.
        first_delay: pause before the first restart; doubles with each failure in the window.
        max_delay: longest pause between restarts.
        jitter: share of every pause that is random, so that neighbours do not restart in step.
        exceeded: ``park`` sets this child aside and counts per child; ``escalate`` fails the supervisor and
            counts all its children together.
        probe_delay: pause before a parked child is tried again; doubles with each failed probe.
        max_probe_delay: longest pause between probes.
    """

    limit: int = 5
    window: float = 30.0
    first_delay: float = 0.1
    max_delay: float = 5.0
    jitter: float = 0.5
    exceeded: Literal["park", "escalate"] = "park"
    probe_delay: float = 30.0
    max_probe_delay: float = 600.0


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered between failures: their times inside the window, and how many probes have failed."""

    failures: tuple[float, ...] = ()
    probes: int = 0
    probed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after ``delay`` seconds."""

    delay: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Too many failures; when it is parked, probe it after ``probe_delay`` seconds."""

    probe_delay: float


Verdict = Restart | GiveUp


def after_failure(
    policy: RestartPolicy, history: History, now: float, random: float
) -> tuple[History, Verdict]:
    """Decide what follows a failure.

    Args:
        policy: the limits.
        history: as returned by the previous call, or ``History()``.
        now: monotonic seconds.
        random: uniform in [0, 1).

    Returns:
        The new history and the verdict. A child that fails within ``window`` seconds of a probe is given up
        at once; one that lived longer has its record cleared.
    """
    if history.probed_at is not None:
        if now - history.probed_at < policy.window:
            return _give_up(policy, history, random)
        history = History()
    failures = (*(at for at in history.failures if now - at < policy.window), now)
    if len(failures) > policy.limit:
        return _give_up(policy, replace(history, failures=failures), random)
    delay = _backoff(policy.first_delay, policy.max_delay, len(failures) - 1)
    return replace(history, failures=failures), Restart(_jittered(delay, policy.jitter, random))


def on_probe(history: History, now: float) -> History:
    """Note that a parked child is being tried again."""
    return replace(history, failures=(), probed_at=now)


def _give_up(policy: RestartPolicy, history: History, random: float) -> tuple[History, GiveUp]:
    delay = _backoff(policy.probe_delay, policy.max_probe_delay, history.probes)
    return (
        replace(history, failures=(), probes=history.probes + 1, probed_at=None),
        GiveUp(_jittered(delay, policy.jitter, random)),
    )


def _backoff(first: float, longest: float, step: int) -> float:
    return min(longest, first * 2.0 ** min(step, 32))


def _jittered(delay: float, jitter: float, random: float) -> float:
    return delay * (1.0 - jitter * random)
