"""Which tenants there are, and the actor of each.

Decides what a file found or gone means for the tenants, and in which order many changes are taken. It
supervises the tenant actors, which sleep until the first request or change, and follows what other processes
of the same database deploy. It never compiles or migrates. A child of the root; the gateway reads ``routes``.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import MutableMapping

import asyncpg
import structlog
from msgspec import Struct
from typing_extensions import override

from actors.connections import ConnectError
from actors.refusals import refuse_name, refuse_unreadable, version_in_force
from actors.scanner import Changed, Finding, Refused, Removed
from actors.served import hold_served
from actors.sources import Source
from actors.tenant import registry
from actors.tenant.actor import AccountsChanged, RegistryChanged, SourceChanged, SourceRemoved, TenantActor
from actors.tenant.journal import ACCOUNTS, CHANNEL, GONE
from actors.tenant.platform import Platform
from config.settings import Settings
from runtime.ref import ActorRef, Interleaved, Request
from runtime.restarts import RestartPolicy
from runtime.signals import ActorError, ActorStatus, ActorStoppedError, ChildEvent, ChildParked
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from schemas.compiler.compile import SYSTEM_SLUG, slug_of_file
from schemas.compiler.names import slug_problem

WORKERS = 4
"""Changes taken at a time: the compiler is one process and the machine small."""
TAKE_SECONDS = 3600.0
"""A migration may take long; its own steps are bounded."""
LISTEN_RETRY = 1.0

log = structlog.get_logger("directory")


class Found(Struct, Request[None], frozen=True):
    """The watcher's news."""

    finding: Finding


class Settled(Struct, Interleaved[None], frozen=True):
    """Answered when every change known now has been taken or refused."""


