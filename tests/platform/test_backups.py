"""Backups of tenants while everybody writes, tried out, brought back in place, and what a crash on the way leaves."""

import asyncio
import contextlib
import itertools
import json
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.platform.conftest import Platform
from tests.platform.test_copied_files import BYTES, ENTITY, send

ENDED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
SLUG, NEIGHBOUR = "saved-co", "busy-co"


@pytest.fixture(scope="module")
async def saved(platform: Platform) -> Platform:
    """A tenant with rows and a file, and a neighbour."""
    for slug in (SLUG, NEIGHBOUR):
        assert (await platform.create(slug, template="blank"))[0] == 201
        text = (platform.live.schemas / f"{slug}.yaml").read_text().replace("\nentities:\n", ENTITY)
        yaml = {"Content-Type": "application/yaml", **platform.admin}
        path = f"/api/platform/tenants/{slug}/schema"
        assert (await send(platform, "PUT", path, text.encode(), **yaml))[0] == 200
    inside = await platform.enter(SLUG)
    path = f"/api/tenants/{SLUG}/files/v1/papers/scan"
    status, body = await send(platform, "POST", path, BYTES, **inside)
    assert status == 201
    scan = body.decode().partition('"id":"')[2].partition('"')[0]
    assert (await platform.inside(SLUG, "POST", "papers", {"title": "first", "scan": scan}, **inside))[
        0
    ] == 201
    return platform


async def papers(platform: Platform, slug: str) -> list[dict[str, Any]]:
    query = "papers?select=id,title,scan&order=id&limit=1000"
    status, found = await platform.inside(slug, "GET", query, **await platform.enter(slug))
    assert status == 200, found
    return list(found)


def place(platform: Platform) -> Path:
    return platform.live.directory / "data" / "backups"


async def remains(platform: Platform) -> tuple[int, int]:
    """Namespaces and undertakings there are, once nothing is being taken away any more."""
    async with asyncio.timeout(60), platform.owner() as connection:
        while await connection.fetchval("SELECT count(*) FROM backsaas.undertakings"):
            await asyncio.sleep(0.1)
        counted = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{32}$'"
        return await connection.fetchval(counted), await connection.fetchval(
            "SELECT count(*) FROM backsaas.tenants"
        )


async def test_a_backup_is_one_moment_and_comes_back_in_place(saved: Platform) -> None:
    """faults.md 37: what is acknowledged is in the backup or came after it; nothing half."""
    stop = asyncio.Event()
    numbers = itertools.count()
    written: list[int] = []

    async def keep_writing(slug: str) -> None:
        inside = await saved.enter(slug)
        while not stop.is_set():
            number = next(numbers)
            status, _ = await saved.inside(slug, "POST", "papers", {"title": f"n{number:06}"}, **inside)
            assert status == 201
            if slug == SLUG:
                written.append(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_writing(SLUG))
        group.create_task(keep_writing(NEIGHBOUR))
        while not written:
            await asyncio.sleep(0.01)
        before = set(written)
        status, told = await saved.rpc("backup_tenant", slug=SLUG)
        stop.set()
    assert status == 200, told
    assert told["verified_at"]
    assert (place(saved) / told["file"]).stat().st_mode & 0o777 == 0o600
    assert [one["file"] for one in (await saved.rpc("list_backups", slug=SLUG))[1]] == [told["file"]]

    # everything changes: the file, rows, the upload
    inside = await saved.enter(SLUG)
    text = (saved.live.schemas / f"{SLUG}.yaml").read_text()
    changed = text.replace(
        "        title: { type: string }\n",
        "        title: { type: string }\n        more: { type: string }\n",
    )
    yaml = {"Content-Type": "application/yaml", **saved.admin}
    assert (await send(saved, "PUT", f"/api/platform/tenants/{SLUG}/schema", changed.encode(), **yaml))[
        0
    ] == 200
    assert (await saved.inside(SLUG, "DELETE", "papers?title=not.is.null", **inside))[0] in {200, 204}
    neighbour = len(await papers(saved, NEIGHBOUR))

    status, done = await saved.rpc("restore_tenant", file=told["file"], replace=True)
    assert status == 200, done
    found = await papers(saved, SLUG)
    titles = {int(row["title"][1:]) for row in found if row["title"].startswith("n")}
    assert before <= titles
    assert titles == set(written[: len(titles)]), "a moment: nothing later without what was before"
    (first,) = [row for row in found if row["title"] == "first"]
    path = f"/api/tenants/{SLUG}/papers/{first['id']}/scan"
    assert await send(saved, "GET", path, None, **await saved.enter(SLUG)) == (200, BYTES)
    assert (saved.live.schemas / f"{SLUG}.yaml").read_text() == text
    assert (await saved.inside(SLUG, "POST", "papers", {"title": "on"}, **await saved.enter(SLUG)))[0] == 201
    assert len(await papers(saved, NEIGHBOUR)) == neighbour
    namespaces, tenants = await remains(saved)
    assert namespaces == tenants, "what it was is gone, and nothing else is left"

    # as another one, and who may not
    status, made = await saved.rpc("restore_tenant", file=told["file"], **{"as": "second-co"})
    assert (status, made["slug"]) == (201, "second-co"), made
    assert len(await papers(saved, "second-co")) == len(found)
    stranger = await saved.person("no-keeper@example.com")
    for function, body in (
        ("backup_tenant", {"slug": SLUG}),
        ("list_backups", {}),
        ("restore_tenant", {"file": told["file"]}),
    ):
        answer = await saved.client.send("POST", f"/api/platform/rpc/{function}", body, **stranger)
        assert answer[0] == 403, function
    for name, wanted in (("../superuser.key", 422), ("none.zip", 404)):
        assert (await saved.rpc("restore_tenant", file=name))[0] == wanted


