"""What the process knows about itself, as families of metrics for Prometheus.

Decides names and labels: OpenTelemetry's for HTTP, ``backsaas_`` for ours; ``docs/operations.md`` lists them.
The number of series depends on the program, never on tenants or clients. It counts nothing: all figures are
kept by whoever does the work and read here. Loaded when somebody asks for the first time.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from actors.budget import ConnectionBudget
from actors.tenant.platform import Platform
from actors.tenant.usage import LATENCY_MS, Counted, UsageBook
from actors.watcher import Watch
from config.version import VERSION
from gateway.observer import kind_of
from gateway.vitals import Vitals
from runtime.histogram import Histogram
from runtime.snapshot import ActorInfo

_STATUSES = frozenset(int(status) for status in HTTPStatus)
_PROCESS = ProcessCollector(registry=None)
_SECONDS = [bound / 1000 for bound in LATENCY_MS]
_REQUEST_LABELS = ("http_request_method", "http_route", "http_response_status_code")


async def render(families: Iterable[Metric]) -> bytes:
    """Return families in Prometheus' text format.

    They are taken and written in a thread, so that requests hardly feel it: what the event loop changes must
    have been read before.
    """

    def write() -> bytes:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Fixed(list(families)))
        return generate_latest(registry)

    return await asyncio.to_thread(write)


class _Fixed:
    """What a registry collects: families that were read before."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def describe(self) -> list[Metric]:
        """Nothing: no names are reserved."""
        return []

    def collect(self) -> list[Metric]:
        """Return them."""
        return self._families


def families(vitals: Vitals) -> Iterator[Metric]:
    """Yield everything about the process; no tenant is named."""
    yield _info(vitals)
    yield _gauge("backsaas_ready", "1 when requests can be served, else 0", float(not vitals.unready()))
    yield from _http(vitals)
    yield from _connections(vitals.database.budget)
    slow = vitals.database.slow.total
    yield _counter("backsaas_db_slow_statements", "statements over database.slow_seconds", slow)
    yield from _tenants(vitals)
    yield from _folders(vitals.watches)
    yield from _actors(vitals)
    yield _histogram("backsaas_loop_lag_seconds", "how late the event loop was", vitals.watchdog.lag)
    yield _counter("backsaas_loop_stalls", "times the event loop stood still", vitals.watchdog.stalls)
    if vitals.platform is not None:
        yield from _work(vitals.platform)
    yield from _PROCESS.collect()


def _info(vitals: Vitals) -> Metric:
    family = GaugeMetricFamily(
        "backsaas_info", "1; versions of the program and of PostgreSQL", labels=("version", "postgresql")
    )
    family.add_metric((VERSION, vitals.database.facts.version), 1)
    return family


def _http(vitals: Vitals) -> Iterator[Metric]:
    gateway = vitals.gateway
    if gateway is None:
        return
    counters = gateway.counters
    yield _gauge("http_server_active_requests", "requests in flight", counters.in_flight)
    open_now, refused = gateway.connections
    yield _gauge("backsaas_client_connections", "open connections of clients", open_now)
    yield _counter("backsaas_client_connections_refused", "connections over a limit", refused)
    yield _durations(counters.elsewhere, counters.usage)


def _durations(elsewhere: Counted, usage: UsageBook | None) -> Metric:
    """Return the histogram of requests; what metering counts per tenant, all tenants together."""
    total = Counted()
    total.add(elsewhere)
    if usage is not None:
        total.add(usage.served)
        for one in usage.all().values():
            total.add(one.counted)
    found: dict[tuple[str, str, str], tuple[Counter[int], list[float]]] = {}
    for (method, route, status, le), (number, seconds, _) in total.requests.items():
        # functions may answer any status: those without a name are one series per class
        code = str(status) if status in _STATUSES else f"{status // 100}xx"
        classes, sums = found.setdefault((method, route, code), (Counter(), [0.0]))
        classes[le] += int(number)
        sums[0] += seconds
    family = HistogramMetricFamily(
        "http_server_request_duration_seconds", "time until an answer was ready", labels=_REQUEST_LABELS
    )
    for labels, (classes, sums) in sorted(found.items()):
        family.add_metric(
            labels, _cumulative([classes[le] for le in LATENCY_MS], classes[0], _SECONDS), sums[0]
        )
    return family


