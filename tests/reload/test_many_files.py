"""Many files at once, and two processes on one database."""

import asyncio
import time
from pathlib import Path

from tests.live import Live
from tests.reload.conftest import tenant

FILES = 60


async def test_many_new_files_all_come_up_while_others_keep_serving(live: Live) -> None:
    await live.save("calm", tenant("calm"))
    failures: list[int] = []
    stop = asyncio.Event()

    async def client() -> None:
        async with live.session("calm") as session:
            while not stop.is_set():
                async with session.get(f"{live.base('calm')}/items") as answer:
                    if answer.status != 200:
                        failures.append(answer.status)
                await asyncio.sleep(0.01)

    watching = asyncio.get_running_loop().create_task(client())
    began = time.monotonic()
    for number in range(FILES):
        live.write(f"many-{number:03}", tenant(f"many-{number:03}"))
    # an edit of a running tenant does not wait behind the new ones
    await live.save("calm", tenant("calm", "more: { type: string }"), timeout=5)
    print("an edit beside them took", round(time.monotonic() - began, 2), "s")
    for number in range(FILES):
        await live.until(f"many-{number:03}", timeout=60, state="serving")
    print(FILES, "new tenants after", round(time.monotonic() - began, 1), "s")
    stop.set()
    await watching
    assert failures == []


async def test_two_processes_on_one_database_follow_each_other(tmp_path: Path, database_url: str) -> None:
    first = Live(tmp_path / "a", BACKSAAS_DATABASE_URL=database_url)
    second = Live(tmp_path / "b", BACKSAAS_DATABASE_URL=database_url)
    for process in (first, second):
        process.write("both", tenant("both"))
    await first.start()
    await second.start()
    try:
        for process in (first, second):
            async with (
                process.session("both") as session,
                session.get(f"{process.base('both')}/items") as answer,
            ):
                assert answer.status == 200  # the second one found it in force already and sleeps until now
        await first.save("both", tenant("both", "fresh: { type: string, default: new }"))
        version = (await first.status("both"))["version"]
        await second.until("both", version=version)
        async with (
            second.session("both") as session,
            session.post(
                f"{second.base('both')}/items",
                json={"name": "x"},
                headers={"Prefer": "return=representation"},
            ) as answer,
        ):
            assert answer.status == 201, await answer.text()
            assert (await answer.json())[0]["fresh"] == "new"
    finally:
        assert await first.stop() == 0
        assert await second.stop() == 0