class Directory(Supervisor):
    """See the module's docstring.

    Args:
        platform: surroundings of the tenants.
        sources: the newest content of every file, read by the tenants; kept here.
        routes: slug to actor, read by the gateway; kept here.
        settings: limits of tenants.
    """

    def __init__(
        self,
        platform: Platform,
        sources: MutableMapping[str, Source],
        routes: MutableMapping[str, ActorRef],
        settings: Settings,
    ) -> None:
        super().__init__(restarts=RestartPolicy(limit=5, window=30.0))
        self._platform = platform
        self._sources = sources
        self._routes = routes
        self._settings = settings
        self._slugs: dict[str, str] = {}
        self._urgent: deque[str] = deque()
        self._patient: deque[str] = deque()
        self._queued: set[str] = set()
        self._work = asyncio.Semaphore(0)
        self._open = 0
        self._quiet = asyncio.Event()
        self._leaving: set[str] = set()

    @override
    async def pre_start(self) -> None:
        """Know every tenant of the registry, then listen to what other processes do."""
        self._quiet.set()
        await self._refresh()
        for slug in self._sources:
            self._enqueue(slug)
        self.spawn(self._listen(), "listen")
        work = self._platform.work
        if work is not None and work.wire is not None:
            self.spawn(work.wire.run(), "rooms")
        for number in range(WORKERS):
            self.spawn(self._take_changes(), f"take_changes {number}")

    @override
    async def handle(self, message: Found) -> None:
        """Act on what the watcher found."""
        match message.finding:
            case Changed(name, source):
                self._changed(slug_of_file(name), source)
            case Removed(name):
                self._removed(slug_of_file(name))
            case Refused(name, reason):
                await self._unreadable(slug_of_file(name), reason)

    @override
    async def serve(self, message: Settled) -> None:
        """Wait until nothing is left to take."""
        await self._quiet.wait()

    @override
    async def on_child(self, event: ChildEvent) -> None:
        """Say why a tenant is set aside."""
        if isinstance(event, ChildParked):
            after = f"{event.retry_after:.0f} s"
            self._platform.book.update(
                event.name,
                state="failed",
                reason=f"set aside after repeated failures, tried again in {after}: {event.reason}",
            )

    # -- files -----------------------------------------------------------------------------------------------

    def _changed(self, slug: str, source: Source) -> None:
        problem = "" if slug == SYSTEM_SLUG else slug_problem(slug)
        if problem:
            known = slug in self._routes
            refuse_name(self._platform, slug, problem, source.digest, known=known)
            return
        self._sources[slug] = source
        self._platform.book.update(slug, unreadable=None)
        if slug in self._leaving:
            return  # it is taken again when what is there has ended
        asleep = self._ensure_child(slug).status is ActorStatus.COLD
        status = self._platform.book.get(slug)
        if asleep and status.version and status.digest == source.digest:
            if status.state != "suspended":
                self._platform.book.update(slug, state="cold", reason="")
            return
        self._enqueue(slug)

    def _removed(self, slug: str) -> None:
        self._sources.pop(slug, None)
        ref = self._routes.get(slug)
        if ref is None:
            return
        self._platform.book.update(slug, unreadable=None)
        if ref.status is ActorStatus.COLD:
            self._platform.book.update(slug, state="paused", reason=f"{slug}.yaml is gone; the data is kept")
        else:
            with contextlib.suppress(ActorError):
                ref.tell(SourceRemoved())
        log.warning("tenant.paused", tenant=slug)

    async def _unreadable(self, slug: str, reason: str) -> None:
        """Take nothing away: what was in force serves on, also after a start."""
        if slug in self._routes and slug not in self._sources:
            source = await version_in_force(self._platform, slug)
            if source is not None:
                self._changed(slug, source)
        refuse_unreadable(self._platform, slug, reason, known=slug in self._routes)

    def _ensure_child(self, slug: str) -> ActorRef:
        ref = self.child(slug)
        if ref is None:
            ref = self.start_child(
                ChildSpec(
                    slug,
                    lambda: TenantActor(slug, self._platform),
                    lazy=True,
                    mailbox=64,
                    in_flight=self._settings.limits.in_flight,
                    start_timeout=TAKE_SECONDS,
                    stop_timeout=self._platform.drain_seconds + 5,
                    passivate_after=self._settings.tenants.idle_seconds,
                )
            )
            self._routes[slug] = ref
        return ref

    # -- taking changes --------------------------------------------------------------------------------------

    def _enqueue(self, slug: str) -> None:
        if slug in self._queued:
            return
        self._queued.add(slug)
        # somebody waits for an edit of a tenant at work; a thousand new ones may come behind it
        running = self._routes[slug].status is ActorStatus.RUNNING
        (self._urgent if running else self._patient).append(slug)
        self._open += 1
        self._quiet.clear()
        self._work.release()

    async def _take_changes(self) -> None:
        while True:
            await self._work.acquire()
            slug = (self._urgent or self._patient).popleft()
            self._queued.discard(slug)
            ref = self._routes.get(slug)
            try:
                if ref is not None:
                    await ref.ask(SourceChanged(), timeout=TAKE_SECONDS)
            except ActorError as error:
                if not isinstance(
                    error, ActorStoppedError
                ):  # else the process ends, or the tenant is deleted
                    log.error("tenant.failed", tenant=slug, reason=error.message)  # noqa: TRY400 - expected, one line
            finally:
                self._open -= 1
                if not self._open:
                    self._quiet.set()

    # -- the registry ----------------------------------------------------------------------------------------

    async def _refresh(self, only: str | None = None) -> None:
        async with self._platform.database.owner() as connection:
            deployed = await registry.tenants(connection, only)
        for tenant in deployed:
            slug = tenant.identity.slug
            self._slugs[tenant.identity.id] = slug
            ref = self._ensure_child(slug)
            if ref.status is not ActorStatus.RUNNING:
                paused, closed = slug not in self._sources, tenant.state != "active"
                self._platform.book.update(
                    slug,
                    version=tenant.version,
                    digest=tenant.digest,
                    state="suspended" if closed else "paused" if paused else "cold",
                    reason=tenant.reason or (f"{slug}.yaml is gone; the data is kept" if paused else ""),
                )

    async def _listen(self) -> None:
        """Hear of deployments and confirmations; after every reconnect look at everything once."""
        while True:
            with contextlib.suppress(OSError, ConnectError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._listen_once()
            await asyncio.sleep(LISTEN_RETRY)

    async def _listen_once(self) -> None:
        connection = await self._platform.database.dedicated()
        heard: asyncio.Queue[str] = asyncio.Queue()
        try:
            await hold_served(connection)
            await connection.add_listener(CHANNEL, lambda *message: heard.put_nowait(str(message[-1])))
            ended = asyncio.Event()

            def note_end(_connection: object) -> None:
                ended.set()
                heard.put_nowait("")

            connection.add_termination_listener(note_end)
            for slug in tuple(self._slugs.values()):
                # what happened while nobody listened is not known
                self._tell(slug, RegistryChanged())
                self._tell(slug, AccountsChanged())
            while not ended.is_set():
                word, _, tenant = (await heard.get()).rpartition(" ")
                if word == GONE:
                    await self._forget(tenant)
                    continue
                if tenant and tenant not in self._slugs:
                    await self._refresh(tenant)
                if tenant in self._slugs:
                    news = AccountsChanged() if word == ACCOUNTS else RegistryChanged()
                    self._tell(self._slugs[tenant], news)
        finally:
            connection.terminate()

    async def _forget(self, tenant: str) -> None:
        """Stop a tenant that was deleted for good, or has another place; its slug may be in use again."""
        slug = self._slugs.pop(tenant, None)
        if slug is None:
            return
        self._routes.pop(slug, None)
        self._leaving.add(slug)
        with contextlib.suppress(ActorError):
            await self.stop_child(slug)
        self._leaving.discard(slug)
        self._platform.book.forget(slug)
        log.info("tenant.gone", tenant=slug)
        source = self._sources.pop(slug, None)
        if source is not None and (newest := self._platform.reread(slug, source)) is not None:
            self._changed(slug, newest)

    def _tell(self, slug: str, message: RegistryChanged | AccountsChanged) -> None:
        ref = self._routes.get(slug)
        if ref is not None and ref.status is ActorStatus.RUNNING:
            with contextlib.suppress(ActorError):
                ref.tell(message)
