"""Who the other end of a connection is: the client itself, or a proxy that says for whom it speaks.

Decides whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed: those of the networks in the setting
``trusted_proxies``, nobody else's. Called by ``gateway.server`` for every request.
"""

import ipaddress
from typing import NamedTuple

from aiohttp.web_request import BaseRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_HOPS = 32


class Client(NamedTuple):
    """Address and scheme as the client used them."""

    address: str
    scheme: str


class Peers:
    """See the module's docstring.

    Args:
        trusted_proxies: addresses or networks, separated by commas or spaces; ``config.parse`` checked them.
    """

    def __init__(self, trusted_proxies: str) -> None:
        self._trusted: tuple[Network, ...] = tuple(
            ipaddress.ip_network(word) for word in trusted_proxies.replace(",", " ").split()
        )
        self._known: dict[str, bool] = {}

    def client_address(self, request: BaseRequest) -> Client:
        """Return who really asks."""
        peer = request.remote or ""
        if not self._trusted or not self._is_trusted(peer):
            # TLS is a proxy's job: whoever reaches us directly came without
            return Client(peer, "http")
        headers = request.headers
        address = peer
        listed = ",".join(headers.getall("X-Forwarded-For", ())).split(",")
        # each proxy appends whom it saw: the last one nobody of ours appended for is the client
        for word in reversed(listed[-_MAX_HOPS:]):
            found = _address(word.strip())
            if not found:
                break
            address = found
            if not self._is_trusted(address):
                break
        scheme = ",".join(headers.getall("X-Forwarded-Proto", ())).rpartition(",")[2].strip().lower()
        return Client(address, scheme if scheme in {"http", "https"} else request.scheme)

    def _is_trusted(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            try:
                parsed = ipaddress.ip_address(address.partition("%")[0])
            except ValueError:
                return False
            if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
                parsed = parsed.ipv4_mapped
            if len(self._known) >= 4096:
                self._known.clear()
            known = self._known[address] = any(
                parsed in network for network in self._trusted if network.version == parsed.version
            )
        return known


def _address(word: str) -> str:
    """Return the address of an entry, which may have a port; "" when it is none."""
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        return str(ipaddress.ip_address(word))
    except ValueError:
        return ""
