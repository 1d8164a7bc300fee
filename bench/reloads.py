"""How long a saved file takes to be live, and whether anybody notices while a thousand are saved."""

import http.client
import time
from collections.abc import Callable
from pathlib import Path

from bench.processes import Load, Platform
from bench.speed import Tally

SLUG = "edited"
TENANT = """\
version: 1
service: {{ name: edited }}
entities:
  things:
    schema:
      required: [name]
      properties:
        name: {{ type: string }}
        count: {{ type: integer, default: 0 }}
        first: {{ type: integer, computed: self.count + {number} }}
{fields}        last: {{ type: integer, computed: self.count + {number} }}
    access: {{ read: [ public ], write: [ admin ] }}
"""
BROKEN = """\
version: 1
entities:
  things: {{ schema: {{ properties: {{ count: {{ type: intteger, default: {number} }} }} }} }}
"""
PATIENCE_SECONDS = 30.0
RATE = 250


class Edited:
    """A tenant's file that is saved again and again, and a client that watches."""

    def __init__(self, platform: Platform, schemas: Path) -> None:
        self.file = schemas / f"{SLUG}.yaml"
        self.connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
        self.fields: list[str] = []

    def save(self, number: int, *, broken: bool = False) -> None:
        """Replace the file in one move, as editors do."""
        text = BROKEN if broken else TENANT
        fields = "".join(f"        {name}: {{ type: string, maxLength: 80 }}\n" for name in self.fields)
        beside = self.file.with_suffix(".tmp")
        beside.write_text(text.format(number=number, fields=fields))
        beside.replace(self.file)

    def answers(self, query: str) -> tuple[int, bytes]:
        """Ask."""
        self.connection.request("GET", f"/api/tenants/{SLUG}/things?{query}")
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def wait_until(self, live: Callable[[], bool]) -> float | None:
        """Wait until an answer shows the edit; return the seconds, None when it never came."""
        begin = time.perf_counter()
        while time.perf_counter() - begin < PATIENCE_SECONDS:
            if live():
                return time.perf_counter() - begin
            time.sleep(0.001)
        return None


def measure(dsn: str, folder: Path, load: Load, *, quick: bool) -> dict:
    """Measure edits on a quiet server, then under load."""
    schemas = folder / "edited"
    schemas.mkdir()
    (schemas / f"{SLUG}.yaml").write_text(TENANT.format(number=0, fields=""))
    platform = Platform("edited", schemas, folder / "data-edited", dsn)
    try:
        platform.wait_for("/readyz", platform.admin_port)
        platform.wait_for(f"/api/tenants/{SLUG}/things")
        edited = Edited(platform, schemas)
        _insert(platform)
        quiet = _quiet(edited, 20 if quick else 100)
        return {
            "additive_edit_ms": quiet,
            "under_load": _loaded(edited, platform, load, 60 if quick else 1000),
        }
    finally:
        platform.stop()


def _insert(platform: Platform) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
    head = {"Content-Type": "application/json", "apikey": platform.key(SLUG)}
    rows = "[" + ",".join(f'{{"name":"thing {index}"}}' for index in range(20)) + "]"
    connection.request("POST", f"/api/tenants/{SLUG}/things", rows, head)
    answer = connection.getresponse()
    if answer.status != 201:
        raise SystemExit(f"the rows were refused: {answer.read().decode()}")


def _quiet(edited: Edited, edits: int) -> dict:
    """Add a field at a time; live is when it can be selected."""
    tally = Tally(seconds=1)
    for index in range(edits):
        name = f"added_{index}"
        edited.fields.append(name)
        edited.save(0)
        seconds = edited.wait_until(lambda name=name: edited.answers(f"select={name}&limit=1")[0] == 200)
        tally.count += 1
        if seconds is None:
            tally.failures += 1
        else:
            tally.microseconds.append(int(seconds * 1e6))
        time.sleep(0.15)  # a new edit, not a part of the last
    figures = tally.figures()
    times = sorted(tally.microseconds)
    return {
        "edits": edits,
        "never_live": tally.failures,
        "p50_ms": figures["p50_ms"],
        "p95_ms": round(times[int(len(times) * 0.95)] / 1000, 1) if times else 0.0,
        "p99_ms": figures["p99_ms"],
    }


def _loaded(edited: Edited, platform: Platform, load: Load, edits: int) -> dict:
    """Save while requests come in; each answer's rows must be of one version."""
    request = (
        f"GET /api/tenants/{SLUG}/things?select=name,first,last&limit=10 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    totals = {
        "edits": 0,
        "refused": 0,
        "never_live": 0,
        "requests": 0,
        "failed_requests": 0,
        "mixed_versions": 0,
    }
    samples: list[str] = []
    number = 0
    while totals["edits"] < edits:
        load.start(platform.port, [request], 16, 20, rate=RATE, same=["first", "last"])
        until = time.perf_counter() + 18
        while totals["edits"] < edits and time.perf_counter() < until:
            number += 1
            totals["edits"] += 1
            if number % 10 == 0:  # a bad edit in between: the version before must go on serving
                edited.save(number, broken=True)
                totals["refused"] += 1
                time.sleep(0.12)
                continue
            edited.save(number)
            wanted = b'"first":%d' % number
            live = edited.wait_until(
                lambda wanted=wanted: wanted in edited.answers("select=first&limit=1")[1].replace(b" ", b"")
            )
            totals["never_live"] += live is None
        result = load.result()
        totals["requests"] += result["count"]
        totals["failed_requests"] += result["failures"]
        totals["mixed_versions"] += result["mixed"]
        samples += result["samples"]
    totals["requests_per_second"] = RATE
    return totals | ({"samples": samples[:5]} if samples else {})
