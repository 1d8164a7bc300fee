"""Which entities' changes are being recorded for a tenant's followers, in this process's view.

Decides when triggers are made, how long changes are recorded after the last follower left, and when all of
that ends. One per hub.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import asyncpg

from actors.connections import ConnectError, TenantConnection
from actors.database import Database
from actors.features.realtime import log
from actors.messages import ProblemError
from actors.pool import PoolError
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation


class Recording:
    """See the module's docstring.

    Args:
        generation: of the tenant, any one.
        database: triggers are the owner's to make.
    """

    def __init__(self, generation: Generation, database: Database) -> None:
        self._identity = generation.identity
        self._pool = generation.pool
        self._database = database
        self._going_on: set[str] = set()
        self._lock = asyncio.Lock()

    async def begin(self, generation: Generation, names: Iterable[str]) -> None:
        """Let changes of entities be recorded from now on, if they are not.

        Raises:
            ProblemError: realtime.busy.
        """
        async with self._lock:
            wanted = sorted(set(names) - self._going_on)
            if not wanted:
                return
            namespace = self._identity.namespace
            kept = await in_transaction(self._pool, lambda own: log.renew(own, namespace, wanted))
            missing = [generation.model.entities[name] for name in wanted if name not in kept]
            try:
                if missing:
                    async with self._database.owner() as owner:
                        await log.arm(owner, self._identity, missing)
            except (log.BLOCKED, ConnectError, PoolError, OSError) as error:
                raise ProblemError(
                    "realtime.busy", "the rows are being written too busily to begin just now"
                ) from error
            self._going_on |= set(wanted)

    def forget(self) -> None:
        """Trust nothing: nobody renewed it for some time."""
        self._going_on.clear()

    async def renew(self, told: int) -> None:
        """Go on for a while; changes nobody will be sent any more are forgotten."""
        namespace = self._identity.namespace

        async def work(connection: TenantConnection) -> set[str]:
            await log.forget(connection, namespace, told)
            return await log.renew(connection, namespace, sorted(self._going_on))

        kept = await in_transaction(self._pool, work)
        async with self._lock:
            self._going_on &= kept

    async def end(self) -> None:
        """Take away what records, when nobody anywhere needs it; what stays records nothing."""
        self.forget()
        with contextlib.suppress(ConnectError, PoolError, OSError, asyncpg.PostgresError):
            async with self._database.owner() as owner:
                await log.disarm(owner, self._identity)
