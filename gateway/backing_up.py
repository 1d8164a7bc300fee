"""Scheduled backups, put together from the settings.

Decides what their actor asks the tenant ``system``, as the platform's own hand. Made once by ``serve``.
"""

import asyncio
from collections.abc import Callable

from actors.backup_actor import BackupActor
from actors.features.platform.backups import newest
from actors.messages import Call
from actors.tenant.platform import Platform
from config.errors import StartError
from config.settings import Settings
from gateway.ports import Resolve
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.grammar.cron import cron_problem
from schemas.compiler.principal import SERVICE

_MOST_SECONDS = 86_400.0


def backup_maker(everything: Settings, platform: Platform, resolve: Resolve) -> Callable[[], BackupActor]:
    """Return what makes the actor that backs up by the clock.

    Raises:
        StartError: backup.schedule is no cron line.
    """
    settings = everything.backup
    schedule = settings.schedule
    if schedule and (problem := cron_problem(schedule)):
        raise StartError(f"backup.schedule: {problem}")

    async def run() -> None:
        door = resolve(SYSTEM_SLUG)
        if door is not None:
            deadline = asyncio.get_running_loop().time() + _MOST_SECONDS
            base = "/api/platform"
            await door.call(Call("platform.backup", "POST", principal=SERVICE, base=base, deadline=deadline))

    return lambda: BackupActor(schedule, lambda: newest(platform), run)
