"""People of the platform inside tenants: what ends their rights ends them there, whatever else happens."""

import shutil
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.live import ROOT, Live
from tests.process.test_platform import EMAIL, PASSWORD, TENANT, Client, bearer, until

NOTES = "/api/tenants/acme-co/notes"


class Platform:
    """A running installation with its administrator."""

    def __init__(self, live: Live, database_url: str) -> None:
        self.live, self.database_url = live, database_url
        self.client = Client(live)
        self.admin = ""

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Do something as the administrator."""
        status, answer = await self.client.send(method, path, body, **bearer(self.admin), **headers)
        assert status < 300, answer
        return answer

    async def person(self, name: str, **more: Any) -> tuple[str, str]:
        """Make somebody; returns their id and a token of the platform."""
        body = {"email": f"{name}@example.com", "password": PASSWORD, "email_confirm": True, **more}
        made = await self.send("POST", "/auth/v1/admin/users", body)
        return made["id"], await self.client.sign_in(f"{name}@example.com")

    async def join(self, user: str, slug: str, role: str) -> str:
        """Make somebody a member; returns the row's key."""
        (tenant,) = await self.send("GET", f"/api/platform/tenants?slug=eq.{slug}")
        body = {"user_id": user, "tenant_id": tenant["id"], "role": role}
        (row,) = await self.send("POST", "/api/platform/memberships", body, Prefer="return=representation")
        return str(row["id"])

    async def enter(self, token: str, slug: str = "acme-co") -> str:
        status, entered = await self.client.send(
            "POST", f"/auth/v1/tenants/{slug}/session", {}, **bearer(token)
        )
        assert status == 200, entered
        return str(entered["access_token"])

    async def sql(self, text: str, *arguments: Any) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            space = await connection.fetchval(
                "SELECT schemaname FROM pg_tables WHERE tablename = 'memberships' AND schemaname LIKE 't\\_%'"
            )
            await connection.execute(text.replace("ns.", f'"{space}".'), *arguments)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Platform]:
    live = Live(tmp_path_factory.mktemp("members"), BACKSAAS_DATABASE_URL=database_url)
    shutil.copy(ROOT / "schemas" / "platform.yaml", live.schemas)
    live.write("acme-co", TENANT)
    live.write("other-co", TENANT.replace("acme-co", "other-co"))
    live.env |= {"BACKSAAS_ADMIN_EMAIL": EMAIL, "BACKSAAS_ADMIN_PASSWORD": PASSWORD}
    await live.start(str(live.directory))
    platform = Platform(live, database_url)
    platform.admin = await platform.client.sign_in()
    yield platform
    await live.stop()


async def test_who_administers_no_more_is_out_of_every_tenant(platform: Platform) -> None:
    user, token = await platform.person("deputy", role="platform_admin")
    inside = await platform.enter(token)
    assert (await platform.client.send("GET", NOTES, **bearer(inside)))[0] in {200, 403}
    await platform.send("PUT", f"/auth/v1/admin/users/{user}", {"role": ""})
    await until(platform.client, "GET", NOTES, None, inside, 401)


@pytest.mark.parametrize("how", ["banned", "deleted"])
async def test_who_is_gone_from_the_platform_is_gone_from_its_tenants(platform: Platform, how: str) -> None:
    user, token = await platform.person(how)
    await platform.join(user, "acme-co", "boss")
    inside = await platform.enter(token)
    assert (await platform.client.send("GET", NOTES, **bearer(inside)))[0] == 200
    if how == "banned":
        await platform.send("PUT", f"/auth/v1/admin/users/{user}", {"ban_duration": "1h"})
    else:
        await platform.send("DELETE", f"/auth/v1/admin/users/{user}", {})
    await until(platform.client, "GET", NOTES, None, inside, 401)


async def test_a_change_while_nothing_runs_is_not_forgotten(platform: Platform) -> None:
    user, token = await platform.person("absent")
    row = await platform.join(user, "acme-co", "boss")
    inside = await platform.enter(token)
    await platform.live.stop()
    await platform.sql("DELETE FROM ns.memberships WHERE id = $1::text::uuid", row)
    await platform.live.start(str(platform.live.directory))
    await until(platform.client, "GET", NOTES, None, inside, 401)


async def test_one_members_trouble_keeps_nobody_elses_rights_alive(platform: Platform) -> None:
    first, token = await platform.person("first")
    row = await platform.join(first, "acme-co", "boss")
    inside = await platform.enter(token)
    second, token = await platform.person("second")
    other = await platform.join(second, "other-co", "boss")
    inside_other = await platform.enter(token, "other-co")
    # a role the file does not have: it gives nothing, and the change after it is heard
    await platform.send("PATCH", f"/api/platform/memberships?id=eq.{row}", {"role": "king"})
    await platform.send("DELETE", f"/api/platform/memberships?id=eq.{other}")
    await until(platform.client, "GET", "/api/tenants/other-co/notes", None, inside_other, 401)
    await until(platform.client, "GET", NOTES, None, inside, 401)


async def test_an_address_nobody_proved_joins_no_account_of_a_tenant(platform: Platform) -> None:
    """C13: the account of the same address in the tenant is somebody else's until it is proven."""
    key = platform.live.command("key", "acme-co").stdout.split()[-1]
    body = {"email": "victim@example.com", "password": PASSWORD, "email_confirm": True}
    status, victim = await platform.client.send(
        "POST", "/api/tenants/acme-co/auth/v1/admin/users", body, apikey=key
    )
    assert status == 200, victim
    user, token = await platform.person("mallory")
    await platform.join(user, "acme-co", "member")
    await platform.send("PATCH", f"/api/platform/users?id=eq.{user}", {"email": "victim@example.com"})
    status, entered = await platform.client.send(
        "POST", "/auth/v1/tenants/acme-co/session", {}, **bearer(token)
    )
    assert (status, entered["error_code"]) == (400, "email_not_confirmed"), entered
    status, after = await platform.client.send(
        "GET", f"/api/tenants/acme-co/auth/v1/admin/users/{victim['id']}", apikey=key
    )
    assert (status, [one["provider"] for one in after["identities"]]) == (200, ["email"])


async def test_one_person_in_two_tenants_is_two_people_there(platform: Platform) -> None:
    user, token = await platform.person("twice")
    await platform.join(user, "acme-co", "boss")
    await platform.join(user, "other-co", "member")
    acme, other = await platform.enter(token), await platform.enter(token, "other-co")
    for slug, inside, wanted in (("acme-co", acme, 201), ("other-co", other, 403)):
        notes = f"/api/tenants/{slug}/notes"
        assert (await platform.client.send("POST", notes, {"text": "x"}, **bearer(inside)))[0] == wanted
        foreign = other if inside is acme else acme
        assert (await platform.client.send("GET", notes, **bearer(foreign)))[0] == 401
    listed = (await platform.client.send("GET", "/auth/v1/tenants", **bearer(token)))[1]
    assert [(one["slug"], one["role"]) for one in listed] == [("acme-co", "boss"), ("other-co", "member")]
