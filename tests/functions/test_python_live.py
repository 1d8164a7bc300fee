"""Python functions in the real program: edited while it runs, tried out before they are live, ended with it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import Live

FILE = """
version: 1
functions:
  greet: { trigger: rpc, roles: [public], function: greet }
  slow: { trigger: rpc, roles: [public], timeout: 5s }
  spin: { trigger: rpc, roles: [public], timeout: 5s }
entities:
  notes:
    schema: { properties: { text: { type: string }, size: { type: integer, readOnly: true } } }
    functions:
      measure:
        trigger: before_write
        tests:
          - { input: { text: four }, expect: { size: 4 } }
          - { input: { text: secret }, rejects: not here }
"""
CODE = """
import asyncio

def greet(args, ctx):
    return "hello from one"

async def slow(args, ctx):
    await asyncio.sleep(1.5)
    return "slow one"

def spin(args, ctx):
    while True:
        pass

def measure(record, ctx):
    if record["text"] == "secret":
        ctx.reject("not here", field="text")
    record["size"] = len(record["text"] or "")
"""


def save(live: Live, code: str, text: str = "") -> None:
    if text:
        live.write("functional", text)
    temporary = live.schemas / ".functional.py.tmp"
    temporary.write_text(code)
    temporary.replace(live.schemas / "functional.py")


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    live = Live(tmp_path_factory.mktemp("live"))
    save(live, CODE, FILE)
    await live.start()
    yield live
    await live.stop()


async def call(live: Live, name: str, method: str = "POST") -> tuple[int, Any]:
    async with (
        live.session("functional") as session,
        session.request(method, f"{live.base('functional')}/rpc/{name}", json={}) as answer,
    ):
        return answer.status, await answer.json()


async def until_says(live: Live, wanted: str) -> None:
    deadline = time.monotonic() + 10
    while (await call(live, "greet"))[1] != wanted:
        assert time.monotonic() < deadline, (await live.status("functional"), live.output()[-2000:])
        await asyncio.sleep(0.02)


async def test_edits_of_the_code_are_live_and_running_calls_end_on_theirs(live: Live) -> None:
    await until_says(live, "hello from one")
    began = asyncio.create_task(call(live, "slow"))
    await asyncio.sleep(0.3)
    before = (await live.status("functional"))["version"]
    save(live, CODE.replace("hello from one", "hello from two").replace("slow one", "slow two"))
    await until_says(live, "hello from two")
    assert (await began)[1] == "slow one"
    assert (await call(live, "slow"))[1] == "slow two"
    assert (await live.status("functional"))["version"] == before + 1
    async with (
        live.session("functional") as session,
        session.post(
            f"{live.base('functional')}/notes",
            json={"text": "four"},
            headers={"Prefer": "return=representation"},
        ) as answer,
    ):
        assert (await answer.json())[0]["size"] == 4


@pytest.mark.parametrize(
    ("code", "text", "file", "line", "words"),
    [
        (CODE + "\ndef broken(:\n", "", "functional.py", CODE.count("\n") + 2, "invalid syntax"),
        (CODE.replace("def greet", "def greeting"), "", "functional.yaml", 4, "there is no function 'greet'"),
        (CODE + "\nimport sqlite3\n", "", "functional.py", CODE.count("\n") + 2, "not available to functions"),
        (CODE + "\nopen('/etc/passwd')\n", "", "functional.py", CODE.count("\n") + 2, "Permission"),
        (CODE + "\nwhile True: pass\n", "", "functional.py", 1, "takes too long"),
        (CODE.replace("len(", "1 + len("), FILE + "strict: true\n", "functional.yaml", 14, "size is 5, not 4"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_with_its_place_and_the_version_before_serves(
    live: Live, code: str, text: str, file: str, line: int, words: str
) -> None:
    save(live, CODE, FILE)
    await until_says(live, "hello from one")
    save(live, code, text)
    deadline = time.monotonic() + 15
    while (rejection := (await live.status("functional"))["rejection"]) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    found = rejection["diagnostics"][0]
    assert (found["file"], found["line"]) == (file, line), found
    assert words in found["message"], found
    assert (await call(live, "greet")) == (200, "hello from one")
    save(live, CODE, FILE)
    await live.until("functional", rejection=None)


async def test_a_rollback_puts_both_back(live: Live) -> None:
    save(live, CODE, FILE)
    await until_says(live, "hello from one")
    version = (await live.status("functional"))["version"]
    save(
        live,
        CODE.replace("from one", "from three"),
        FILE.replace("greet: { trigger: rpc, roles: [public]", "greet: { trigger: rpc, roles: [admin]"),
    )
    await until_says(live, "hello from three")
    done = live.command("rollback", "functional", str(version))
    assert done.returncode == 0, done.stdout + done.stderr
    await until_says(live, "hello from one")
    assert (live.schemas / "functional.py").read_text() == CODE
    assert (live.schemas / "functional.yaml").read_text() == FILE


async def test_strict_files_and_the_command(live: Live) -> None:
    good = live.command("check", "--functions", str(live.schemas / "functional.yaml"))
    assert (good.returncode, good.stdout) == (0, "1 of 1 file good\n"), good.stdout + good.stderr
    save(live, CODE.replace("len(", "1 + len("))
    bad = live.command("check", "--functions", str(live.schemas / "functional.yaml"))
    assert bad.returncode == 1
    assert "functional.yaml:14:" in bad.stdout
    assert "measure: size is 5, not 4" in bad.stdout
    save(live, CODE)


def processes_of(pid: int) -> set[int]:
    """The processes below one."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    below, wave = set(), {pid}
    while wave:
        wave = {child for child, parent in found.items() if parent in wave}
        below |= wave
    return below


def names_of(pids: set[int]) -> dict[int, str]:
    names = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            names[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return {pid: name for pid, name in names.items() if "zygote" in name}


async def test_nothing_runs_on_when_the_process_is_killed(live: Live) -> None:
    await until_says(live, "hello from one")
    assert live.process is not None
    spinning = asyncio.create_task(call(live, "spin"))
    await asyncio.sleep(0.5)
    workers = names_of(processes_of(live.process.pid))
    assert len(workers) >= 2, "the one they are forked from, and one that spins"
    zygote = min(workers)
    os.kill(zygote, signal.SIGKILL)
    assert (await spinning)[0] in {500, 504}
    await until_says(live, "hello from one")
    spinning = asyncio.create_task(call(live, "spin"))
    await asyncio.sleep(0.5)
    workers = names_of(processes_of(live.process.pid))
    live.process.kill()
    live.process.wait()
    with contextlib.suppress(Exception):
        await spinning
    deadline = time.monotonic() + 5
    while names_of(set(workers)):
        assert time.monotonic() < deadline, "a function goes on without the process it belongs to"
        await asyncio.sleep(0.05)
    await live.start()
    await until_says(live, "hello from one")
