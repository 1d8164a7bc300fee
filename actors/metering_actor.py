"""Writes what tenants used, measures them, and keeps plans in force; a child of the root.

Decides when. What is written is ``features.metering``'s, what plans allow ``features.billing``'s, what is
owed ``features.billing``'s too. At a crash the requests since the last flush are lost, at a stop none.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from msgspec import Struct
from typing_extensions import override

from actors.connections import ConnectError
from actors.database import Database
from actors.features.billing.plans import PlanBook, PlansError, parse_plans, put_in_force, store_plans
from actors.features.metering import store
from actors.messages import ProblemError
from actors.pool import PoolError
from actors.scanner import Changed, Finding, Refused, Removed
from actors.tenant.quotas import WARN_AT
from actors.tenant.usage import Counted, TenantUsage, UsageBook
from config.settings import MeteringSettings
from runtime.actor import Actor
from runtime.ref import Request

PLANS_FILE = "plans"
FOLLOW_SECONDS = 1.0
"""Plans and subscriptions that another process changed count after at most this long."""
TIDY_SECONDS = 3600.0
_TROUBLES = (*store.TROUBLES, ConnectError, PoolError, ProblemError, TimeoutError)

log = structlog.get_logger("metering")

Warn = Callable[[str, str, int, int], Awaitable[None]]


class PlansFound(Struct, Request[None], frozen=True):
    """The watcher's news about ``plans.yaml``."""

    finding: Finding


class MeteringActor(Actor):
    """See the module's docstring.

    Args:
        database: for the owner's connections.
        book: what is counted.
        plans: to begin with.
        settings: how often.
        warn: told (tenant, quota, used, allowed) when four fifths, or all, are used.
        bill: writes the invoices that are due.
    """

    def __init__(
        self,
        database: Database,
        book: UsageBook,
        plans: PlanBook,
        settings: MeteringSettings,
        warn: Warn,
        bill: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._book = book
        self._plans = plans
        self._settings = settings
        self._warn = warn
        self._bill = bill
        self._left: store.Batch | None = None
        self._stored = False
        self._day = datetime.now(UTC).date()
        self._trouble = ""

    @override
    async def pre_start(self) -> None:
        """Put plans in force before the public port opens."""
        await self._try(self._follow())
        await self._try(self._read_months())
        self.spawn(self._every(FOLLOW_SECONDS, self._follow), "follow")
        self.spawn(self._every(self._settings.flush_seconds, self._flush), "flush")
        self.spawn(self._every(self._settings.measure_seconds, self._measure), "measure")
        self.spawn(self._every(TIDY_SECONDS, self._tidy), "tidy")

    @override
    async def handle(self, message: PlansFound) -> None:
        """Take new plans."""
        match message.finding:
            case Changed(_, source):
                try:
                    self._plans.file = parse_plans(source.text)
                except PlansError as error:
                    for line in str(error).splitlines():
                        log.warning("plans.refused", diagnostic=f"plans.yaml: {line}")
                    return
                self._stored = False
                await self._try(self._follow())
                log.info("plans.live", plans=len(self._plans.file.plans))
            case Refused(_, reason):
                log.warning("plans.refused", diagnostic=reason)
            case Removed():
                log.warning("plans.kept", reason="plans.yaml is gone; the last plans stay")

    @override
    async def post_stop(self) -> None:
        """Write what is left."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await self._try(self._flush())

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._try(work())

    async def _try(self, work: Awaitable[None]) -> None:
        """What fails now is tried again in a moment."""
        try:
            await work
        except _TROUBLES as error:
            if str(error) != self._trouble:
                log.warning("metering.behind", reason=str(error))
            self._trouble = str(error)
        except Exception:
            # a mistake in one of these works must not end the others
            log.exception("metering.failed")

    async def _follow(self) -> None:
        if not self._stored:
            self._stored = await store_plans(self._database, self._plans.file)
        await put_in_force(self._database, self._book)

    async def _read_months(self) -> None:
        """Begin with what this month's requests are already."""
        limited = {slug: Counted() for slug, one in self._book.all().items() if one.quota.limits}
        months = await store.write(self._database, store.Batch(limited, datetime.now(UTC)))
        for slug, number in months.items():
            self._book.of(slug).quota.begin(number)

    async def _flush(self) -> None:
        moment = datetime.now(UTC)
        if moment.date() != self._day:
            self._day = moment.date()
            for usage in self._book.all().values():
                usage.new_day()
        if self._left is not None:
            await self._write(self._left)
        # tenants nobody asked are read too: other processes may have counted for them;
        # what a tenant without a row of its own used waits until the platform has made it
        ready = await store.with_rows(self._database, list(self._book.all()))
        counted = {
            slug: taken
            for slug, usage in self._book.all().items()
            if slug in ready
            if (taken := usage.take()) or usage.quota.limits is not None
        }
        if counted:
            await self._write(store.Batch(counted, moment))
        for slug, usage in list(self._book.all().items()):
            await self._look_at(slug, usage)
            if usage.failing or (usage.queues.dead and usage.busy):
                usage.failing = False
                dead = await store.count_dead(self._database, slug)
                usage.queues = usage.queues._replace(dead=dead)

    async def _write(self, batch: store.Batch) -> None:
        self._left = batch  # until it is known to be written
        months = await store.write(self._database, batch)
        self._left = None
        for slug, number in months.items():
            usage = self._book.of(slug)
            waiting = sum(
                int(n)
                for (_, _, status, _), (n, _, _) in usage.counted.requests.items()
                if store.is_billed(status)
            )
            usage.quota.requests = max(usage.quota.requests, number + waiting)

    async def _look_at(self, slug: str, usage: TenantUsage) -> None:
        """Warn once per month about what is nearly, or wholly, used up."""
        warnings = []
        month = int(time.strftime("%Y%m", time.gmtime()))
        for name, (used, most) in usage.quota.shares().items():
            if used < most * WARN_AT or not most:
                continue
            warnings.append(f"{name}; used={used}; limit={most}")
            key = (f"{name} {'over' if used >= most else 'near'}", month)
            if key not in usage.quota.told:
                usage.quota.told.add(key)
                log.warning("quota.near", tenant=slug, quota=name, used=used, limit=most)
                await self._warn(slug, name, used, most)
        usage.quota.warning = ", ".join(warnings)

    async def _measure(self) -> None:
        for slug, usage in list(self._book.all().items()):
            if usage.busy:
                usage.busy = False
                before = usage.quota.stored
                _, usage.quota.storage, queues = await store.measure(self._database, slug, datetime.now(UTC))
                usage.quota.stored -= before  # what came meanwhile may be counted twice, until the next time
                usage.failing |= queues.dead != usage.queues.dead
                usage.queues = queues
                # what waits there goes on by itself, whether anybody asks or not
                usage.busy |= bool(usage.queues.changes or usage.queues.ready)

    async def _tidy(self) -> None:
        await store.tidy(self._database, datetime.now(UTC))
        await self._bill()
