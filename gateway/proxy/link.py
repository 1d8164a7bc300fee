"""One upstream as long as rules name it: its connections, its breaker, its health.

Decides whether a request may be sent to it now. It knows no rule and no client. Made by ``proxy``.
"""

import asyncio

import aiohttp
import structlog
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from actors.tls import client_context
from gateway.proxy.addresses import GuardedResolver
from gateway.proxy.breaker import Breaker, RetryBudget
from gateway.proxy.upstream import Upstream

MAX_CONNECTIONS = 512
CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 15.0
_MAX_LINE = 32 * 1024
_UNHEALTHY_AFTER = 2
_HEALTH_SECONDS = 5.0
log = structlog.get_logger("gateway.proxy")


class Link:
    """See the module's docstring.

    Args:
        upstream: as the rules name it.

    Attributes:
        in_use: requests that are on it now.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.in_use = 0
        self.breaker = Breaker(upstream.failures, upstream.open_seconds)
        self.budget = RetryBudget()
        self._session: aiohttp.ClientSession | None = None
        self._sick = 0

    async def session(self) -> aiohttp.ClientSession:
        """Return what opens connections to it; made when they are first needed."""
        if self._session is not None:
            return self._session
        trust = await client_context(self.upstream.origin.partition(":")[0])
        if self._session is None:  # others may have waited for the same
            link_local = self.upstream.allow_link_local
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=trust,
                    limit=MAX_CONNECTIONS,
                    resolver=ThreadedResolver() if link_local else GuardedResolver(),
                    keepalive_timeout=KEEPALIVE_SECONDS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                max_line_size=_MAX_LINE,
                max_field_size=_MAX_LINE,
            )
        return self._session

    def enter(self) -> float:
        """Ask to send one request; returns 0 to go on, else the seconds to wait."""
        if self._sick >= _UNHEALTHY_AFTER:
            return self.upstream.health_seconds
        return self.breaker.enter()

    def count(self, status: int) -> None:
        """Note what an answer says about the server."""
        was_open = self.breaker.is_open
        if status in {502, 503, 504}:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        self._tell(was_open)

    def failed(self) -> None:
        """Note that there was no answer."""
        was_open = self.breaker.is_open
        self.breaker.failed()
        self._tell(was_open)

    async def watch(self) -> None:
        """Ask for the health page again and again."""
        upstream = self.upstream
        url = URL(upstream.origin + upstream.health_path, encoded=True)
        while True:
            well = await self._is_well(url)
            if not well and self._sick == _UNHEALTHY_AFTER - 1:
                log.warning("upstream.unhealthy", upstream=upstream.origin)
            elif well and self._sick >= _UNHEALTHY_AFTER:
                log.info("upstream.healthy", upstream=upstream.origin)
            self._sick = 0 if well else min(self._sick + 1, _UNHEALTHY_AFTER)
            await asyncio.sleep(upstream.health_seconds)

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()

    async def _is_well(self, url: URL) -> bool:
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                session = await self.session()
                async with session.get(url, allow_redirects=False) as answer:
                    return answer.status < 400
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _tell(self, was_open: bool) -> None:  # noqa: FBT001 - the state before
        is_open = self.breaker.is_open
        if is_open and not was_open:
            log.warning("upstream.given_up", upstream=self.upstream.origin)
        elif was_open and not is_open:
            log.info("upstream.back", upstream=self.upstream.origin)
