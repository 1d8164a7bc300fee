"""How tasks came out, written down in one transaction.

Decides what a failure leads to: another try, later, or giving up. Called by the relay.
"""

from collections.abc import Sequence

import structlog

from actors.connections import TenantConnection
from actors.features.outbox import queue
from actors.features.outbox.tasks import (
    Retries,
    Task,
    TaskFailedError,
    TaskPostponedError,
    TaskRefusedError,
)
from actors.messages import ProblemError

MAX_REASON = 2000
KEPT_KINDS = frozenset({"job"})
"""What people look at after it went well, too."""

log = structlog.get_logger("relay")


async def write(
    connection: TenantConnection,
    namespace: str,
    slug: str,
    ended: Sequence[tuple[Task, BaseException | None]],
) -> None:
    """Write outcomes down; one of somebody who lost the task meanwhile changes nothing."""
    for keep in (False, True):
        done = [task for task, error in ended if error is None and (task.kind in KEPT_KINDS) is keep]
        if done:
            await queue.finish(connection, namespace, done, keep=keep)
    for task, error in ended:
        if error is not None:
            await _write_failure(connection, namespace, slug, task, error)


async def _write_failure(
    connection: TenantConnection, namespace: str, slug: str, task: Task, error: BaseException
) -> None:
    why = reason(error)
    if isinstance(error, TaskPostponedError):
        await queue.retry(connection, namespace, task, seconds=error.seconds, reason=why, counted=False)
        return
    retries = error.retries if isinstance(error, TaskFailedError) else Retries()
    if isinstance(error, TaskRefusedError) or task.attempts > retries.limit:
        log.warning("task.dead", tenant=slug, kind=task.kind, name=task.name, id=task.id, reason=why)
        await queue.bury(connection, namespace, task, why)
        return
    payload, seconds = None, retries.delay(task.attempts)
    if isinstance(error, TaskFailedError):
        payload, seconds = error.payload, max(seconds, error.least)
    await queue.retry(connection, namespace, task, seconds=seconds, reason=why, payload=payload)


def reason(error: BaseException) -> str:
    """Return what people read about a failure."""
    if isinstance(error, ProblemError):
        text = f"{error.code}: {error.message}"
    elif isinstance(error, TaskFailedError | TaskRefusedError | TaskPostponedError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}"
    return text.replace("\0", "")[:MAX_REASON]
