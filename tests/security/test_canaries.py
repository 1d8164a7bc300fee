"""Secrets that pass through a live process leave no trace: not in logs, errors, metrics, documents or processes."""

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.live import Live

PASSWORD = "canary-password-7f3a-long"
OTHER = "canary-wrong-password-91bc"
CLIENT_SECRET = "canary-client-secret-55ad"
TENANT = """
version: 1
service: { name: quiet-co }
auth:
  signup: open
  default_role: member
  providers: { corp: { issuer: "https://corp.invalid", client_id: x, client_secret: "${CORP_SECRET}" } }
roles: { member: {}, admin: { inherits: [member] } }
entities:
  notes: { schema: { properties: { text: { type: string } } } }
"""


@pytest.fixture
async def live(tmp_path: Path, database_url: str) -> AsyncIterator[Live]:
    live = Live(
        tmp_path, BACKSAAS_DATABASE_URL=database_url, BACKSAAS_LOG_LEVEL="debug", BACKSAAS_LOG_ACCESS="true",
        BACKSAAS_LOG_FORMAT="json", CORP_SECRET=CLIENT_SECRET,
    )  # fmt: skip
    live.write("quiet-co", TENANT)
    await live.start(str(tmp_path))
    yield live
    await live.stop()


async def test_no_secret_is_told(live: Live, database_url: str) -> None:
    base, seen = live.base("quiet-co"), []
    key = live.command("key", "quiet-co").stdout.strip()
    secrets: set[str] = {PASSWORD, OTHER, CLIENT_SECRET, key[14:]}

    async with aiohttp.ClientSession() as session:

        async def send(method: str, path: str, body: Any = None, **headers: str) -> Any:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.request(
                method, f"{base}{path}", json=body, headers=sent, allow_redirects=False
            ) as answer:
                text = await answer.text()
                if answer.status >= 400:
                    seen.append(text)
                return await answer.json(content_type=None) if text[:1] in "[{" else text

        person = {"email": "ann@example.com", "password": PASSWORD}
        await send("POST", "/auth/v1/signup", person)
        await send(
            "POST",
            "/auth/v1/admin/users",
            {"email": "bea@example.com", "password": PASSWORD, "email_confirm": True},
            apikey=key,
        )
        for _ in range(8):
            await send(
                "POST", "/auth/v1/token?grant_type=password", {"email": "bea@example.com", "password": OTHER}
            )
        await send(
            "POST", "/auth/v1/token?grant_type=password", {"password": [PASSWORD], "email": {"x": PASSWORD}}
        )
        known = await send(
            "POST",
            "/auth/v1/admin/users",
            {"email": "cy@example.com", "password": PASSWORD, "email_confirm": True},
            apikey=key,
        )
        assert known["id"]
        signed = await send(
            "POST", "/auth/v1/token?grant_type=password", {"email": "cy@example.com", "password": PASSWORD}
        )
        access, refresh = signed["access_token"], signed["refresh_token"]
        secrets |= {access, access.rpartition(".")[2], refresh}
        bearer = {"Authorization": f"Bearer {access}"}
        factor = await send("POST", "/auth/v1/factors", {"factor_type": "totp"}, **bearer)
        secrets.add(factor["totp"]["secret"])
        challenge = await send("POST", f"/auth/v1/factors/{factor['id']}/challenge", {}, **bearer)
        await send(
            "POST",
            f"/auth/v1/factors/{factor['id']}/verify",
            {"challenge_id": challenge["id"], "code": "000000"},
            **bearer,
        )
        made = await send("POST", "/auth/v1/keys", {"role": "member"}, apikey=key)
        secrets.add(made["key"][14:])
        link = await send(
            "POST",
            "/auth/v1/admin/generate_link",
            {"type": "recovery", "email": "cy@example.com"},
            apikey=key,
        )
        secrets |= {link["hashed_token"], link["email_otp"]}
        for method, path, body in (
            ("GET", f"/notes?apikey={made['key']}", None), ("GET", f"/{made['key']}", None), ("POST", "/notes", {"password": PASSWORD}),
            ("POST", "/auth/v1/token?grant_type=refresh_token", {"refresh_token": refresh + "x"}), ("GET", "/auth/v1/authorize?provider=corp", None),
            ("POST", "/auth/v1/verify", {"type": "recovery", "token_hash": link["hashed_token"] + "x"}), ("PUT", "/auth/v1/user", {"password": PASSWORD}),
        ):  # fmt: skip
            await send(method, path, body, **bearer)
        described = ("/openapi.json", "/schema", "/auth/v1/settings", "/status", "/me", "/auth/v1/admin/users",
                     "/auth/v1/keys", "/auth/v1/admin/audit")  # fmt: skip
        seen += [str(await send("GET", path, apikey=key)) for path in described]
        async with session.get(f"{live.admin_url}/metrics") as answer:
            seen.append(await answer.text())
    await live.stop()
    connection = await asyncpg.connect(database_url)
    for table in ("backsaas.versions", "backsaas.settings", "backsaas.migrations"):
        rows = await connection.fetch(f"SELECT x::text FROM {table} x")
        seen += [row[0] for row in rows]
    names = await connection.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname LIKE 't\\_%'"
    )
    assert len(names) > 10
    for name in names:
        seen += [row[0] for row in await connection.fetch(f"SELECT x::text FROM {name['name']} x")]
    await connection.close()
    processes = subprocess.run(
        ["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout
    seen += [live.output(), processes]
    told = "\n".join(seen)
    leaked = [secret[:12] for secret in secrets if re.search(re.escape(secret), told)]
    # six digits are found by chance: only as a word of their own do they count
    leaked = [
        start
        for start in leaked
        if not start.isdecimal() or re.search(rf"(?<![\w.:-]){start}(?![\w.:-])", told)
    ]
    assert leaked == []
    assert not list(Path(live.directory).rglob("*core*"))