async def test_a_file_that_no_row_names_yet_stays_behind(saved: Platform) -> None:
    inside = await saved.enter(NEIGHBOUR)
    path = f"/api/tenants/{NEIGHBOUR}/files/v1/papers/scan"
    assert (await send(saved, "POST", path, BYTES, **inside))[0] == 201
    status, told = await saved.rpc("backup_tenant", slug=NEIGHBOUR)
    assert status == 200, told
    assert told["verified_at"]


async def test_a_damaged_backup_replaces_nothing(saved: Platform) -> None:
    status, told = await saved.rpc("backup_tenant", slug=SLUG, verify=False)
    assert (status, told["verified_at"]) == (200, None)
    path = place(saved) / told["file"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    before = await papers(saved, SLUG)
    status, answer = await saved.rpc("restore_tenant", file=told["file"], replace=True)
    assert (status, answer["code"]) == (422, "tenant.bad_archive")
    assert await papers(saved, SLUG) == before


async def test_killed_while_restoring(saved: Platform) -> None:
    """faults.md 37: kill -9 at any moment of a restore leaves the one or the other, whole."""
    inside = await saved.enter(SLUG)
    assert (await saved.inside(SLUG, "POST", "papers", {"title": "in it"}, **inside))[0] == 201
    status, told = await saved.rpc("backup_tenant", slug=SLUG, verify=False)
    assert status == 200, told
    assert (await saved.inside(SLUG, "POST", "papers", {"title": "after it"}, **inside))[0] == 201
    whole = {len(await papers(saved, SLUG)), len(await papers(saved, SLUG)) - 1}
    for moment in ("begun", "exchanged"):
        # our own connection ends with the server's PostgreSQL
        with contextlib.suppress(*ENDED):
            async with saved.owner() as connection:
                identity = await connection.fetchrow(
                    "SELECT namespace FROM backsaas.tenants WHERE slug = $1", SLUG
                )
                task = asyncio.ensure_future(saved.rpc("restore_tenant", file=told["file"], replace=True))
                async with asyncio.timeout(60):
                    while not task.done():
                        begun = await connection.fetchval("SELECT count(*) FROM backsaas.undertakings")
                        now = await connection.fetchval(
                            "SELECT namespace FROM backsaas.tenants WHERE slug = $1", SLUG
                        )
                        if begun and (moment == "begun" or now != identity[0]):
                            break
                        await asyncio.sleep(0.005)
                assert await saved.live.stop(signal.SIGKILL) != 0
        await asyncio.gather(task, return_exceptions=True)
        await saved.live.start(*saved.live.arguments)
        namespaces, tenants = await remains(saved)
        assert namespaces == tenants
        assert len(await papers(saved, SLUG)) in whole
        assert (await saved.inside(SLUG, "GET", "papers?limit=1", **await saved.enter(SLUG)))[0] == 200
    assert not list(place(saved).glob("*.part"))


async def test_what_the_clock_missed_is_made_at_the_start_and_the_oldest_go(saved: Platform) -> None:
    for _ in range(2):
        assert (await saved.rpc("backup_tenant", slug=SLUG, verify=False))[0] == 200
    for path in place(saved).glob("*.json"):
        told = json.loads(path.read_text())
        path.write_text(json.dumps({**told, "at": "2020-01-01T00:00:00+00:00"}))
    saved.live.env |= {"BACKSAAS_BACKUP_SCHEDULE": "0 0 1 1 *", "BACKSAAS_BACKUP_KEEP": "2"}
    await saved.live.restart()
    async with asyncio.timeout(60):
        while True:
            _, found = await saved.rpc("list_backups")
            made = {one["slug"] for one in found if one["at"] > "2021" and one["verified_at"]}
            kept = [path for path in place(saved).iterdir() if path.name.startswith(f"{SLUG}-")]
            # of two backups the archives, and what is told about them
            if {SLUG, NEIGHBOUR} <= made and len(kept) == 4:
                break
            await asyncio.sleep(0.1)
