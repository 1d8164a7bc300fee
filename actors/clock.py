"""The clock of the process: wakes tenants whose work is due, and those whose process has gone.

Decides only whom to wake; what is due there their relays know. Tenants without work are not looked at. A
child of the root, after the directory.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import asyncpg
import structlog
from typing_extensions import override

from actors.connections import ConnectError
from actors.tenant.actor import WorkDue
from actors.tenant.due import DueBook
from actors.tenant.platform import Platform
from runtime.actor import Actor
from runtime.ref import ActorRef
from runtime.signals import ActorError

LOOK_SECONDS = 1.0
AT_A_TIME = 16
WAKE_SECONDS = 60.0

log = structlog.get_logger("clock")


class ClockActor(Actor):
    """See the module's docstring.

    Args:
        platform: surroundings of the tenants.
        routes: slug to actor.
    """

    def __init__(self, platform: Platform, routes: Mapping[str, ActorRef]) -> None:
        self._platform = platform
        self._routes = routes

    @override
    async def pre_start(self) -> None:
        """Look from now on."""
        if self._platform.work is not None:
            self.spawn(self._watch(self._platform.work.due), "watch")

    async def _watch(self, due: DueBook) -> None:
        while True:
            try:
                await self._watch_once(due)
            except (OSError, ConnectError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("clock.waits", reason=str(error)[:200])
            await asyncio.sleep(LOOK_SECONDS)

    async def _watch_once(self, due: DueBook) -> None:
        connection = await self._platform.database.dedicated()
        try:
            await due.appear(connection)
            while True:
                found = await due.take(connection, AT_A_TIME)
                await asyncio.gather(*(self._wake(slug) for slug in found))
                if len(found) < AT_A_TIME:
                    await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.terminate()

    async def _wake(self, slug: str) -> None:
        ref = self._routes.get(slug)
        if ref is None:
            return
        with contextlib.suppress(ActorError):  # the tenant's own trouble; its supervisor knows
            await ref.ask(WorkDue(), timeout=WAKE_SECONDS)
