"""The folder itself, and what is in it besides plain files, change while tenants serve."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

from tests.live import Live
from tests.reload.conftest import tenant


async def test_a_folder_made_anew_is_watched_again(live: Live) -> None:
    live.write("folder", tenant("folder"))
    await live.until("folder", state="serving")
    kept = {file.name: file.read_text() for file in live.schemas.iterdir()}
    shutil.rmtree(live.schemas)
    await live.until("folder", timeout=30, state="paused")
    live.schemas.mkdir()
    for name, text in kept.items():
        (live.schemas / name).write_text(text)
    await live.until("folder", timeout=30, state="serving")
    # the new folder's files are watched as the old one's were
    status = await live.save("folder", tenant("folder", "more: { type: string }"))
    assert status["version"] == 2


async def test_a_mounted_folder_that_is_swapped_brings_its_files_along(live: Live) -> None:
    """As Kubernetes does: x.yaml -> ..data/x.yaml, ..data -> a folder that is swapped whole."""
    for number, fields in enumerate(("", "more: { type: string }")):
        (live.schemas / f"..{number}").mkdir()
        (live.schemas / f"..{number}" / "mounted.yaml").write_text(tenant("mounted", fields))
    (live.schemas / "..data").symlink_to("..0")
    (live.schemas / "mounted.yaml").symlink_to("..data/mounted.yaml")
    await live.until("mounted", timeout=30, version=1)
    (live.schemas / "..next").symlink_to("..1")
    (live.schemas / "..next").rename(live.schemas / "..data")
    await live.until("mounted", timeout=30, version=2)


async def test_a_file_of_any_size_is_refused_and_stalls_nobody(live: Live) -> None:
    live.write("huge", tenant("huge"))
    live.write("beside", tenant("beside"))
    for slug in ("huge", "beside"):
        await live.until(slug, state="serving")
    huge = live.directory / "huge.tmp"
    with huge.open("wb") as file:
        for _ in range(100):
            file.write(b"# " + b"x" * ((1 << 20) - 3) + b"\n")
    huge.replace(live.schemas / "huge.yaml")
    began = time.monotonic()
    while not (rejection := (await live.status("huge"))["rejection"]):
        async with live.session("beside") as session, session.get(f"{live.base('beside')}/items") as answer:
            assert answer.status == 200
        assert time.monotonic() - began < 30
    assert "more than 1,048,576 bytes" in rejection["diagnostics"][0]["message"]


async def test_saving_the_same_text_again_is_a_new_try(live: Live) -> None:
    live.write("again", tenant("again", "code: { type: string }"))
    await live.until("again", state="serving")
    unique = tenant("again", "code: { type: string, unique: true }")
    items = f"{live.base('again')}/items"
    async with live.session("again") as session:
        async with session.post(
            items, json=[{"name": "a", "code": "1"}, {"name": "b", "code": "1"}]
        ) as answer:
            assert answer.status == 201
        live.write("again", unique)
        rejection = await _refused(live, "again")
        assert rejection["diagnostics"][0]["code"] == "migration.duplicates"
        async with session.patch(f"{items}?name=eq.b", json={"code": "2"}) as answer:
            assert answer.status == 204
        live.write("again", unique)
        await live.until("again", timeout=30, rejection=None)
        async with session.post(items, json={"name": "c", "code": "2"}) as answer:
            assert answer.status == 409


async def _refused(live: Live, slug: str) -> dict[str, Any]:
    began = time.monotonic()
    while not (rejection := (await live.status(slug))["rejection"]):
        assert time.monotonic() - began < 30
        await asyncio.sleep(0.02)
    return dict(rejection)


async def test_an_older_file_of_a_second_server_rolls_nothing_back(tmp_path: Path, database_url: str) -> None:
    first = Live(tmp_path / "a", BACKSAAS_DATABASE_URL=database_url)
    second = Live(tmp_path / "b", BACKSAAS_DATABASE_URL=database_url)
    for process in (first, second):
        process.write("older", tenant("older"))
    await first.start()
    try:
        await first.until("older", state="serving")
        await first.save("older", tenant("older", "fresh: { type: string }"))
        await second.start()
        async with second.session("older") as session:
            async with session.get(f"{second.base('older')}/items?select=fresh") as answer:
                assert answer.status == 200, await answer.text()
            status = await second.until("older", version=2)
            [finding] = status["rejection"]["diagnostics"]
            assert "version 1" in finding["message"]
            assert "version 2 serves" in finding["message"]
            # on purpose it is a rollback
            second.write("older", tenant("older"))
            await second.until("older", timeout=30, version=3, rejection=None)
            async with session.get(f"{second.base('older')}/items?select=fresh") as answer:
                assert answer.status == 400
    finally:
        for process in (first, second):
            if process.process is not None:
                assert await process.stop() == 0
