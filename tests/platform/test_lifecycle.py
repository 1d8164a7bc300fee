"""Tenants are closed, opened, renamed, deleted and had back; what is deleted is gone."""

import asyncio

from actors.tenant import registry
from tests.platform.conftest import Platform


async def test_a_suspended_tenant_says_why_and_keeps_everything(platform: Platform) -> None:
    await platform.create("pause-co")
    inside = await platform.enter("pause-co")
    assert (await platform.rpc("suspend_tenant", slug="pause-co", reason="The bill is open."))[0] == 200
    status, answer = await platform.inside("pause-co", "GET", "notes", **inside)
    assert (status, answer["code"], answer["detail"]) == (503, "tenant.suspended", "The bill is open.")
    # a saved file and a restart change nothing about it
    await platform.live.stop()
    await platform.start()
    status, answer = await platform.inside("pause-co", "GET", "notes", **inside)
    assert (status, answer["detail"]) == (503, "The bill is open.")
    assert (await platform.rpc("resume_tenant", slug="pause-co"))[0] == 200
    assert (await platform.inside("pause-co", "GET", "notes", **inside))[0] == 200
    for slug, wanted in (("system", 403), ("no-such-co", 404), ("../x", 404)):
        assert (await platform.rpc("suspend_tenant", slug=slug))[0] == wanted


async def test_deletion_has_a_time_of_grace(platform: Platform) -> None:
    await platform.create("back-co")
    inside = await platform.enter("back-co")
    status, answer = await platform.rpc("delete_tenant", slug="back-co")
    assert (status, answer["code"]) == (409, "tenant.confirm")
    status, answer = await platform.rpc("delete_tenant", slug="back-co", confirm="back-co")
    assert (status, answer["status"], answer["deleted"]) == (200, "archived", False)
    assert (await platform.inside("back-co", "GET", "notes", **inside))[0] == 404
    assert (await platform.create("back-co"))[0] == 409, "the slug is not free yet"
    assert (await platform.rpc("resume_tenant", slug="back-co"))[0] == 200
    assert (await platform.inside("back-co", "GET", "notes", **inside))[0] == 200


async def test_a_deleted_tenant_is_gone_and_its_slug_begins_anew(platform: Platform) -> None:
    await platform.create("gone-co")
    old = await platform.enter("gone-co")
    status, answer = await platform.rpc("delete_tenant", slug="gone-co", confirm="gone-co", grace_days=0)
    assert (status, answer["deleted"]) == (200, True), answer
    assert (await platform.inside("gone-co", "GET", "notes", **old))[0] == 404
    assert not (platform.live.schemas / "gone-co.yaml").exists()
    assert (await platform.call("GET", "tenants?slug=eq.gone-co"))[1] == []
    _, events = await platform.call("GET", "events?slug=eq.gone-co&type=eq.tenant.deleted&select=data")
    assert events == [{"data": {"verified": True}}]
    assert (await platform.create("gone-co"))[0] == 201
    assert (await platform.inside("gone-co", "GET", "notes", **old))[0] == 401, "old tokens are worth nothing"


async def test_an_end_of_grace_is_noticed(platform: Platform) -> None:
    await platform.create("late-co")
    await platform.rpc("delete_tenant", slug="late-co", confirm="late-co", grace_days=1)
    yesterday = {"delete_after": "2020-01-01T00:00:00Z"}
    status, _ = await platform.call("PATCH", "tenants?slug=eq.late-co", yesterday)
    assert status in {403, 422}, "no administrator writes that"
    # the clock is the only fake: the row is dated back as the database's owner
    async with platform.owner() as connection:
        identity = await registry.find_tenant(connection, "system")
        assert identity is not None
        await connection.execute(
            f"UPDATE {identity.namespace}.tenants SET delete_after = now() WHERE slug = 'late-co'"
        )
    for _ in range(600):  # the slug is free again at the very end, after the row is gone
        if (await platform.call("GET", "tenants/check-slug?slug=late-co"))[1]["available"]:
            break
        await asyncio.sleep(0.05)
    assert (await platform.call("GET", "tenants?slug=eq.late-co"))[1] == []
    assert not (platform.live.schemas / "late-co.yaml").exists()


async def test_domains(platform: Platform) -> None:
    await platform.create("host-co")
    assert (await platform.rpc("rename_domain", slug="host-co", domain="Books.Acme.Example"))[0] == 200
    for _ in range(60):
        status, _ = await platform.client.send("GET", "/rest/v1/", Host="books.acme.example")
        if status == 200:
            break
        await asyncio.sleep(0.05)
    assert status == 200
    await platform.create("host-two")
    assert (await platform.rpc("rename_domain", slug="host-two", domain="books.acme.example"))[0] == 409
    assert (await platform.rpc("rename_domain", slug="host-two", domain="no host"))[0] in {400, 422}
