"""What is to be done after a commit or on the clock, and what its failure means. Values only.

Decides when a failed task is tried again. Used by the relay and by every kind of task.
"""

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field


class NewTask(Struct, frozen=True):
    """A task to be.

    Attributes:
        kind: who runs it: function, webhook, job, event, deadline.
        name: of that function, webhook, ... in the tenant's file.
        payload: JSON.
        ordering_key: tasks of one key run one after another, in the order they were made; "": in no order.
        run_at: not before; None: now.
        id: UUID in text form; making a task whose id is known does nothing. None: a new one.
    """

    kind: str
    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    ordering_key: str = ""
    run_at: datetime | None = None
    id: str | None = None


class Task(Struct, frozen=True):
    """A task that is being run; ``attempts`` counts this one."""

    id: str
    kind: str
    name: str
    payload: dict[str, Any]
    ordering_key: str
    attempts: int
    created_at: datetime


class Retries(Struct, frozen=True):
    """How often, and after how many seconds, something is tried again."""

    limit: int = 5
    first: float = 1.0
    factor: float = 2.0
    most: float = 3600.0

    def delay(self, attempts: int) -> float:
        """Return the pause after so many attempts: growing, and spread so that not all come at once."""
        pause = min(self.first * self.factor ** (attempts - 1), self.most)
        return pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, no secret


class TaskFailedError(Exception):
    """It did not work; try again as ``retries`` says, then give up.

    Attributes:
        payload: what the task remembers for the next attempt, None to leave it as it is.
        least: seconds the next attempt must wait.
    """

    def __init__(
        self,
        reason: str,
        retries: Retries,
        payload: Mapping[str, Any] | None = None,
        least: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.retries = retries
        self.payload = payload
        self.least = least


class TaskRefusedError(Exception):
    """It will never work as it is: give up at once."""


class TaskPostponedError(Exception):
    """It was not tried: come back in ``seconds``."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds
