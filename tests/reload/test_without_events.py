"""The kernel tells us nothing of files: no inotify instance is left for the server's user; docs/faults.md 23."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.live import Live
from tests.ordinary import allow_instances, ordinary_user
from tests.reload.conftest import eventually, measured, tenant, warnings

TOLD = "Too many open files"


@pytest.fixture
async def deaf(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    live = Live(tmp_path_factory.mktemp("deaf"), bare=True)
    live.prefix = ordinary_user(instances=0)
    live.write("quiet", tenant("quiet"))
    await live.start()
    yield live
    assert await live.stop() == 0, live.output()[-3000:]


def lines(live: Live, event: str) -> list[str]:
    return [line for line in live.output().splitlines() if event in line]


async def test_edits_count_without_events_and_one_line_says_so(deaf: Live) -> None:
    await eventually(lambda: len(lines(deaf, "folder.without_events")) == 2, deaf)  # schemas and config
    [line] = [line for line in lines(deaf, "folder.without_events") if str(deaf.schemas) in line]
    assert TOLD in line
    assert "max_user_instances" in line
    deaf.write("newcomer", tenant("newcomer"))
    await deaf.save("quiet", tenant("quiet", "first: { type: string }"))
    await deaf.until("newcomer", state="serving")
    (deaf.schemas / "newcomer.yaml").unlink()
    await deaf.until("newcomer", state="paused")
    assert len(lines(deaf, "folder.without_events")) == 2
    await measured(deaf, 'backsaas_folder_events{folder="schemas"} 0.0')
    told = await warnings(deaf)
    assert len(told) == 2
    assert all(TOLD in text for text in told)
    done = await asyncio.to_thread(deaf.command, "doctor")
    assert f"BAD  no file events in {deaf.schemas}" in done.stdout
    # once there is one, the server listens again without a restart
    assert deaf.process is not None
    allow_instances(deaf.process.pid, 10)
    await eventually(lambda: len(lines(deaf, "folder.events_again")) == 2, deaf)
    await measured(deaf, 'backsaas_folder_events{folder="schemas"} 1.0')
    assert await warnings(deaf) == []
    await deaf.save("quiet", tenant("quiet", "last: { type: string }"))
    assert "Traceback" not in deaf.output()
    assert "actor.failed" not in deaf.output()
