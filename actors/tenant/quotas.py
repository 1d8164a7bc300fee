"""What a tenant's plan allows, and how much of it is used: one object per tenant and process.

Decides whether one more request, row or person is one too many, in memory, so that a request pays nothing for
it; and what is told when four fifths are used. What is counted is exact within a process; what other
processes of the same database used is added whenever the counts are written (``features.metering``).

Rows and people are counted by reservation: what a write may add is taken before its statement runs, so that
any number of writes at once never pass the limit. Before anybody is refused the tables are counted again.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct, field

from actors.messages import Call, ProblemError
from actors.pool import TenantPool
from runtime.buckets import Buckets, rate_headers
from schemas.compiler.principal import SERVICE_ROLE, Principal

WARN_AT = 0.8
"""Share of a quota from which on answers and events warn."""
RECOUNT_SECONDS = 0.5
"""Those who are refused again and again do not make us count again and again."""
_WRITES = frozenset({"POST", "PUT", "PATCH"})


class Limits(Struct, frozen=True):
    """What a plan allows; None: as much as one likes.

    Attributes:
        plan: its name, for messages.
        requests: per calendar month (UTC).
        rows: in all entities together, but for people.
        storage: bytes in the database, indexes included.
        users: people with an account.
        entities, functions: in the tenant's file.
        rate: requests per second.
        connections: to the database, per process.
        metered: what is charged for instead of refused, such as ``requests``.
    """

    plan: str = ""
    requests: int | None = None
    rows: int | None = None
    storage: int | None = None
    users: int | None = None
    entities: int | None = None
    functions: int | None = None
    rate: int | None = None
    connections: int | None = None
    metered: frozenset[str] = frozenset()

    def hard(self, name: str) -> int | None:
        """Return the number that is refused beyond, None when it is only charged for."""
        value: int | None = None if name in self.metered else getattr(self, name)
        return value


class Stock:
    """A number of things that only writes change, bounded by reservations; see the module's docstring."""

    __slots__ = ("_counted_at", "_counting", "_late", "_lock", "_reserved", "stale", "used")

    def __init__(self) -> None:
        self.used: int | None = None
        self.stale = True
        """Something may have gone since the last count."""
        self._counted_at = 0.0
        self._reserved = 0
        self._late = 0
        self._counting = False
        self._lock = asyncio.Lock()

    async def take(self, number: int, limit: int, count: Callable[[int], Awaitable[int]]) -> bool:
        """Reserve; False when that would be too many. ``count`` counts the tables, up to its argument."""
        if self.used is None or self.used + number > limit:
            await self._recount(number, limit, count)
        if self.used is None or self.used + number > limit:
            return False
        self.used += number
        self._reserved += number
        return True

    def settle(self, number: int, *, done: bool) -> None:
        """End a reservation: its rows are committed, or never will be."""
        self._reserved -= number
        if not done and self.used is not None:
            self.used -= number
        if self._counting:
            # the count may or may not have seen them
            self._late += number

    async def _recount(self, number: int, limit: int, count: Callable[[int], Awaitable[int]]) -> None:
        async with self._lock:
            fresh = not self.stale and time.monotonic() - self._counted_at < RECOUNT_SECONDS
            if self.used is not None and (fresh or self.used + number <= limit):
                return
            self.stale = False
            self._counting, self._late = True, 0
            try:
                counted = await count(limit + 1)
            finally:
                self._counting = False
            self.used = counted + self._reserved + self._late
            self._counted_at = time.monotonic()


class Held(Struct):
    """Reservations of one call; they end with it. Those of the platform's own hand are not limited."""

    free: bool = False
    taken: list[tuple[Stock, int]] = field(default_factory=list)


_HELD: ContextVar[Held | None] = ContextVar("held", default=None)


