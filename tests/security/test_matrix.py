"""Every route with every verb and every kind of credential, at one's own tenant and at another's: no leak.

The table of routes is the program's own, so a route added tomorrow is asked, too.
"""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from string import Formatter
from typing import Any

import aiohttp
import asyncpg
import pytest
from yarl import URL

from actors.features.auth.operations import PAGES, WITHOUT_SESSION
from gateway.comment_routes import COMMENT_ROUTES
from gateway.file_routes import FILE_ROUTES, STORAGE_ROUTES
from gateway.history_routes import HISTORY_ROUTES
from gateway.routes import AUTH_ROUTES, ROUTES
from gateway.work_routes import WORK_ROUTES
from tests.live import ROOT, Live

SIGNING_IN = {
    route.path for route in AUTH_ROUTES if set(route.operations.values()) & (WITHOUT_SESSION | PAGES)
}
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
PASSWORD = "a long enough password 1"
SYSTEM = "system"
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
    comments: true
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

    def base(self, slug: str) -> str:
        return f"{self.live.url}/api/platform" if slug == SYSTEM else self.live.base(slug)

    async def prepare_platform(self, session: aiohttp.ClientSession) -> None:
        """The platform's administrator, and every credential of theirs."""
        person = {"email": "root@example.com", "password": PASSWORD}
        base = self.base(SYSTEM)
        async with session.post(f"{base}/auth/v1/token?grant_type=password", json=person) as answer:
            assert answer.status == 200, await answer.text()
            signed_in = await answer.json(content_type=None)
        page = {"Sec-Fetch-Site": "same-origin", "Origin": self.live.url}
        async with session.post(f"{base}/auth/v1/session", json=person, headers=page) as answer:
            assert answer.status == 200, await answer.text()
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
            csrf = (await answer.json(content_type=None))["csrf_token"]
        secret = self.live.command("key", SYSTEM, "--role", "platform_admin").stdout.split()[-1]
        self.credentials[SYSTEM] = {
            "admin": {"Authorization": f"Bearer {signed_in['access_token']}"},
            "secret key": {"apikey": secret},
            "cookie": {"Cookie": cookie, "X-CSRF-Token": csrf, **page},
        }
        row = {"users": signed_in["user"]["id"]}
        for entity in ("tenants", "memberships"):
            async with session.get(f"{base}/{entity}?limit=1", headers={"apikey": secret}) as answer:
                row[entity] = next(iter(await answer.json(content_type=None)), {}).get("id", row["users"])
        self.rows[SYSTEM] = row

    async def prepare(self, session: aiohttp.ClientSession, slug: str) -> None:
        base = self.base(slug)
        secret = self.live.command("key", slug, "--role", "admin").stdout.split()[-1]
        public = self.live.command("key", slug, "--public").stdout.split()[-1]
        scoped = self.live.command("key", slug, "--role", "admin", "--scope", "*:read").stdout.split()[-1]
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
            "scoped key": {"apikey": scoped},
            "key as bearer": {"Authorization": f"Bearer {secret}"},
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
    shutil.copy(ROOT / "schemas" / "platform.yaml", live.schemas)
    live.env |= {"BACKSAAS_ADMIN_EMAIL": "root@example.com", "BACKSAAS_ADMIN_PASSWORD": PASSWORD}
    for slug in ("left-co", "right-co"):
        live.write(slug, TENANT.format(slug=slug))
    await live.start(str(live.directory))
    sides = Sides(live, postgres)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            for slug in ("left-co", "right-co"):
                await sides.prepare(session, slug)
            await sides.prepare_platform(session)
        yield sides
    finally:
        await live.stop()


