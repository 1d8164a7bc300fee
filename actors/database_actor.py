"""The database as a child of the root: kept running, kept lean, asked for its health.

Called by the composition root.
"""

import asyncio
from collections.abc import Callable

from typing_extensions import override

from actors.database import Database
from runtime.actor import Actor

PROBE_SECONDS = 0.5


class DatabaseActor(Actor):
    """Keeps our own PostgreSQL running, gives idle connections back and says what ails the database."""

    def __init__(self, database: Database, tell: Callable[[str], None]) -> None:
        self._database = database
        self._tell = tell

    @override
    async def pre_start(self) -> None:
        self.spawn(self._database.watch(), "watch")
        self.spawn(self._probe(), "probe")

    async def _probe(self) -> None:
        while True:
            self._tell(await self._database.ailment())
            await asyncio.sleep(PROBE_SECONDS)
