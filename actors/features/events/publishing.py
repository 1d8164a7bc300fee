"""Publishing: an event happens if and when the transaction it is published in commits.

Decides what is kept of an event and that a delayed one is a task until its time. Called by whatever runs
functions, for ``ctx.events``.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from actors.connections import TenantConnection
from actors.features.functions.calls import DataPort, Invocation
from actors.features.outbox import queue
from actors.features.outbox.tasks import NewTask, Task
from actors.messages import ProblemError
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.grammar.scalars import EVENT_NAME

KIND = "event"
MAX_DELAY = 366 * 86_400.0
MAX_PAYLOAD = 256 * 1024


class Publisher:
    """``ctx.events`` of every tenant."""

    async def publish(
        self,
        generation: Generation,
        call: Invocation,
        data: DataPort,
        event: str,
        payload: Any,  # noqa: ANN401 - JSON
        delay: float,
    ) -> None:
        """Publish an event, ``delay`` seconds from now; with the transaction of ``data`` if it has one.

        Raises:
            ProblemError: function.failed for a name, a delay or a payload that is none.
        """
        if not EVENT_NAME.fullmatch(event):
            raise ProblemError("function.failed", f"'{event[:80]}' is no name of an event: a-z, 0-9, '_'")
        if not 0 <= delay <= MAX_DELAY:
            raise ProblemError("function.failed", "an event is published within a year")
        if len(queue.encode(payload)) > MAX_PAYLOAD:
            raise ProblemError("function.failed", f"an event says at most {MAX_PAYLOAD // 1024} KiB")
        principal = call.principal
        who = {
            "user": principal.id,
            "email": principal.email,
            "roles": sorted(principal.roles),
            "request_id": call.request_id,
            "depth": call.depth,
        }
        namespace = generation.identity.namespace

        async def work(connection: TenantConnection) -> None:
            if delay:
                later = datetime.now(UTC) + timedelta(seconds=delay)
                task = NewTask(KIND, event, {"payload": payload, "who": who}, run_at=later)
                await queue.put(connection, namespace, [task])
            else:
                await queue.publish(connection, namespace, event, payload, who)

        own: TenantConnection | None = getattr(data, "connection", None)
        if own is not None:
            await work(own)
            return
        await in_transaction(generation.pool, work)
        if generation.outbox is not None:
            generation.outbox.committed()


async def publish_delayed(generation: Generation, task: Task) -> None:
    """Publish an event whose time has come."""
    namespace, payload = generation.identity.namespace, task.payload
    await in_transaction(
        generation.pool,
        lambda connection: queue.publish(
            connection, namespace, task.name, payload.get("payload"), payload.get("who")
        ),
    )
    if generation.outbox is not None:
        generation.outbox.committed()
