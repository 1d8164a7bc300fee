"""The real program: start, ports, signals, kills, users. What a user sees on the first day and on the worst."""

import asyncio
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.live import Live, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
NOTES = "version: 1\nservice: { name: notes }\nentities:\n  notes:\n    key: id\n    schema:\n      type: object\n      properties:\n        id: {type: string}\n        text: {type: string}\n"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    live = Live(tmp_path, anew=True)
    live.write("notes", NOTES)
    yield live
    if live.process is not None and live.process.poll() is None:
        for child in psutil.Process(live.process.pid).children(recursive=True):
            child.kill()
        live.process.kill()
        live.process.wait()


def postgres_of(live: Live) -> list[psutil.Process]:
    """The server's PostgreSQL processes, found by its data directory."""
    data = str(live.directory / "data" / "pg")
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if data in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found += [process, *process.children(recursive=True)]
    return found


async def write(live: Live, session: aiohttp.ClientSession, key: str) -> int:
    async with session.post(f"{live.base('notes')}/notes", json={"id": key, "text": "x"}) as answer:
        return answer.status


async def ids(live: Live) -> set[str]:
    async with (
        live.session("notes") as session,
        session.get(f"{live.base('notes')}/notes?select=id&limit=1000") as answer,
    ):
        assert answer.status == 200
        return {row["id"] for row in json.loads(await answer.text())}


async def test_it_says_where_it_listens_and_what_it_serves_and_a_warm_start_is_quick(live: Live) -> None:
    live.bare = True
    first = await live.start()
    async with live.session("notes") as session:
        assert await write(live, session, "kept") == 201
    output = live.output()
    assert live.url in output
    assert "notes" in output
    assert await live.stop() == 0
    second = await live.start()
    print(f"ready after {first:.2f} s with a new data directory, {second:.2f} s with a warm one")
    assert second < max(3, first * 0.8)  # the first one had a database to make, on the same busy machine
    assert await ids(live) == {"kept"}
    assert await live.stop(signal.SIGINT) == 0
    assert not postgres_of(live)
    assert "Traceback" not in live.output()


async def test_requests_in_flight_finish_when_it_is_told_to_stop(live: Live) -> None:
    await live.start()
    statuses: list[int] = []
    refused = 0
    async with live.session("notes") as session:

        async def client(number: int) -> None:
            nonlocal refused
            for count in range(10_000):
                try:
                    statuses.append(await write(live, session, f"{number}-{count}"))
                except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                    refused += 1  # a new connection after the port closed
                    return

        clients = [asyncio.get_running_loop().create_task(client(number)) for number in range(8)]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        assert await live.stop() == 0
        assert time.monotonic() - began < 10
        await asyncio.gather(*clients)
    assert statuses.count(201) > 50
    assert set(statuses) <= {201, 503}
    await live.start()
    assert len(await ids(live)) >= min(1000, statuses.count(201))
    await live.stop()


async def test_a_second_signal_is_no_harm(live: Live) -> None:
    await live.start()
    assert live.process is not None
    for signum in (signal.SIGHUP, signal.SIGUSR1):
        live.process.send_signal(signum)
    await asyncio.sleep(0.2)
    assert live.process.poll() is None, live.output()
    live.process.send_signal(signal.SIGTERM)
    live.process.send_signal(signal.SIGTERM)
    assert await live.stop() == 0
    assert not postgres_of(live)


async def test_killed_outright_with_its_postgres_it_recovers_by_itself(live: Live) -> None:
    ordinary = await live.start()
    acknowledged: set[str] = set()
    for round_number in range(3):
        async with live.session("notes") as session:

            async def client(number: int, round_number: int = round_number) -> None:
                for count in range(10_000):
                    key = f"{round_number}-{number}-{count}"
                    try:
                        if await write(live, session, key) == 201:
                            acknowledged.add(key)
                    except (aiohttp.ClientError, OSError):
                        return

            clients = [asyncio.get_running_loop().create_task(client(number)) for number in range(4)]
            await asyncio.sleep(0.3)
            assert live.process is not None
            if round_number:
                for process in postgres_of(live):
                    process.kill()
            live.process.kill()
            live.process.wait()
            await asyncio.gather(*clients)
        seconds = await live.start()
        print(f"ready {seconds:.2f} s after kill -9")
        assert seconds < max(5, 2.5 * ordinary)
        async with live.session("notes") as session:
            for start in range(0, 10_000, 1000):
                url = f"{live.base('notes')}/notes?select=id&order=id&limit=1000&offset={start}"
                async with session.get(url) as answer:
                    rows = {row["id"] for row in json.loads(await answer.text())}
                acknowledged.difference_update(rows)
                if len(rows) < 1000:
                    break
        assert not acknowledged, "acknowledged writes were lost"
    assert await live.stop() == 0


