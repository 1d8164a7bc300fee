"""Files come along when a tenant is copied or moved, and go when it is deleted."""

import asyncio
import io
import zipfile
from pathlib import Path

import aiohttp

from tests.platform.conftest import Platform

ENTITY = """
entities:
  papers:
    schema:
      properties:
        title: { type: string }
        scan: { type: string, format: file }
        face: { type: string, format: file, personal: true }
    access: { read: [ { role: admin } ], create: [ { role: admin } ], delete: [ { role: admin } ] }
"""
BYTES = bytes(range(256)) * 2000


async def send(
    platform: Platform, method: str, path: str, data: bytes | None, **headers: str
) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{platform.live.url}{path}", data=data, headers=headers) as answer,
    ):
        return answer.status, await answer.read()


async def scan_of(platform: Platform, slug: str) -> tuple[int, bytes]:
    inside = await platform.enter(slug)
    status, rows = await platform.inside(slug, "GET", "papers?select=id,scan,face", **inside)
    assert (status, len(rows)) == (200, 1), rows
    return await send(platform, "GET", f"/api/tenants/{slug}/papers/{rows[0]['id']}/scan", None, **inside)


async def test_files_come_along_and_go(platform: Platform) -> None:
    slug = "origin-fi"
    assert (await platform.create(slug, template="blank"))[0] == 201
    text = (platform.live.schemas / f"{slug}.yaml").read_text().replace("\nentities:\n", ENTITY).encode()
    yaml = {"Content-Type": "application/yaml", **platform.admin}
    status, answer = await send(platform, "PUT", f"/api/platform/tenants/{slug}/schema", text, **yaml)
    assert status == 200, answer
    inside = await platform.enter(slug)
    ids = {}
    for field in ("scan", "face"):
        status, body = await send(
            platform, "POST", f"/api/tenants/{slug}/files/v1/papers/{field}", BYTES, **inside
        )
        assert status == 201, body
        ids[field] = body.decode().partition('"id":"')[2].partition('"')[0]
    assert (await platform.inside(slug, "POST", "papers", {"title": "x", **ids}, **inside))[0] == 201
    await send(platform, "POST", f"/api/tenants/{slug}/files/v1/papers/scan", b"named by nobody", **inside)

    assert (await platform.rpc("clone_tenant", slug=slug, to="copy-fi"))[0] == 201
    assert await scan_of(platform, "copy-fi") == (200, BYTES)
    copied = await platform.inside("copy-fi", "GET", "papers?select=face", **await platform.enter("copy-fi"))
    assert copied[1] == [{"face": None}], "personal files are masked, and stay behind"

    status, packed = await send(
        platform, "GET", f"/api/platform/tenants/{slug}/export", None, **platform.admin
    )
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(name for name in archive.namelist() if name.startswith("files/")) == sorted(
            f"files/{name}" for name in ids.values()
        )
    zipped = {"Content-Type": "application/zip", **platform.admin}
    status, answer = await send(platform, "POST", "/api/platform/tenants/moved-fi/import", packed, **zipped)
    assert status == 201, answer
    assert await scan_of(platform, "moved-fi") == (200, BYTES)

    broken = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, zipfile.ZipFile(broken, "w") as changed:
        for name in archive.namelist():
            data = archive.read(name)
            changed.writestr(name, data[:-1] + b"!" if name.startswith("files/") else data)
    path = "/api/platform/tenants/broken-fi/import"
    status, answer = await send(platform, "POST", path, broken.getvalue(), **zipped)
    assert (status, b"tenant.bad_archive" in answer) == (422, True)

    store = Path(platform.live.env["BACKSAAS_DATA_DIR"]) / "files"
    before = {path.name for path in store.iterdir() if any(path.rglob("?" * 32))}
    assert len(before) == 3, "a refused import leaves nothing"
    for gone in (slug, "moved-fi"):
        async with asyncio.timeout(30):  # its making may still be being ended
            while True:
                status, answer = await platform.rpc("delete_tenant", slug=gone, confirm=gone, grace_days=0)
                if status != 409:
                    break
                await asyncio.sleep(0.05)
        assert status == 200, answer
    async with asyncio.timeout(30):
        while sum(1 for path in store.iterdir() if any(path.rglob("?" * 32))) != 1:
            await asyncio.sleep(0.05)
    assert await scan_of(platform, "copy-fi") == (200, BYTES), "a copy's files are its own"
