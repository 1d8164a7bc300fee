"""Attacks on a live process at the socket, and what they left: docs/attacks.md A2, A8, A10, D9, D14, G6, G8, H8, H11."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.gateway.conftest import parse
from tests.live import Live

PASSWORD = "a long enough password 1"
TENANT = """
version: 1
service: {{ name: {slug} }}
auth: {{ signup: closed, default_role: member }}
roles: {{ member: {{}}, admin: {{ inherits: [member] }} }}
entities:
  notes:
    schema: {{ properties: {{ text: {{ type: string }} }} }}
    access: {{ read: [ {{ role: public }} ], create: [ {{ role: admin }} ] }}
"""
IN_FLIGHT = 4


class Target:
    """A live process with two tenants, and a key of each."""

    def __init__(self, live: Live, database_url: str) -> None:
        self.live, self.database_url = live, database_url
        self.keys = {slug: live.command("key", slug).stdout.split()[-1] for slug in ("left-co", "right-co")}

    async def raw(self, data: bytes, *, wait: float = 3.0) -> bytes:
        """Send bytes; return everything that comes back until the peer hangs up or falls silent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.live.port)
        writer.write(data)
        received = b""
        try:
            while piece := await asyncio.wait_for(reader.read(1 << 16), wait):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return received

    async def ask(
        self, method: str, path: str, *headers: str, body: bytes = b"", host: str = "localhost"
    ) -> tuple[int, dict[str, str], Any]:
        """Send a request exactly as written."""
        lines = "".join(f"{line}\r\n" for line in headers)
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        return parse(await self.raw(head.encode("latin-1") + body))

    async def notes(self, slug: str) -> list[str]:
        """What the tenant holds, asked past the API."""
        connection = await asyncpg.connect(self.database_url)
        try:
            namespace = await connection.fetchval(
                "SELECT namespace FROM backsaas.tenants WHERE slug = $1", slug
            )
            return [
                row[0] for row in await connection.fetch(f'SELECT text FROM "{namespace}".notes ORDER BY 1')
            ]
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Target]:
    live = Live(
        tmp_path_factory.mktemp("attacked"),
        BACKSAAS_DATABASE_URL=database_url,
        BACKSAAS_LIMITS_IN_FLIGHT=str(IN_FLIGHT),
    )
    for slug in ("left-co", "right-co"):
        live.write(slug, TENANT.format(slug=slug))
    await live.start(str(live.directory))
    try:
        yield Target(live, database_url)
    finally:
        await live.stop()


def left(path: str) -> str:
    return f"/api/tenants/left-co/{path}"


async def test_nothing_but_the_route_names_the_tenant(target: Target) -> None:  # A2
    body = json.dumps({"text": "mine", "tenant_id": "right-co"}).encode()
    key = f"apikey: {target.keys['left-co']}"
    json_type = "Content-Type: application/json"
    status, _, document = await target.ask("POST", left("notes"), key, json_type, body=body)
    assert (status, "tenant_id" in json.dumps(document)) == (422, True)
    status, _, _ = await target.ask(
        "POST",
        left("notes?tenant_id=eq.right-co"),
        key,
        json_type,
        "X-Tenant-ID: right-co",
        body=b'{"text": "mine"}',
    )
    assert status in {201, 400}
    assert await target.notes("right-co") == []


async def test_the_platform_has_no_host_and_no_tenant_path(target: Target) -> None:  # A8
    key = f"apikey: {target.keys['left-co']}"
    for path, host in (
        ("/tenants", "system.api.localhost"), ("/tenants", "admin.api.localhost"), ("/tenants", "www.api.localhost"),
        ("/api/tenants/system/tenants", "localhost"), ("/api/tenants/admin/tenants", "localhost"),
        ("/api/tenants/system/auth/v1/settings", "localhost"), ("/auth/v1/settings", "system.api.localhost"),
    ):  # fmt: skip
        status, _, document = await target.ask("GET", path, key, host=host)
        assert (status, document["code"]) == (404, "tenant.not_found"), (path, host)
    # an admin of a tenant is nobody at the platform
    status, _, document = await target.ask("GET", "/api/platform/tenants", key)
    assert status in {401, 404}, document


