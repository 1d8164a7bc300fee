"""The tree as values, for people and metrics: who runs, what waits, how often it was restarted, and why.

Decides nothing and changes nothing. Used by the platform's runtime endpoint.
"""

import asyncio
from dataclasses import dataclass

from runtime.cell import Cell
from runtime.ref import ActorRef, cell_of
from runtime.signals import ActorStatus


@dataclass(frozen=True, slots=True)
class ActorInfo:
    """One actor at one moment.

    Attributes:
        signals, messages: waiting in the two lanes of its mailbox.
        in_flight: interleaved messages being served.
        handled, served: serial and interleaved messages of this incarnation.
        restarts: how often it has failed since its address exists.
        uptime: seconds since this incarnation began, 0 when there is none.
        reason: the last failure while it restarts or is parked, else "".
        retry_after: seconds until the next start or probe, None when none is planned.
        busy: type of the serial message at hand, "" when idle.
        tasks: names of the tasks it owns.
    """

    name: str
    path: str
    status: ActorStatus
    signals: int
    messages: int
    in_flight: int
    handled: int
    served: int
    restarts: int
    uptime: float
    reason: str
    retry_after: float | None
    busy: str
    tasks: tuple[str, ...]
    children: tuple["ActorInfo", ...]


def snapshot(ref: ActorRef) -> ActorInfo:
    """Describe an actor and everything under it."""
    return _info(cell_of(ref), asyncio.get_running_loop().time())


def _info(cell: Cell, now: float) -> ActorInfo:
    life = cell.life
    signals, messages = cell.mailbox.depths
    return ActorInfo(
        name=cell.spec.name,
        path=cell.path,
        status=cell.status,
        signals=signals,
        messages=messages,
        in_flight=0 if life is None else life.gate.in_flight,
        handled=0 if life is None else life.handled,
        served=0 if life is None else life.gate.served,
        restarts=cell.restarts,
        uptime=0.0 if life is None else now - life.started_at,
        reason=cell.reason,
        retry_after=None if cell.retry_at is None else max(0.0, cell.retry_at - now),
        busy="" if life is None or life.busy is None else type(life.busy).__name__,
        tasks=() if life is None else life.task_names,
        children=tuple(_info(child, now) for child in cell.children.values()),
    )
