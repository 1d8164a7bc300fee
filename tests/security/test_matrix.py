"""Every route with every verb and every kind of credential, at one's own tenant and at another's: no leak.

The table of routes is the program's own, so a route added tomorrow is asked, too.
"""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import asyncpg
import pytest
from yarl import URL

from actors.features.auth.operations import PAGES, WITHOUT_SESSION
from gateway.routes import AUTH_ROUTES, ROUTES
from tests.live import Live

SIGNING_IN = {
    route.path for route in AUTH_ROUTES if set(route.operations.values()) & (WITHOUT_SESSION | PAGES)
}
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
PASSWORD = "a long enough password 1"
CANARY = "canary-{slug}-5f2d"
TENANT = """
version: 1
service: {{ name: {slug} }}
auth: {{ signup: closed, default_role: member }}
roles: {{ member: {{}} }}
let: {{ mine: self.owner_id == user.id }}
entities:
  users:
    schema: {{ properties: {{ phone: {{ type: string }} }} }}
  notes:
    schema:
      properties: {{ text: {{ type: string }}, owner_id: {{ references: users }} }}
    access:
      read: [ {{ role: member, rule: mine }}, {{ role: admin }} ]
      create: [ {{ role: member, check: mine }}, {{ role: admin }} ]
      update: [ {{ role: member, rule: mine }}, {{ role: admin }} ]
      delete: [ {{ role: admin }} ]
  vault: {{ schema: {{ properties: {{ secret: {{ type: string }} }} }} }}
"""


class Sides:
    """Two tenants with the same people and data, and every credential of both."""

    def __init__(self, live: Live, postgres: Any) -> None:
        self.live, self.postgres = live, postgres
        self.credentials: dict[str, dict[str, dict[str, str]]] = {}
        self.rows: dict[str, dict[str, str]] = {}

    async def prepare(self, session: aiohttp.ClientSession, slug: str) -> None:
        base = self.live.base(slug)
        secret = self.live.command("key", slug, "--role", "admin").stdout.split()[-1]
        public = self.live.command("key", slug, "--public").stdout.split()[-1]
        admin = {"apikey": secret}
        canary = CANARY.format(slug=slug)
        people = {}
        for name, role in (("boss", "admin"), ("mia", "member"), ("max", "member")):
            body = {
                "email": f"{name}@{slug}.example",
                "password": PASSWORD,
                "email_confirm": True,
                "role": role,
            }
            async with session.post(f"{base}/auth/v1/admin/users", json=body, headers=admin) as answer:
                assert answer.status in {200, 201}, await answer.text()
                people[name] = (await answer.json(content_type=None))["id"]
        made = {}
        for entity, body in (
            ("notes", {"text": canary + "-max", "owner_id": people["max"]}),
            ("vault", {"secret": canary + "-vault"}),
        ):
            async with session.post(
                f"{base}/{entity}", json=body, headers=admin | {"Prefer": "return=representation"}
            ) as answer:
                assert answer.status == 201, await answer.text()
                made[entity] = (await answer.json(content_type=None))[0]["id"]
        made["users"] = people["max"]
        self.rows[slug] = made
        tokens = {}
        for name in ("boss", "mia"):
            body = {"email": f"{name}@{slug}.example", "password": PASSWORD}
            async with session.post(f"{base}/auth/v1/token?grant_type=password", json=body) as answer:
                assert answer.status == 200, await answer.text()
                tokens[name] = (await answer.json(content_type=None))["access_token"]
        async with session.post(
            f"{base}/auth/v1/session",
            json={"access_token": tokens["mia"]},
            headers={"Sec-Fetch-Site": "same-origin", "Origin": self.live.url},
        ) as answer:
            assert answer.status == 200, await answer.text()
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
            csrf = (await answer.json(content_type=None))["csrf_token"]
        self.credentials[slug] = {
            "member": {"Authorization": f"Bearer {tokens['mia']}"},
            "admin": {"Authorization": f"Bearer {tokens['boss']}"},
            "secret key": {"apikey": secret},
            "public key": {"apikey": public},
            "cookie": {
                "Cookie": cookie,
                "X-CSRF-Token": csrf,
                "Sec-Fetch-Site": "same-origin",
                "Origin": self.live.url,
            },
        }


@pytest.fixture(scope="module")
async def sides(
    tmp_path_factory: pytest.TempPathFactory, postgres: Any, database_url: str
) -> AsyncIterator[Sides]:
    live = Live(tmp_path_factory.mktemp("matrix"), BACKSAAS_DATABASE_URL=database_url)
    for slug in ("left-co", "right-co"):
        live.write(slug, TENANT.format(slug=slug))
    await live.start(str(live.directory))
    sides = Sides(live, postgres)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            for slug in ("left-co", "right-co"):
                await sides.prepare(session, slug)
        yield sides
    finally:
        await live.stop()