def _connections(budget: ConnectionBudget) -> Iterator[Metric]:
    yield _gauge("backsaas_db_pool_max", "connections this process may have", budget.limit)
    yield _gauge("backsaas_db_pool_open", "connections that are open", budget.open)
    yield _gauge("backsaas_db_pool_available", "connections that could be lent now", budget.available)
    yield _gauge("backsaas_db_pool_waiting", "callers in line for a connection", budget.waiting)
    yield _counter("backsaas_db_pool_timeouts", "callers who got no connection in time", budget.timeouts)
    yield _counter("backsaas_db_pool_stolen", "idle connections taken for another tenant", budget.stolen)


def _tenants(vitals: Vitals) -> Iterator[Metric]:
    states = Counter(str(status.state) for status in vitals.book.all())
    yield _gauges("backsaas_tenants", "tenants by state", "state", states)
    yield _counters("backsaas_schema_reloads", "edits by how they came out", "result", vitals.book.reloads)
    yield _histogram("backsaas_schema_reload_seconds", "from save to live", vitals.book.reload_seconds)


def _folders(watches: Sequence[Watch]) -> Iterator[Metric]:
    readable = {watch.name: float(not watch.scanner.trouble) for watch in watches}
    events = {watch.name: float(not watch.deaf) for watch in watches}
    yield _gauges("backsaas_folder_readable", "1 when its files can be looked at", "folder", readable)
    yield _gauges("backsaas_folder_events", "1 when the kernel tells of changes", "folder", events)


def _actors(vitals: Vitals) -> Iterator[Metric]:
    waiting: Counter[str] = Counter()
    states: Counter[str] = Counter()
    root = vitals.actors()
    if root is not None:
        for actor in _walk(root):
            states[actor.status.name.lower()] += 1
            waiting[kind_of(actor.path)] += actor.messages + actor.signals
    help_text = "messages that wait, of all tenants together"
    yield _gauges("backsaas_actor_mailbox_depth", help_text, "actor", waiting)
    yield _gauges("backsaas_actors", "actors by state", "state", states)
    observed = vitals.observed
    yield _counters(
        "backsaas_actor_restarts", "actors that failed and began anew", "actor", observed.restarts
    )
    yield _counters("backsaas_runtime_events", "what the actors' kernel logged", "event", observed.counts)


def _walk(actor: ActorInfo) -> Iterator[ActorInfo]:
    yield actor
    for child in actor.children:
        yield from _walk(child)


def _work(platform: Platform) -> Iterator[Metric]:
    if platform.usage is not None:
        queues = [one.queues for one in platform.usage.all().values()]
        depths = {name: sum(getattr(one, name) for one in queues) for name in ("changes", "ready", "dead")}
        yield _gauges("backsaas_queue_depth", "as last measured", "queue", depths)
    work = platform.work
    if work is not None:
        lag = max((relay.lag for relay in work.relays), default=0.0)
        yield _gauge("backsaas_outbox_lag_seconds", "how long the oldest change has waited", lag)
        yield _gauge("backsaas_tasks_running", "tasks that run now", work.slots.used)
        help_text = "attempts to deliver a webhook"
        counts = work.deliverer.counts
        yield _counters("backsaas_webhook_deliveries", help_text, "result", counts)
    if platform.functions is not None:
        family = HistogramMetricFamily(
            "backsaas_hook_duration_seconds", "runs of functions", labels=("result",)
        )
        for result, durations in platform.functions.durations.items():
            family.add_metric((result,), _buckets(durations), durations.total)
        yield family
    if platform.auth is not None:
        mailer = platform.auth.mailer
        yield _counters("backsaas_mails", "mails by how they ended", "result", mailer.counts)
        yield _gauge("backsaas_mails_waiting", "mails that wait to be sent", mailer.waiting)


# -- families ---------------------------------------------------------------------------------------------


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _gauges(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _counters(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _histogram(name: str, help_text: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(name, help_text, buckets=_buckets(histogram), sum_value=histogram.total)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    return _cumulative(histogram.counts[:-1], histogram.counts[-1], histogram.bounds)


def _cumulative(counts: Iterable[int], rest: int, bounds: Iterable[float]) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        found.append((f"{bound:g}", total))
    return [*found, ("+Inf", total + rest)]
