"""Connections to addresses that a tenant's file or code names: the one client for them.

Decides where this process may be made to connect to: such an address is a stranger's word. A name is
resolved, every address it has must be a public one, and the connection goes to exactly those. No redirects,
no cookies, no proxy of the environment; answers of a bounded size, not decompressed, within seconds. Called
by the features that speak to others: signing in, functions, webhooks.
"""

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from msgspec import Struct
from typing_extensions import override
from yarl import URL

from actors.tls import client_context

SECONDS = 5.0
MAX_BYTES = 1 << 20
CONNECTIONS = 100
PER_HOST = 10
_WEB_PORTS = frozenset({80, 443})
_FIRST_USER_PORT = 1024
_NAT64, _SIX_TO_FOUR = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16")
_SHARED = ipaddress.ip_network("100.64.0.0/10")

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class OutboundError(Exception):
    """Nothing useful came back; the message may be shown to whoever named the address.

    Attributes:
        kind: refused (we do not go there) | scheme | unreachable | slow | too_large.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Answer(Struct, frozen=True):
    """What came back: ``headers`` by lower-case name, ``body`` as sent, at most the bytes asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """A guarded HTTP client.

    Args:
        allow_private: every address is good, and plain http to it.
        networks: networks that are good although they are not public.
        secure: only https, except to what is allowed above.
    """

    def __init__(
        self, *, allow_private: bool = False, networks: Sequence[Network] = (), secure: bool = False
    ) -> None:
        self._allow_private = allow_private
        self._networks = tuple(networks)
        self._secure = secure
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        most: int = MAX_BYTES,
    ) -> Answer:
        """Send one request.

        Args:
            method: in capitals.
            address: absolute URL.
            headers: of the request.
            body: bytes, or the fields of a form.
            seconds: for everything, the answer's last byte included.
            most: bytes the answer may have.

        Raises:
            OutboundError: it was not sent, or the answer did not come whole.
        """
        url = self.check(address)
        timeout = aiohttp.ClientTimeout(total=seconds)
        trust = await client_context(url.scheme)
        try:
            async with self._open().request(
                method, url, headers=headers, data=body, allow_redirects=False, timeout=timeout, ssl=trust
            ) as answer:
                content = await answer.content.read(most + 1)
                while not answer.content.at_eof() and len(content) <= most:
                    content += await answer.content.read(most + 1 - len(content))
        except TimeoutError:
            raise OutboundError("slow", f"no whole answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise OutboundError("unreachable", "the address cannot be reached") from None
        if len(content) > most:
            raise OutboundError("too_large", f"the answer has more than {most:,} bytes")
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, found, content)

    def check(self, address: str) -> URL:
        """Return an address that may be tried; names are looked at when they are resolved.

        Raises:
            OutboundError: its form alone says that we do not go there.
        """
        try:
            url = URL(address)
            host, port = url.raw_host or "", url.port
        except ValueError:
            raise OutboundError("refused", "this is no address") from None
        schemes = {"https"} if self._secure and not self._allow_private else {"http", "https"}
        if url.scheme not in schemes or not host:
            raise OutboundError("scheme", f"the address must begin with {' or '.join(sorted(schemes))}://")
        if url.raw_user is not None or url.raw_password is not None:
            raise OutboundError("refused", "the address must not hold a name or password")
        # the connector resolves names only: an address in place of one is looked at here
        literal = ":" in host or host.replace(".", "").isdigit()
        if literal and not self._may(host):
            raise OutboundError("refused", "the address cannot be reached")
        if not self._allow_private and port not in _WEB_PORTS and (port or 0) < _FIRST_USER_PORT:
            raise OutboundError("refused", f"port {port} is not one of the web")
        return url

    def _may(self, address: str) -> bool:
        return self._allow_private or is_public(address) or _is_in(address, self._networks)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver: AbstractResolver = ThreadedResolver()
            if not self._allow_private:
                resolver = PublicResolver(resolver, self._networks)
            options: dict[str, Any] = {
                "connector": aiohttp.TCPConnector(
                    resolver=resolver, limit=CONNECTIONS, limit_per_host=PER_HOST, use_dns_cache=False
                ),
                "cookie_jar": aiohttp.DummyCookieJar(),
                "trust_env": False,
                "auto_decompress": False,  # a small answer stays small
                "headers": {"Accept-Encoding": "identity"},
            }
            self._session = aiohttp.ClientSession(**options)
        return self._session


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead anywhere but to the public internet.

    The connector connects to what this returns, so a name that changes its mind afterwards gains nothing.

    Args:
        inner: asks the name servers.
        networks: that are good although they are not public.
    """

    def __init__(self, inner: AbstractResolver, networks: Sequence[Network] = ()) -> None:
        self._inner = inner
        self._networks = tuple(networks)

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OSError: one of them is not public.
        """
        found = await self._inner.resolve(host, port, family)
        good = [is_public(entry["host"]) or _is_in(entry["host"], self._networks) for entry in found]
        if not found or not all(good):
            msg = "the name leads to an address that is not public"
            raise OSError(msg)
        return found

    @override
    async def close(self) -> None:
        await self._inner.close()


def networks_of(text: str) -> tuple[Network, ...]:
    """Return the networks a setting names, separated by commas or spaces; ``config.parse`` checked them."""
    return tuple(ipaddress.ip_network(word) for word in text.replace(",", " ").split())


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet; forms that hide another one are not."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        hidden = parsed.ipv4_mapped or parsed.sixtofour or parsed.teredo
        if hidden is not None or parsed in _NAT64 or parsed in _SIX_TO_FOUR:
            return False
    elif parsed in _SHARED:
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(parsed in network for network in networks)
