"""A thousand tenants that nobody uses: what they cost in memory and start-up, and how one wakes up."""

import http.client
import re
import time
from pathlib import Path

from bench.processes import Platform
from bench.speed import Tally

TENANT = """\
version: 1
service: {{ name: {slug} }}
entities:
  things:
    schema:
      required: [name]
      properties: {{ name: {{ type: string }}, amount: {{ type: number, multipleOf: 0.01 }} }}
    access: {{ read: [ public ], write: [ admin ] }}
  parts:
    schema: {{ properties: {{ thing_id: {{ references: things }}, count: {{ type: integer }} }} }}
    access: {{ read: [ public ] }}
"""
SETTLED_SECONDS = 3.0


def measure(dsn: str, folder: Path, *, quick: bool) -> dict:
    """Start with one tenant and with many; wake some of them."""
    count = 100 if quick else 1000
    few, many = folder / "few", folder / "many"
    for place, number in ((few, 1), (many, count)):
        place.mkdir()
        for index in range(number):
            slug = f"tenant-{index:04}"
            (place / f"{slug}.yaml").write_text(TENANT.format(slug=slug))
    _start(few, folder / "data-few", dsn, [])
    one, _ = _start(few, folder / "data-few", dsn, [])
    first, _ = _start(many, folder / "data-many", dsn, [])
    second, activation = _start(many, folder / "data-many", dsn, _cold(count))
    return {
        "tenants": count,
        "one_tenant": one,
        "first_start": first,
        "second_start": second,
        "activation_ms": activation,
    }


def _cold(count: int) -> list[str]:
    return [f"tenant-{index:04}" for index in range(1, count, max(1, count // 50))]


def _start(schemas: Path, data: Path, dsn: str, cold: list[str]) -> tuple[dict, dict]:
    platform = Platform("many", schemas, data, dsn)
    tally = Tally(seconds=1)
    try:
        ready = platform.wait_for("/readyz", platform.admin_port, 900)
        made = _wait_for_all(platform, len(list(schemas.glob("*.yaml"))))
        time.sleep(SETTLED_SECONDS)
        idle = platform.memory_mb()
        for slug in cold:
            begin = time.perf_counter_ns()
            connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
            connection.request("GET", f"/api/tenants/{slug}/things?limit=1")
            answer = connection.getresponse()
            answer.read()
            connection.close()
            tally.count += 1
            tally.microseconds.append((time.perf_counter_ns() - begin) // 1000)
            tally.failures += answer.status != 200
        told = {
            "ready_seconds": round(ready, 2),
            "all_seconds": round(max(ready, made), 2),
            "memory_mb": round(idle, 1),
        }
        if cold:
            told["memory_after_waking_mb"] = round(platform.memory_mb(), 1)
        return told, {key: tally.figures()[key] for key in ("p50_ms", "p99_ms", "requests", "failures")}
    finally:
        platform.stop()


def _wait_for_all(platform: Platform, count: int, seconds: float = 1800) -> float:
    """Wait until every tenant has its tables; return the seconds since the start."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        connection = http.client.HTTPConnection("127.0.0.1", platform.admin_port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        known = sum(
            map(
                float, re.findall(r'^backsaas_tenants\{state="(?:cold|serving)"\} (\S+)$', text, re.MULTILINE)
            )
        )
        if known >= count:
            return time.perf_counter() - platform.started
        time.sleep(0.1)
    raise SystemExit(f"{platform.name}: not all of {count} tenants are there after {seconds:.0f} s")
