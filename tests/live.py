"""A real BackSaas process on its own directories and ports, driven as a user would: files, HTTP, signals."""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from actors.features.auth.dev_tokens import mint
from gateway.dev_key import load_dev_key
from tests.clusters import place_cluster
from tests.forked import Forked

ROOT = Path(__file__).resolve().parent.parent
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
"""An interrupted test run leaves no servers behind, where there is a way to say so."""


def free_port() -> int:
    """A port nobody uses, below those the kernel lends to connections: it stays free until we bind it."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class Live:
    """One process. ``directory`` holds schemas/, config/ and data/; ``url`` is the public port.

    ``prefix`` comes before the program, which then starts anew: who runs it (``tests.ordinary``).

    Args:
        directory: its own; made when missing.
        bare: no database is there yet, as on the first day; else a copy of a ready one saves a second of initdb.
        anew: each process is a Python of its own that runs ``run.py``; else a fork of one saves a second of imports.
        env: further environment variables.
    """

    def __init__(self, directory: Path, *, bare: bool = False, anew: bool = False, **env: str) -> None:
        self.directory, self.bare, self.anew = directory, bare, anew
        self.schemas = directory / "schemas"
        self.config = directory / "config"
        self.schemas.mkdir(parents=True, exist_ok=True)
        self.config.mkdir(exist_ok=True)
        for parent in (directory, *directory.parents):
            if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)  # PostgreSQL's own user must reach data/
        self.port, self.admin_port = free_port(), free_port()
        self.env = {
            "PATH": os.environ["PATH"],
            "BACKSAAS_PORT": str(self.port),
            "BACKSAAS_ADMIN_PORT": str(self.admin_port),
            "BACKSAAS_DATA_DIR": str(directory / "data"),
            "BACKSAAS_SCHEMAS_DIR": str(self.schemas),
            "BACKSAAS_CONFIG_DIR": str(self.config),
            **env,
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        self.log = directory / "process.log"
        self.arguments: tuple[str, ...] = ()
        self.prefix: tuple[str, ...] = ()
        self.process: subprocess.Popen[bytes] | Forked | None = None

    def write(self, slug: str, text: str) -> None:
        """Save a tenant file as an editor does."""
        temporary = self.schemas / f".{slug}.yaml.tmp"
        temporary.write_text(text)
        temporary.replace(self.schemas / f"{slug}.yaml")

    def command(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run ``run.py`` with arguments in this installation."""
        if self.anew or self.prefix:
            return subprocess.run(
                [*self.prefix, sys.executable, str(ROOT / "run.py"), *arguments],
                env=self.env, capture_output=True, text=True, timeout=timeout, cwd=self.directory,
            )  # fmt: skip
        with tempfile.TemporaryDirectory() as kept:
            out, err = Path(kept) / "out", Path(kept) / "err"
            code = Forked(arguments, self.env, self.directory, out, err).wait(timeout)
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    async def start(self, *arguments: str, timeout: float = 120) -> float:
        """Start the server; returns the seconds until /readyz said 200."""
        data = Path(self.env["BACKSAAS_DATA_DIR"])
        if not (self.bare or "BACKSAAS_DATABASE_URL" in self.env or (data / "pg").exists()):
            place_cluster(data)
        self.arguments = arguments or ("--dev",)
        began = time.monotonic()
        self.process = self._launch("serve", *self.arguments)
        async with aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
                    async with session.get(
                        f"{self.admin_url}/readyz", timeout=aiohttp.ClientTimeout(total=2)
                    ) as answer:
                        if answer.status == 200:
                            return time.monotonic() - began
                if self.process.poll() is not None or time.monotonic() - began > timeout:
                    raise AssertionError(f"not ready (exit {self.process.poll()}):\n{self.output()}")
                await asyncio.sleep(0.02)

    def _launch(self, *arguments: str) -> "subprocess.Popen[bytes] | Forked":
        if not (self.anew or self.prefix):
            return Forked(arguments, self.env, self.directory, self.log, self.log)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self.prefix, *ENDS_WITH_US, sys.executable, str(ROOT / "run.py"), *arguments],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, start_new_session=True,
            )  # fmt: skip

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def stop(self, signum: int = signal.SIGTERM, timeout: float = 30) -> int:
        """Signal the server and wait for its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signum)
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"did not stop:\n{self.output()[-3000:]}")
            await asyncio.sleep(0.02)
        return self.process.wait()

    async def restart(self) -> float:
        """Stop it in an orderly way and start it again on the same data; returns the seconds until it was ready."""
        assert await self.stop() == 0, self.output()[-3000:]
        return await self.start(*self.arguments)

    def token(self, slug: str, role: str = "admin", **claims: str) -> str:
        """A development token, as ``run.py token`` makes them."""
        subject = claims.pop("sub", None)
        key = load_dev_key(Path(self.env["BACKSAAS_DATA_DIR"]))
        return mint(key, slug, now=time.time(), role=role, subject=subject, claims=claims)

    def base(self, slug: str) -> str:
        return f"{self.url}/api/tenants/{slug}"

    def session(self, slug: str, role: str = "admin", **claims: str) -> aiohttp.ClientSession:
        """An HTTP session that is signed in."""
        return aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.token(slug, role, **claims)}"})

    async def status(self, slug: str, *, apikey: str = "") -> dict[str, Any]:
        """The tenant's own status document; with a key where there are no development tokens."""
        made = aiohttp.ClientSession(headers={"apikey": apikey}) if apikey else self.session(slug)
        async with made as session, session.get(f"{self.base(slug)}/status") as answer:
            return json.loads(await answer.text())

    async def save(self, slug: str, text: str, *, timeout: float = 30) -> dict[str, Any]:
        """Save a tenant file and wait until exactly this text is in force."""
        self.write(slug, text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return await self.until(slug, timeout=timeout, state="serving", digest=digest, rejection=None)

    async def until(self, slug: str, *, timeout: float = 30, **wanted: Any) -> dict[str, Any]:
        """Wait until the tenant's status has all the wanted members."""
        deadline = time.monotonic() + timeout
        status: dict[str, Any] = {}
        while time.monotonic() < deadline:
            status = await self.status(slug)
            if all(status.get(name) == value for name, value in wanted.items()):
                return status
            await asyncio.sleep(0.02)
        raise AssertionError(f"{slug} never had {wanted}; it is {status}\n{self.output()[-3000:]}")
