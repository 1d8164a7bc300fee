"""Passing requests on to the upstreams that rules name.

    request -> fields -> breaker -> upload -> upstream -> answer's head (or again) -> relay

Decides the order of these steps. What a client hears of an upstream's faults is never its address, never its
words. It authorises nobody: ``gateway.server`` did, and owns the one ``Proxy``.
"""

import asyncio
import contextlib
import re
from urllib.parse import quote

import aiohttp
import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict
from yarl import URL

from actors.messages import ProblemError
from gateway.limits import Limits
from gateway.proxy import websocket
from gateway.proxy.attempt import ask, bad_answer, enter, unreachable
from gateway.proxy.fields import MAX_HOPS, Origin, answer_lines, hops, request_fields
from gateway.proxy.link import Link
from gateway.proxy.relay import relay
from gateway.proxy.upload import Upload
from gateway.proxy.upstream import Upstream
from gateway.receive import check_transfer_coding
from gateway.rules import Match, Rule, Rules
from runtime.observe import Observation
from runtime.tasks import OwnedTask, OwnedTasks

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_QUERY = re.compile(r"[\x21\x22\x24-\x7e]*", re.ASCII)
_GOODBYE_SECONDS = 1.0
_PLAIN = "!$&'()*+,=:@~-._"
log = structlog.get_logger("gateway.proxy")


