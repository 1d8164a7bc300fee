"""What a client may take: time, bytes, sockets, requests per second.

Decides when a request is one too many. Called by ``protocol``, ``receive`` and ``server``.
"""

import math
import resource
import time
from dataclasses import dataclass

from actors.messages import ProblemError

_MAX_BUCKETS = 10_000
_SHARE = 0.8
_FALLBACK = 800


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a peer may take, how much it may send and how many connections there may be."""

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    body_bytes: int = 1 << 20
    sockets: int = 800
    sockets_per_address: int = 0


def socket_cap() -> int:
    """Return how many client connections fit: four fifths of the file descriptors; the rest is ours."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FALLBACK if soft in {-1, resource.RLIM_INFINITY} else max(16, int(min(soft, 1 << 20) * _SHARE))


class RateLimiter:
    """A bucket of tokens per tenant and address, refilled all the time.

    Args:
        per_second: how fast; 0 switches the limit off.
        burst: how many fit.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self.active = per_second > 0
        self._rate = per_second
        self._burst = float(burst)
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, slug: str, address: str) -> None:
        """Take one token.

        Raises:
            ProblemError: http.rate_limited, saying when to come back.
        """
        now = time.monotonic()
        tokens, since = self._buckets.get((slug, address), (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        if tokens < 1:
            wait = max(1, math.ceil((1 - tokens) / self._rate))
            raise ProblemError(
                "http.rate_limited",
                "too many requests from this address",
                headers=(("Retry-After", str(wait)),),
            )
        if len(self._buckets) >= _MAX_BUCKETS:
            self._buckets.clear()
        self._buckets[slug, address] = (tokens - 1, now)
