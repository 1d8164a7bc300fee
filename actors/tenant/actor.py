"""One tenant: holds its generation and dispatches.

Decides which generation a request runs on and when a new one is taken. Behaviour lives elsewhere: what a
request does in ``operations``, how a file comes into force in ``reload``. It never sees SQL, HTTP or YAML but
to pass them on. A child of the directory; the gateway calls it through its ``ActorRef``.
"""

import asyncio
from typing import Any, ClassVar

import structlog
from msgspec import Struct
from typing_extensions import override

from actors.connections import ConnectError
from actors.features.auth.realm import Realm
from actors.features.auth.store import Store
from actors.messages import Call, Identify, ProblemError, Result, TenantIdentity
from actors.pool import TenantPool
from actors.sources import Source
from actors.tenant import registry
from actors.tenant.executor import StaleGenerationError
from actors.tenant.generation import Generation
from actors.tenant.intake import finish, recorded, take
from actors.tenant.limits import TenantLimits
from actors.tenant.operations import execute, identify
from actors.tenant.platform import Platform
from actors.tenant.stale import serve_on_newer
from actors.tenant.standing import Standing
from actors.tenant.waking import awaken
from actors.tenant.work import TenantWork
from runtime.actor import Actor
from runtime.lease import Held, Lease
from runtime.ref import Request
from schemas.compiler.principal import Principal

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a migration that met a locked table is tried again; doubled each time."""

log = structlog.get_logger("tenant")


class SourceChanged(Struct, Request[None], frozen=True):
    """The file has new content: take it.

    Carries nothing, so that however many come while one is worked on, the newest content counts.
    """


class RegistryChanged(Struct, Request[None], frozen=True):
    """Another process deployed a version, or somebody confirmed a plan."""


class AccountsChanged(Struct, Request[None], frozen=True):
    """Another process changed who may sign in: look at every credential again."""


class WorkDue(Struct, Request[None], frozen=True):
    """Something is to be done by the clock, or was left by a process that is gone."""


class SourceRemoved(Struct, Request[None], frozen=True):
    """The file is gone: stop serving, keep the data."""


class TenantActor(Actor):
    """See the module's docstring.

    Args:
        slug: the tenant.
        platform: its surroundings.
    """

    refusals: ClassVar[tuple[type[Exception], ...]] = (ProblemError,)

    def __init__(self, slug: str, platform: Platform) -> None:
        self._slug, self._platform = slug, platform
        self._identity = TenantIdentity("", slug, "", "")
        self._pool: TenantPool | None = None
        self._realm: Realm | None = None
        self._limits, self._work = TenantLimits(), TenantWork(platform.work, identify)
        self._lease: Lease[Generation] | None = None
        self._swapped = asyncio.Condition()
        self._standing = Standing()
        self._found: Source | None = None
        self._refused: Source | None = None
        self._built = 0
        self._pause, self._left = FIRST_PAUSE, False

    @override
    async def pre_start(self) -> None:
        """Serve the version in force, then take the file if it says something else."""
        self._platform.book.update(self._slug, state="starting", reason="")
        try:
            await self._wake()
        except (OSError, ConnectError) as error:
            self._platform.book.update(self._slug, state="failed", reason=f"PostgreSQL: {error}")
            raise

    @override
    async def serve(self, message: Call | Identify) -> Result | Principal:
        """Run one request on the current generation, or say who somebody is."""
        lease = self._lease
        standing = self._standing
        if lease is None or (not standing.is_open and standing.shuts_out(message)):
            raise standing.refusal(self._platform.book.get(self._slug).reason)
        if isinstance(message, Identify):
            with lease.acquire() as generation:
                return await identify(generation, message)
        held = lease.acquire()
        try:
            return await execute(held.value, message)
        except StaleGenerationError:
            stale = held.value
        finally:
            held.release()
        if lease.current is stale:
            # most often a reload is under way; if not, another process deployed
            self.ref.tell(RegistryChanged())
        return await serve_on_newer(lease, self._swapped, stale, message)

    @override
    async def handle(
        self, message: SourceChanged | RegistryChanged | AccountsChanged | WorkDue | SourceRemoved
    ) -> None:
        """Take the newest file, or stop serving."""
        match message:
            case AccountsChanged():
                if self._realm is not None:
                    self._realm.forget()
            case SourceChanged():
                await self._take_newest()
            case RegistryChanged():
                await self._follow()
                if self._platform.book.get(self._slug).undecided:
                    self._refused = None  # the rows may allow by now what they refused
                    await self._take_newest()
            case WorkDue():
                self._work.look()
            case SourceRemoved():
                self._standing.paused = True
                self._work.pause(paused=True)
                self._platform.book.update(
                    self._slug, state="paused", reason=f"{self._slug}.yaml is gone; the data is kept"
                )

    @override
    def may_passivate(self) -> bool:
        """Whether nothing is under way that nobody asked for right now."""
        return not self._work.busy

    @override
    async def post_stop(self) -> None:
        """Let requests finish and close the connections."""
        if self._lease is not None:
            await self._lease.close().drained(self._platform.drain_seconds)
        await self._work.close()
        if self._pool is not None:
            self._pool.close()
        if self._platform.book.get(self._slug).state in {"serving", "starting"}:
            self._platform.book.update(self._slug, state="cold")

    async def _wake(self) -> None:
        platform = self._platform
        self._identity, deployed, text, self._left = await awaken(platform, self._slug)
        self._pool = platform.pool(self._identity)
        if platform.auth is not None:
            self._realm = Realm(self._identity, Store(self._pool, self._identity.namespace), platform.auth)
        self._found = source = platform.sources.get(self._slug)
        self._standing.follow(deployed)
        platform.book.update(self._slug, version=deployed.version, digest=deployed.digest)
        if text is not None and (source is None or source.digest != text.digest):
            await self._serve_recorded(
                Source(text.text.encode(), text.digest, code=text.code.encode()), deployed.version
            )
        if source is None:
            await self.handle(SourceRemoved())
        elif self._lease is None:
            await self._take_newest()
        if self._left or (self._lease is not None and source is not None):
            self.ref.tell(SourceChanged())  # callers need not wait for a long migration

    async def _serve_recorded(self, source: Source, version: int) -> None:
        """Serve what the registry says is in force while the file on disk still has to prove itself."""
        pool, number = self._require_pool(), self._built + 1
        fresh = await recorded(self._platform, self._identity, pool, source, number, version)
        if fresh is not None:
            await self._install(fresh)

    async def _follow(self) -> None:
        """Serve what another process put in force."""
        async with self._platform.database.owner() as connection:
            deployed = await registry.current(connection, self._identity)
            if self._standing.follow(deployed) and not self._standing.paused:
                self._settle()
            if self._lease is None or deployed.version in (0, self._lease.current.version):
                return
            text = await registry.version(connection, self._identity, deployed.version)
        if text is not None:
            await self._serve_recorded(
                Source(text.text.encode(), text.digest, code=text.code.encode()), deployed.version
            )

    async def _take_newest(self) -> None:
        """Bring the file's newest content into force, unless it is already."""
        source = self._platform.sources.get(self._slug)
        if source is None:
            return
        if self._lease is not None and self._lease.current.digest == source.digest:
            self._settle(rejection=None, pending=None)
            if self._left:
                await self._finish()
            return
        if self._refused is source:
            return
        pool, number, found = self._require_pool(), self._built + 1, source is self._found
        outcome = await take(self._platform, self._identity, pool, source, number, found=found)
        self._refused = source if outcome.final else None
        if outcome.generation is None:
            self._settle(**outcome.changes)
            if outcome.again:
                self.spawn(self._look_again(), "look_again")
            return
        old = await self._install(outcome.generation)
        self._settle(**outcome.changes)
        if old is not None:
            await old.drained(self._platform.drain_seconds)
            await self._finish()

    async def _finish(self) -> None:
        self._left = await finish(self._platform, self._identity)
        if self._left:
            self.spawn(self._look_again(), "look_again")

    async def _install(self, fresh: Generation) -> Held[Generation] | None:
        """Swap generations: one assignment. Returns what is to be drained, None for the first one."""
        self._built, self._pause = fresh.number, FIRST_PAUSE
        # who is signed in and how often they asked outlive a version of the file
        fresh.realm, fresh.limits = self._realm, self._limits
        fresh.pool.expire()
        await self._work.serve(fresh, self.spawn, paused=not self._standing.is_open)
        lease = self._lease
        old = None if lease is None else lease.swap(fresh)
        self._lease = lease or Lease(self._slug, fresh)
        now = {"version": fresh.version, "digest": fresh.digest, "generation": fresh.number}
        self._platform.book.update(self._slug, state=self._standing.shown, **now)
        async with self._swapped:
            self._swapped.notify_all()
        return old

    def _settle(self, **changes: Any) -> None:  # noqa: ANN401 - attributes of TenantStatus
        """Note how an edit came out; the version in force, if there is one, serves again."""
        changes = self._standing.taken(changes, serves=self._lease is not None)
        self._work.pause(paused=not self._standing.is_open)
        self._platform.book.update(self._slug, **changes)

    async def _look_again(self) -> None:
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)
        self.ref.tell(SourceChanged())

    def _require_pool(self) -> TenantPool:
        if self._pool is None:
            raise RuntimeError("the tenant has not started")
        return self._pool
