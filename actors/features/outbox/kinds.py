"""What changes and tasks mean: the one thing the relay does not know.

Implemented by ``actors.tenant.work``.
"""

from collections.abc import Sequence
from typing import Protocol

from actors.connections import TenantConnection
from actors.features.outbox.changes import Change
from actors.features.outbox.schedules import Schedule
from actors.features.outbox.tasks import NewTask, Task
from actors.tenant.generation import Generation


class Kinds(Protocol):
    """What changes and tasks mean; for all tenants."""

    async def tasks_of(
        self, generation: Generation, change: Change, connection: TenantConnection
    ) -> Sequence[NewTask]:
        """Return what is to be done because of a change; inside the transaction that takes it."""
        ...

    def schedules(self, generation: Generation) -> Sequence[Schedule]:
        """Return what runs by the clock."""
        ...

    async def tidy(self, generation: Generation, connection: TenantConnection) -> None:
        """Forget what was kept long enough."""
        ...

    async def run(self, generation: Generation, task: Task) -> None:
        """Do a task.

        Raises:
            TaskFailedError, TaskRefusedError, TaskPostponedError: it is not done.
        """
        ...