def paths(rows: dict[str, str]) -> list[str]:
    """Every path of the table of routes, its variables filled with what exists in the tenant asked.

    A variable nobody thought of here gets the key of a person, so that no new route goes unasked.
    """
    found = []
    for route in (
        *ROUTES,
        *HISTORY_ROUTES,
        *COMMENT_ROUTES,
        *AUTH_ROUTES,
        *WORK_ROUTES,
        *FILE_ROUTES,
        *STORAGE_ROUTES,
    ):
        names = {name for _, name, _, _ in Formatter().parse(route.path) if name}
        words = dict.fromkeys(names, rows["users"]) | {
            "function": "nothing",
            "slug": "left-co",
            "format": "csv",
        }
        if "entity" not in names:
            found.append(route.path.format(**words))
        for entity, key in rows.items() if "entity" in names else ():
            path = route.path.format(**(words | {"entity": entity, "id": key}))
            found += [path, f"rest/v1/{path}"]
    return sorted(set(found))


async def snapshot(database_url: str) -> dict[str, str]:
    """A checksum of everything both tenants hold that a request may not change by itself."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 't\\_%' "
            "AND tablename IN ('notes', 'vault', 'users', 'tenants', 'memberships', '_auth_accounts', '_auth_api_keys', '_auth_factors', '_auth_identities')"
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


PAGES = frozenset({"docs"})
"""Pages that hold nothing of a tenant: what they show they ask for."""
TENANTS_KINDS = ("member", "admin", "secret key", "public key", "scoped key", "key as bearer", "cookie")
PLATFORMS_KINDS = ("admin", "secret key", "cookie")


async def each(
    asked: Iterable[tuple[str, str]], ask: Callable[[str, str], Awaitable[list[Any]]]
) -> list[Any]:
    """Ask for many paths and methods, some at a time; returns what was wrong."""
    room = asyncio.Semaphore(8)

    async def one(path: str, method: str) -> list[Any]:
        async with room:
            return await ask(path, method)

    return [wrong for found in await asyncio.gather(*(one(*pair) for pair in asked)) for wrong in found]


@pytest.mark.parametrize(
    ("home", "abroad", "kind"),
    [
        *(("left-co", "right-co", kind) for kind in TENANTS_KINDS),
        *(("left-co", SYSTEM, kind) for kind in PLATFORMS_KINDS),
        *((SYSTEM, "left-co", kind) for kind in PLATFORMS_KINDS),
    ],
)
async def test_a_credential_is_worth_nothing_at_another_tenant(
    sides: Sides, database_url: str, home: str, abroad: str, kind: str
) -> None:
    before = await snapshot(database_url)
    headers = dict(sides.credentials[home][kind])
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        status, seen = await send(session, "GET", f"{sides.base(home)}/me", headers)
        assert (status, '"user":null,"roles":["public"],"claims":{},"aal":"aal1","session":null,"key":null' in seen) == (200, False), "it works at home"  # fmt: skip
        if kind == "cookie":  # the right name, the wrong tenant's value
            headers["Cookie"] = headers["Cookie"].replace(home, abroad)

        async def ask(path: str, method: str) -> list[Any]:
            status, seen = await send(session, method, f"{sides.base(abroad)}/{path}".rstrip("/"), headers)
            # where one signs in, a browser's session of elsewhere is no session: one is nobody there
            as_nobody = kind == "cookie" and path in SIGNING_IN and status < 500
            as_nobody |= path in PAGES and status == 200
            refused = status in {401, 404, 405, 429}
            leaks = CANARY.format(slug=abroad) in seen or "root@example.com" in seen
            return [(method, path, status, seen[:200])] if leaks or not (refused or as_nobody) else []

        assert not await each(itertools.product(paths(sides.rows[abroad]), METHODS), ask)
    assert await snapshot(database_url) == before


@pytest.mark.parametrize("slug", ["right-co", SYSTEM])
async def test_nobody_sees_or_changes_anything_without_a_credential(
    sides: Sides, database_url: str, slug: str
) -> None:
    before = await snapshot(database_url)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def ask(path: str, method: str) -> list[Any]:
            status, seen = await send(session, method, f"{sides.base(slug)}/{path}".rstrip("/"), {})
            leaks = CANARY.format(slug=slug) in seen or "root@example.com" in seen
            return [(method, path, status, seen[:200])] if leaks or status >= 500 else []

        assert not await each(itertools.product(paths(sides.rows[slug]), METHODS), ask)
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
