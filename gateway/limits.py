"""What a client may take: time, bytes, sockets, requests per second.

Decides when a request is one too many. Called by ``protocol``, ``receive``, ``server``
and ``proxy``.
"""

import resource

from msgspec import Struct
from msgspec.structs import replace

from actors.messages import ProblemError
from gateway.rules import Rule
from runtime.buckets import Buckets, Taken, network, rate_headers

_SHARE = 0.8
_FALLBACK = 800


class Limits(Struct, frozen=True):
    """How long a peer may take, how much it may send and how many connections there may be."""

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    body_bytes: int = 1 << 20
    sockets: int = 800
    sockets_per_address: int = 0

    def with_body(self, body_bytes: int) -> "Limits":
        """Return the same with another size of bodies."""
        return replace(self, body_bytes=body_bytes)


def socket_cap() -> int:
    """Return how many client connections fit: four fifths of the file descriptors; the rest is ours."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FALLBACK if soft in {-1, resource.RLIM_INFINITY} else max(16, int(min(soft, 1 << 20) * _SHARE))


class Rates:
    """How many requests may come: per tenant and address by the settings, per route by its rule.

    Args:
        per_second: per tenant and address; 0: no limit.
        burst: how many of these may come at once.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._burst = burst
        self._window = burst / per_second if per_second > 0 else 0.0
        self._buckets = Buckets()

    def take(self, rule: Rule, slug: str, address: str) -> str:
        """Count a request.

        Args:
            rule: that leads it on.
            slug: of the tenant it goes to.
            address: of the client.

        Returns:
            Header lines that tell what is left; empty where nothing is limited.

        Raises:
            ProblemError: http.rate_limited, saying when to come back.
        """
        rate = rule.rate
        if rate is None and not self._window:
            return ""
        client = network(address)
        taken: dict[str, Taken] = {}
        if rate is not None:
            who = client if rate.per == "ip" else slug if rate.per == "tenant" else ""
            taken["route"] = self._buckets.take((rule.fingerprint, who), rate.limit, rate.seconds)
        if self._window and rule.kind != "proxy" and all(one.allowed for one in taken.values()):
            taken["default"] = self._buckets.take((slug, client), self._burst, self._window)
        headers = rate_headers(taken)
        if not all(one.allowed for one in taken.values()):
            raise ProblemError("http.rate_limited", "too many requests; see Retry-After", headers=headers)
        return "".join(f"{name}: {value}\r\n" for name, value in headers)
