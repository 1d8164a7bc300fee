"""Tasks run when they are due, also those that become due while the relay looks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actors.features.outbox import queue
from actors.features.outbox.relay import Relay
from actors.features.outbox.slots import Slots
from actors.features.outbox.tasks import NewTask, Task
from tests.api.harness import World, slug
from tests.outbox.test_recording import FILE


class Noted:
    """Tasks that only say that they ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def tasks_of(self, *_: object) -> Sequence[NewTask]:
        return ()

    def schedules(self, _: object) -> Sequence[Any]:
        return ()

    async def run(self, _: object, task: Task) -> None:
        self.ran.append(task.name)

    async def tidy(self, *_: object) -> None:
        return


async def test_what_becomes_due_while_the_relay_looks_is_not_slept_past(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = await world.tenant(slug(), FILE)
    claim = queue.claim

    async def slow_claim(*arguments: Any) -> Any:
        claimed = await claim(*arguments)
        await asyncio.sleep(0.5)  # a busy machine
        return claimed

    monkeypatch.setattr(queue, "claim", slow_claim)
    kinds, running = Noted(), set()
    relay = Relay(
        generation,
        kinds,
        Slots(),
        lambda work, _: running.add(asyncio.ensure_future(work)),
    )
    connection = await generation.pool.acquire()
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    await queue.put(connection, generation.identity.namespace, [NewTask("noted", "soon", {}, run_at=soon)])
    generation.pool.release(connection)
    run = asyncio.ensure_future(relay.run())
    async with asyncio.timeout(30):
        while kinds.ran != ["soon"]:
            await asyncio.sleep(0.02)
    run.cancel()
    await asyncio.wait([run, *running])
    await relay.close()