async def test_postgres_killed_alone_is_started_again(live: Live) -> None:
    await live.start()
    async with live.session("notes") as session:
        assert await write(live, session, "before") == 201
        for process in postgres_of(live):
            process.kill()
        began = time.monotonic()
        seen = set()
        while (status := await write(live, session, "after")) != 201:
            seen.add(status)
            assert time.monotonic() - began < 8
            await asyncio.sleep(0.02)
    assert seen <= {503, 409}  # 409: a write whose answer was lost
    assert await ids(live) == {"before", "after"}
    assert await live.stop() == 0


async def test_a_port_in_use_is_one_line_and_exit_code_2(live: Live) -> None:
    for name in ("port", "admin_port"):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", getattr(live, name)))
            taken.listen()
            done = live.command("serve")
        assert done.returncode == 2, done
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert f"{getattr(live, name)}" in done.stderr
        assert "in use" in done.stderr
        assert not postgres_of(live)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:canary@127.0.0.1:1/x", "refused|failed"),
        ("postgresql://me:canary@nowhere.invalid/x", "cannot use"),
        ("mysql://me:canary@localhost/x", "does not begin with postgresql://"),
        ("postgresql://me:canary@127.0.0.1:not-a-port/x", "cannot use|port"),
    ],
)
async def test_an_unreachable_database_is_one_line_and_exit_code_2(live: Live, url: str, words: str) -> None:
    live.env |= {"BACKSAAS_DATABASE_URL": url, "BACKSAAS_DATABASE_START_SECONDS": "0.5"}
    done = live.command("serve")
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert any(word in done.stderr for word in words.split("|")), done.stderr
    assert "canary" not in done.stderr + done.stdout


async def test_a_second_server_on_the_same_data_is_one_line_and_exit_code_2(live: Live) -> None:
    await live.start()
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "serve"], env={**live.env, "BACKSAAS_PORT": str(free_port()), "BACKSAAS_ADMIN_PORT": str(free_port())},
        capture_output=True, text=True, timeout=60, cwd=live.directory,
    )  # fmt: skip
    assert done.returncode == 2, done
    assert "another BackSaas process uses" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert await live.stop() == 0


async def test_closed_output_and_a_full_log_disk_stop_nothing(live: Live) -> None:
    for target in ("closed", "/dev/full"):
        full = Path("/dev/full").open("wb")  # noqa: SIM115
        live.process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), "serve", "--dev"], env=live.env, cwd=live.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if target == "closed" else full,
            stderr=subprocess.DEVNULL,
            preexec_fn=(lambda: os.close(1)) if target == "closed" else None,
        )  # fmt: skip
        full.close()
        deadline = time.monotonic() + 120
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{live.admin_url}/readyz") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                assert time.monotonic() < deadline
                assert live.process.poll() is None
                await asyncio.sleep(0.05)
        async with live.session("notes") as session:
            assert await write(live, session, f"x-{len(target)}") == 201
        assert await live.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_an_ordinary_user_and_root_run_the_same_installation(tmp_path: Path) -> None:
    probe = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.version_info[:2])"], user=pwd.getpwnam("nobody").pw_uid, capture_output=True, cwd="/", check=False,
    ) if _everyone_can_run(sys.executable) else None  # fmt: skip
    if probe is None or probe.returncode:
        pytest.skip("this environment's Python lies where ordinary users cannot start it")
    nobody = pwd.getpwnam("nobody")
    live = Live(tmp_path / "theirs", anew=True)
    live.write("notes", NOTES)
    for path in (live.directory, *live.directory.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    with live.log.open("ab") as log:
        live.process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), "serve", "--dev"], env=live.env, cwd=live.directory, stdout=log, stderr=log,
            user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
        )  # fmt: skip
    await _ready(live)
    assert await live.stop() == 0
    await live.start()
    assert await live.stop() == 0


def _everyone_can_run(executable: str) -> bool:
    real = Path(executable).resolve()
    return all(parent.stat().st_mode & 0o001 for parent in (*Path(executable).parents, *real.parents))


async def _ready(live: Live) -> None:
    deadline = time.monotonic() + 120
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline:
            try:
                async with session.get(f"{live.admin_url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(live.output())


async def test_few_file_descriptors_are_survived(live: Live) -> None:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with live.log.open("ab") as log:
        live.process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), "serve", "--dev"], env={**live.env, "BACKSAAS_DATABASE_CONNECTIONS": "10"},
            cwd=live.directory, stdout=log, stderr=log, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (96, limit[1])),
        )  # fmt: skip
    await _ready(live)
    sockets = []
    try:
        for _ in range(150):
            sock = socket.socket()
            sock.settimeout(0.2)
            try:
                sock.connect(("127.0.0.1", live.port))
            except OSError:
                break
            sockets.append(sock)
        await asyncio.sleep(0.5)
    finally:
        for sock in sockets:
            sock.close()
    await asyncio.sleep(1)
    async with live.session("notes") as session:
        assert await write(live, session, "after the flood") == 201
    assert live.output().count("\n") < 200
    assert await live.stop() == 0
