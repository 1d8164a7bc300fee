"""What a tenant does after commits and on the clock: the kinds of tasks, put together.

Decides which feature a change or a task belongs to. The queue itself is ``outbox``'s. Made once by the
composition root; the tenant actor holds a ``TenantWork``.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from weakref import WeakSet

import structlog

from actors.connections import ConnectError, TenantConnection
from actors.database import Database
from actors.features.events import publishing
from actors.features.files import removal
from actors.features.history import pruning
from actors.features.jobs import timetable
from actors.features.outbox.changes import Change
from actors.features.outbox.relay import Relay
from actors.features.outbox.schedules import Schedule
from actors.features.outbox.slots import Slots
from actors.features.outbox.tables import OUTBOX_TABLES
from actors.features.outbox.tasks import NewTask, Task, TaskRefusedError
from actors.features.realtime.checking import Identifies
from actors.features.realtime.hub import Hub
from actors.features.realtime.wire import Wire
from actors.features.reports import mailing
from actors.features.transfer import running as importing
from actors.features.webhooks import events as heard
from actors.features.webhooks import log as deliveries
from actors.features.webhooks.breaker import Breakers
from actors.features.webhooks.delivery import Deliverer
from actors.messages import ProblemError
from actors.outbound import Outbound
from actors.tenant import after, deadlines, occasions
from actors.tenant.due import DueBook
from actors.tenant.generation import Generation
from schemas.compiler.model import TenantModel
from schemas.compiler.recording import recorded_entities

Spawn = Callable[[Coroutine[Any, Any, None], str], object]

log = structlog.get_logger("relay")


class Work:
    """What all relays of a process share; the relays' ``Kinds``.

    Args:
        due: which tenants have work.
        outbound: connects to other servers.
        database: where those who follow rows read.
        wire: to the rooms of other processes; None in commands, which have none.

    Attributes:
        relays: those at work.
    """

    def __init__(self, due: DueBook, outbound: Outbound, database: Database, wire: Wire | None) -> None:
        self.due = due
        self.database = database
        self.wire = wire
        self.slots = Slots()
        self.deliverer = Deliverer(outbound, Breakers())
        self.relays: WeakSet[Relay] = WeakSet()
        self._outbound = outbound

    async def close(self) -> None:
        """Close what is open to others."""
        await self._outbound.close()

    async def tasks_of(
        self, generation: Generation, change: Change, connection: TenantConnection
    ) -> Sequence[NewTask]:
        """Return what is to be done because of a change."""
        names = heard.names_of(generation.model, change)
        tasks = await after.function_tasks(generation, change, names, connection)
        tasks += deadlines.tasks_of(generation, change)
        for name, hook in (generation.model.sections.get("webhooks") or {}).items():
            event = heard.heard(hook.events, names) if hook.enabled else ""
            if event and await after.holds(generation, hook.when, change, connection):
                tasks.append(heard.task_of(name, event, change))
        return tasks

    def schedules(self, generation: Generation) -> Sequence[Schedule]:
        """Return what runs by the clock."""
        sweeps = (*removal.schedules_of(generation), *pruning.schedules_of(generation))
        model = generation.model
        return [*timetable.schedules_of(model), *mailing.schedules_of(model), *sweeps]

    async def run(self, generation: Generation, task: Task) -> None:
        """Do a task.

        Raises:
            TaskFailedError, TaskRefusedError, TaskPostponedError: it is not done.
        """
        match task.kind:
            case after.FUNCTION:
                await after.run_function(generation, task)
            case after.SUBSCRIPTION:
                await after.run_subscription(generation, task)
            case after.JOB:
                await after.run_job(generation, task)
            case deadlines.KIND:
                await deadlines.run(generation, task)
            case publishing.KIND:
                await publishing.publish_delayed(generation, task)
            case removal.KIND:
                await removal.run(generation, task)
            case pruning.KIND:
                await pruning.run(generation, task)
            case importing.KIND:
                await importing.run(generation, task)
            case mailing.KIND:
                await mailing.run(generation, task)
            case heard.KIND:
                await self.deliverer.deliver(generation, task)
            case _:
                raise TaskRefusedError(f"this version does not know tasks of the kind '{task.kind}'")

    async def tidy(self, generation: Generation, connection: TenantConnection) -> None:
        """Forget what was kept long enough."""
        if "webhook_deliveries" in generation.model.entities:
            await deliveries.tidy(connection, generation.identity.namespace)


def has_work(model: TenantModel) -> bool:
    """Whether anything may ever be left to do after a commit or by the clock."""
    sections = ("jobs", "webhooks", "events", "functions")
    return bool(
        any(model.sections.get(name) for name in sections)
        or any(
            "functions" in entity.sections or "workflow" in entity.sections
            for entity in model.entities.values()
        )
        or recorded_entities(model)
        or removal.keeps_files(model)
        or pruning.kept(model)
        or mailing.schedules_of(model)
    )


class TenantWork:
    """One tenant's relay, if it needs one, and its hub of those who follow rows.

    Args:
        work: shared by all tenants; None where a server does the work.
        identify: says who a credential stands for.
    """

    def __init__(self, work: Work | None, identify: Identifies) -> None:
        self._work = work
        self._identify = identify
        self._relay: Relay | None = None
        self._hub: Hub | None = None
        self._generation: Generation | None = None
        self._spawn: Spawn | None = None
        self._paused = False

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return (self._relay is not None and self._relay.busy) or (self._hub is not None and self._hub.busy)

    async def serve(self, generation: Generation, spawn: Spawn, *, paused: bool) -> None:
        """Go on with this version of the file; begin when it is the first with work in it."""
        if self._work is None:
            return
        self._generation, self._spawn, self._paused = generation, spawn, paused
        generation.begin_work = self.begin
        if self._relay is not None:
            self._relay.serve(generation)
        elif has_work(generation.model):
            await self.begin()
            spawn(occasions.started(generation), "on_start")
        generation.outbox = self._relay
        if generation.functions is not None:
            spawn(generation.functions.warm(generation), "functions")
        if self._hub is None:
            self._hub = Hub(generation, self._work.database, self._identify, spawn)
            if self._work.wire is not None:
                self._work.wire.join(generation.identity.id, self._hub.rooms)
        generation.live = self._hub
        self._hub.serve(generation)

    async def begin(self) -> None:
        """Begin the relay, before the first write can leave something behind."""
        generation, spawn = self._generation, self._spawn
        if self._work is None or self._relay is not None or generation is None or spawn is None:
            return
        self._relay = relay = Relay(generation, self._work, self._work.slots, spawn)
        relay.paused = self._paused
        try:
            await generation.pool.furnish(OUTBOX_TABLES[0])
            await self._work.due.hold(generation.identity)
        except BaseException:
            self._relay = None
            raise
        self._work.relays.add(relay)
        if generation.usage is not None:
            generation.usage.failing = True  # what was given up before this process served it counts, too
        generation.outbox = relay
        spawn(relay.run(), "relay")

    def look(self) -> None:
        """Look whether something is due; also where the file alone leaves nothing to do."""
        if self._relay is not None:
            self._relay.look()
        elif self._spawn is not None:
            self._spawn(self.begin(), "relay")

    def pause(self, *, paused: bool) -> None:
        """Begin nothing while the tenant is paused."""
        self._paused = paused
        if paused and self._hub is not None:
            self._hub.close(ProblemError("tenant.unavailable", "the tenant serves nobody now"))
        if self._relay is not None and self._relay.paused != paused:
            self._relay.paused = paused
            self._relay.look()

    async def close(self) -> None:
        """Leave things so that whoever comes next finds what there is to do."""
        if self._hub is not None:
            self._hub.close()
        if self._relay is None or self._work is None:
            return
        relay, self._relay = self._relay, None
        self._work.relays.discard(relay)
        if not relay.paused:
            await occasions.stopping(relay.generation)
        try:
            due = await relay.close()
            await self._work.due.release(relay.generation.identity, due)
        except (ProblemError, ConnectError, OSError) as error:
            # its row in ``due`` stays: the next process to look takes it over
            log.warning("relay.left", tenant=relay.generation.identity.slug, reason=str(error)[:200])
