"""What each tenant does, as families of metrics for Prometheus: few series per tenant, no histograms.

Decides names and labels; ``docs/operations.md`` lists them. Tenants that were asked nothing since the process
began have a state only. Loaded when somebody asks for the first time.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.vitals import Vitals
from runtime.snapshot import snapshot


def tenant_families(vitals: Vitals) -> Iterator[Metric]:
    """Yield everything about tenants."""
    yield from _states(vitals)
    if vitals.platform is None or vitals.platform.usage is None:
        return
    requests = CounterMetricFamily(
        "backsaas_tenant_requests", "requests by class of status", labels=("tenant", "status_class")
    )
    seconds = CounterMetricFamily(
        "backsaas_tenant_request_seconds", "time spent on requests", labels=("tenant",)
    )
    egress = CounterMetricFamily("backsaas_tenant_egress_bytes", "bytes of bodies sent", labels=("tenant",))
    functions = CounterMetricFamily(
        "backsaas_tenant_function_seconds", "time functions ran", labels=("tenant",)
    )
    storage = GaugeMetricFamily(
        "backsaas_tenant_storage_bytes", "size in the database, as last measured", labels=("tenant",)
    )
    queues = GaugeMetricFamily(
        "backsaas_tenant_queue_depth", "what waits, as last measured", labels=("tenant", "queue")
    )
    for slug, usage in sorted(vitals.platform.usage.all().items()):
        totals = usage.so_far()
        for number, count in sorted(totals.by_class.items()):
            requests.add_metric((slug, f"{number}xx"), count)
        seconds.add_metric((slug,), totals.seconds)
        egress.add_metric((slug,), totals.egress)
        functions.add_metric((slug,), totals.function_seconds)
        storage.add_metric((slug,), usage.quota.storage)
        for name, depth in usage.queues._asdict().items():
            queues.add_metric((slug, name), depth)
    yield from (requests, seconds, egress, functions, storage, queues)


def _states(vitals: Vitals) -> Iterator[Metric]:
    state = GaugeMetricFamily("backsaas_tenant_state", "1 for the state it is in", labels=("tenant", "state"))
    version = GaugeMetricFamily("backsaas_tenant_version", "deployed version of its file", labels=("tenant",))
    for status in vitals.book.all():
        state.add_metric((status.slug, status.state), 1)
        version.add_metric((status.slug,), status.version)
    in_flight = GaugeMetricFamily(
        "backsaas_tenant_active_requests", "requests in flight, of tenants that are awake", labels=("tenant",)
    )
    for slug, ref in sorted(vitals.routes.items()):
        actor = snapshot(ref)
        if actor.uptime:
            in_flight.add_metric((slug,), actor.in_flight)
    yield from (state, version, in_flight)
