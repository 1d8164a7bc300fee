"""What a plan allows is what a tenant gets: never more, whoever asks at once, and from the moment it changes."""

import asyncio

from tests.metering.conftest import PLANS, add_notes, plan
from tests.platform.conftest import Platform


async def send(
    platform: Platform, slug: str, method: str = "GET", path: str = "notes", body: object = None
) -> tuple[int, dict]:
    return await platform.client.send(method, f"/api/tenants/{slug}/{path}", body)


async def test_a_tenant_without_a_plan_has_no_limits(platform: Platform) -> None:
    await add_notes(platform, "free-one")
    answers = [await send(platform, "free-one", "POST", body=[{"text": "x"}] * 50) for _ in range(2)]
    assert [status for status, _ in answers] == [201, 201]


async def test_rows_are_never_more_than_the_plan_allows_however_many_write_at_once(
    platform: Platform,
) -> None:
    await add_notes(platform, "race-rows")
    await plan(platform, "race-rows", "tiny")
    answers = await asyncio.gather(
        *(send(platform, "race-rows", "POST", body=[{"text": "x"}] * 2) for _ in range(12))
    )
    assert sorted(status for status, _ in answers) == [201] * 5 + [402] * 7
    refused = next(told for status, told in answers if status == 402)
    assert (refused["code"], refused["quota"], refused["limit"]) == ("quota.rows", "rows", 10)
    status, rows = await send(platform, "race-rows", path="notes?select=count()")
    assert (status, rows) == (200, [{"count": 10}])
    # what fails, and what is undone, takes nothing away from the others
    admin = await platform.enter("race-rows")
    await platform.inside("race-rows", "DELETE", "notes?text=eq.x", **admin)
    assert (await send(platform, "race-rows", "POST", body=[{"text": None}] * 9))[0] == 422
    batch = {"operations": [
        {"method": "POST", "path": "notes", "body": [{"text": "y"}] * 9},
        {"method": "POST", "path": "notes", "body": {"text": None}},
    ]}  # fmt: skip
    assert (await send(platform, "race-rows", "POST", "batch", batch))[0] == 422
    assert (await send(platform, "race-rows", "POST", body=[{"text": "z"}] * 10))[0] == 201
    assert (await send(platform, "race-rows", "POST", body={"text": "z"}))[0] == 402


async def test_the_months_requests_end_at_the_limit_and_another_plan_counts_at_once(
    platform: Platform,
) -> None:
    await add_notes(platform, "race-asks")
    await plan(platform, "race-asks", "tiny")
    before = 0
    while not before:  # what was asked before there was a plan counts from the next flush on
        _, told = await platform.call("POST", "rpc/tenant_usage", {"tenant": "race-asks"})
        before = told["quotas"]["requests"]["used"]
    statuses = [one[0] for one in await asyncio.gather(*(send(platform, "race-asks") for _ in range(60)))]
    assert (statuses.count(200), statuses.count(429)) == (40 - before, 20 + before)
    status, told = await send(platform, "race-asks")
    assert (status, told["code"], told["quota"]) == (429, "quota.requests", "requests")
    await plan(platform, "race-asks", "metered")  # charged for instead of refused
    assert [(await send(platform, "race-asks"))[0] for _ in range(3)] == [200] * 3
    for _ in range(100):
        _, events = await platform.call("GET", "events?slug=eq.race-asks&type=in.(quota.near,quota.reached)")
        if events:
            break
        await asyncio.sleep(0.05)
    assert events[0]["data"]["quota"] == "requests"


async def test_a_rate_is_the_whole_tenants(platform: Platform) -> None:
    await add_notes(platform, "slow-one")
    await plan(platform, "slow-one", "slow")
    answers = await asyncio.gather(*(send(platform, "slow-one") for _ in range(8)))
    refused = [told["code"] for status, told in answers if status == 429]
    assert len(refused) >= 4
    assert set(refused) == {"quota.rate"}


async def test_people_and_entities_and_storage(platform: Platform) -> None:
    await add_notes(platform, "few-people")
    await plan(platform, "few-people", "tiny")
    people = await asyncio.gather(
        *(
            send(
                platform,
                "few-people",
                "POST",
                "auth/v1/signup",
                {"email": f"p{n}@example.com", "password": "long enough 9!"},
            )
            for n in range(4)
        )
    )
    assert sorted(status for status, _ in people) == [200, 200, 402, 402], people
    text = (platform.live.schemas / "few-people.yaml").read_text()
    more = "".join(f"  e{n}: {{ schema: {{ properties: {{ a: {{ type: string }} }} }} }}\n" for n in range(3))
    platform.live.write("few-people", text + more)
    status = {}
    for _ in range(100):
        _, status = await platform.call("GET", "tenants/few-people/schema/status")
        if status.get("rejection"):
            break
        await asyncio.sleep(0.05)
    assert "quota.entities" in str(status["rejection"])
    await plan(platform, "few-people", "full")
    await send(platform, "few-people")
    for _ in range(100):
        told = await send(platform, "few-people", "POST", body={"text": "x"})
        if told[0] == 402:
            break
        await asyncio.sleep(0.05)
    assert told[1]["quota"] == "storage"
    assert (await send(platform, "few-people"))[0] == 200


async def test_a_saved_plan_file_counts_at_once_and_a_bad_one_changes_nothing(platform: Platform) -> None:
    await add_notes(platform, "edit-plan")
    await plan(platform, "edit-plan", "tiny")
    file = platform.live.config / "plans.yaml"
    file.write_text(PLANS.replace("rows: 10,", "rows: 1,").replace("price: 10.00", "price: ten"))
    for _ in range(100):
        if "plans.refused" in platform.live.output():
            break
        await asyncio.sleep(0.05)
    assert "plans.metered.price: a number" in platform.live.output()
    assert (await send(platform, "edit-plan", "POST", body=[{"text": "x"}] * 3))[0] == 201
    file.write_text(PLANS.replace("rows: 10,", "rows: 3,"))
    for _ in range(100):
        _, rows = await platform.call("GET", "plans?name=eq.tiny&select=max_rows")
        if rows == [{"max_rows": 3}]:
            break
        await asyncio.sleep(0.05)
    assert (await send(platform, "edit-plan", "POST", body={"text": "x"}))[0] == 402
    file.write_text(PLANS)
