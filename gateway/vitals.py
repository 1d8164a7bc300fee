"""How the whole process is: ready or why not, and where its figures are.

Decides when requests should go elsewhere. It watches nothing itself: ``gateway.serve`` notes what it learns.
"""

import contextlib
import ctypes
import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence

from actors.database import Database
from actors.tenant.platform import Platform
from actors.tenant.status import StatusBook
from actors.watcher import Watch
from gateway.observer import Observed
from gateway.server import Gateway
from runtime.ref import ActorRef
from runtime.root import ActorSystem
from runtime.snapshot import ActorInfo
from runtime.watchdog import Watchdog

STALL_UNREADY = 2.0
"""Seconds the event loop may stand still before we say so."""

COLLECT_AFTER = 20_000
"""New objects between two looks of the garbage collector; requests hardly leave cycles behind."""


class Vitals:
    """The facts that readiness, metrics and the view of the runtime are made of.

    Args:
        book: states of the tenants.
        database: PostgreSQL, and the connections to it.
        observed: what the actors' kernel said.
        routes: slug to actor.

    Attributes:
        watchdog: of the event loop.
        gateway: the public server, once it listens.
        system: the actors, once there are any.
        platform: the tenants' surroundings, once there are any.
        watches: the folders of files.
        ailment: why PostgreSQL serves nothing, "" when it does.
        stopping: whether the process has been told to stop.
    """

    def __init__(
        self, book: StatusBook, database: Database, observed: Observed, routes: Mapping[str, ActorRef]
    ) -> None:
        self.book = book
        self.database = database
        self.observed = observed
        self.routes = routes
        self.watchdog = Watchdog(observed)
        self.gateway: Gateway | None = None
        self.system: ActorSystem | None = None
        self.platform: Platform | None = None
        self.watches: Sequence[Watch] = ()
        self.ailment = ""
        self.stopping = False

    def actors(self) -> ActorInfo | None:
        """Describe every actor; None before there are any."""
        return None if self.system is None else self.system.snapshot()

    def last_error(self, path: str) -> str:
        """Return why an actor failed last, ``""`` when it never did."""
        return self.observed.failures.get(path, "")

    def unready(self) -> str:
        """Return why requests cannot be served, ``""`` when they can."""
        if self.stopping:
            return "stopping"
        if self.gateway is None:
            return "starting"
        if self.ailment:
            return self.ailment
        age, stalled = self.watchdog.last_stall_age, self.watchdog.last_stall_seconds
        stood = age is not None and age < STALL_UNREADY * 2 and stalled > STALL_UNREADY
        return "the event loop stood still" if stood else ""

    def warnings(self) -> list[str]:
        """Return what operators should mend although requests are served."""
        return [text for watch in self.watches for text in watch.warnings()]


def pages(vitals: Vitals) -> dict[str, Callable[[], Awaitable[bytes]]]:
    """Return what operators read on the admin port, by path; what writes it is loaded when asked for."""

    async def process() -> bytes:
        from gateway import metrics  # noqa: PLC0415

        return await metrics.render(list(metrics.families(vitals)))

    async def tenants() -> bytes:
        from gateway import metrics, tenant_metrics  # noqa: PLC0415

        return await metrics.render(tenant_metrics.families(tenant_metrics.facts(vitals)))

    return {"/metrics": process, "/tenant-metrics": tenants}


_M_MMAP_THRESHOLD = -3
"""From glibc's malloc.h; setting it also stops it from growing by itself."""


def settle_memory() -> None:
    """Spare the collector what lives for good; let it look less often at what requests leave."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    with contextlib.suppress(OSError, AttributeError):
        # glibc keeps large blocks once it has seen one freed; each hashed password is one of 19 MB
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)
