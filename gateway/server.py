"""The public port: one handler from request to answer, and its life from start to drain.

    request -> host, path -> rule -> tenant -> route -> credential -> body -> Call -> port -> Result -> answer

Decides the order of these steps. It knows no SQL and no model: a tenant is whatever ``resolve`` returns.
Composed by ``run.py``.
"""

import asyncio
import time

import orjson
import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest

from actors.messages import ProblemError, Result
from actors.tenant.usage import UsageBook
from config.logs import REQUEST
from config.settings import Settings
from gateway import cors, decode, docs_page, intake, pages, problems
from gateway.admission import admit
from gateway.answers import Answer
from gateway.counters import Counters
from gateway.credentials import read_credential, read_web, refuse_key_in_url
from gateway.deadline import Deadlines
from gateway.edits import edit_request, edit_result
from gateway.limits import Limits, Rates, socket_cap
from gateway.peers import Client, Peers
from gateway.places import Domains, Place, Places
from gateway.ports import Resolve
from gateway.protocol import HttpServer
from gateway.proxy.fields import Origin
from gateway.proxy.proxy import Proxy
from gateway.rule_fields import UNCHANGED
from gateway.rules import Rules
from gateway.streaming import Streams, answered_at
from gateway.trace import RequestIds, Tracer, continue_trace
from schemas.compiler.emit.language import SCHEMA_ID, language_schema

log = structlog.get_logger("gateway")

LINGER_AT_DRAIN = 0.3
"""Seconds in which idle connections may still bring a request while the process stops."""


