"""The tree as values, for people and metrics: who runs, what waits, how often it was restarted, and why.

Decides nothing and changes nothing. Used by the platform's runtime endpoint.
"""

import asyncio
from dataclasses import dataclass

from runtime.address import Address
from runtime.ref import ActorRef, address_of
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
    return _info(address_of(ref), asyncio.get_running_loop().time())


def _info(address: Address, now: float) -> ActorInfo:
    cell = address.cell
    signals, messages = address.mailbox.depths
    return ActorInfo(
        name=address.spec.name,
        path=address.path,
        status=address.status,
        signals=signals,
        messages=messages,
        in_flight=0 if cell is None else cell.gate.in_flight,
        handled=0 if cell is None else cell.handled,
        served=0 if cell is None else cell.gate.served,
        restarts=address.restarts,
        uptime=0.0 if cell is None else now - cell.started_at,
        reason=address.reason,
        retry_after=address.retry_after,
        busy="" if cell is None or cell.busy is None else type(cell.busy).__name__,
        tasks=() if cell is None else cell.tasks.names,
        children=tuple(_info(child, now) for child in address.children.values()),
    )
