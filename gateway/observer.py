"""Observations of the runtime as lines of the log, and as counts for metrics.

Called by the actors' kernel through ``serve``.
"""

import dataclasses
from collections import Counter

import structlog

from config.logs import hide
from runtime.observe import ActorFailed, ActorRestarting, Observation

KEPT = 1000
"""Actors whose last failure is remembered."""
MAX_TEXT = 300

log = structlog.get_logger("server")


class Observed:
    """Logs and counts what happens; one per process.

    Attributes:
        counts: observations by their event.
        restarts: of actors that failed, by kind of actor.
        failures: why an actor failed last, by its path; of those that failed latest.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.restarts: Counter[str] = Counter()
        self.failures: dict[str, str] = {}

    def __call__(self, observation: Observation, /) -> None:
        """Take one."""
        self.counts[observation.event] += 1
        if isinstance(observation, ActorFailed):
            self.failures.pop(observation.actor, None)
            said = f"{type(observation.error).__name__}: {observation.error}"
            self.failures[observation.actor] = hide(said)[:MAX_TEXT]
            if len(self.failures) > KEPT:
                del self.failures[next(iter(self.failures))]
        if isinstance(observation, ActorRestarting):
            self.restarts[kind_of(observation.actor)] += 1
        fields = {field.name: getattr(observation, field.name) for field in dataclasses.fields(observation)}
        error = fields.pop("error", None)
        if isinstance(error, BaseException):
            fields["reason"] = f"{type(error).__name__}: {error}"
        if "message" in fields:
            fields["refused_message"] = fields.pop("message")
        getattr(log, observation.level)(observation.event, **fields)


def kind_of(path: str) -> str:
    """Return what an actor is counted as: its own name, or ``tenant`` for every tenant."""
    parts = path.split("/")
    return "tenant" if parts[1:2] == ["directory"] and len(parts) > 2 else parts[min(1, len(parts) - 1)]
