"""The README's tour, command by command, against a live process: what it shows is what you get."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.sources import source_of
from tests.docs.consoles import apply, blocks, commands, matches
from tests.live import ROOT, Live

README = ROOT / "README.md"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    live = Live(tmp_path, bare=True, anew=True)
    for file in (*(ROOT / "schemas").glob("*.yaml"), *(ROOT / "schemas").glob("*-*.py")):
        shutil.copy(file, live.schemas)
    await live.start(str(tmp_path))  # as the page says: no development tokens
    yield live
    await live.stop()


class Shell:
    """Runs a page's commands in one shell's terms: variables set by one are there for the next."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.variables: dict[str, str] = {}

    def run(self, command: str) -> str:
        command = command.replace("localhost:8000", f"localhost:{self.live.port}").replace(
            "curl ", "curl -sS "
        )
        program = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'run.py'))}"
        command = command.replace("python3 run.py", program)
        set_ = re.match(r"(\w+)=\$\((.*)\)$", command)
        done = subprocess.run(
            ["/bin/sh", "-c", set_[2] if set_ else command],
            env={**os.environ, **self.live.env, **self.variables},
            cwd=self.live.directory,
            capture_output=True,
            text=True,
            timeout=120,
        )
        printed = done.stdout + done.stderr
        if set_:
            self.variables[set_[1]] = done.stdout.strip()
        if "check" not in command:
            assert done.returncode == 0, printed
        return printed


async def settled(live: Live, slug: str, file: Path) -> None:
    """Wait until the file is live, refused, or waits for a yes."""
    code = file.with_suffix(".py")
    digest = source_of(file.read_bytes(), code.read_bytes() if code.exists() else b"").digest
    key = live.command("key", slug).stdout.strip()
    for _ in range(500):
        status = await live.status(slug, apikey=key)
        told = (status, status.get("rejection") or {}, status.get("pending") or {})
        if digest in {part.get("digest") for part in told}:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"nobody noticed the edit: {status}")


async def test_the_tour(live: Live) -> None:
    await walk(live, README.read_text())


async def walk(live: Live, page: str, *, shown: list[tuple[str, str]] | None = None) -> None:
    """Run a page; with ``shown`` collect what was printed instead of comparing."""
    shell = Shell(live)
    for block in blocks(page):
        if block.language == "diff":
            file = live.directory / block.words
            apply(block.text, file)
            await settled(live, file.stem, file)
        elif block.language == "console":
            for command in commands(block):
                printed = await asyncio.to_thread(shell.run, command.text)
                if shown is not None:
                    shown.append((command.text, printed))
                elif command.shown is not None:
                    assert matches(command.shown, printed), f"line {block.line}: {command.text}\n{printed}"
