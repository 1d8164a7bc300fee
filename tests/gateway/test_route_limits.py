"""What a rule limits and edits for targets that are actors; docs/attacks.md D1, D11, C19."""

import asyncio

import pytest

from gateway.rule_file import parse_rules
from tests.gateway.conftest import Serve, Served, parse

ACME = "/api/tenants/acme-corp"


def api(more: str) -> str:
    return f"- {{path: '/api/tenants/{{slug}}/*', target: 'tenant-api-{{slug}}', {more}}}"


async def statuses(served: Served, path: str, *headers: str, times: int = 4) -> list[int]:
    return [(await served.get(path, *headers))[0] for _ in range(times)]


async def test_a_route_counts_per_address(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(parse_rules(api("rate_limit: 3/h")))
    status, headers, _ = await served.get(f"{ACME}/x")
    assert (status, headers["ratelimit-policy"], headers["ratelimit"]) == (
        200,
        '"route";q=3;w=3600',
        '"route";r=2;t=1200',
    )
    # every tenant behind the rule, every path: one address has one limit
    assert await statuses(served, "/api/tenants/globex/y") == [200, 200, 429, 429]
    status, headers, document = await served.get(f"{ACME}/x")
    assert (status, document["code"]) == (429, "http.rate_limited")
    assert headers["ratelimit"].startswith('"route";r=0;t=3')
    assert 1100 < int(headers["retry-after"]) <= 1200
    assert sum(len(tenant.calls) for tenant in served.tenants.values()) == 3


async def test_addresses_are_counted_one_by_one_and_networks_as_one(serve: Serve) -> None:
    served = await serve(trusted_proxies="127.0.0.1")
    served.gateway.apply(parse_rules(api("rate_limit: 2/h")))

    async def from_(address: str) -> int:
        return int((await served.get(f"{ACME}/x", f"X-Forwarded-For: {address}"))[0])

    assert [await from_("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert await from_("192.0.2.2") == 200
    # a /64 is one customer, whichever of its addresses asks
    assert [await from_(f"2001:db8:0:1::{n}") for n in range(1, 5)] == [200, 200, 429, 429]
    assert await from_("2001:db8:0:2::1") == 200


async def test_what_a_client_says_of_its_address_changes_nothing(serve: Serve) -> None:  # A4
    served = await serve()
    served.gateway.apply(parse_rules(api("rate_limit: 2/h")))
    answers = [(await served.get(f"{ACME}/x", f"X-Forwarded-For: 192.0.2.{n}"))[0] for n in range(4)]
    assert answers == [200, 200, 429, 429]


@pytest.mark.parametrize(("per", "globex"), [("tenant", 200), ("route", 429)])
async def test_counting_per_tenant_or_all_together(serve: Serve, per: str, globex: int) -> None:
    served = await serve()
    served.gateway.apply(parse_rules(api(f"rate_limit: {{limit: 2/h, per: {per}}}")))
    assert await statuses(served, f"{ACME}/x", times=3) == [200, 200, 429]
    assert (await served.get("/api/tenants/globex/x"))[0] == globex


async def test_the_settings_limit_tells_what_is_left(serve: Serve) -> None:
    served = await serve(rate_per_second=0.5, rate_burst=2)
    _, headers, _ = await served.get(f"{ACME}/x")
    assert (headers["ratelimit-policy"], headers["ratelimit"]) == ('"default";q=2;w=4', '"default";r=1;t=2')
    assert await statuses(served, f"{ACME}/x", times=2) == [200, 429]
    await asyncio.sleep(2.05)
    assert await statuses(served, f"{ACME}/x", times=2) == [200, 429]


async def test_refusals_cost_as_well_and_preflights_do_not(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(parse_rules(api("rate_limit: 2/h, auth: {required: true}")))
    preflight = f"OPTIONS {ACME}/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://acme.example\r\nConnection: close\r\n\r\n"
    for _ in range(3):
        assert parse(await served.raw(preflight.encode()))[0] == 204
    assert await statuses(served, f"{ACME}/x", times=3) == [401, 401, 429]


async def test_rules_keep_their_counts_when_saved_again(serve: Serve) -> None:
    served = await serve()
    text = api("rate_limit: 2/h")
    served.gateway.apply(parse_rules(text))
    assert await statuses(served, f"{ACME}/x", times=2) == [200, 200]
    served.gateway.apply(parse_rules(text + "\n- {path: /other, target: platform-api}"))
    assert await statuses(served, f"{ACME}/x", times=1) == [429]


async def test_bodies_have_the_rules_limit(serve: Serve) -> None:
    served = await serve(body_bytes=1024)
    served.gateway.apply(
        parse_rules(
            api("body_limit: 4KiB") + "\n- {path: /api/platform/*, target: platform-api, body_limit: 10B}"
        )
    )
    for path, size, status in (
        (ACME, 4096, 200),
        (ACME, 4097, 413),
        ("/api/platform", 10, 200),
        ("/api/platform", 11, 413),
    ):
        head = f"POST {path}/items HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        assert parse(await served.raw(head.encode() + b"1" * size))[0] == status


async def test_headers_are_edited_both_ways(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(
        parse_rules(
            api(
                "headers: {request: {add: {Prefer: return=minimal}, remove: [Range]},"
                " response: {add: {X-Frame-Options: DENY, Location: /here}, remove: [Ratelimit]}}"
            )
        )
    )
    _, headers, document = await served.get(f"{ACME}/x", "Prefer: count=exact", "Range: 0-5")
    assert document["prefer"] == "return=minimal"
    assert "0-5" not in str(document)
    assert headers["x-frame-options"] == "DENY"
    _, headers, _ = await served.get(f"{ACME}/splitting")
    assert headers["location"] == "/here"
    _, headers, _ = await served.get(f"{ACME}/missing")
    assert headers["x-frame-options"] == "DENY"
    body = f"POST {ACME}/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
    assert parse(await served.raw(body.encode()))[2]["body"] == "[]"


async def test_a_rewrite_gives_the_actor_another_path(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(
        parse_rules("- {path: '/shop/{slug}/*', target: 'tenant-api-{slug}', rewrite: '/rest/v1/{rest}'}")
    )
    status, _, document = await served.get("/shop/globex/rpc")
    assert (status, document["entity"], document["base"], document["slug"]) == (
        200,
        "rpc",
        "/shop/globex",
        "globex",
    )


async def test_a_request_ends_in_time(serve: Serve) -> None:
    served = await serve(request_seconds=0.3)
    tenant = served.tenants["acme-corp"]
    status, _, document = await served.get(f"{ACME}/slow")
    assert (status, document["code"]) == (504, "http.deadline")
    assert tenant.cancelled == 1
    post = f"POST {ACME}/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    status, _, document = parse(await served.raw(post.encode()))
    assert (status, document["code"]) == (503, "outcome_unknown")
    assert "Idempotency-Key" in document["hint"]
    assert served.gateway.counters.in_flight == 0
    # a rule's own time, longer or shorter
    served.gateway.apply(parse_rules(api("timeout: 100ms")))
    assert (await served.get(f"{ACME}/slow"))[0] == 504
    served.gateway.apply(parse_rules(api("timeout: 5s")))
    asyncio.get_running_loop().call_later(0.6, tenant.release.set)
    assert (await served.get(f"{ACME}/slow"))[0] == 200


async def test_the_time_to_send_a_body_is_the_clients(serve: Serve) -> None:
    served = await serve(request_seconds=0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST {ACME}/items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n[".encode())
    await asyncio.sleep(0.6)
    writer.write(b"]")
    assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
    (call,) = served.tenants["acme-corp"].calls
    assert call.deadline > asyncio.get_running_loop().time()
    writer.close()


async def test_a_rule_may_name_one_tenant(serve: Serve) -> None:
    served = await serve()
    served.gateway.apply(
        parse_rules(
            "- {host: api.acme.example, target: 'tenant-api-acme-corp:8000'}\n"
            "- {path: '/globex/*', target: tenant-api-globex}"
        )
    )
    _, _, document = await served.get("/rest/v1/items", host="api.acme.example")
    assert (document["slug"], document["base"], document["entity"]) == ("acme-corp", "", "items")
    _, _, document = await served.get("/globex/items")
    assert (document["slug"], document["base"], document["entity"]) == ("globex", "/globex", "items")
    for path, host in (
        ("/globex/items", "acme-corp.localhost"),
        ("/api/tenants/globex/x", "api.acme.example"),
    ):
        status, _, document = await served.get(path, host=host)
        assert status in {400, 404}, document
