"""Files and folders an ordinary user's server may not read, while it serves and as it starts; docs/faults.md 23."""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest

from tests.live import Live
from tests.ordinary import ordinary_user
from tests.reload.conftest import eventually, measured, tenant, warnings

DENIED = "cannot be read: Permission denied"


@pytest.fixture(scope="module")
async def ordinary(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """A server of an ordinary user, with its own PostgreSQL: ours may belong to somebody it must not reach."""
    live = Live(tmp_path_factory.mktemp("ordinary"), bare=True)
    live.prefix = ordinary_user()
    live.write("beside", tenant("beside"))
    await live.start()
    await live.until("beside", state="serving")
    yield live
    assert await live.stop() == 0, live.output()[-3000:]
    assert "Traceback" not in live.output()
    assert "actor.failed" not in live.output()


async def items(live: Live, slug: str, query: str = "") -> int:
    async with live.session(slug) as session, session.get(f"{live.base(slug)}/items{query}") as answer:
        return answer.status


async def rejected(live: Live, slug: str) -> str:
    """Wait for what a tenant's status says against its file."""
    deadline = time.monotonic() + 30
    while not (rejection := (await live.status(slug))["rejection"]):
        assert time.monotonic() < deadline, live.output()[-3000:]
        await asyncio.sleep(0.02)
    [finding] = rejection["diagnostics"]
    return str(finding["message"])


@pytest.mark.parametrize("suffix", [".yaml", ".py"])
async def test_a_file_that_becomes_unreadable_keeps_its_version_and_comes_back(
    ordinary: Live, suffix: str
) -> None:
    slug = f"locked-{suffix[1:]}"
    file = ordinary.schemas / f"{slug}{suffix}"
    (ordinary.schemas / f"{slug}.py").write_text("# nothing yet\n")
    ordinary.write(slug, tenant(slug))
    before = await ordinary.until(slug, state="serving", rejection=None)
    file.chmod(0)
    assert await rejected(ordinary, slug) == f"{file.name} {DENIED}"
    status = await ordinary.status(slug)
    assert (status["state"], status["version"]) == ("serving", before["version"])
    assert await items(ordinary, slug) == 200
    assert await warnings(ordinary) == []
    # a new text that nobody may read changes nothing; with the permission it comes into force
    if suffix == ".yaml":
        new = ordinary.schemas / f".{slug}.tmp"
        new.write_text(tenant(slug, "more: { type: string }"))
        new.chmod(0)
        new.replace(file)
        await asyncio.to_thread(looks_twice, ordinary)
        assert await items(ordinary, slug, "?select=more") == 400
    file.chmod(0o644)
    await ordinary.until(slug, state="serving", rejection=None)
    if suffix == ".yaml":
        await ordinary.until(slug, version=before["version"] + 1)
        assert await items(ordinary, slug, "?select=more") == 200
    assert ordinary.output().count(f"{file.name} {DENIED}") == 1  # one line, however often it was looked at


def looks_twice(live: Live) -> None:
    """Wait until the server has looked at all files again: it takes what is saved after what we wait for."""
    for text in ("# a look\n", "# and another\n"):
        path = live.schemas / "looked.yaml"
        path.write_text(f"{text}nothing: here\n")
        seen = live.output().count("looked.yaml:")
        deadline = time.monotonic() + 30
        while live.output().count("looked.yaml:") == seen:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    path.unlink()


@pytest.mark.parametrize("mode", [0o000, 0o444])
async def test_a_folder_that_becomes_unreadable_pauses_nobody_and_comes_back(
    ordinary: Live, mode: int
) -> None:
    ordinary.write("inside", tenant("inside"))
    await ordinary.until("inside", state="serving")
    told = f"{ordinary.schemas} {DENIED}"
    lines = ordinary.output().count(told)
    ordinary.schemas.chmod(mode)
    try:
        await eventually(lambda: ordinary.output().count(told) > lines, ordinary)
        for slug in ("inside", "beside"):
            assert (await ordinary.status(slug))["state"] == "serving"
            assert await items(ordinary, slug) == 200
        assert await warnings(ordinary) == [told]
        await measured(ordinary, 'backsaas_folder_readable{folder="schemas"} 0.0')
        done = await asyncio.to_thread(ordinary.command, "doctor")
        assert f"BAD  {told}" in done.stdout
    finally:
        ordinary.schemas.chmod(0o755)
    # as before: an edit counts, and so does a file that is gone
    await ordinary.save("inside", tenant("inside", f"m{mode}: {{ type: string }}"))
    assert await items(ordinary, "inside", f"?select=m{mode}") == 200
    await measured(ordinary, 'backsaas_folder_readable{folder="schemas"} 1.0')
    assert await warnings(ordinary) == []
    (ordinary.schemas / "inside.yaml").unlink()
    await ordinary.until("inside", state="paused")
    assert ordinary.output().count(told) == lines + 1


async def test_times_set_back_hide_no_edit(ordinary: Live) -> None:
    ordinary.write("old-times", tenant("old-times"))
    before = await ordinary.until("old-times", state="serving")
    path = ordinary.schemas / "old-times.yaml"
    times = path.stat()
    text = tenant("old-times").replace("name: {", "nome: {").replace("[name]", "[nome]")
    assert len(text) == times.st_size
    with path.open("r+") as file:
        file.write(text)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    await ordinary.until("old-times", version=before["version"] + 1)


async def test_a_file_nobody_may_read_as_the_server_starts_takes_nothing_away(ordinary: Live) -> None:
    ordinary.write("shut", tenant("shut"))
    await ordinary.until("shut", state="serving")
    file = ordinary.schemas / "shut.yaml"
    file.chmod(0)
    try:
        await ordinary.restart()
        assert await rejected(ordinary, "shut") == f"shut.yaml {DENIED}"
        assert await items(ordinary, "shut") == 200
        assert (await ordinary.status("shut"))["rejection"]  # also now that it is awake
    finally:
        file.chmod(0o644)
    await ordinary.until("shut", state="serving", rejection=None)
    await ordinary.save("shut", tenant("shut", "more: { type: string }"))


async def test_a_folder_nobody_may_read_is_no_place_to_start(ordinary: Live) -> None:
    assert await ordinary.stop() == 0
    ordinary.schemas.chmod(0)
    try:
        with pytest.raises(AssertionError, match="exit 2"):
            await ordinary.start()
        last = ordinary.output().splitlines()[-1]
        assert f"{ordinary.schemas} {DENIED}" in last
    finally:
        ordinary.schemas.chmod(0o755)
        await ordinary.start()
    assert await items(ordinary, "beside") == 200
