"""Backs up every tenant when the settings say so; a child of the root.

Decides when: at the times of a cron line, and at the start when the last of them was missed. What a backup
is, ``features.platform.backups`` says. Of several processes on one database, one has the schedule.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from typing_extensions import override

from actors.messages import ProblemError
from runtime.actor import Actor
from schemas.compiler.grammar.cron import after

LONGEST_WAIT = 60.0
"""Seconds until the clock is looked at again: it may have been set."""

log = structlog.get_logger("platform")


class BackupActor(Actor):
    """See the module's docstring.

    Args:
        schedule: the cron line, in UTC; "" for never.
        newest: when the newest backup was made, None when there is none.
        run: backs up every tenant.
    """

    def __init__(
        self, schedule: str, newest: Callable[[], datetime | None], run: Callable[[], Awaitable[None]]
    ) -> None:
        self._schedule = schedule
        self._newest = newest
        self._run = run

    @override
    async def pre_start(self) -> None:
        """Wait for the first time."""
        if self._schedule:
            self.spawn(self._follow(), "follow")

    @override
    async def handle(self, message: object) -> None:
        """Nobody tells it anything."""

    async def _follow(self) -> None:
        last = await asyncio.to_thread(self._newest) or datetime.now(UTC)
        while True:
            due = after(self._schedule, last)
            if due is None:
                return
            now = datetime.now(UTC)
            if due > now:
                await asyncio.sleep(min(LONGEST_WAIT, (due - now).total_seconds()))
                continue
            last = now
            try:
                await self._run()
            except ProblemError as error:
                log.warning("platform.not_backed_up", reason=error.message)
            except Exception:
                # the next time may go better
                log.exception("platform.not_backed_up")
