"""Room for files, and what nobody names: docs/attacks.md E8."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from actors.features.files import removal
from actors.features.files.intake import Wanted, take
from actors.features.files.keeper import Files, TenantFiles, files_of
from actors.features.files.links import Links
from actors.features.files.local import LocalStore
from actors.features.files.store import Key
from actors.messages import Part, ProblemError
from actors.tenant.quotas import Limits, TenantQuota
from tests.api.harness import CLUSTER, open_world, slug

TENANT = """
version: 1
service: {{ name: {slug} }}
entities:
  papers:
    schema: {{ properties: {{ scan: {{ type: string, format: file }} }} }}
"""


def quota(most: int) -> TenantQuota:
    async def count(tenant: str, what: str, number: int) -> int:
        del tenant, what
        return number

    found = TenantQuota("x", count)
    found.set_limits(Limits(plan="small", storage=most))
    return found


def part(size: int, piece: int = 1000) -> Part:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // piece):
            await asyncio.sleep(0)
            yield b"\0" * piece

    return Part("", "x", "", pieces())


async def test_e8_fifty_uploads_at_once_never_pass_the_plan(tmp_path: Path) -> None:
    room = quota(100_000)
    files = TenantFiles(Files(LocalStore(tmp_path)), "ab", Links(b"k"), room)
    taken = await asyncio.gather(
        *(take(files, part(15_000), Wanted(1 << 20)) for _ in range(50)), return_exceptions=True
    )
    kept = [one for one in taken if not isinstance(one, BaseException)]
    refused = [one for one in taken if isinstance(one, ProblemError)]
    assert len(kept) + len(refused) == 50
    assert {one.code for one in refused} == {"quota.storage"}
    assert sum(file.size for file in kept) <= 100_000
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {file.id for file in kept}
    assert (room.storing, room.stored) == (0, 15_000 * len(kept))
    # what was refused took no room away
    while room.filled + 15_000 <= 100_000:
        await take(files, part(15_000), Wanted(1 << 20))


async def test_a_sweep_removes_what_nobody_names_and_nothing_else(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        name = slug()
        generation = await world.tenant(name, TENANT.format(slug=name))
        store = LocalStore(tmp_path / "files")
        generation.files = files_of(Files(store), generation.identity, CLUSTER, None)
        client = world.client(name)

        async def uploaded() -> str:
            up = await client.request("POST", "/files/v1/papers/scan", b"x", Content_Type="text/plain")
            assert up.status == 201, up
            return str(up.json["id"])

        named, fresh, old = await uploaded(), await uploaded(), await uploaded()
        assert (await client.post("/papers", {"scan": named})).status == 201
        tenant = generation.identity.id
        lost = store.create(Key(tenant, "0" * 32))  # written, and then the process was killed
        await lost.write(b"lost")
        await lost.commit()
        torn = store.create(Key(tenant, "1" * 32))
        await torn.write(b"x" * (2 << 20))
        young = store.create(Key(tenant, "2" * 32))
        await young.write(b"young")
        await young.commit()
        await world.sql(
            generation.identity,
            "UPDATE ns._files SET created_at = now() - interval '2 days' WHERE id <> $1",
            fresh,
        )
        before = time.time() - 2 * 86400
        for path in (tmp_path / "files").rglob("*"):
            if path.is_file() and path.stem not in {fresh, "2" * 32}:
                os.utime(path, (before, before))
        assert await removal.sweep(generation) == 4  # a row, and the bytes of three
        there = {path.name for path in (tmp_path / "files").rglob("*") if path.is_file()}
        assert there == {named, fresh, "2" * 32}
        tasks = await world.sql(generation.identity, "SELECT payload->>'file' AS file FROM ns._tasks")
        assert [row["file"] for row in tasks] == [old]
        assert await removal.sweep(generation) == 0
        await torn.abort()
