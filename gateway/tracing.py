"""Traces by OpenTelemetry: one span per request, sent to a collector by OTLP over HTTP.

Decides names and attributes of spans (semantic conventions for HTTP servers) and which requests are traced.
Loaded only where ``tracing.endpoint`` is set; the library's thread sends, no request waits for it. Made by
``serve``, used by ``server``.
"""

import asyncio
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from actors.messages import Result
from actors.slow import SPENT, Spent
from config.errors import StartError
from config.settings import TracingSettings
from config.version import VERSION
from gateway.places import Place

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    needed = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
    msg = f"tracing.endpoint is set and a package is missing: {sys.executable} -m pip install {needed}"
    raise StartError(msg) from error

EXPORT_SECONDS = 2.0
"""How long one batch may take to be sent; at a stop the last one is waited for."""
_CONTEXT = TraceContextTextMapPropagator()


class Traced:
    """One request's span.

    Attributes:
        line: the header that names it, for the answer and for servers behind us.
    """

    __slots__ = ("_span", "_spent", "line")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._spent = Spent()
        SPENT.set(self._spent)
        context = span.get_span_context()
        self.line = (
            f"traceparent: 00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}\r\n"
        )

    def end(self, place: Place | Result | None, method: str, status: int, request_id: str) -> None:
        """Say how the request came out."""
        span = self._span
        if not span.is_recording():
            return
        route = place.route if isinstance(place, Place) else ""
        span.update_name(f"{method} {route}".strip())
        span.set_attributes(
            {
                "http.request.method": method,
                "http.response.status_code": status,
                "backsaas.request_id": request_id,
                "backsaas.db.seconds": self._spent.seconds,
                "backsaas.db.statements": self._spent.statements,
            }
        )
        if isinstance(place, Place):
            span.set_attributes({"http.route": route, "backsaas.tenant": place.slug})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


class Tracing:
    """Begins spans, and sends what ended.

    Args:
        settings: where to, and how many.

    Raises:
        StartError: at import, when the library is not installed.
    """

    def __init__(self, settings: TracingSettings) -> None:
        share = TraceIdRatioBased(settings.share)
        self._provider = TracerProvider(
            # whoever calls decides what belongs together, never how much we trace
            sampler=ParentBased(root=share, remote_parent_sampled=share),
            resource=Resource.create({"service.name": "backsaas", "service.version": VERSION}),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=_traces(settings.endpoint), timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("backsaas", VERSION)

    def begin(self, headers: Mapping[str, str]) -> Traced:
        """Begin a request's span, in the trace its caller names, if it does."""
        parent = _CONTEXT.extract(headers)
        return Traced(self._tracer.start_span("request", context=parent, kind=SpanKind.SERVER))

    async def close(self) -> None:
        """Send what is left."""
        await asyncio.to_thread(self._provider.shutdown)


def _traces(endpoint: str) -> str:
    """Return where spans go: a collector's base address has them at ``/v1/traces`` (OTLP, "URL path")."""
    return endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint.rstrip('/')}/v1/traces"
