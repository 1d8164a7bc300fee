"""A tenant as one file: nothing is lost on the way to another installation, nothing hostile comes in."""

import asyncio
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.platform.conftest import Platform, installation
from tests.platform.test_copied_files import BYTES, send
from tests.platform.test_copies import CANARY, rows, seeded
from tests.platform.test_pruned_archive import write

SLUG = "moving-co"
MORE = """
entities:
  papers:
    schema:
      properties:
        title: { type: string, maxLength: 200 }
        scan: { type: string, format: file }
        amount: { type: number }
        facts: { type: object }
        key: { type: string, writeOnly: true }
    history: true
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
"""
GOES = """  scraps:
    schema: { properties: { name: { type: string } } }
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
"""
GONE_FIELD = "        amount: { type: number }\n"


async def download(platform: Platform, slug: str, query: str = "") -> bytes:
    url = f"{platform.live.url}/api/platform/tenants/{slug}/export{query}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=platform.admin) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def upload(platform: Platform, slug: str, body: bytes, query: str = "") -> tuple[int, Any]:
    headers = {**platform.admin, "Content-Type": "application/zip"}
    url = f"{platform.live.url}/api/platform/tenants/{slug}/import{query}"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


@pytest.fixture(scope="module")
async def moving(platform: Platform) -> Platform:
    """A tenant that has lived: rows, people, a file, versions, and what removed fields and entities left."""
    await seeded(platform, SLUG)
    text = (platform.live.schemas / f"{SLUG}.yaml").read_text()
    await write(platform, SLUG, text.replace("\nentities:\n", MORE + GOES))
    inside = await platform.enter(SLUG)
    path = f"/api/tenants/{SLUG}/files/v1/papers/scan"
    status, body = await send(platform, "POST", path, BYTES, **inside)
    assert status == 201, body
    row = {"title": 'a "b",\n\tc', "scan": json.loads(body)["id"], "amount": 0.1, "facts": {"x": [1, None]}}
    for one in (row, {"title": "", "key": CANARY}, {"facts": None}):
        assert (await platform.inside(SLUG, "POST", "papers", one, **inside))[0] == 201
    status, _ = await platform.inside(SLUG, "PATCH", "papers?title=eq.", {"title": "named"}, **inside)
    assert status in {200, 204}
    assert (await platform.inside(SLUG, "POST", "scraps", {"name": "kept away"}, **inside))[0] == 201
    await write(platform, SLUG, text.replace("\nentities:\n", MORE.replace(GONE_FIELD, "")))
    return platform


