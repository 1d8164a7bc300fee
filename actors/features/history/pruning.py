"""The end of versions that are older than a file's ``history: {keep: ...}``.

Decides when: once a day, in small transactions. What goes is decided by the function beside the trigger
(``ddl_history``): versions that were over by then, and that a row was deleted by then; never what a row is
now. Work of the relay.
"""

from datetime import datetime, timedelta

import structlog

from actors.features.outbox.schedules import Schedule
from actors.features.outbox.tasks import Task
from actors.tenant.executor import fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.migrate.ddl_history import prune_function
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import Argument, quote

KIND, PRUNE = "history", "history:prune"
BATCH = 5000

log = structlog.get_logger("history")


def schedules_of(generation: Generation) -> list[Schedule]:
    """Return when a tenant with versions that end looks for them: once a day, each at another time."""
    if not kept(generation.model):
        return []
    minute = int(generation.identity.id.replace("-", "")[-8:-4] or "0", 16) % 1440

    def after(moment: datetime) -> datetime:
        today = moment.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
        return today if today > moment else today + timedelta(days=1)

    return [Schedule(KIND, PRUNE, f"daily at minute {minute}", after)]


def kept(model: TenantModel) -> dict[str, float]:
    """Return how many seconds versions are kept, by entity; those kept for ever are not in it."""
    found = {
        name: getattr(entity.sections.get("history"), "keep", None) for name, entity in model.entities.items()
    }
    return {name: keep for name, keep in found.items() if keep is not None}


async def run(generation: Generation, task: Task) -> None:
    """Do the task."""
    del task
    await prune(generation)


async def prune(generation: Generation) -> int:
    """Drop versions that were kept long enough; returns how many."""
    dropped = 0
    for name, keep in kept(generation.model).items():
        function = f"{quote(generation.identity.namespace)}.{quote(prune_function(name))}"
        text = f"SELECT {function}(now() - make_interval(secs => $1::text::float8), {BATCH}) AS gone"
        arguments: list[Argument] = [str(keep)]
        gone = BATCH
        while gone == BATCH:
            rows = await in_transaction(generation.pool, lambda own: fetch_rows_on(own, text, arguments))  # noqa: B023
            gone = rows[0]["gone"]
            dropped += gone
    if dropped:
        log.info("history.pruned", tenant=generation.identity.slug, versions=dropped)
    return dropped
