"""Requests as a collector of OpenTelemetry sees them; the collector is a real server that speaks OTLP."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import StartLive
from tests.live import ROOT, Live
from tests.monitoring.conftest import NOTES

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "canary-in-a-filter-9e11"


class Collector:
    """Takes spans at ``/v1/traces``."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.spans: list[Span] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response(content_type="application/x-protobuf")

    async def span(self, span_id: str) -> Span:
        """Wait for one."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for span in self.spans:
                if span.span_id.hex() == span_id:
                    return span
            await asyncio.sleep(0.05)
        raise AssertionError(f"no span {span_id}")


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    yield collector
    await collector.stop()


@pytest.fixture(scope="module")
async def traced(start_live: StartLive, collector: Collector) -> Live:
    return await start_live(
        {"acme-co": NOTES.replace("NAME", "acme-co")},
        BACKSAAS_TRACING_ENDPOINT=await collector.start(),
        OTEL_BSP_SCHEDULE_DELAY="100",  # of the library itself: milliseconds until a batch is sent
    )


def attributes(span: Span) -> dict[str, object]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


async def test_a_request_continues_its_callers_trace(traced: Live, collector: Collector) -> None:
    given = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "request-of-ours"}
    url = f"{traced.base('acme-co')}/notes?text=eq.{SECRET}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=given) as answer:
        assert answer.status == 200
        version, trace, span_id, flags = answer.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    span = await collector.span(span_id)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert (span.name, span.kind) == ("GET {entity}", Span.SPAN_KIND_SERVER)
    told = attributes(span)
    assert told.pop("backsaas.db.statements") == 1
    spent = told.pop("backsaas.db.seconds")
    assert isinstance(spent, float)
    assert 0 < spent <= (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    assert told == {
        "http.request.method": "GET",
        "http.route": "{entity}",
        "http.response.status_code": 200,
        "backsaas.tenant": "acme-co",
        "backsaas.request_id": "request-of-ours",
    }
    assert not any(SECRET.encode() in body for body in collector.bodies)


async def test_requests_without_a_trace_begin_one(traced: Live, collector: Collector) -> None:
    found = []
    async with aiohttp.ClientSession() as session:
        for path in ("/api/tenants/nobody-here/notes", "/nowhere"):
            async with session.get(f"{traced.url}{path}", headers={"traceparent": "00-zz"}) as answer:
                assert answer.status == 404
                found.append(answer.headers["traceparent"].split("-"))
    assert found[0][1] != found[1][1]
    spans = [await collector.span(span_id) for _, _, span_id, _ in found]
    assert [span.name for span in spans] == ["GET {entity}", "GET"]
    assert [span.parent_span_id for span in spans] == [b"", b""]
    assert [attributes(span)["http.response.status_code"] for span in spans] == [404, 404]


async def test_a_collector_that_is_gone_is_no_trouble(traced: Live, collector: Collector) -> None:
    await collector.stop()
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            async with session.get(f"{traced.base('acme-co')}/notes") as answer:
                assert answer.status == 200
    # that the process ends in time, and well, is looked at when the module ends


def test_a_start_loads_nothing_that_most_installations_never_use() -> None:
    rare = (
        "opentelemetry",
        "prometheus_client",
        "reportlab",
        "xlsxwriter",
        "stripe",
        "segno",
        "cel_expr_python",
        "zxcvbn",
    )
    program = f"import sys, json, gateway.serve; print(json.dumps([n for n in {rare!r} if n in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(done.stdout) == []