class Proxy:
    """See the module's docstring.

    Args:
        limits: what a client may take.
        request_seconds: until an answer begins, where a rule says nothing.
    """

    def __init__(self, limits: Limits, request_seconds: float) -> None:
        self._limits = limits
        self._request_seconds = request_seconds
        self._links: dict[Upstream, Link] = {}
        self._retired: set[Link] = set()
        self._watchers: dict[Upstream, OwnedTask] = {}
        self._tasks = OwnedTasks("gateway", _observe, lambda _: None)
        self._sockets: set[web.WebSocketResponse] = set()
        self._leaving = False

    def apply(self, rules: Rules) -> None:
        """Watch the upstreams that ask for it; let go of those that no rule names any more."""
        named = {rule.upstream for rule in rules.rules if rule.upstream is not None}
        for upstream in self._watchers.keys() - named:
            self._watchers.pop(upstream).cancel()
        for upstream in self._links.keys() - named:
            link = self._links.pop(upstream)
            self._retired.add(link)
            self._tasks.spawn(self._retire(link), f"end of {upstream.origin}")
        for upstream in named - self._watchers.keys():
            if upstream.health_path:
                watch = self._link(upstream).watch()
                self._watchers[upstream] = self._tasks.spawn(watch, f"health of {upstream.origin}")

    async def hang_up(self) -> None:
        """Close the websockets, which do not end by themselves; answers say from now on that we leave."""
        self._leaving = True
        going = [socket.close(code=websocket.GOING_AWAY) for socket in self._sockets]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await asyncio.gather(*going, return_exceptions=True)

    async def close(self) -> None:
        """End the watching and close every connection."""
        await self._tasks.end()
        for link in (*self._links.values(), *self._retired):
            await link.close()
        self._links.clear()
        self._retired.clear()
        self._watchers.clear()

    async def answer(
        self, request: BaseRequest, match: Match, segments: tuple[str, ...], origin: Origin, extra: str
    ) -> web.StreamResponse:
        """Pass a request on and its answer back.

        Args:
            request: the client's; its body is not read yet.
            match: the rule and what it found.
            segments: decoded parts of the path.
            origin: who really asks.
            extra: header lines of our own for the answer.

        Raises:
            ProblemError: proxy.*, http.*; nothing was written yet.
        """
        rule = match.rule
        if request.method not in METHODS or rule.upstream is None:
            allow = (("Allow", ", ".join(sorted(METHODS))),)
            raise ProblemError("http.method_not_allowed", "this method is not used here", headers=allow)
        check_transfer_coding(request.headers)
        if hops(request.headers) >= MAX_HOPS:
            raise ProblemError("proxy.loop", "this request goes round in circles")
        url = _url(rule.upstream, match.seen(segments), request)
        fields = request_fields(request.headers, rule.request_headers, origin)
        link = self._link(rule.upstream)
        link.in_use += 1
        try:
            if websocket.is_websocket(request):
                return await self._exchange(request, rule, link, url, fields, origin.scheme)
            return await self._pass(request, rule, link, url, fields, extra)
        finally:
            link.in_use -= 1

    async def _pass(
        self, request: BaseRequest, rule: Rule, link: Link, url: URL, fields: CIMultiDict[str], extra: str
    ) -> web.StreamResponse:
        upload = None
        if request.body_exists and not request.content.at_eof():
            most = self._limits.body_bytes if rule.body_limit is None else rule.body_limit
            upload = Upload(request, self._limits, most)
        seconds = rule.timeout or self._request_seconds
        response = await ask(link, request.method, url, fields, upload, seconds)
        try:
            lines = answer_lines(response.headers, rule.response_headers, cors_is_ours=bool(rule.origins))
            if rule.required and "Cache-Control" not in response.headers:
                lines.append("Cache-Control: no-store, private\r\n")
            if rule.origins:
                lines.append("Vary: Origin\r\n")
            lines.append(extra)
            return await relay(request, response, lines, close=self._leaving)
        finally:
            # what is left of an answer nobody reads, or of a body nobody took, ends with the connection
            if not response.content.at_eof() or (upload is not None and not upload.is_complete):
                response.close()
            else:
                response.release()

    async def _exchange(
        self, request: BaseRequest, rule: Rule, link: Link, url: URL, fields: CIMultiDict[str], scheme: str
    ) -> web.StreamResponse:
        websocket.check_handshake(request)
        if rule.required:
            websocket.check_origin(request, scheme, rule.origins)
        enter(link)
        most = max(1, websocket.MAX_MESSAGE if rule.body_limit is None else rule.body_limit)
        try:
            async with asyncio.timeout(rule.timeout or self._request_seconds):
                upstream = await websocket.connect(await link.session(), url, request, fields, most)
        except asyncio.CancelledError:
            link.breaker.unknown()
            raise
        except aiohttp.ClientResponseError as error:
            link.count(error.status)
            raise bad_answer(link, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            link.failed()
            raise unreachable(link, error) from None
        link.breaker.succeeded()
        client = websocket.accept(upstream, most)
        try:
            await client.prepare(request)
            self._sockets.add(client)
            await websocket.exchange(client, upstream)
        except ConnectionError:
            pass  # the client went away
        finally:
            self._sockets.discard(client)
            await upstream.close(code=websocket.GOING_AWAY)  # where the exchange never began
        return client

    async def _retire(self, link: Link) -> None:
        while link.in_use:  # noqa: ASYNC110 - rules change rarely; nothing waits for this
            await asyncio.sleep(1.0)
        self._retired.discard(link)
        await link.close()

    def _link(self, upstream: Upstream) -> Link:
        link = self._links.get(upstream)
        if link is None:
            link = self._links[upstream] = Link(upstream)
        return link


def _url(upstream: Upstream, seen: tuple[str, ...], request: BaseRequest) -> URL:
    """Return where a request goes at the upstream: the path that was routed by, escaped once.

    Raises:
        ProblemError: http.bad_path.
    """
    raw, mark, query = request._message.path.partition("?")  # noqa: SLF001 - it has no public name
    if not _QUERY.fullmatch(query):
        raise ProblemError("http.bad_path", "the query holds characters that are not allowed")
    path = upstream.base + "".join("/" + quote(part, safe=_PLAIN) for part in seen)
    if not path or (raw.endswith("/") and not path.endswith("/")):
        path += "/"
    return URL(f"{upstream.origin}{path}{mark}{query}", encoded=True)


def _observe(observation: Observation) -> None:
    log.error(observation.event, exc_info=getattr(observation, "error", None))
