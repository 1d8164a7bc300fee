"""How the whole process is: ready or why not, and its counters.

Decides when requests should go elsewhere. It watches nothing itself: ``gateway.serve`` notes what it learns
and hands both methods to the admin port.
"""

import contextlib
import ctypes
import gc
from collections.abc import Mapping

from actors.budget import ConnectionBudget
from actors.tenant.status import StatusBook
from gateway.server import Gateway
from runtime.watchdog import Watchdog

STALL_UNREADY = 2.0
"""Seconds the event loop may stand still before we say so."""


COLLECT_AFTER = 20_000
"""New objects between two looks of the garbage collector; requests hardly leave cycles behind."""


class Vitals:
    """The facts that readiness and metrics are made of.

    Args:
        book: states of the tenants.
        budget: connections to PostgreSQL.
        watchdog: of the event loop.

    Attributes:
        gateway: the public server, once it listens.
        healthy: whether PostgreSQL answers.
        stopping: whether the process has been told to stop.
    """

    def __init__(self, book: StatusBook, budget: ConnectionBudget, watchdog: Watchdog) -> None:
        self._book = book
        self._budget = budget
        self._watchdog = watchdog
        self.gateway: Gateway | None = None
        self.healthy = True
        self.stopping = False

    def unready(self) -> str:
        """Return why requests cannot be served, ``""`` when they can."""
        if self.stopping:
            return "stopping"
        if self.gateway is None:
            return "starting"
        if not self.healthy:
            return "PostgreSQL does not answer"
        age = self._watchdog.last_stall_age
        stalled = (
            age is not None and age < STALL_UNREADY * 2 and self._watchdog.last_stall_seconds > STALL_UNREADY
        )
        return "the event loop stood still" if stalled else ""

    def metrics(self) -> Mapping[str, float]:
        """Return the counters by name, labels included."""
        counts: dict[str, float] = {}
        for status in self._book.all():
            name = f'tenants{{state="{status.state}"}}'
            counts[name] = counts.get(name, 0) + 1
        counts["loop_stalls_total"] = self._watchdog.stalls
        counts |= {
            "db_connections_open": self._budget.open,
            "db_connections_max": self._budget.limit,
            "db_connections_stolen_total": self._budget.stolen,
        }
        if self.gateway is not None:
            counters = self.gateway.counters
            counts["http_server_active_requests"] = counters.in_flight
            counts["http_server_request_seconds_total"] = counters.seconds
            counts["client_connections"] = self.gateway.open_connections
            for status_code, number in (counters.by_status or {}).items():
                counts[f'http_server_requests_total{{http_response_status_code="{status_code}"}}'] = number
        return counts


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
