"""Up to which number a tenant's log of changes is complete.

Decides that a number counts as complete when everybody who wrote while it was the newest is done. Numbers are
given out before a transaction ends, so reading on from the newest number seen would skip those that commit
late. Other tenants' transactions do not matter. One per hub.
"""

from actors.connections import TenantConnection
from actors.features.realtime import log
from actors.pool import TenantPool
from actors.tenant.executor import in_transaction


class Watermark:
    """See the module's docstring.

    Args:
        pool: the tenant's.
        namespace: the tenant's.
    """

    def __init__(self, pool: TenantPool, namespace: str) -> None:
        self._pool = pool
        self._namespace = namespace
        self._waiting: tuple[int, frozenset[str]] | None = None
        self.complete = 0

    @property
    def waits(self) -> bool:
        """Whether somebody is writing whose changes are to come."""
        return self._waiting is not None

    async def advance(self) -> int:
        """Look again; returns the number up to which the log is complete now."""

        async def look(connection: TenantConnection) -> tuple[int, frozenset[str]]:
            last = await log.last_number(connection, self._namespace)
            if last == self.complete:
                return last, frozenset()
            # after the number: whoever took one up to it is still seen writing, or is done
            return last, await log.writers(connection, self._namespace)

        last, writing = await in_transaction(self._pool, look, reads=True)
        if self._waiting is not None:
            number, writers = self._waiting
            still = writers & writing
            if still:
                self._waiting = number, still
                return self.complete
            self.complete = max(self.complete, number)
            self._waiting = None
        if not writing:
            self.complete = max(self.complete, last)
        elif last > self.complete:
            self._waiting = last, writing
        return self.complete
