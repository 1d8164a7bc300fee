"""The public port: one handler from request to answer, and its life from start to drain.

    request -> host, path -> rule -> tenant -> route -> credential -> body -> Call -> tenant's port -> Result
    -> answer

Decides the order of these steps. It knows no SQL and no model: a tenant is whatever ``resolve`` returns.
Composed by ``run.py``.
"""

import asyncio
import time
from collections.abc import Collection

import orjson
import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest

from actors.messages import Call, ProblemError, Result
from config.settings import Settings
from gateway import cors, decode, problems
from gateway.admission import admit
from gateway.answers import Answer
from gateway.counters import Counters
from gateway.credentials import read_credential, read_web
from gateway.limits import Limits, RateLimiter, socket_cap
from gateway.places import Place, Places
from gateway.ports import Resolve
from gateway.protocol import HttpServer
from gateway.receive import read_body
from gateway.rules import Rules
from gateway.trace import RequestIds, continue_trace
from schemas.compiler.emit.language import SCHEMA_ID, language_schema

log = structlog.get_logger("gateway")

LINGER_AT_DRAIN = 0.3
"""Seconds in which idle connections may still bring a request while the process stops."""
_MAX_CACHED = 4096
_KINDS = {
    "console": "the console",
    "ui": "the tenant's pages",
    "proxy": "passing requests on",
}


class Gateway:
    """The public HTTP surface.

    Args:
        settings: ports, domain, limits.
        resolve: slug to tenant; None for one that does not exist.
        rules: of ``config/gateway.yaml``; replaced by ``apply``.
        documents: fixed pages outside every tenant, by path; by default the JSON Schema of tenant files.
    """

    def __init__(
        self,
        settings: Settings,
        resolve: Resolve,
        rules: Rules,
        *,
        documents: dict[str, bytes] | None = None,
    ) -> None:
        limits = settings.limits
        self.counters = Counters()
        self.draining = False
        self._settings = settings
        self._resolve = resolve
        self._places = Places(
            settings.domain, rules, documents or {SCHEMA_ID: orjson.dumps(language_schema())}
        )
        self._ids = RequestIds()
        self._origins: dict[str, tuple[float, frozenset[str]]] = {}
        self._limiter = RateLimiter(limits.rate_per_second, limits.rate_burst)
        self._access_log = settings.log.access
        self._limits = Limits(
            head_seconds=limits.head_seconds,
            body_seconds=limits.body_seconds,
            write_seconds=limits.write_seconds,
            body_bytes=limits.body_bytes,
            sockets=limits.sockets or socket_cap(),
            sockets_per_address=limits.sockets_per_address,
        )
        self._request_seconds = limits.request_seconds
        self._idle = asyncio.Event()
        self._server: HttpServer | None = None
        self._runner: web.ServerRunner | None = None
        self._site: web.BaseSite | None = None

    # -- life -------------------------------------------------------------------------------------

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
        address = self._runner.addresses[0]
        return str(address[0]), int(address[1])

    def apply(self, rules: Rules) -> None:
        """Put new rules in force; requests in flight keep the ones they began with."""
        self._places.apply(rules)

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
        return finished

    @property
    def open_connections(self) -> int:
        """Client connections there are now."""
        return self._server.open_connections if self._server is not None else 0

    # -- one request ------------------------------------------------------------------------------

    async def handle(self, request: BaseRequest) -> Answer:
        """Answer a request; never raises."""
        began = time.perf_counter()
        counters = self.counters
        counters.in_flight += 1
        headers = request.headers
        given = headers.get("X-Request-Id")
        request_id = self._ids.new() if given is None else self._ids.take(given)
        trace = headers.get("traceparent")
        extra = "" if trace is None else continue_trace(trace)
        close = self.draining
        instance, gotrue = "/", None
        try:
            place = self._places.find(request)
            if isinstance(place, Result):
                result = place
            else:
                instance = place.instance
                if place.signs_in:
                    gotrue = headers.get("X-Supabase-Api-Version", "")
                origin = headers.get("Origin")
                if origin is not None:
                    extra += await self._cors(place, origin, request)
                if request.method == "OPTIONS":
                    result = self._options(place)
                else:
                    result = await self._answer(place, request, request_id)
        except ProblemError as error:
            close = close or error.code in {"http.body_too_large", "http.timeout", "http.bad_body"}
            result = problems.render(
                error,
                request_id=request_id,
                instance=instance,
                signed_in=error.signed_in is True,
                gotrue=gotrue,
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
        took = time.perf_counter() - began
        counters.count(result.status, took)
        if self._access_log:
            log.info(
                "request", request_id=request_id, method=request.method, path=instance, status=result.status,
                ms=round(took * 1000, 2), address=request.remote,
            )  # fmt: skip
        return Answer(result, request_id, extra, close=close or self.draining)

    async def _answer(self, place: Place, request: BaseRequest, request_id: str) -> Result:
        rule, found = place.match.rule, place.found
        port = self._resolve(place.slug)
        if port is None:
            raise ProblemError("tenant.not_found", "there is no such tenant")
        secure = request.scheme == "https"
        deadline = asyncio.get_running_loop().time() + (rule.timeout or self._request_seconds)
        if rule.required:
            elsewhere = await admit(place, port, request, deadline, secure=secure)
            if elsewhere is not None:
                return elsewhere
        if rule.kind in _KINDS:
            raise ProblemError("http.not_built", f"{_KINDS[rule.kind]} is not part of this installation")
        if found is None:
            raise ProblemError("PGRST125", "there is nothing at this path")
        method = request.method
        operation = found.route.operations.get("GET" if method == "HEAD" else method)
        if operation is None:
            allow = (("Allow", found.route.methods),)
            raise ProblemError("PGRST117", f"{method} is not possible here", headers=allow)
        if self._limiter.active:
            self._limiter.take(place.slug, request.remote or "")
        body = b""
        if method not in {"GET", "HEAD"} and request.body_exists:
            decode.check_encoding(request.headers)
            body = await read_body(request, self._limits)
        query = request._message.path.partition("?")[2]  # noqa: SLF001 - the raw target has no public name
        credential = read_credential(request, place.slug, secure=secure)
        web = read_web(request, secure=secure) if place.signs_in else None
        call = decode.make_call(
            request, operation, found, query, body, place.base, request_id, deadline, credential,
            request.remote or "", web,
        )  # fmt: skip
        return await port.call(call)

    def _options(self, place: Place) -> Result:
        if place.found is None:
            raise ProblemError("PGRST125", "there is nothing at this path")
        return Result(204, headers=(("Allow", place.found.route.methods),))

    async def _cors(self, place: Place, origin: str, request: BaseRequest) -> str:
        """Return the CORS lines for a page's request; empty for pages nobody allowed."""
        if not cors.allowed(origin, place.match.rule.origins) and not cors.allowed(
            origin, await self._tenant_origins(place)
        ):
            return ""
        if request.method == "OPTIONS" and place.found is not None:
            return cors.preflight_lines(origin, place.found.route.methods)
        return cors.answer_lines(origin)

    async def _tenant_origins(self, place: Place) -> Collection[str]:
        known = self._origins.get(place.slug)
        now = time.monotonic()
        if known is not None and known[0] > now:
            return known[1]
        port = self._resolve(place.slug) if place.found is not None else None
        if port is None:
            return ()
        try:
            result = await port.call(Call("origins", base=place.base))
        except ProblemError:
            return ()
        if len(self._origins) >= _MAX_CACHED:
            self._origins.clear()
        origins = frozenset[str](orjson.loads(result.body))
        self._origins[place.slug] = (now + 1.0, origins)
        return origins