def paths(rows: dict[str, str]) -> list[str]:
    """Every path of the table of routes, its variables filled with what exists in the tenant asked."""
    found = []
    for route in (*ROUTES, *AUTH_ROUTES):
        if "{entity}" in route.path:
            for entity, key in rows.items():
                found += [
                    route.path.format(entity=entity, id=key),
                    f"rest/v1/{route.path.format(entity=entity, id=key)}",
                ]
        else:
            found.append(route.path.format(id=rows["users"], function="nothing", slug="left-co"))
    return sorted(set(found))


async def snapshot(database_url: str) -> dict[str, str]:
    """A checksum of everything both tenants hold that a request may not change by itself."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 't\\_%' "
            "AND tablename IN ('notes', 'vault', 'users', '_auth_accounts', '_auth_api_keys', '_auth_factors', '_auth_identities')"
        )
        return {
            f"{schema}.{table}": await connection.fetchval(
                f"SELECT md5(coalesce(string_agg((to_jsonb(x) - 'used_at' - 'last_sign_in_at')::text, ',' ORDER BY x::text), '')) FROM \"{schema}\".\"{table}\" x"
            )
            for schema, table in tables
        }
    finally:
        await connection.close()


async def send(
    session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str]
) -> tuple[int, str]:
    body = None if method in {"GET", "HEAD"} else json.dumps({"text": "x", "email": "max@right-co.example"})
    sent = headers | ({"Content-Type": "application/json"} if body else {})
    async with session.request(
        method, URL(url, encoded=True), data=body, headers=sent, allow_redirects=False
    ) as answer:
        return answer.status, (await answer.read()).decode(errors="replace") + str(dict(answer.headers))


@pytest.mark.parametrize("kind", ["member", "admin", "secret key", "public key", "cookie"])
async def test_a_credential_is_worth_nothing_at_another_tenant(
    sides: Sides, database_url: str, kind: str
) -> None:
    left, right = "left-co", "right-co"
    before = await snapshot(database_url)
    headers = dict(sides.credentials[left][kind])
    if kind == "cookie":  # the right name, the wrong tenant's value
        headers["Cookie"] = headers["Cookie"].replace("left-co", "right-co")
    wrong = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for path, method in itertools.product(paths(sides.rows[right]), METHODS):
            status, seen = await send(
                session, method, f"{sides.live.base(right)}/{path}".rstrip("/"), headers
            )
            # where one signs in, a browser's session of elsewhere is no session: one is nobody there
            as_nobody = kind == "cookie" and path in SIGNING_IN and status < 500
            refused = status in {401, 404, 405, 429}
            if CANARY.format(slug=right) in seen or not (refused or as_nobody):
                wrong.append((method, path, status, seen[:200]))
    assert not wrong
    assert await snapshot(database_url) == before


async def test_nobody_sees_or_changes_anything_without_a_credential(sides: Sides, database_url: str) -> None:
    before = await snapshot(database_url)
    wrong = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for path, method in itertools.product(paths(sides.rows["right-co"]), METHODS):
            status, seen = await send(
                session, method, f"{sides.live.base('right-co')}/{path}".rstrip("/"), {}
            )
            if CANARY.format(slug="right-co") in seen or status >= 500:
                wrong.append((method, path, status, seen[:200]))
    assert not wrong
    assert await snapshot(database_url) == before


@pytest.mark.parametrize("kind", ["member", "public key", "cookie"])
async def test_a_member_never_meets_what_is_not_theirs(sides: Sides, database_url: str, kind: str) -> None:
    slug = "left-co"
    before = await snapshot(database_url)
    wrong = []
    skip = {"auth/v1/logout", "auth/v1/session", "auth/v1/sessions", "auth/v1/user", "batch"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for path, method in itertools.product(paths(sides.rows[slug]), METHODS):
            if method not in {"GET", "HEAD"} and path in skip:
                continue
            status, seen = await send(
                session, method, f"{sides.live.base(slug)}/{path}".rstrip("/"), sides.credentials[slug][kind]
            )
            if CANARY.format(slug=slug) in seen or status >= 500:
                wrong.append((method, path, status, seen[:200]))
            if "admin/" in path and status < 400:
                wrong.append((method, path, status, "an admin's route"))
    assert not wrong
    after = await snapshot(database_url)
    # notes a member may create are the only thing that may be new
    assert {
        name: value for name, value in after.items() if "notes" not in name and "factors" not in name
    } == {name: value for name, value in before.items() if "notes" not in name and "factors" not in name}


async def test_a_key_in_an_address_is_refused_and_not_repeated(sides: Sides) -> None:
    key = sides.credentials["left-co"]["secret key"]["apikey"]
    async with aiohttp.ClientSession() as session:
        for name in ("apikey", "token", "access_token"):
            status, seen = await send(session, "GET", f"{sides.live.base('left-co')}/notes?{name}={key}", {})
            assert status == 400
            assert "auth.key_in_url" in seen
            assert key[12:] not in seen
    assert key[12:] not in sides.live.output()
