"""A run of an import: a task of the relay, so that a crash costs what was not committed, no more.

Decides what ends an import and what only interrupts it. Called by ``actors.tenant.work``.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from actors.features.files import fields
from actors.features.outbox.tasks import Retries, Task, TaskFailedError
from actors.features.transfer import asker, records, source
from actors.features.transfer.records import OPEN, Import
from actors.features.transfer.runs import CancelledRunError, Run, change
from actors.features.transfer.source import Reading
from actors.messages import ProblemError
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError

KIND = "import"
_MOST_TRIES = 3
"""Of a run that ends in what nobody foresaw."""
_RETRIES = Retries(limit=1000, first=1.0, most=60.0)
_PASSES = frozenset(
    {"database.unavailable", "database.busy", "database.conflict", "tenant.unavailable", "PGRST003",
     "file.store", "http.overloaded", "outcome_unknown"}
)  # fmt: skip

log = structlog.get_logger("import")


async def run(generation: Generation, task: Task) -> None:
    """Run an import to its end, from where it was left.

    Raises:
        TaskFailedError: the surroundings were in the way; go on later.
    """
    key = str(task.payload["import"])
    known = await in_transaction(generation.pool, lambda own: records.find(own, generation, key), reads=True)
    if known is None or known.state not in OPEN or known.file is None:
        return
    try:
        principal = await _asker(generation, known)
        await change(generation, known, *OPEN, state="running", started_at=True, problem=None)
        async with _opened(generation, known) as reading:
            run_ = Run(generation, known, principal)
            await (run_.whole(reading) if known.options.whole else run_.batches(reading))
    except CancelledRunError:
        return
    except (ProblemError, QueryError) as error:
        if error.code in _PASSES:
            raise TaskFailedError(f"{error.code}: {error.message}", _RETRIES) from error
        await _fail(generation, known, error)
    except FileNotFoundError:
        await _fail(generation, known, ProblemError("file.not_found", "the file is not kept any more"))
    except OSError as error:
        raise TaskFailedError(f"the store: {error}", _RETRIES) from error
    except Exception:
        if task.attempts < _MOST_TRIES:
            raise
        log.exception("import.broken", tenant=generation.identity.slug, id=known.id)
        await _fail(generation, known, ProblemError("http.internal", "the import broke down"))


async def _asker(generation: Generation, task: Import) -> Principal:
    found = await asker.again(generation, task.who)
    if found is None:
        raise ProblemError("42501", "whoever began this import may write nothing more")
    return found


@asynccontextmanager
async def _opened(generation: Generation, task: Import) -> AsyncIterator[Reading]:
    files = fields.files_in(generation)
    pieces = await files.shared.store.open(files.key(task.file or ""), 0, task.size)
    after = 0 if task.options.whole else task.position
    async with (
        source.spooled(pieces) as file,
        source.opened(file, task.format, task.options.reading, after) as reading,
    ):
        yield reading


async def _fail(generation: Generation, task: Import, error: ProblemError | QueryError) -> None:
    problem = {"code": error.code, "message": error.message, "hint": error.hint or None}
    log.info("import.failed", tenant=generation.identity.slug, id=task.id, code=error.code)
    with contextlib.suppress(CancelledRunError):
        await change(generation, task, *OPEN, state="failed", problem=problem, finished_at=True)
