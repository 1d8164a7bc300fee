"""Which addresses an upstream may have.

Decides that the addresses of a machine's own link, where clouds keep their metadata, are no upstreams unless
the rule says so. Private addresses are: an upstream is named by the operator, never by a tenant or a request.
Called by ``upstream`` for addresses written in a rule and by ``link`` for those a name leads to.
"""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from typing_extensions import override

_REFUSED = tuple(
    ipaddress.ip_network(block)
    for block in (
        "169.254.0.0/16", "fe80::/10",  # link-local, and the metadata of most clouds
        "fd00:ec2::/32", "100.100.100.200/32", "192.0.0.192/32",  # metadata elsewhere
        "0.0.0.0/8", "::/128", "224.0.0.0/4", "240.0.0.0/4", "ff00::/8",  # no host at all
    )
)  # fmt: skip


def refused(address: str) -> bool:
    """Whether an IP address is none an upstream may have; False for what is no IP address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is None and parsed in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return refused(str(inner))
    return any(parsed in block for block in _REFUSED if block.version == parsed.version)


class GuardedResolver(AbstractResolver):
    """Looks names up and keeps only addresses an upstream may have; the connection goes to these."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the acceptable addresses of a name.

        Raises:
            OSError: there are none.
        """
        found = await self._inner.resolve(host, port, family)
        kept = [one for one in found if not refused(one["host"])]
        if not kept:
            raise OSError(None, "the name leads to no acceptable address")
        return kept

    @override
    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()
