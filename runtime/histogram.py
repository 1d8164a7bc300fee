"""Durations by class, counted in place: what a histogram for Prometheus needs and nothing else.

Decides nothing; bounds are the caller's. One addition costs a bisection and two sums.
"""

from bisect import bisect_left
from collections.abc import Sequence

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""OpenTelemetry's bounds for durations (semantic conventions, ``http.server.request.duration``)."""


class Histogram:
    """See the module's docstring.

    Args:
        bounds: upper bounds in seconds, ascending; what is longer is counted after the last.

    Attributes:
        counts: by class, one more than there are bounds; not cumulative.
        total: sum of all durations, in seconds.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds
