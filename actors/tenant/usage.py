"""What tenants use, counted in memory by whoever serves them; written in batches by ``features.metering``.

Decides what is counted and in which classes, never what it costs. The gateway counts requests, the tenant who
asked and how long functions ran. One book per process.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from actors.tenant.quotas import TenantQuota

LATENCY_MS = (5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
"""Upper bounds of the classes of latency (OpenTelemetry's), in milliseconds; the class 0 is slower."""
_BOUNDS = tuple(bound / 1000 for bound in LATENCY_MS)
_CLASSES = (*LATENCY_MS, 0)
NOT_BILLED = frozenset({402, 429})
"""Statuses of requests that a limit refused: nobody pays for them, nor for our own failures (5xx)."""


class Kind(NamedTuple):
    """What requests are counted by; ``le`` is the class of latency."""

    method: str
    route: str
    status: int
    le: int


class Counted(Struct):
    """What is not written yet; see ``TenantUsage``."""

    requests: dict[tuple[str, str, int, int], list[float]] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    function_seconds: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.requests or self.people or self.function_seconds)

    def count(self, method: str, route: str, status: int, seconds: float, size: int) -> None:
        """Add one request: its answer's status, the seconds until it was ready and the bytes of its body."""
        kind = (method, route, status, _CLASSES[bisect_left(_BOUNDS, seconds)])
        entry = self.requests.get(kind)
        if entry is None:
            self.requests[kind] = [1, seconds, size]
        else:
            entry[0] += 1
            entry[1] += seconds
            entry[2] += size

    def add(self, other: "Counted") -> None:
        """Add other requests; people and the time of functions are counted per tenant only."""
        for kind, (number, seconds, size) in other.requests.items():
            entry = self.requests.setdefault(kind, [0, 0.0, 0])
            entry[0] += number
            entry[1] += seconds
            entry[2] += size


class Totals(Struct):
    """What a tenant was served since the process began; requests by class of status, 2 for 2xx."""

    by_class: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    egress: int = 0
    function_seconds: float = 0.0

    def add(self, counted: Counted) -> None:
        """Add what was counted."""
        for (_, _, status, _), (number, seconds, size) in counted.requests.items():
            self.by_class[status // 100] = self.by_class.get(status // 100, 0) + int(number)
            self.seconds += seconds
            self.egress += int(size)
        self.function_seconds += counted.function_seconds


class Queues(NamedTuple):
    """What waited in a tenant's queues when that was last measured: changes nobody looked at, and tasks."""

    changes: int = 0
    ready: int = 0
    dead: int = 0


class TenantUsage:
    """One tenant's counts.

    Args:
        quota: what it may use.
        served: of the process, all tenants together.

    Attributes:
        counted: not written yet.
        queues: as last measured.
        busy: something was asked, or ran in the background, since rows and storage were last measured.
        failing: a task may have been given up since dead ones were last counted.
    """

    __slots__ = ("_seen", "_served", "_totals", "busy", "counted", "failing", "queues", "quota")

    def __init__(self, quota: TenantQuota, served: Counted) -> None:
        self.quota = quota
        self.counted = Counted()
        self.queues = Queues()
        self.busy = self.failing = False
        self._served = served
        self._totals = Totals()
        self._seen: set[str] = set()

    def seen(self, person: str) -> None:
        """Note that somebody was here today."""
        if person not in self._seen:
            self._seen.add(person)
            self.counted.people.add(person)

    def take(self) -> Counted:
        """Return what is not written yet, and begin anew."""
        counted, self.counted = self.counted, Counted()
        self.busy |= bool(counted)
        self._served.add(counted)
        self._totals.add(counted)
        return counted

    def so_far(self) -> Totals:
        """Return what was served since the process began, what is not written yet included."""
        totals = replace(self._totals, by_class=dict(self._totals.by_class))
        totals.add(self.counted)
        return totals

    def new_day(self) -> None:
        """Count everybody again."""
        self._seen.clear()


class UsageBook:
    """Every tenant's usage in this process, by slug.

    Args:
        count: counts rows or people of a tenant, at most to a number, for quotas.
    """

    def __init__(self, count: Callable[[str, str, int], Awaitable[int]]) -> None:
        self._count = count
        self._tenants: dict[str, TenantUsage] = {}
        self.served = Counted()
        """Requests since the process began that were taken to be written, all tenants together."""

    def of(self, slug: str) -> TenantUsage:
        """Return a tenant's usage; there is one from the first question on."""
        usage = self._tenants.get(slug)
        if usage is None:
            usage = self._tenants[slug] = TenantUsage(TenantQuota(slug, self._count), self.served)
        return usage

    def known(self, slug: str) -> TenantUsage | None:
        """Return the usage of a tenant that was awake in this process; None for what may be no tenant."""
        return self._tenants.get(slug)

    def all(self) -> dict[str, TenantUsage]:
        """Return every tenant's usage, by slug."""
        return self._tenants
