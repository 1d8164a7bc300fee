"""What administrators see of the running process, and that nobody else does."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.monitoring.conftest import NOTES
from tests.platform.conftest import Platform, installation

SECRET = "canary-in-a-filter-71c3"


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    live = installation(tmp_path_factory.mktemp("monitoring"))
    live.env |= {
        "BACKSAAS_DATABASE_SLOW_SECONDS": "0",
        "BACKSAAS_LOG_ACCESS": "true",
        "BACKSAAS_LOG_FORMAT": "json",
    }
    live.write(
        "acme-co",
        NOTES.replace("NAME", "acme-co") + "  runtime:\n    access: { read: [ { role: public } ] }\n",
    )
    platform = Platform(live)
    await platform.start()
    yield platform
    await live.stop()


def walk(actor: dict[str, Any]) -> list[dict[str, Any]]:
    return [actor, *(one for child in actor["children"] for one in walk(child))]


async def test_administrators_see_every_actor_with_its_figures(platform: Platform) -> None:
    for _ in range(3):
        status, _ = await platform.inside("acme-co", "GET", "notes")
        assert status == 200
    status, shown = await platform.call("GET", "runtime")
    assert status == 200, shown
    actors = {actor["name"]: actor for actor in walk(shown["actors"])}
    assert {"root", "database", "directory", "watcher", "metering", "gateway", "acme-co", "system"} <= set(
        actors
    )
    tenant = next(one for one in walk(shown["actors"]) if one["name"] == "acme-co")
    assert (tenant["state"], tenant["restarts"], tenant["last_error"]) == ("running", 0, None)
    assert tenant["processed"] >= 3
    assert tenant["uptime"] > 0
    assert shown["ready"] is True
    assert (
        0
        <= shown["loop"]["lag_ms"]["p50"]
        <= shown["loop"]["lag_ms"]["p99"]
        <= shown["loop"]["lag_ms"]["max"]
    )
    assert 0 < shown["connections"]["open"] <= shown["connections"]["limit"]


async def test_nobody_else_does(platform: Platform) -> None:
    somebody = await platform.person("somebody@example.com")
    for path in ("runtime", *(f"runtime/{part}" for part in ("errors", "slow", "lag", "reloads", "log"))):
        status, _ = await platform.client.send("GET", f"/api/platform/{path}", **somebody)
        assert status == 403, path
        status, _ = await platform.client.send("GET", f"/api/platform/{path}")
        assert status in {401, 403}, path
        status, _ = await platform.call("POST", path, {})
        assert status == 405, path


async def test_a_tenant_may_have_an_entity_of_that_name(platform: Platform) -> None:
    assert await platform.inside("acme-co", "GET", "runtime") == (200, [])


async def test_slow_statements_are_shown_without_values(platform: Platform) -> None:
    url = f"{platform.live.base('acme-co')}/notes?text=eq.{SECRET}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        request_id = answer.headers["X-Request-Id"]
    status, slow = await platform.call("GET", "runtime/slow?tenant=acme-co")
    assert status == 200
    assert {one["tenant"] for one in slow} == {"acme-co"}
    mine = [one for one in slow if one["request_id"] == request_id]
    assert mine
    assert any("$1" in one["statement"] for one in mine)
    assert SECRET not in json.dumps(slow)
    assert [one["at"] for one in slow] == sorted((one["at"] for one in slow), reverse=True)
    assert await platform.call("GET", "runtime/slow?tenant=nobody") == (200, [])


async def test_lines_of_the_log_say_for_whom_they_are(platform: Platform) -> None:
    slug = "made-here"
    async with (
        aiohttp.ClientSession(headers=platform.admin) as session,
        session.post(f"{platform.live.url}/api/platform/tenants", json={"slug": slug}) as answer,
    ):
        assert answer.status == 201, await answer.text()
        request_id = answer.headers["X-Request-Id"]
    lines = [json.loads(line) for line in platform.live.output().splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines if line.get("request_id") == request_id} >= {
        "request",
        "tenant.created",
    }
    # what runs by itself belongs to no request, whoever woke it
    own = [line for line in lines if line["event"] in {"actor.started", "reload.live"}]
    assert len(own) > 5
    assert [line for line in own if "request_id" in line] == []
    answered = [line for line in lines if line["event"] == "request"]
    assert all(line["request_id"] for line in answered)
    assert {line["tenant"] for line in answered} >= {"system", "acme-co"}


async def test_the_log_is_followed_by_numbers_and_shows_no_secret(platform: Platform) -> None:
    url = f"{platform.live.base('acme-co')}/notes"
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            request_id = answer.headers["X-Request-Id"]
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with session.get(url, headers=headers, params={"text": f"eq.{SECRET}"}) as answer:
            assert answer.status == 401
    status, lines = await platform.call("GET", "runtime/log?tenant=acme-co")
    assert status == 200
    numbers = [line["number"] for line in lines]
    assert numbers == sorted(numbers, reverse=True)
    (mine,) = [line for line in lines if line["request_id"] == request_id and line["event"] == "request"]
    assert (mine["level"], mine["tenant"]) == ("info", "acme-co")
    assert SECRET not in json.dumps(lines)
    _, later = await platform.call("GET", f"runtime/log?after={numbers[0]}")
    assert later
    assert all(line["number"] > numbers[0] for line in later)
    _, severe = await platform.call("GET", "runtime/log?level=error")
    assert {line["level"] for line in severe} <= {"error", "critical"}
    assert (await platform.call("GET", "runtime/log?level=loud"))[0] == 422


async def test_reloads_are_listed_by_phase(platform: Platform) -> None:
    status, reloads = await platform.call("GET", "runtime/reloads?tenant=acme-co")
    assert status == 200
    assert {one["tenant"] for one in reloads} == {"acme-co"}
    assert reloads[0]["version"] == 1
    assert sum(reloads[0]["phases_ms"].values()) <= reloads[0]["total_ms"] + 1
    assert isinstance((await platform.call("GET", "runtime/lag"))[1], list)


async def test_a_tenant_is_restarted_in_order_or_at_once(platform: Platform) -> None:
    async def actor() -> dict[str, Any]:
        _, shown = await platform.call("GET", "runtime")
        return next(one for one in walk(shown["actors"]) if one["name"] == "acme-co")

    status, told = await platform.rpc("restart_tenant", slug="acme-co")
    assert (status, told) == (200, {"tenant": "acme-co", "state": "running"})
    assert (await actor())["restarts"] == 0
    assert (await platform.rpc("restart_tenant", slug="acme-co", now=True))[0] == 200
    assert (await platform.inside("acme-co", "GET", "notes"))[0] in {200, 503}
    async with asyncio.timeout(30):
        while (seen := await actor())["restarts"] != 1 or seen["state"] != "running":
            await asyncio.sleep(0.05)
    _, reloads = await platform.call("GET", "runtime/reloads?tenant=acme-co")
    assert [one["version"] for one in reloads] == [1], "a start of the same version is no reload"
    assert "killed" in seen["last_error"]
    assert (await platform.inside("acme-co", "GET", "notes"))[0] == 200
    _, events = await platform.call("GET", "events?type=eq.tenant.restarted&slug=eq.acme-co")
    assert len(events) == 2
    assert (await platform.rpc("restart_tenant", slug="system"))[0] == 403
    assert (await platform.rpc("restart_tenant", slug="nobody"))[0] == 404
    somebody = await platform.person("another@example.com")
    body = {"slug": "acme-co"}
    status, _ = await platform.client.send("POST", "/api/platform/rpc/restart_tenant", body, **somebody)
    assert status == 403
