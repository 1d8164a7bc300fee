"""How many a caller may still have: counted rates with a memory that has an end.

Decides whether one more is allowed and when the next one is. It never knows what is counted or who asks: keys
are whatever the caller makes of a request. Used by the gateway for addresses and routes, by tenants for their
own limits.

The algorithm is GCRA (ITU-T I.371): one number per key, the time at which its bucket is full again. A key
that is not remembered has a full bucket, so forgetting one that is full loses nothing.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import NamedTuple

MAX_KEYS = 20_000
_KEPT = 0.75


class Taken(NamedTuple):
    """What became of one try.

    Attributes:
        allowed: whether it may go on.
        remaining: how many more would be allowed now.
        reset_seconds: until the whole limit is there again.
        retry_after: until this try would be allowed; 0 when it was.
        limit: how many fit.
        window_seconds: how long an empty bucket takes to fill.
    """

    allowed: bool
    remaining: int
    reset_seconds: float
    retry_after: float
    limit: int
    window_seconds: float


class Buckets:
    """A bucket per key, filled evenly all the time.

    Args:
        clock: seconds that only grow.
        max_keys: how many keys are remembered; the ones with the fullest buckets are forgotten first, so that
            a flood of new keys frees nobody who is over the limit.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._full_at: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable, limit: int, window_seconds: float, cost: float = 1) -> Taken:
        """Try to take from a key's bucket; a refused try costs nothing.

        Args:
            key: who and what is counted; a key has one limit and window at a time.
            limit: how many fit, at least 1.
            window_seconds: how long an empty bucket takes to fill.
            cost: how many are taken; 0 only looks. More than ``limit`` is never allowed.
        """
        now = self._clock()
        each = window_seconds / limit
        full_at = self._full_at.get(key, now)
        if full_at < now:
            full_at = now
        elif full_at > now + window_seconds:
            full_at = now + window_seconds  # a limit that became smaller locks no key for longer than that
        wanted = full_at + cost * each
        # a bucket filled to the brim by rounding is full
        over = wanted - now - window_seconds
        if over > each * 1e-9:
            return Taken(False, _left(full_at - now, each, limit), full_at - now, over, limit, window_seconds)
        if cost:
            if key not in self._full_at and len(self._full_at) >= self._max_keys:
                self._forget(now)
            self._full_at[key] = wanted
        return Taken(True, _left(wanted - now, each, limit), wanted - now, 0.0, limit, window_seconds)

    def _forget(self, now: float) -> None:
        kept = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        room = int(self._max_keys * _KEPT)
        if len(kept) > room:
            kept = dict(sorted(kept.items(), key=lambda item: item[1], reverse=True)[:room])
        self._full_at = kept


def _left(used_seconds: float, each: float, limit: int) -> int:
    return max(0, math.floor(limit - used_seconds / each + 1e-9))


def network(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 an IPv6 address is in.

    A /64 is what one customer gets (RFC 6177): counting its addresses one by one would count nothing.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(parsed) >> 64 << 64)}/64"


def rate_headers(taken: Mapping[str, Taken]) -> tuple[tuple[str, str], ...]:
    """Return the header fields that tell a client what it has left.

    Args:
        taken: by the policy's name, letters, digits and ``-_.`` only.

    Returns:
        ``RateLimit-Policy``, ``RateLimit``, and ``Retry-After`` when something was refused.

    References:
        draft-ietf-httpapi-ratelimit-headers-10; RFC 9110 section 10.2.3.
    """
    if not taken:
        return ()
    if len(taken) == 1:
        # nearly always one: this is part of every answer
        ((name, one),) = taken.items()
        state = f'"{name}";r={one.remaining};t={_whole(one.reset_seconds)}'
        headers = (("RateLimit-Policy", _policy(name, one.limit, one.window_seconds)), ("RateLimit", state))
        return headers if one.allowed else (*headers, _retry(one.retry_after))
    policies = ", ".join(_policy(name, one.limit, one.window_seconds) for name, one in taken.items())
    states = ", ".join(
        f'"{name}";r={one.remaining};t={_whole(one.reset_seconds)}' for name, one in taken.items()
    )
    headers = (("RateLimit-Policy", policies), ("RateLimit", states))
    wait = max(one.retry_after for one in taken.values())
    if not wait:
        return headers
    return (*headers, _retry(wait))


def _whole(seconds: float) -> int:
    """Return whole seconds, rounded up; what a clock's own rounding adds is no second."""
    return math.ceil(seconds - 1e-6)


def _retry(seconds: float) -> tuple[str, str]:
    return "Retry-After", str(max(1, _whole(seconds)))


@lru_cache(maxsize=1024)
def _policy(name: str, limit: int, window_seconds: float) -> str:
    return f'"{name}";q={limit};w={max(1, math.ceil(window_seconds))}'
