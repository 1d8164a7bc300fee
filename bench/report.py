"""Prints figures as tables and keeps them as JSON."""

import datetime as dt
import json
import os
import platform
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def speed(told: dict) -> str:
    """Return the table of the comparison."""
    head = f"{'operation':18}{'at once':>8}  {'server':12}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}"
    lines = [
        f"{told['rows']:,} rows; CPU is that of the server's processes, user and system, without PostgreSQL",
        "",
        f"{head}{'CPU ms':>9}{'x hand':>8}{'failed':>8}",
    ]
    for operation, by_connections in told["figures"].items():
        for connections, by_server in by_connections.items():
            hand = by_server["handwritten"]["cpu_ms_per_request"]
            for index, (server, row) in enumerate(by_server.items()):
                names = f"{operation:18}{connections:>8}" if index == 0 else " " * 26
                cpu = row["cpu_ms_per_request"]
                lines.append(
                    f"{names}  {server:12}{row['requests_per_second']:>9.0f}{row['p50_ms']:>9.2f}"
                    f"{row['p99_ms']:>9.2f}{cpu:>9.3f}{cpu / hand if hand else 0:>8.2f}{row['failures']:>8}"
                )
    memory = f"{told['server_memory_mb']} MB, with its helpers {told['memory_mb']} MB"
    lines.append(f"\nmemory of BackSaas afterwards: {memory}")
    return "\n".join(lines)


def metering(told: dict) -> str:
    """Return what counting costs."""
    cpu, rate, (low, high) = (
        told["cpu_ms_per_request"],
        told["requests_per_second"],
        told["cost_percent_quartiles"],
    )
    return f"""\
one row by its key:  metered {cpu["metered"]} ms CPU, {rate["metered"]:.0f} req/s
                     not     {cpu["unmetered"]} ms CPU, {rate["unmetered"]:.0f} req/s
counting one request takes {told["counting_us"]} µs, {told["counting_percent"]} % of that
the difference: {told["cost_percent"]} % of CPU time (quartiles of {told["rounds"]} pairs: {low} to {high})"""


def outbox(told: dict) -> str:
    """Return how fast work after commits is done."""
    return f"""\
{told["tasks"]:,} changes, in batches of 500, to the last effect:
  functions  {told["functions_per_second"]:>9.0f} per second (each creates a row)
  webhooks   {told["webhooks_per_second"]:>9.0f} per second (each signed, sent, answered, logged)
one insert:  {told["insert_plain_ms"]} ms where nothing listens,
             {told["insert_counted_ms"]} ms where a function does"""


def functions(told: dict) -> str:
    """Return what functions cost a write, and a neighbour."""
    bare = told["inserts"]["plain"]["cpu_ms"]
    names = {
        "plain": "neither",
        "ruled": "a CEL rule",
        "filled": "set_fields before",
        "hooked": "Python before",
    }
    lines = [f"one insert with     {'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'ratio':>8}"]
    for kind, row in told["inserts"].items():
        ratio = row["cpu_ms"] / bare if bare else 0
        lines.append(
            f"  {names[kind]:18}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}{row['cpu_ms']:>9.3f}{ratio:>8.2f}"
        )
    alone, beside = told["neighbour"]["alone"], told["neighbour"]["beside_loops"]
    lines += [
        f"a call by name:  first {told['first_call_ms']:.1f} ms, warm p50 {told['warm_call_ms']:.2f} ms",
        f"reads of another tenant:       p50 {alone['p50_ms']:.2f}, p99 {alone['p99_ms']:.2f} ms",
        f"  beside four endless loops:   p50 {beside['p50_ms']:.2f}, p99 {beside['p99_ms']:.2f} ms",
    ]
    return "\n".join(lines)


def live(told: dict) -> str:
    """Return how soon followers are told."""
    lines = [f"{told['followers']:,} followers of one tenant, {told['rounds']} inserts:"]
    for name in ("one_query", "many_queries"):
        row = told[name]
        lines += [
            f"  {name.replace('_', ' '):13} all joined in {row['joined_seconds']} s",
            f"    the last told after   p50 {row['last_told_p50_ms']} ms, max {row['last_told_max_ms']} ms",
            f"    an insert answered    p50 {row['insert_ms']} ms",
            f"    a neighbour's read    p50 {row['neighbour_ms']} ms, max {row['neighbour_max_ms']} ms",
        ]
    alone = told["neighbour_alone_ms"]
    return "\n".join([*lines, f"nobody follows: insert {told['insert_plain_ms']} ms, read {alone} ms"])


def pages(told: dict) -> str:
    """Return how long after an input the page is painted anew."""
    lines = [f"a table of {told['rows']:,} rows, input to next paint:{'p50 ms':>14}{'max ms':>9}"]
    for name, row in told["inputs"].items():
        lines.append(f"  {name:18} {row['times']:>3} times{row['p50_ms']:>31g}{row['max_ms']:>9g}")
    return "\n".join(lines)


def scale(told: dict) -> str:
    """Return what many tenants cost."""
    one, first, second = told["one_tenant"], told["first_start"], told["second_start"]
    wake, more = told["activation_ms"], second["memory_mb"] - one["memory_mb"]
    return f"""\
one tenant:     ready in {one["ready_seconds"]} s, {one["memory_mb"]} MB
{told["tenants"]:,} tenants:  first start {first["all_seconds"]} s, later starts {second["ready_seconds"]} s
                {second["memory_mb"]} MB idle ({more:+.1f} MB)
a cold tenant:  first request p50 {wake["p50_ms"]} ms, p99 {wake["p99_ms"]} ms
                ({wake["requests"]} tenants, {wake["failures"]} failures)"""


def reloads(told: dict) -> str:
    """Return how long edits take and what they disturb."""
    quiet, loaded = told["additive_edit_ms"], told["under_load"]
    text = f"""\
a new field, save to live: p50 {quiet["p50_ms"]} ms, p95 {quiet["p95_ms"]} ms,
                           p99 {quiet["p99_ms"]} ms ({quiet["edits"]} edits, {quiet["never_live"]} never live)
{loaded["edits"]:,} edits under load:  {loaded["refused"]} of them bad, {loaded["never_live"]} never live;
                           {loaded["requests"]:,} requests at {loaded["requests_per_second"]}/s,
                           {loaded["failed_requests"]} failed, {loaded["mixed_versions"]} mixed versions"""
    return "\n".join([text, *(f"! {sample}" for sample in loaded.get("samples", ()))])


def keep(told: dict) -> Path:
    """Write everything down, with what it ran on."""
    now = dt.datetime.now(dt.UTC)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.system(),
            "python": platform.python_version(),
            "processor": platform.machine(),
        },
    } | told
    file = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(told, indent=2) + "\n")
    return file
