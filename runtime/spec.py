"""What a supervisor is told about a child: its name, how to make it, and its limits.

Decides nothing. Supervisors read it, and so does the cell that runs the child.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.restarts import RestartPolicy

if TYPE_CHECKING:
    from runtime.actor import Actor


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child, started any number of times from the same factory.

    Attributes:
        name: unique among its siblings; the address is ``parent/name``.
        factory: makes a fresh, unstarted actor for every incarnation.
        lazy: started by its first message instead of at once.
        mailbox: most serial messages that may wait.
        in_flight: most interleaved messages at a time, and most that may wait for an activation.
        start_timeout: seconds for ``pre_start`` and the start of its own children.
        stop_timeout: seconds to finish what is in flight, stop children and run ``post_stop``; then it is
            killed.
        passivate_after: seconds without a message after which it becomes cold (noticed within twice that), or
            None.
        stuck_after: seconds a serial handler may take before the actor is failed, or None.
        restarts: when and how it is restarted; None takes the supervisor's.
    """

    name: str
    factory: "Callable[[], Actor]"
    lazy: bool = False
    mailbox: int = 1024
    in_flight: int = 1024
    start_timeout: float = 30.0
    stop_timeout: float = 10.0
    passivate_after: float | None = None
    stuck_after: float | None = None
    restarts: RestartPolicy | None = None
