"""When to leave a server alone: after failures in a row, and when trying again would only add to its load.

Decides whether a request may be sent. It sends none. Held by ``link``, one per upstream.
"""

import time
from collections.abc import Callable

_DEPOSIT = 0.2
_MAX_BALANCE = 10.0


class Breaker:
    """Closed: all may pass. Open: none may. Half open: one may, and its outcome decides.

    Args:
        failures: so many in a row open it; 0: it never opens.
        open_seconds: until one may try.
        clock: seconds that only grow.
    """

    def __init__(
        self, failures: int, open_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._failed = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether the server counts as broken."""
        return self._open_until is not None

    def enter(self) -> float:
        """Ask to send one request; whoever may has to report its outcome.

        Returns:
            0 to go on, else the seconds to wait.
        """
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._clock()
        if left > 0:
            return left
        if self._trying:
            return self._open_seconds
        self._trying = True
        return 0.0

    def succeeded(self) -> None:
        """The server answered as it should."""
        self._failed = 0
        self._open_until = None
        self._trying = False

    def failed(self) -> None:
        """The server did not answer, or said that it cannot."""
        self._failed += 1
        if self._limit and (self._trying or self._failed >= self._limit):
            self._open_until = self._clock() + self._open_seconds
        self._trying = False

    def unknown(self) -> None:
        """The client went away before there was an outcome."""
        self._trying = False


class RetryBudget:
    """One retry per five requests, and a few in store: a server in trouble is not asked twice by everyone."""

    def __init__(self) -> None:
        self._balance = _MAX_BALANCE

    def deposit(self) -> None:
        """Count a request."""
        self._balance = min(_MAX_BALANCE, self._balance + _DEPOSIT)

    def withdraw(self) -> bool:
        """Whether one more retry may be sent."""
        if self._balance < 1:
            return False
        self._balance -= 1
        return True
