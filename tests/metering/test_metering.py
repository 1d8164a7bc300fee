"""What is counted is what was answered: the records equal the access log, also after a crash."""

import asyncio
import json
import signal
from typing import Any

from tests.metering.conftest import NOTES, add_notes, plan
from tests.platform.conftest import Platform

GIVES_UP = (
    NOTES.replace(
        "access:",
        """functions:
      bad: { trigger: after_create, function: create_record, retries: 0, config: { entity: notes, values: { nonsense: 1 } } }
    access:""",
    )
    + 'webhooks: { told: { url: "http://127.0.0.1:9/", events: [notes.created], retries: 0 } }'
)


def logged(platform: Platform, slug: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in platform.live.output().splitlines() if line.startswith("{")]
    found = [line for line in lines if line.get("event") == "request" and line.get("tenant") == slug]
    # what was asked before there was such a tenant is nobody's
    first = next(at for at, line in enumerate(found) if line["status"] != 404)
    return found[first:]


async def records(platform: Platform, slug: str) -> dict[str, int]:
    _, rows = await platform.call(
        "GET", f"usage_records?tenant.slug=eq.{slug}&select=metric,value,tenant:tenants!inner(slug)"
    )
    return {row["metric"]: int(row["value"]) for row in rows if row["tenant"]["slug"] == slug}


