"""How many database connections this process may have, and which tenant gets the next one.

Decides fairness between tenants. It never opens or closes a connection itself: it asks pools to. One per
process, made by ``actors.database``.
"""

from time import monotonic
from typing import Protocol

FAIR_WAIT = 0.1
"""Seconds after which a tenant without any connection gets one even from a tenant whose own callers wait."""


class Holder(Protocol):
    """What the budget needs of a pool."""

    open: int

    @property
    def idle(self) -> int:
        """Connections nobody uses."""

    @property
    def idle_since(self) -> float:
        """When the idlest connection came back."""

    @property
    def starved(self) -> bool:
        """Callers wait although the pool may have more."""

    @property
    def waiting(self) -> int:
        """Callers in the queue."""

    def surrender(self) -> None:
        """Close the idlest connection."""

    def offer_slot(self) -> bool:
        """Let the first caller in line open a connection."""


class ConnectionBudget:
    """A fixed number of slots; every open or opening connection holds one.

    Args:
        limit: slots; keep it below the server's ``max_connections``, for a closed connection leaves the
        server a
            moment after it gave its slot back.
    """

    def __init__(self, limit: int = 80) -> None:
        self.limit = limit
        self.open = 0
        self.stolen = 0
        self.timeouts = 0
        """Callers that went away without a connection."""
        self.hungry: dict[Holder, float] = {}
        """Pools whose callers wait for a slot, longest first."""
        self._holders: set[Holder] = set()

    def reserve(self) -> bool:
        """Take a slot, from the idlest connection of another pool if need be; False when all are in use."""
        if self.open >= self.limit and not self._steal():
            return False
        self.open += 1
        return True

    def free(self, pool: Holder) -> None:
        """Give a slot back; the pool that waits longest gets it."""
        self.open -= 1
        if pool.open == 0:
            self._holders.discard(pool)
        self._grant()

    def holds(self, pool: Holder) -> None:
        """Remember a pool that has connections, so that idle ones are found."""
        self._holders.add(pool)

    def queue(self, pool: Holder) -> None:
        """Put a pool in line for a slot; once, however many of its callers wait."""
        self.hungry.setdefault(pool, monotonic())

    def unqueue(self, pool: Holder) -> None:
        """Take a pool out of the line."""
        self.hungry.pop(pool, None)

    def forget(self, pool: Holder) -> None:
        """A pool is closed: it waits for nothing."""
        self.unqueue(pool)

    def owes(self, pool: Holder) -> bool:
        """Whether the connection ``pool`` just got back should rather serve the pool first in line."""
        for other, since in self.hungry.items():
            if other is pool:
                continue
            if not pool.waiting or other.open + 1 < pool.open:
                return True
            return other.open == 0 and monotonic() - since > FAIR_WAIT
        return False

    def shrink(self, idle_seconds: float) -> int:
        """Close connections that were idle for so long; returns how many."""
        horizon = monotonic() - idle_seconds
        closed = 0
        for pool in tuple(self._holders):
            while pool.idle_since < horizon:
                pool.surrender()
                closed += 1
        return closed

    @property
    def available(self) -> int:
        """Connections that could be lent at once: free slots, and open ones nobody uses."""
        return self.limit - self.open + sum(pool.idle for pool in self._holders)

    @property
    def waiting(self) -> int:
        """Callers in line, of all pools."""
        return sum(pool.waiting for pool in {*self._holders, *self.hungry})

    def _steal(self) -> bool:
        victim = min(self._holders, key=lambda pool: pool.idle_since, default=None)
        if victim is None or not victim.idle:
            return False
        # nobody is in line while a connection is idle, so the slot stays for the caller
        victim.surrender()
        self.stolen += 1
        return True

    def _grant(self) -> None:
        while self.hungry and self.open < self.limit:
            pool = next(iter(self.hungry))
            del self.hungry[pool]
            if pool.offer_slot():
                self.open += 1
                if pool.starved:
                    self.hungry[pool] = monotonic()
