"""Two tenants of a live process, attacked over real sockets from as many addresses as an attacker likes."""

import contextlib
import email
import email.policy
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import aiohttp
import asyncpg
import jwt
from cryptography.hazmat.primitives.serialization import load_der_private_key
from yarl import URL

from actors.features.auth.sealing import unseal
from actors.tenant import registry
from tests.live import ROOT, Live

PASSWORD = "korrekt pferd batterie 9"
APP = "https://app.example.com/back"
LEFT, RIGHT = "left-co", "right-co"
TENANT = """
version: 1
service: {{ name: {slug} }}
auth:
  signup: open
  default_role: member
  redirects: ["https://app.example.com/back"]
  mfa: {{ totp: optional, required_for: [treasurer] }}
roles:
  member: {{}}
  treasurer: {{ inherits: [member] }}
  admin: {{ inherits: [member] }}
  owner: {{ inherits: [admin] }}
let: {{ mine: self.owner_id == user.id }}
entities:
  users:
    schema:
      properties:
        name: {{ type: string, maxLength: 80 }}
        plan: {{ type: string, default: free }}
    access:
      read: [ {{ role: admin }}, {{ role: authenticated, rule: self.id == user.id }} ]
      create: [ {{ role: admin }} ]
      update: [ {{ role: admin }}, {{ role: authenticated, rule: self.id == user.id, fields: [name] }} ]
      delete: [ {{ role: admin }} ]
  notes:
    schema:
      properties:
        text: {{ type: string }}
        salary: {{ type: number }}
        owner_id: {{ references: users, default: user.id }}
    access:
      read: [ {{ role: member, rule: mine, hide: [salary] }}, {{ role: admin }} ]
      create: [ {{ role: member, check: mine }}, {{ role: admin }} ]
      update: [ {{ role: member, rule: mine, check: mine, fields: [text] }}, {{ role: admin }} ]
      delete: [ {{ role: admin }} ]
  ledger:
    schema: {{ properties: {{ sum: {{ type: number }} }} }}
    access: {{ read: [ {{ role: treasurer }} ] }}
"""


class Seen(NamedTuple):
    """An answer."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The problem's code without its area: what GoTrue's clients and ours both know it by."""
        body = self.json
        return str(body.get("error_code") or body.get("code", "")).removeprefix("auth.")

    @property
    def cookie(self) -> str:
        """What a browser would send back."""
        lines = self.headers.getall("Set-Cookie", [])
        return "; ".join(line.partition(";")[0] for line in lines if "Max-Age=0" not in line)

    def told(self) -> tuple[int, str]:
        """The answer without what differs from request to request."""
        return self.status, re.sub(r'"(request_id|instance)":"[^"]*"', "", self.text)


