"""What each tenant does, as families of metrics for Prometheus: few series per tenant, no histograms.

Decides names and labels; ``docs/operations.md`` lists them. With a thousand tenants these are ten thousand
series: the figures are read at once, what they become is made in a thread. Loaded when somebody asks for the
first time.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from actors.tenant.usage import Queues, Totals
from gateway.vitals import Vitals
from runtime.snapshot import snapshot


class Facts(Struct, frozen=True):
    """One tenant's figures at one moment; ``active`` None: it sleeps; ``totals`` None: nobody asked it."""

    slug: str
    state: str
    version: int
    active: int | None
    totals: Totals | None
    storage: int
    queues: Queues


def facts(vitals: Vitals) -> list[Facts]:
    """Read every tenant's figures; on the event loop."""
    book = None if vitals.platform is None else vitals.platform.usage
    found = []
    for status in vitals.book.all():
        ref = vitals.routes.get(status.slug)
        actor = None if ref is None else snapshot(ref)
        usage = None if book is None else book.known(status.slug)
        found.append(
            Facts(
                status.slug,
                status.state,
                status.version,
                actor.in_flight if actor is not None and actor.uptime else None,
                None if usage is None else usage.so_far(),
                0 if usage is None else usage.quota.storage,
                Queues() if usage is None else usage.queues,
            )
        )
    return found


def families(tenants: Sequence[Facts]) -> Iterator[Metric]:
    """Yield everything about tenants."""
    state = GaugeMetricFamily("backsaas_tenant_state", "1 for the state it is in", labels=("tenant", "state"))
    version = _gauge("backsaas_tenant_version", "deployed version of its file")
    active = _gauge("backsaas_tenant_active_requests", "requests in flight, of tenants that are awake")
    requests = CounterMetricFamily(
        "backsaas_tenant_requests", "requests by class of status", labels=("tenant", "status_class")
    )
    seconds = _counter("backsaas_tenant_request_seconds", "time spent on requests")
    egress = _counter("backsaas_tenant_egress_bytes", "bytes of bodies sent")
    functions = _counter("backsaas_tenant_function_seconds", "time functions ran")
    storage = _gauge("backsaas_tenant_storage_bytes", "size in the database, as last measured")
    queues = GaugeMetricFamily(
        "backsaas_tenant_queue_depth", "what waits, as last measured", labels=("tenant", "queue")
    )
    for one in tenants:
        name = (one.slug,)
        state.add_metric((one.slug, one.state), 1)
        version.add_metric(name, one.version)
        if one.active is not None:
            active.add_metric(name, one.active)
        if one.totals is None:
            continue
        for number, count in sorted(one.totals.by_class.items()):
            requests.add_metric((one.slug, f"{number}xx"), count)
        seconds.add_metric(name, one.totals.seconds)
        egress.add_metric(name, one.totals.egress)
        functions.add_metric(name, one.totals.function_seconds)
        storage.add_metric(name, one.storage)
        for queue, depth in one.queues._asdict().items():
            queues.add_metric((one.slug, queue), depth)
    yield from (state, version, active, requests, seconds, egress, functions, storage, queues)


def _gauge(name: str, help_text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, labels=("tenant",))


def _counter(name: str, help_text: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, help_text, labels=("tenant",))