class TenantQuota:
    """A tenant's limits and what it used of them.

    Args:
        slug: the tenant.
        count: counts rows ("rows") or people ("users") of the tenant, at most to a number.
    """

    __slots__ = ("_buckets", "_clock", "_count", "_most_connections", "_pool", "limits", "month_ends",
                 "requests", "rows", "storage", "stored", "storing",
                 "told", "users", "warning")  # fmt: skip

    def __init__(
        self,
        slug: str,
        count: Callable[[str, str, int], Awaitable[int]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits: Limits | None = None
        self.requests = 0
        """Requests of this month that count, as far as this process knows."""
        self.rows, self.users = Stock(), Stock()
        self.storage = 0
        """Bytes of rows and files when they were last measured."""
        self.stored, self.storing = 0, 0
        """Bytes of files that came since, and of those that are on their way in."""
        self.month_ends = month_end(clock())
        self.warning = ""
        self.told: set[tuple[str, int]] = set()
        self._pool: TenantPool | None = None
        self._most_connections = 0
        self._buckets = Buckets()
        self._clock = clock
        self._count = partial(count, slug)

    def bound(self, pool: TenantPool) -> None:
        """Let the plan say how many connections a tenant's pool may have, from now on."""
        self._pool, self._most_connections = pool, pool.limit
        self.set_limits(self.limits)

    def set_limits(self, limits: Limits | None) -> None:
        """Put limits in force, at once; None: there are none."""
        self.limits = limits
        if limits is None:
            self.warning = ""
        if self._pool is not None:
            most = limits.connections if limits is not None else None
            self._pool.limit = self._most_connections if most is None else min(most, self._most_connections)

    def begin(self, requests: int) -> None:
        """Start with what was used this month before this process began."""
        self.requests += requests

    def admit(self, limits: Limits, principal: Principal) -> tuple[tuple[str, str], ...]:
        """Count one request; returns the headers its answer carries.

        Raises:
            ProblemError: quota.rate, quota.requests.
        """
        if SERVICE_ROLE in principal.roles:
            return ()  # the platform's own hand
        headers: tuple[tuple[str, str], ...] = ()
        if limits.rate is not None:
            taken = self._buckets.take("plan", limits.rate, 1.0)
            if not taken.allowed:
                raise ProblemError(
                    "quota.rate",
                    f"the plan '{limits.plan}' allows {limits.rate} requests per second",
                    headers=rate_headers({"plan": taken}),
                    more={"quota": "rate", "limit": limits.rate},
                )
        now = self._clock()
        if now >= self.month_ends:
            self.month_ends = month_end(now)
            self.requests = 0
        most = limits.hard("requests")
        if most is not None and self.requests >= most:
            seconds = str(max(1, int(self.month_ends - now)))
            raise used_up(limits, "requests", most, "requests a month", (("Retry-After", seconds),))
        self.requests += 1
        if self.warning:
            headers = (("Quota-Warning", self.warning),)
        return headers

    @contextlib.contextmanager
    def holding(self, principal: Principal) -> Iterator[None]:
        """Keep what a call reserves until its transaction is over."""
        held = Held(SERVICE_ROLE in principal.roles)
        token = _HELD.set(held)
        done = False
        try:
            yield
            done = True
        finally:
            _HELD.reset(token)
            for stock, number in held.taken:
                stock.settle(number, done=done)

    async def admit_write(self, call: Call, number: int, *, people: bool) -> None:
        """Reserve what a write may add.

        Raises:
            ProblemError: quota.rows, quota.users, quota.storage.
        """
        limits, held = self.limits, _HELD.get()
        if limits is None or (held is not None and held.free):
            return
        if call.method not in _WRITES:
            self.rows.stale = self.users.stale = True
            return
        most = limits.hard("storage")
        if most is not None and self.filled >= most:
            raise used_up(limits, "storage", most, "bytes of storage")
        if call.method == "PATCH":
            return
        if not people and limits.hard("rows") is not None:
            await self._reserve(limits, "rows", self.rows, number)
        if people and limits.hard("users") is not None:
            await self._reserve(limits, "users", self.users, number)

    @property
    def filled(self) -> int:
        """Bytes that are used, or about to be."""
        return self.storage + self.stored + self.storing

    async def _reserve(self, limits: Limits, name: str, stock: Stock, number: int) -> None:
        most = limits.hard(name) or 0
        if not await stock.take(number, most, partial(self._count, name)):
            raise used_up(limits, name, most, "people" if name == "users" else name)
        held = _HELD.get()
        if held is None:
            stock.settle(number, done=True)
        else:
            held.taken.append((stock, number))

    def shares(self) -> dict[str, tuple[int, int]]:
        """Return used and allowed, by quota, of what is known and limited."""
        limits = self.limits
        if limits is None:
            return {}
        found = {
            "requests": self.requests, "storage": self.storage,
            "rows": self.rows.used, "users": self.users.used,
        }  # fmt: skip
        return {
            name: (used, most)
            for name, used in found.items()
            if used is not None and (most := getattr(limits, name)) is not None
        }


def used_up(
    limits: Limits, name: str, most: int, what: str, headers: tuple[tuple[str, str], ...] = ()
) -> ProblemError:
    """Return the refusal of what is more than a plan allows."""
    return ProblemError(
        f"quota.{name}",
        f"the plan '{limits.plan}' allows {most} {what}, and they are used",
        hint="change the plan, or remove what is not needed",
        headers=headers,
        more={"quota": name, "limit": most},
    )


def month_end(now: float) -> float:
    """Return when the calendar month (UTC) of a moment ends, both in seconds since the epoch."""
    at = datetime.fromtimestamp(now, UTC)
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    return datetime(year, month, 1, tzinfo=UTC).timestamp()