class Gateway:
    """The public HTTP surface.

    Args:
        settings: ports, domain, limits.
        resolve: slug to tenant; None for one that does not exist.
        rules: of ``config/gateway.yaml``; replaced by ``apply``.
        documents: fixed pages outside every tenant, by path; by default the JSON Schema of tenant files.
        usage: where requests to tenants are counted; None: nowhere.
        tracing: traces requests; None: nobody does.
        domains: host name, lower case, to the slug of the tenant whose own domain it is; asked per request.
    """

    def __init__(
        self,
        settings: Settings,
        resolve: Resolve,
        rules: Rules,
        *,
        documents: dict[str, bytes] | None = None,
        domains: Domains = lambda _: None,
        usage: UsageBook | None = None,
        tracing: Tracer | None = None,
    ) -> None:
        limits = settings.limits
        self.counters = Counters(usage=usage, log_access=settings.log.access)
        self.draining = False
        self._settings = settings
        self._resolve = resolve
        fixed = documents or {SCHEMA_ID: orjson.dumps(language_schema())}
        self._places = Places(settings.domain, rules, fixed, domains, settings.files.url)
        self._ids = RequestIds()
        self._peers = Peers(settings.trusted_proxies)
        self._cors = cors.Cors(resolve)
        self._rates = Rates(limits.rate_per_second, limits.rate_burst)
        self._tracing = tracing
        # as the realms name and mark their cookies: by the address people use, not by the last hop
        self._secure = settings.url.startswith("https:")
        self._limits = Limits(
            head_seconds=limits.head_seconds,
            body_seconds=limits.body_seconds,
            write_seconds=limits.write_seconds,
            body_bytes=limits.body_bytes,
            sockets=limits.sockets or socket_cap(),
            sockets_per_address=limits.sockets_per_address,
        )
        self._request_seconds = limits.request_seconds
        self._within = Deadlines().within
        self._proxy = Proxy(self._limits, limits.request_seconds)
        self._streams = Streams(limits.write_seconds, secure=self._secure)
        self._idle = asyncio.Event()
        self._server: HttpServer | None = None
        self._runner: web.ServerRunner | None = None
        self._site: web.BaseSite | None = None

    async def start(self) -> tuple[str, int]:
        """Open the port.

        Returns:
            Address and port that really listen.

        Raises:
            OSError: the port is taken.
        """
        self._server = HttpServer(self.handle, self._limits, self._ids.new)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=1.0)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, self._settings.host, self._settings.port, backlog=1024)
        try:
            await self._site.start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self._server.start_sweeping()
        self._proxy.apply(self._places.rules)
        address = self._runner.addresses[0]
        return str(address[0]), int(address[1])

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._places.rules

    def apply(self, rules: Rules) -> None:
        """Put new rules in force; requests in flight keep the ones they began with."""
        self._places.apply(rules)
        self._proxy.apply(rules)

    async def drain(self, seconds: float) -> bool:
        """Take no new connections, finish what runs, close.

        Returns:
            Whether every request finished in time.
        """
        if self.draining:
            return self.counters.in_flight == 0
        self.draining = True
        if self._site is not None:
            await self._site.stop()
        self._streams.end()
        await self._proxy.hang_up()
        # every answer now says that the connection ends; a request that is on its way meets no closed door
        await asyncio.sleep(min(LINGER_AT_DRAIN, seconds))
        if self._server is not None:
            self._server.pre_shutdown()
        finished = True
        if self.counters.in_flight:
            self._idle.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                finished = False
        if self._server is not None:
            self._server.stop_sweeping()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._proxy.close()
        return finished

    @property
    def connections(self) -> tuple[int, int]:
        """Client connections there are now, and how many were refused."""
        return (0, 0) if self._server is None else (self._server.open_connections, self._server.refused)

    async def handle(self, request: BaseRequest) -> web.StreamResponse:
        """Answer a request; never raises."""
        began = time.perf_counter()
        counters, headers = self.counters, request.headers
        counters.in_flight += 1
        given = headers.get("X-Request-Id")
        request_id = self._ids.new() if given is None else self._ids.take(given)
        REQUEST.set((request_id, ""))
        span = None if self._tracing is None else self._tracing.begin(headers)
        extra = trace = continue_trace(headers.get("traceparent")) if span is None else span.line
        close = self.draining
        instance, dialect, place = "/", None, None
        result: Result | web.StreamResponse
        client = self._peers.client_address(request)
        edit = UNCHANGED
        try:
            refuse_key_in_url(request._message.path)  # noqa: SLF001 - the raw target has no public name
            place = self._places.find(request)
            if isinstance(place, Result):
                result = place
            else:
                instance = place.instance
                REQUEST.set((request_id, place.slug))
                dialect = place.dialect(headers)
                rule = place.match.rule
                edit = rule.response_headers
                origin = headers.get("Origin")
                if origin is not None:
                    extra += await self._cors.lines(place, origin, request.method)
                if request.method == "OPTIONS" and cors.asks_first(rule, request):
                    result = Result(204, headers=(("Allow", cors.methods(place)),))
                else:
                    extra += self._rates.take(rule, place.slug, client.address)
                    if rule.kind == "proxy":
                        result = await self._pass_on(place, request, client, request_id, extra, trace)
                    else:
                        result = await self._answer(place, request, client, request_id, extra)
        except ProblemError as error:
            close = close or error.code in {"http.body_too_large", "http.timeout", "http.bad_body"}
            known = error.signed_in is True
            result = problems.render(
                error, request_id=request_id, instance=instance, signed_in=known, dialect=dialect
            )
        except Exception:
            # the last line of defence: one caller's 500, recorded
            log.exception("request.failed", request_id=request_id, path=instance)
            internal = ProblemError("http.internal", "something went wrong on our side; it is recorded")
            result = problems.render(internal, request_id=request_id, instance=instance)
        finally:
            counters.in_flight -= 1
            if not counters.in_flight and self.draining:
                self._idle.set()
        took, method = answered_at(result) - began, request.method
        counters.count(place, method, result, took, request_id, instance, client.address)
        if span is not None:
            span.end(place, method, result.status, request_id)
        if not isinstance(result, Result):
            return result
        if edit is not UNCHANGED:
            result = edit_result(result, edit)
        return Answer(result, request_id, extra, close=close or self.draining)

    async def _pass_on(
        self, place: Place, request: BaseRequest, client: Client, request_id: str, extra: str, trace: str
    ) -> Result | web.StreamResponse:
        match = place.match
        if match.rule.required:
            port = self._resolve(place.slug)
            if port is None:
                raise ProblemError("tenant.not_found", "there is no such tenant")
            deadline = asyncio.get_running_loop().time() + self._request_seconds
            check = admit(place, port, request, deadline, secure=self._secure)
            elsewhere = await self._within(deadline, "GET", check)
            if elsewhere is not None:
                return elsewhere
        host, parent = request.headers.get("Host", ""), trace.partition(": ")[2].strip()
        origin = Origin(client.address, client.scheme, host, request_id, parent)
        extra = f"X-Request-Id: {request_id}\r\n{extra}"
        return await self._proxy.answer(request, match, place.segments, origin, extra)

    async def _answer(
        self, place: Place, request: BaseRequest, client: Client, request_id: str, extra: str
    ) -> Result | web.StreamResponse:
        rule, found = place.match.rule, place.found
        port = self._resolve(place.slug)
        if port is None:
            raise ProblemError("tenant.not_found", "there is no such tenant")
        if rule.request_headers is not UNCHANGED:
            request = edit_request(request, rule.request_headers)
        clock, seconds = asyncio.get_running_loop().time, rule.timeout or self._request_seconds
        deadline = clock() + seconds
        page = rule.kind in {"console", "ui"}
        if rule.required:
            check = admit(place, port, request, deadline, secure=self._secure, own_page=page)
            elsewhere = await self._within(deadline, "GET", check)
            if elsewhere is not None:
                return elsewhere
        if page:
            return await self._within(deadline, "GET", pages.page(place, port, request, deadline))
        if found is None:
            raise ProblemError("PGRST125", "there is nothing at this path")
        method = request.method
        operation = found.route.operations.get("GET" if method == "HEAD" else method)
        if operation is None:
            allow = (("Allow", found.route.methods),)
            raise ProblemError("PGRST117", f"{method} is not possible here", headers=allow)
        if operation == "docs":
            return docs_page.show(place.base, found.entity)
        body, sending = b"", None
        if method not in {"GET", "HEAD"} or operation in intake.ABOUT_FILES:
            limits = self._limits if rule.body_limit is None else self._limits.with_body(rule.body_limit)
            most = rule.body_limit or intake.most_bytes(self._settings, operation)
            body, sending, patience = await intake.receive(request, operation, limits, most)
            patience += intake.work_seconds(place.slug, found.entity)
            deadline = clock() + seconds + patience  # what a client takes to send it does not count
        query = request._message.path.partition("?")[2]  # noqa: SLF001 - the raw target has no public name
        credential = read_credential(request, place.slug, secure=self._secure)
        browser = None
        if place.signs_in:
            browser = read_web(request, secure=self._secure or client.scheme == "https")
        call = decode.make_call(
            request, operation, found, query, body, place.base, request_id, deadline, credential,
            client.address, browser, sending,
        )  # fmt: skip
        result = await self._within(deadline, method, port.call(call))
        if result.stream is None and result.socket is None:
            return result
        result = edit_result(result, rule.response_headers)
        return await self._streams.send(request, result, request_id, extra, close=self.draining)