async def test_a_tenant_moves_whole(moving: Platform, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = await download(moving, SLUG)
    assert archive == await download(moving, SLUG), "the same tenant gives the same bytes"
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        everything = b"".join(opened.read(name) for name in opened.namelist())
        manifest = json.loads(opened.read("manifest.json"))
        assert b"kept away" in opened.read("archive/_arch_scraps_3.csv")
    assert (manifest["rows"]["companies"], manifest["rows"]["papers"], manifest["files"]) == (2, 3, 1)
    for secret in (CANARY.encode(), b"argon2", b"password_hash", b"private_sealed"):
        assert secret not in everything
    folder = moving.live.directory / "data" / "exports"
    assert not list(folder.iterdir())
    status, told = await moving.rpc("export_tenant", slug=SLUG, hashes=True)
    (kept,) = folder.glob("*.zip")
    assert (status, told["file"], kept.stat().st_mode & 0o777) == (200, kept.name, 0o600)
    assert b"argon2" in zipfile.ZipFile(kept).read("data/_auth_accounts.csv")

    # another installation, by a command, with no server there; and out of it again
    other = installation(tmp_path_factory.mktemp("other"))
    done = other.command("tenants", "import", str(kept))
    assert done.returncode == 0, done.stderr
    there = Platform(other)
    await there.start()
    try:
        same(kept.read_bytes(), await download(there, SLUG, "?hashes=true"))
        query = "companies?select=*&order=id"
        assert await rows(there, SLUG, query) == await rows(moving, SLUG, query)
        sign_in = {"email": f"mia@{SLUG}.example", "password": f"{CANARY} and more"}
        assert (await there.inside(SLUG, "POST", "auth/v1/token?grant_type=password", sign_in))[0] == 200
        assert (await there.rpc("delete_tenant", slug=SLUG, confirm=SLUG, grace_days=0))[0] == 200
        assert (await upload(there, "-", archive))[0] == 201
        same(archive, await download(there, SLUG))
        # numbers go on, and what was removed can be had back
        text = (there.live.schemas / f"{SLUG}.yaml").read_text()
        status, answer = await there.rpc("rollback_schema", slug=SLUG, version=2)
        if status == 409:
            plan = answer["plan"]["plan_id"]
            status, answer = await there.rpc("rollback_schema", slug=SLUG, version=2, plan_id=plan)
        assert status == 200, answer
        assert text != (there.live.schemas / f"{SLUG}.yaml").read_text()
        assert [row["name"] for row in await rows(there, SLUG, "scraps?select=name")] == ["kept away"]
        amounts = [row["amount"] for row in await rows(there, SLUG, "papers?select=amount&order=id")]
        assert 0.1 in amounts
    finally:
        await other.stop()


def same(one: bytes, two: bytes) -> None:
    """Two archives are equal; else it is named what differs."""
    with zipfile.ZipFile(io.BytesIO(one)) as a, zipfile.ZipFile(io.BytesIO(two)) as b:
        assert a.namelist() == b.namelist()
        for name in a.namelist():
            assert a.read(name) == b.read(name), name
    assert one == two


async def test_a_tenant_lands_under_another_name(moving: Platform) -> None:
    status, answer = await upload(
        moving, "landed-co", await download(moving, SLUG), "?owner_email=new@example.com"
    )
    assert status == 201, answer
    for query in (
        "companies?select=*&order=id",
        "contacts?select=*&order=id",
        "deals?select=*&order=id",
        "papers?select=*&order=id",
        "users?select=id,email&email=like.mia*",
    ):
        assert await rows(moving, "landed-co", query) == await rows(moving, SLUG, query)
    assert await moving.mails("new@example.com")
    assert (await upload(moving, "landed-co", await download(moving, SLUG)))[0] == 409


async def test_clients_that_vanish_leave_nothing(moving: Platform) -> None:
    """faults.md 44: neither half a download nor half an upload."""
    folder = moving.live.directory / "data" / "exports"
    before = {path.name for path in folder.iterdir()}
    path = f"/api/platform/tenants/{SLUG}/export"
    reader, writer = await asyncio.open_connection("127.0.0.1", moving.live.port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {moving.admin['Authorization']}\r\n\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    archive = await download(moving, SLUG)
    reader, writer = await asyncio.open_connection("127.0.0.1", moving.live.port)
    head = (
        "POST /api/platform/tenants/half-co/import HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {moving.admin['Authorization']}\r\nContent-Type: application/zip\r\n"
        f"Content-Length: {len(archive)}\r\n\r\n"
    )
    writer.write(head.encode() + archive[: len(archive) // 2])
    await writer.drain()
    writer.transport.abort()
    assert archive == await download(moving, SLUG)
    assert {path.name for path in folder.iterdir()} == before
    assert not (moving.live.schemas / "half-co.yaml").exists()


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return made.getvalue()


Change = Callable[[dict[str, bytes]], object]


def manifest_with(archive: dict[str, bytes], **values: Any) -> None:
    archive["manifest.json"] = json.dumps({**json.loads(archive["manifest.json"]), **values}).encode()


def resigned(members: dict[str, bytes], name: str, data: bytes) -> None:
    """Change a member as somebody does who knows of the checksums."""
    members[name] = data
    listed = json.loads(members["manifest.json"])["members"]
    listed[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest_with(members, members=listed)


HOSTILE: dict[str, Change] = {
    "a changed byte": lambda m: m.update({"schema.yaml": m["schema.yaml"] + b" "}),
    "a missing member": lambda m: m.pop("data/companies.csv"),
    "a path out of it": lambda m: resigned(m, "files/../../../evil", b"x"),
    "an absolute path": lambda m: resigned(m, "/etc/evil", b"x"),
    "a file nothing names": lambda m: resigned(m, "files/" + "ab" * 16, b"x"),
    "another format": lambda m: manifest_with(m, format=1),
    "rows that do not fit": lambda m: resigned(m, "data/companies.csv", b"id,name\nno,x\n"),
    "columns nobody has": lambda m: resigned(m, "data/companies.csv", b'"id"") FROM x; --"\n1\n'),
    "a table nobody has": lambda m: resigned(m, "data/pg_authid.csv", b"id\n1\n"),
    "a type with more": lambda m: resigned(
        m,
        "structure.json",
        re.sub(rb'"type": "[^"]+"', b'"type": "text); DROP TABLE x; --"', m["structure.json"]),
    ),
    "no versions": lambda m: resigned(m, "versions.jsonl", b""),
}


async def test_hostile_archives_leave_nothing(moving: Platform) -> None:
    archive = await download(moving, SLUG)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        good = {name: opened.read(name) for name in opened.namelist()}
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in good.items():
            packed.writestr(name, text)
    huge = bytearray(bomb.getvalue())
    at = huge.rindex(b"PK\x01\x02")  # the last member says that it is four gigabytes
    huge[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    bodies = {
        "no zip": b"no zip",
        "cut off": archive[:-40],
        "cut in the middle": archive[: len(archive) // 2],
    }
    bodies["a bomb"] = bytes(huge)
    bodies["twice the same"] = twice(good)
    for what, change in HOSTILE.items():
        members = dict(good)
        change(members)
        assert members != good, what
        bodies[what] = zipped(members)
    for what, body in bodies.items():
        status, answer = await upload(moving, "bad-co", body)
        assert (status, answer.get("code")) == (422, "tenant.bad_archive"), (what, answer)
        assert not (moving.live.schemas / "bad-co.yaml").exists(), what
    assert (await upload(moving, "good-co", zipped(good)))[0] == 201, "only what was changed is refused"
    async with moving.owner() as connection:
        assert await connection.fetchval("SELECT count(*) FROM backsaas.tenants WHERE slug = 'bad-co'") == 0
    store = Path(moving.live.env["BACKSAAS_DATA_DIR"]) / "files"
    assert len([path for path in store.iterdir() if any(path.rglob("?" * 32))]) <= 3


def twice(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("schema.yaml", b"x")
    return made.getvalue()
