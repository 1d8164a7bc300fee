"""The admin port and the language's schema on the public one."""

import aiohttp

from gateway.admin import AdminServer
from tests.gateway.conftest import Serve


async def test_health_and_counters() -> None:
    reason = ["starting"]

    async def metrics() -> bytes:
        return b'backsaas_requests_total{status="200"} 3\n'

    admin = AdminServer("127.0.0.1", 0, "", lambda: reason[0], {"/metrics": metrics})
    _, port = await admin.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in ("/livez", "/live"):
            assert (await session.get(path)).status == 200
        for path in ("/readyz", "/ready"):
            answer = await session.get(path)
            assert (answer.status, (await answer.json())["reason"]) == (503, "starting")
        reason[0] = ""
        assert (await session.get("/readyz")).status == 200
        assert await (await session.get("/metrics")).text() == (await metrics()).decode()
        nothing = await session.get("/api/tenants/x")
        assert (nothing.status, nothing.content_type) == (404, "application/problem+json")
        assert (await session.post("/livez")).status == 405
        assert (await session.get("/livez", headers={"Host": "other"})).status == 200
    await admin.stop()


async def test_the_language_and_the_problems_have_pages(serve: Serve) -> None:
    served = await serve()
    status, headers, schema = await served.get("/schemas/tenant.schema.json")
    assert (status, headers["content-type"]) == (200, "application/schema+json")
    assert schema["$id"] == "/schemas/tenant.schema.json"
    _, _, problem = await served.get("/nowhere")
    status, _, page = await served.get(problem["type"])
    assert (status, page["code"], page["status"]) == (200, "http.not_found", 404)
    assert (await served.get("/problems/nothing.like.that"))[0] == 404


async def test_rates_are_limited_where_set(serve: Serve) -> None:
    served = await serve(rate_per_second=1, rate_burst=3)
    answers = [await served.get("/api/tenants/acme-corp/x") for _ in range(5)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[-1][1]["retry-after"] == "1"
    assert (await served.get("/api/tenants/globex/x"))[0] == 200
