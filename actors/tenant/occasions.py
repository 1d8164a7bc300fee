"""Functions of the tenant itself, not of its rows: people signed up or in, the tenant starts or stops.

Decides when such functions run. What people do is noted in the transaction that does it, as a task, so that
it is lost or done with it; so is a start. A stop is the last chance: functions run then and there, for a
short time. Called by the auth feature and by ``work``.
"""

import asyncio
from collections.abc import Iterator, Mapping

import structlog

from actors.connections import ConnectError, TenantConnection
from actors.features.functions.calls import Invocation, Origin
from actors.features.functions.rendering import Surroundings
from actors.features.outbox import queue
from actors.features.outbox.tasks import NewTask
from actors.messages import ProblemError
from actors.tenant import rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from actors.tenant.refusals import StaleGenerationError
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sections.functions import Function
from schemas.compiler.sections.triggers import AFTER_LOGIN, AFTER_SIGNUP, ON_START, ON_STOP

KIND = "function"
STOP_SECONDS = 5.0
"""What all functions of a tenant that stops have together."""

log = structlog.get_logger("functions")


def functions_at(generation: Generation, trigger: str) -> Iterator[Function]:
    """Return the functions of an occasion, in declared order."""
    functions: Mapping[str, Function] = generation.model.sections.get("functions") or {}
    return (one for one in functions.values() if trigger in one.triggers)


async def signed_in(generation: Generation, connection: TenantConnection, user_id: str) -> None:
    """Note, in its transaction, that somebody signed in."""
    await _note(generation, connection, AFTER_LOGIN, user_id)


async def signed_up(generation: Generation, connection: TenantConnection, user_id: str) -> None:
    """Note, in its transaction, that an account was made."""
    await _note(generation, connection, AFTER_SIGNUP, user_id)


async def started(generation: Generation) -> None:
    """Let functions run because the tenant serves from now on."""
    if not any(functions_at(generation, ON_START)):
        return
    try:
        await in_transaction(generation.pool, lambda connection: _note(generation, connection, ON_START, ""))
    except (ProblemError, ConnectError, OSError, StaleGenerationError) as error:
        log.warning("function.not_started", tenant=generation.model.slug, reason=str(error)[:200])
        return
    if generation.outbox is not None:
        generation.outbox.committed()


async def stopping(generation: Generation) -> None:
    """Run what runs when the tenant stops; failures are on record, and nobody waits longer than a moment."""
    host, ends = generation.functions, asyncio.get_running_loop().time() + STOP_SECONDS
    if host is None:
        return
    for function in functions_at(generation, ON_STOP):
        left = ends - asyncio.get_running_loop().time()
        around = Surroundings(generation, "", None, None, SERVICE, generation.born)
        made = Invocation(
            function.function, ON_STOP, function.name, config=await around.render(function.config),
            principal=SERVICE, timeout=max(min(function.timeout, left), 0.01), depth=1,
        )  # fmt: skip
        try:
            await host.run(generation, made, rows.data_port(generation, None, Origin(1)))
        except (ProblemError, QueryError, ConnectError, OSError, StaleGenerationError) as error:
            log.warning("function.at_stop", tenant=generation.model.slug, reason=str(error)[:200])
    await host.recorder.flush()


async def _note(generation: Generation, connection: TenantConnection, trigger: str, user_id: str) -> None:
    tasks = [
        NewTask(
            KIND,
            function.name,
            {
                "trigger": trigger,
                "entity": USERS if user_id else "",
                "key": user_id,
                "who": {"user": user_id} if user_id else {},
            },
        )
        for function in functions_at(generation, trigger)
    ]
    if tasks:
        await queue.put(connection, generation.identity.namespace, tasks)