async def until_counted(platform: Platform, slug: str, number: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for _ in range(100):
        found = await records(platform, slug)
        if found.get("requests", 0) >= number:
            break
        await asyncio.sleep(0.05)
    return found


async def test_totals_are_those_of_the_access_log(platform: Platform) -> None:
    slug = "count-me"
    await add_notes(platform, slug)
    wanted = [
        ("GET", "notes"),
        ("GET", "notes?limit=1"),
        ("POST", "notes"),
        ("GET", "nothing"),
        ("PATCH", "notes"),
    ] * 12
    await asyncio.gather(
        *(
            platform.inside(slug, method, path, {"text": "x"} if method != "GET" else None)
            for method, path in wanted
        )
    )
    lines = logged(platform, slug)
    assert len(lines) >= len(wanted)
    found = await until_counted(platform, slug, sum(line["status"] < 500 for line in lines))
    assert found["requests"] == sum(line["status"] < 500 for line in lines)
    assert found["egress_bytes"] > 0
    status, chart = await platform.call("GET", f"metrics/requests?tenant={slug}")
    assert status == 200, chart
    assert sum(point["requests"] for point in chart["points"]) == len(lines)
    assert sum(point["refusals"] for point in chart["points"]) == sum(
        400 <= line["status"] < 500 for line in lines
    )
    _, top = await platform.call("GET", f"metrics/top?tenant={slug}&by=status")
    by_status = {int(point["name"]): point["requests"] for point in top["points"]}
    assert by_status == {status: sum(line["status"] == status for line in lines) for status in by_status}
    _, latency = await platform.call("GET", f"metrics/latency?tenant={slug}")
    assert all(0 < point["p50"] <= point["p95"] <= point["p99"] for point in latency["points"])


async def test_strangers_see_no_charts_and_owners_their_own(platform: Platform) -> None:
    await add_notes(platform, "chart-own")
    await add_notes(platform, "chart-not")
    owner = await platform.person("owner@example.com")
    _, me = await platform.client.send("GET", "/auth/v1/user", **owner)
    await platform.call("PATCH", "tenants?slug=eq.chart-own", {"owner_id": me["id"]})
    for path, expected in (
        ("metrics/requests?tenant=chart-own", 200), ("metrics/requests?tenant=chart-not", 404),
        ("metrics/requests", 403), ("metrics/top", 403), ("metrics/revenue", 403), ("metrics/growth?tenant=chart-own", 200),
    ):  # fmt: skip
        status, told = await platform.client.send("GET", f"/api/platform/{path}", **owner)
        assert status == expected, (path, told)
    status, _ = await platform.client.send("GET", "/api/platform/metrics/requests?tenant=chart-own")
    assert status == 401
    for name in ("active_users", "rows", "storage", "egress", "function_time", "revenue", "growth"):
        status, told = await platform.call("GET", f"metrics/{name}?from=2026-01-01&step=day")
        assert status == 200, told


async def test_a_crash_loses_at_most_what_came_since_the_last_flush(platform: Platform) -> None:
    slug = "crash-me"
    await add_notes(platform, slug)
    for _ in range(10):
        await platform.inside(slug, "GET", "notes")
    before = await until_counted(platform, slug, len(logged(platform, slug)))
    assert platform.live.process is not None
    platform.live.process.send_signal(signal.SIGKILL)
    platform.live.process.wait()
    await platform.live.start(str(platform.live.directory))
    after = await records(platform, slug)
    assert (after["requests"], after["egress_bytes"]) == (before["requests"], before["egress_bytes"])
    await platform.inside(slug, "GET", "notes")
    assert (await until_counted(platform, slug, before["requests"] + 1))["requests"] == before["requests"] + 1


async def given_up(platform: Platform, expected: dict[str, tuple[int, int]]) -> None:
    """Wait until the platform knows these counts of tasks and deliveries, by tenant."""
    found: dict[str, tuple[int, int]] = {}
    for _ in range(600):
        status, rows = await platform.rpc("dead_tasks")
        assert status == 200, rows
        found = {row["tenant"]: (row["tasks"], row["deliveries"]) for row in rows}
        if found == expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_what_was_given_up_is_known_until_somebody_sees_to_it(platform: Platform) -> None:
    await add_notes(platform, "is-fine")
    await add_notes(platform, "gives-up", GIVES_UP)
    for slug in ("is-fine", "gives-up"):
        assert (await platform.inside(slug, "POST", "notes", {"text": "x"}))[0] == 201
    await given_up(platform, {"gives-up": (1, 1)})
    await platform.live.restart()
    await given_up(platform, {"gives-up": (1, 1)})  # nobody asked the tenant since
    somebody = await platform.person("curious@example.com")
    refused = await platform.client.send("POST", "/api/platform/rpc/dead_tasks", {}, **somebody)
    assert refused[0] == 403, refused
    admin = await platform.enter("gives-up")
    status, dead = await platform.inside("gives-up", "GET", "tasks/v1?state=dead", **admin)
    assert status == 200, dead
    done = {task["kind"]: task["id"] for task in dead}
    await platform.inside("gives-up", "DELETE", f"tasks/v1/{done['webhook']}", **admin)
    await given_up(platform, {"gives-up": (1, 0)})
    await platform.rpc("suspend_tenant", slug="gives-up")
    await given_up(platform, {})
    await platform.rpc("resume_tenant", slug="gives-up")
    await given_up(platform, {"gives-up": (1, 0)})
    await platform.inside("gives-up", "DELETE", f"tasks/v1/{done['function']}", **admin)
    await given_up(platform, {})


async def test_who_has_used_up_a_quota_is_told_apart_from_who_has_not(platform: Platform) -> None:
    for slug in ("is-full", "has-room"):
        await add_notes(platform, slug)
    await plan(platform, "is-full", "metered")
    await plan(platform, "has-room", "slow")
    answers = [await platform.inside("is-full", "POST", "notes", [{"text": "x"}] * 500) for _ in range(3)]
    assert [status for status, _ in answers] == [201, 201, 402]
    status, told = await platform.rpc("quota_usage", near=True)
    assert status == 200, told
    assert [one["tenant"] for one in told] == ["is-full"]
    assert told[0]["quotas"]["rows"] == {"used": 1000, "limit": 1000, "share": 1.0, "metered": False}
    assert told[0]["quotas"]["requests"]["metered"] is True
    _, everybody = await platform.rpc("quota_usage")
    assert {one["tenant"] for one in everybody} >= {"is-full", "has-room"}