class House:
    """The process and what an attacker can do to it."""

    def __init__(self, live: Live, database_url: str) -> None:
        self.live, self.database_url = live, database_url
        self.keys: dict[str, str] = {}
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._owner: Any = None

    async def start(self) -> None:
        shutil.copy(ROOT / "schemas" / "platform.yaml", self.live.schemas)
        for slug in (LEFT, RIGHT):
            self.live.write(slug, TENANT.format(slug=slug))
        await self.live.start(str(self.live.directory))
        for slug in (LEFT, RIGHT):
            self.keys[slug] = self.live.command("key", slug, "--role", "owner").stdout.split()[-1]

    async def stop(self) -> None:
        for session in self._sessions.values():
            await session.close()
        if self._owner is not None:
            await self._owner.close()
        await self.live.stop()

    def auth(self, slug: str = LEFT) -> str:
        return f"/api/tenants/{slug}/auth/v1"

    def rest(self, slug: str = LEFT) -> str:
        return f"/api/tenants/{slug}"

    async def send(
        self, method: str, path: str, body: Any = None, *, address: str = "127.0.0.1", **headers: str
    ) -> Seen:
        """Send one request from an address of this machine; header names have ``_`` for ``-``."""
        session = self._sessions.get(address)
        if session is None:
            connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=0)
            session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            self._sessions[address] = session
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | str) or body is None else json.dumps(body)
        if isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif data is not None:
            sent.setdefault("Content-Type", "application/json")
        url = URL(f"{self.live.url}{path}", encoded=True)
        async with session.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
            return Seen(answer.status, answer.headers, (await answer.read()).decode(errors="replace"))

    # -- people -----------------------------------------------------------------------------------

    async def person(self, name: str, slug: str = LEFT, role: str = "member") -> str:
        """Make somebody who may sign in; returns their id."""
        body = {"email": f"{name}@example.com", "password": PASSWORD, "email_confirm": True, "role": role}
        made = await self.send("POST", f"{self.auth(slug)}/admin/users", body, apikey=self.keys[slug])
        assert made.status == 200, made
        return str(made.json["id"])

    async def sign_in(self, name: str, slug: str = LEFT, password: str = PASSWORD, **more: str) -> Any:
        """Sign in; returns GoTrue's session."""
        seen = await self.try_password(name, slug, password, **more)
        assert seen.status == 200, seen
        return seen.json

    async def try_password(self, name: str, slug: str = LEFT, password: str = PASSWORD, **more: str) -> Seen:
        body = {"email": f"{name}@example.com", "password": password}
        return await self.send("POST", f"{self.auth(slug)}/token?grant_type=password", body, **more)

    async def refresh(self, token: str, slug: str = LEFT) -> Seen:
        path = f"{self.auth(slug)}/token?grant_type=refresh_token"
        return await self.send("POST", path, {"refresh_token": token})

    async def browser(self, name: str, slug: str = LEFT) -> dict[str, str]:
        """Give a browser a session; returns what its pages send."""
        body = {"email": f"{name}@example.com", "password": PASSWORD}
        seen = await self.send("POST", f"{self.auth(slug)}/session", body, **self.page)
        assert seen.status == 200, seen
        return {"Cookie": seen.cookie, "X_CSRF_Token": seen.json["csrf_token"], **self.page}

    @property
    def page(self) -> dict[str, str]:
        """What a browser adds to requests of our own pages."""
        return {"Origin": self.live.url, "Sec_Fetch_Site": "same-origin"}

    async def works(self, token: str, slug: str = LEFT) -> bool:
        """Whether a token is believed."""
        return (await self.send("GET", f"{self.rest(slug)}/me", **bearer(token))).status == 200

    # -- behind the scenes ------------------------------------------------------------------------

    async def sql(self, text: str, *arguments: Any, slug: str = LEFT) -> list[Any]:
        """Look into a tenant's namespace, ``ns.``, as the owner."""
        if self._owner is None:
            self._owner = await asyncpg.connect(self.database_url)
        space = await self._owner.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = $1", slug)
        return list(await self._owner.fetch(text.replace("ns.", f'"{space}".'), *arguments))

    async def checksum(self, slug: str = RIGHT) -> str:
        """Everything of a tenant that a request may not change by itself."""
        tables = ("users", "notes", "_auth_accounts", "_auth_api_keys", "_auth_factors", "_auth_identities")
        every = " UNION ALL ".join(
            f"SELECT (to_jsonb(x) - 'used_at' - 'last_sign_in_at')::text AS line FROM ns.{table} x"
            for table in tables
        )
        rows = await self.sql(f"SELECT md5(string_agg(line, ',' ORDER BY line)) FROM ({every}) y", slug=slug)
        return str(rows[0][0])

    @contextlib.asynccontextmanager
    async def unharmed(self, *slugs: str) -> AsyncIterator[None]:
        """Whatever happens inside changes nothing of these tenants; by default of neither."""
        before = [await self.checksum(slug) for slug in slugs or (LEFT, RIGHT)]
        yield
        assert [await self.checksum(slug) for slug in slugs or (LEFT, RIGHT)] == before

    async def audit(self, event: str, slug: str = LEFT) -> int:
        rows = await self.sql("SELECT count(*) FROM ns._auth_audit WHERE event = $1", event, slug=slug)
        return int(rows[0][0])

    async def forge(self, claims: dict[str, Any], slug: str = LEFT, **header: Any) -> str:
        """Sign with the tenant's real key: whatever is wrong is in what the token says."""
        (row,) = await self.sql(
            "SELECT kid, private_sealed FROM ns._auth_signing_keys ORDER BY signs_from LIMIT 1", slug=slug
        )
        key = bytes.fromhex(await registry.cluster_key(self._owner))
        (found,) = await self.sql("SELECT id::text FROM backsaas.tenants WHERE slug = $1", slug)
        tenant = found["id"]
        realm: Any = SimpleNamespace(services=SimpleNamespace(key=key), identity=SimpleNamespace(id=tenant))
        private: Any = load_der_private_key(unseal(realm, b"signing key", row["private_sealed"]), None)
        return jwt.encode(claims, private, algorithm="ES256", headers={"kid": row["kid"]} | header)

    def mails(self, to: str) -> list[str]:
        """Mails to an address, oldest first, as their text part."""
        found = []
        for file in sorted((self.live.directory / "data" / "mail").glob("*.eml")):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.SMTP)
            part = message.get_body(("plain",))
            if to in str(message["To"]).lower() and part is not None:
                found.append(str(part.get_content()))
        return found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def open_house(directory: Path, database_url: str) -> House:
    house = House(Live(directory, BACKSAAS_DATABASE_URL=database_url), database_url)
    await house.start()
    return house
