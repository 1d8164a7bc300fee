"""Killed outright at each stage of making or deleting a tenant, the next process leaves all of it or nothing."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from actors.tenant import registry
from tests.platform.conftest import Platform, installation

# what a look at the database or the directory shows when that stage is reached
MAKING = {
    "begun": "SELECT count(*) FROM backsaas.undertakings",
    "placed": "SELECT count(*) - 1 FROM pg_namespace WHERE nspname LIKE 't\\_%'",
    "deployed": "SELECT count(*) - 1 FROM backsaas.tenants WHERE version > 0",
    "written": "",
}


async def killed_at(platform: Platform, request: Any, look: str, path: Path, *, written: bool = True) -> None:
    """Send a request and kill the process when the stage is reached."""
    # our connection ends with the process, which takes its PostgreSQL along
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        async with platform.owner() as connection:
            asked = asyncio.get_running_loop().create_task(request)
            while not asked.done():
                if (await connection.fetchval(look)) if look else path.exists() == written:
                    break
                await asyncio.sleep(0)
            assert platform.live.process is not None
            platform.live.process.kill()
            platform.live.process.wait()
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await asked


async def whole(platform: Platform, slug: str) -> bool:
    """Start again, wait until nothing is under way, and tell whether the tenant is there, with everything."""
    await platform.start()
    async with platform.owner() as connection:
        for _ in range(400):
            if not await connection.fetchval("SELECT count(*) FROM backsaas.undertakings"):
                break
            await asyncio.sleep(0.05)
        found = await registry.find_tenant(connection, slug)
        spaces = await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_%'")
        roles = await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname LIKE 't\\_%'")
        known = await connection.fetchval("SELECT count(*) FROM backsaas.tenants")
    assert spaces == roles == known, "nothing is left that belongs to nobody"
    _, rows = await platform.call("GET", f"tenants?slug=eq.{slug}")
    there = {found is not None, bool(rows), (platform.live.schemas / f"{slug}.yaml").exists()}
    assert len(there) == 1, (found, rows, platform.live.output()[-2000:])
    return there.pop()


async def test_killed_while_a_tenant_is_made_or_deleted(tmp_path: Path) -> None:
    platform = Platform(installation(tmp_path))
    await platform.start()
    for stage, look in MAKING.items():
        slug = f"kill-{stage}"
        body = {"slug": slug, "owner_email": f"{stage}@example.com"}
        path = platform.live.schemas / f"{slug}.yaml"
        await killed_at(platform, platform.call("POST", "tenants", body), look, path)
        there = await whole(platform, slug)
        print(f"killed when {stage}: {'made' if there else 'nothing'}")
        if there:
            assert (await platform.inside(slug, "GET", "notes?select=id", **await platform.enter(slug)))[
                0
            ] == 200
            assert (await platform.rpc("delete_tenant", slug=slug, confirm=slug, grace_days=0))[0] == 200
        else:
            assert (await platform.call("GET", f"tenants/check-slug?slug={slug}"))[1]["available"]
            assert not (await platform.call("GET", f"users?email=eq.{stage}@example.com"))[1], "nor its owner"
    assert (await platform.create("gone-co"))[0] == 201
    body = {"slug": "gone-co", "confirm": "gone-co", "grace_days": 0}
    path = platform.live.schemas / "gone-co.yaml"
    request = platform.call("POST", "rpc/delete_tenant", body)
    await killed_at(platform, request, "", path, written=False)
    assert not await whole(platform, "gone-co"), "what is half deleted is deleted to its end"
    await platform.live.stop()
