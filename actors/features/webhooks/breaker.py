"""When to leave an endpoint alone: after failures in a row, for longer each time.

Decides whether a delivery may be tried now. Kept in memory, per process; what waits because of it has lost no
attempt.
"""

import time
from collections.abc import Callable

from msgspec import Struct

FAILURES = 5
FIRST_SECONDS, MOST_SECONDS = 30.0, 900.0
MAX_KNOWN = 10_000


class _Endpoint(Struct):
    failed: int = 0
    open_until: float = 0.0
    pause: float = FIRST_SECONDS
    trying: bool = False


class Breakers:
    """Endpoints of all tenants of this process, by (tenant, webhook).

    Closed: all may pass. Open: none. Half open: one, and its outcome decides.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._endpoints: dict[tuple[str, str], _Endpoint] = {}

    def wait(self, tenant: str, name: str) -> float:
        """Return 0 to go on (and to report the outcome), else the seconds to wait."""
        endpoint = self._endpoints.get((tenant, name))
        if endpoint is None or endpoint.failed < FAILURES:
            return 0.0
        left = endpoint.open_until - self._clock()
        if left > 0:
            return left
        if endpoint.trying:
            return 1.0
        endpoint.trying = True
        return 0.0

    def succeeded(self, tenant: str, name: str) -> None:
        """The endpoint took a delivery."""
        self._endpoints.pop((tenant, name), None)

    def failed(self, tenant: str, name: str) -> None:
        """The endpoint did not take a delivery."""
        if len(self._endpoints) >= MAX_KNOWN:
            self._endpoints.clear()
        endpoint = self._endpoints.setdefault((tenant, name), _Endpoint())
        endpoint.failed += 1
        if endpoint.failed == FAILURES or endpoint.trying:
            endpoint.open_until = self._clock() + endpoint.pause
            endpoint.pause = min(endpoint.pause * 2, MOST_SECONDS)
        endpoint.trying = False

    def dropped(self, tenant: str, name: str) -> None:
        """It was not tried after all."""
        endpoint = self._endpoints.get((tenant, name))
        if endpoint is not None:
            endpoint.trying = False

    def is_open(self, tenant: str, name: str) -> bool:
        """Whether an endpoint is left alone."""
        endpoint = self._endpoints.get((tenant, name))
        return endpoint is not None and endpoint.failed >= FAILURES
