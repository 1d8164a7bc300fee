"""The end of files: their bytes after the commit that let them go, and what nobody ever named.

Decides what is an orphan: an upload that no row named in time, an object in the store that no row of
``_files`` knows, what a crash left half written. Work of the relay, so it is done once, also after a crash.
"""

import time
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import structlog

from actors.connections import TenantConnection
from actors.features.files import records
from actors.features.files.keeper import TenantFiles
from actors.features.outbox.schedules import Schedule
from actors.features.outbox.tasks import Retries, Task, TaskFailedError
from actors.tenant.executor import fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.model import TenantModel
from schemas.compiler.recording import has_files
from schemas.compiler.sql import quote

KIND, SWEEP = "file", "sweep"
_RETRIES = Retries(limit=50, first=5.0)
_BATCH = 500

log = structlog.get_logger("files")


def schedules_of(generation: Generation) -> list[Schedule]:
    """Return when a tenant with files looks for orphans: once a day, each at another time."""
    if not keeps_files(generation.model):
        return []
    minute = int(generation.identity.id.replace("-", "")[-4:] or "0", 16) % 1440

    def after(moment: datetime) -> datetime:
        today = moment.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
        return today if today > moment else today + timedelta(days=1)

    return [Schedule(KIND, SWEEP, f"daily at minute {minute}", after)]


def keeps_files(model: TenantModel) -> bool:
    """Whether a tenant has fields or buckets for files."""
    return "storage" in model.sections or any(has_files(entity) for entity in model.entities.values())


async def run(generation: Generation, task: Task) -> None:
    """Do a task.

    Raises:
        TaskFailedError: it is not done.
    """
    if task.name == SWEEP:
        await sweep(generation)
    else:
        await remove(generation, task)


async def remove(generation: Generation, task: Task) -> None:
    """Remove the bytes of a file that is let go.

    Raises:
        TaskFailedError: the store cannot be reached; try again.
    """
    files = generation.files
    if files is None:
        raise TaskFailedError("this process keeps no files", _RETRIES)
    try:
        await files.shared.store.delete(files.key(task.payload["file"]))
    except OSError as error:
        raise TaskFailedError(f"the store: {error}", _RETRIES) from error
    if files.quota is not None:
        files.quota.stored -= int(task.payload["size"])


async def sweep(generation: Generation) -> int:
    """Let go of uploads nobody named, and remove objects that no row knows; returns how many.

    Raises:
        TaskFailedError: the store cannot be reached; try again.
    """
    files = generation.files
    if files is None:
        return 0
    hours = files.shared.settings.unused_hours
    found = len(await in_transaction(generation.pool, lambda own: _unused(own, generation, hours)))
    for entity in generation.model.entities.values():
        for field in entity.fields.values():
            if field.kind == "file":
                orphans = partial(_without_row, generation=generation, entity=entity.name, field=field.name)
                found += len(await in_transaction(generation.pool, orphans))
    try:
        found += await _unknown(generation, files, time.time() - hours * 3600)
    except OSError as error:
        raise TaskFailedError(f"the store: {error}", _RETRIES) from error
    if found:
        log.info("files.swept", tenant=generation.identity.slug, files=found)
    return found


async def _unused(connection: TenantConnection, generation: Generation, hours: float) -> list[asyncpg.Record]:
    text = (
        f"DELETE FROM {records.table(generation)} WHERE used_at IS NULL "  # noqa: S608 - quoted
        "AND created_at < now() - make_interval(hours => 1) * $1::text::float8 RETURNING id"
    )
    return await fetch_rows_on(connection, text, (str(hours),))


async def _without_row(
    connection: TenantConnection, generation: Generation, entity: str, field: str
) -> list[asyncpg.Record]:
    rows = f"{quote(generation.identity.namespace)}.{quote(entity)}"
    text = (
        f"DELETE FROM {records.table(generation)} f WHERE f.entity = $1 AND f.field = $2 "  # noqa: S608 - quoted
        f"AND f.used_at < now() - interval '1 hour' "
        f"AND NOT EXISTS (SELECT FROM {rows} r WHERE r.{quote(field)} = f.id) RETURNING f.id"
    )
    return await fetch_rows_on(connection, text, (entity, field))


async def _unknown(generation: Generation, files: TenantFiles, before: float) -> int:
    """Remove old objects that no row knows: what a crash left between the store and the table."""
    count, waiting = 0, list[str]()

    async def settle() -> int:
        text = f"SELECT id FROM {records.table(generation)} WHERE id = ANY($1::text[])"  # noqa: S608 - quoted
        ids: list[str | None] = [name.partition(".")[0] for name in waiting]
        rows = await in_transaction(generation.pool, lambda own: fetch_rows_on(own, text, (ids,)), reads=True)
        known = {row["id"] for row in rows}
        gone = [name for name in waiting if name.partition(".")[0] not in known or name.endswith(".part")]
        for name in gone:
            await files.shared.store.delete(files.key(name))
        waiting.clear()
        return len(gone)

    async for stored in files.shared.store.names(files.tenant):
        if stored.changed < before:
            waiting.append(stored.name)
        if len(waiting) >= _BATCH:
            count += await settle()
    return count + (await settle() if waiting else 0)