async def test_a_session_under_another_tenants_name_is_taken_away(target: Target) -> None:  # A10
    live = target.live
    page = {"Sec-Fetch-Site": "same-origin", "Origin": live.url}
    async with aiohttp.ClientSession(live.url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        for slug in ("left-co", "right-co"):
            body = {"email": "ann@example.com", "password": PASSWORD, "email_confirm": True, "role": "admin"}
            path = f"/api/tenants/{slug}/auth/v1/admin/users"
            async with session.post(path, json=body, headers={"apikey": target.keys[slug]}) as answer:
                assert answer.status in {200, 201}, await answer.text()
        async with session.post(
            left("auth/v1/session"), json={"email": "ann@example.com", "password": PASSWORD}, headers=page
        ) as answer:
            assert answer.status == 200, await answer.text()
            cookie = answer.cookies["bs_left-co"].value
    status, _, document = await target.ask("GET", left("me"), f"Cookie: bs_left-co={cookie}")
    assert (status, document["user"]["email"] if "user" in document else "ann@example.com") == (
        200,
        "ann@example.com",
    )
    status, headers, document = await target.ask(
        "GET", "/api/tenants/right-co/me", f"Cookie: bs_right-co={cookie}"
    )
    assert (status, document["code"]) == (401, "auth.invalid_token")
    assert headers["set-cookie"].startswith("bs_right-co=; Path=/; Max-Age=0")
    # it still is what it was where it belongs
    assert (await target.ask("GET", left("me"), f"Cookie: bs_left-co={cookie}"))[0] == 200


async def test_a_tenant_that_is_full_says_so_at_once_and_others_go_on(target: Target) -> None:  # D9, D11
    connection = await asyncpg.connect(target.database_url)
    namespace = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'left-co'")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f'LOCK TABLE "{namespace}".notes')
    try:
        waiting = [asyncio.ensure_future(target.ask("GET", left("notes"))) for _ in range(IN_FLIGHT)]
        await asyncio.sleep(0.5)
        status, headers, document = await asyncio.wait_for(target.ask("GET", left("notes")), 2)
        assert (status, document["code"]) == (503, "tenant.overloaded")
        assert "retry-after" in headers
        assert not any(task.done() for task in waiting)
        assert (await target.ask("GET", "/api/tenants/right-co/notes"))[0] == 200
    finally:
        await transaction.rollback()
        await connection.close()
    assert {status for status, _, _ in await asyncio.gather(*waiting)} == {200}
    assert (await target.ask("GET", left("notes")))[0] == 200


async def test_an_endless_idempotency_key_is_refused(target: Target) -> None:  # D14
    key = f"apikey: {target.keys['left-co']}"
    for name in ("k" * 10_000, "k" * 300, "", "a\tb"):
        status, _, document = await target.ask(
            "POST", left("notes"), key, f"Idempotency-Key: {name}", "Content-Type: application/json",
            body=b'{"text": "keyed"}',
        )  # fmt: skip
        if name:
            assert (status, document["status"]) == (400, 400), document
    assert "keyed" not in (await target.notes("left-co"))[1:]


async def test_pages_repeat_nothing_as_markup_and_nobody_keeps_them(target: Target) -> None:  # G6, G8
    evil = "<script>alert(1)</script>"
    for path, host in (
        (left(f"{evil}"), "localhost"), (f"/{evil}", "localhost"), ("/x", f"{evil}.localhost"), (left(f"notes?select={evil}"), "localhost"),
        (left("auth/v1/login?redirect_to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"), "localhost"), (left("auth/v1/login"), "localhost"),
        (left("auth/v1/verify?token=%3Cscript%3Ex&type=recovery"), "localhost"), (left("notes"), "localhost"),
    ):  # fmt: skip
        answer = await target.raw(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode()
        )
        head, _, body = answer.partition(b"\r\n\r\n")
        head = head.lower()
        assert b"cache-control: no-store, private" in head
        assert b"x-content-type-options: nosniff" in head
        assert b"\r\nserver:" not in head  # H11
        if b"content-type: text/html" in head:
            assert b"<script" not in body.lower()
            assert b"content-security-policy: default-src 'none'" in head
            assert b"referrer-policy: " in head


SECOND = b"POST /api/tenants/right-co/notes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\n"
SMUGGLED = (
    b"Content-Length: 4\r\nContent-Length: 4\r\n", b"Content-Length: 4, 4\r\n", b"Content-Length: 0x4\r\n", b"Content-Length: +4\r\n",
    b"Content-Length: \r\n", b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n", b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\n", b"X: a\nContent-Length: 4\r\n", b"X: a\rContent-Length: 4\r\n",
    b" Content-Length: 4\r\n", b"X: a\r\n\tContent-Length: 4\r\n", b"Content-Length\0: 4\r\n", b"\r\n\n",
)  # fmt: skip


@pytest.mark.parametrize("frame", SMUGGLED)
async def test_no_request_hides_in_another(target: Target, frame: bytes) -> None:  # H8
    key = f"apikey: {target.keys['right-co']}\r\n".encode()
    hidden = (
        SECOND.replace(b"\r\n\r\n", b"\r\n" + key + b"Content-Type: application/json\r\n\r\n")
        + b'{"text":"hidden"}'
    )
    answer = await target.raw(
        b"POST /api/tenants/left-co/notes HTTP/1.1\r\nHost: localhost\r\n" + frame + b"\r\n0\r\n\r\n" + hidden
    )
    if frame != b"\r\n\n":
        assert parse(answer)[0] == 400
        assert answer.count(b"HTTP/1.1 4") == 1
        assert b"connection: close" in answer.lower()
    assert await target.notes("right-co") == []


async def test_what_is_for_operators_is_not_public(target: Target) -> None:  # H11
    for path in ("/metrics", "/tenant-metrics", "/livez", "/readyz", "/debug", "/debug/pprof", "/config/backsaas.yaml",
                 "/data", "/.env", "/.git/config", "/server-status", "/schemas/left-co.yaml"):  # fmt: skip
        assert (await target.ask("GET", path))[0] == 404, path
