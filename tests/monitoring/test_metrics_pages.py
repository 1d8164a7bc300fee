"""What operators and their Prometheus read on the admin port, and who else does not."""

import asyncio
import re
import time

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from gateway.admin import AdminServer
from gateway.fresh import Fresh
from tests.live import ROOT, Live
from tests.monitoring.conftest import samples


async def page(session: aiohttp.ClientSession, live: Live, path: str = "/metrics") -> str:
    async with session.get(f"{live.admin_url}{path}") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return await answer.text()


async def counted(session: aiohttp.ClientSession, live: Live, route: str, status: str) -> float:
    return sum(
        sample.value
        for sample in samples(await page(session, live))
        if sample.name == "http_server_request_duration_seconds_count"
        and (sample.labels["http_route"], sample.labels["http_response_status_code"]) == (route, status)
    )


async def test_requests_are_counted_by_route_and_never_lost_or_doubled(
    live: Live, session: aiohttp.ClientSession
) -> None:
    before = await counted(session, live, "{entity}", "200"), await counted(session, live, "", "404")
    for _ in range(30):
        async with session.get(f"{live.base('acme-co')}/notes") as answer:
            assert answer.status == 200
    async with session.get(f"{live.url}/nothing/here") as answer:
        assert answer.status == 404
    deadline = time.monotonic() + 30
    found = 0.0
    while found < before[0] + 30 and time.monotonic() < deadline:
        found = await counted(session, live, "{entity}", "200")
        await asyncio.sleep(0.1)
    assert found == before[0] + 30
    await asyncio.sleep(1.2)  # what metering wrote meanwhile is counted still, and once
    assert await counted(session, live, "{entity}", "200") == before[0] + 30
    assert await counted(session, live, "", "404") == before[1] + 1


async def test_no_tenant_and_no_client_makes_series(live: Live, session: aiohttp.ClientSession) -> None:
    for number in range(20):
        async with session.get(f"{live.base('acme-co')}/strange{number}/{number}?x={number}") as answer:
            assert answer.status == 404
        async with session.request("GET", f"{live.base(f'nobody-{number}')}/notes") as answer:
            assert answer.status == 404
    text = await page(session, live)
    assert "acme-co" not in text
    assert "strange" not in text
    assert "nobody" not in text
    per_tenant = await page(session, live, "/tenant-metrics")
    known = {sample.labels["tenant"] for sample in samples(per_tenant)}
    assert known == {"acme-co", "quiet-co"}
    asked = {
        (sample.labels["tenant"], sample.labels["status_class"]): sample.value
        for sample in samples(per_tenant)
        if sample.name == "backsaas_tenant_requests_total"
    }
    assert asked["acme-co", "4xx"] >= 20
    assert not any(slug == "quiet-co" for slug, _ in asked)
    assert "bucket" not in per_tenant


async def test_the_docs_list_every_family(live: Live, session: aiohttp.ClientSession) -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    listed = set(re.findall(r"^\| `((?:http|backsaas|process)_\w+)", text, re.MULTILINE))
    served = set()
    for path in ("/metrics", "/tenant-metrics"):
        for family in text_string_to_metric_families(await page(session, live, path)):
            assert family.documentation
            # the parser takes the ending of counters away
            served.add(f"{family.name}_total" if family.type == "counter" else family.name)
    assert {name for name in listed if not name.startswith("process")} == {
        name for name in served if not name.startswith("process")
    }
    assert listed <= served


async def test_reloads_and_states_are_counted(live: Live, session: aiohttp.ClientSession) -> None:
    async def reloads(result: str) -> float:
        return sum(
            sample.value
            for sample in samples(await page(session, live))
            if sample.name == "backsaas_schema_reloads_total" and sample.labels["result"] == result
        )

    assert await reloads("live") == 2
    live.write("quiet-co", "version: 1\nservice: { name: quiet-co }\nentities: { notes: { shema: {} } }\n")
    deadline = time.monotonic() + 30
    while await reloads("refused") < 1 and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert await reloads("refused") == 1
    states = {
        sample.labels["state"]: sample.value
        for sample in samples(await page(session, live))
        if sample.name == "backsaas_tenants"
    }
    assert states == {"serving": 2}


async def test_only_operators_learn_more_than_yes_or_no() -> None:
    async def text() -> bytes:
        return b"one 1\n"

    for token, headers, status in (
        ("", {}, 200),
        # a proxy on this machine speaks for somebody elsewhere
        ("", {"X-Forwarded-For": "203.0.113.9"}, 401),
        ("", {"Forwarded": "for=203.0.113.9"}, 401),
        ("operators-only-token", {}, 401),
        ("operators-only-token", {"Authorization": "Bearer wrong"}, 401),
        ("operators-only-token", {"Authorization": "Bearer operators-only-token"}, 200),
    ):
        admin = AdminServer("127.0.0.1", 0, token, lambda: "starting", {"/metrics": text})
        _, port = await admin.start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
            async with session.get("/metrics") as answer:
                assert answer.status == status
                assert ("one 1" in await answer.text()) is (status == 200)
            async with session.get("/readyz") as answer:
                assert answer.status == 503
                assert ("starting" in await answer.text()) is (status == 200)
            async with session.get("/livez") as answer:
                assert answer.status == 200
        await admin.stop()


async def test_what_costs_something_is_made_once_a_second_however_many_ask() -> None:  # docs/attacks.md D12
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0)
        return made

    fresh = Fresh(make, seconds=3600)
    assert await asyncio.gather(*(fresh.get() for _ in range(50))) == [1] * 50
    always = Fresh(make, seconds=0)
    assert [await always.get(), await always.get()] == [2, 3]
