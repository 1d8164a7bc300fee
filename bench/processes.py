"""Starts and stops what is measured, and reads what it has used: processor time and memory from /proc."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_POSTGRES = "postgres"


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A server of its own, with everything it starts."""

    def __init__(
        self, name: str, command: list[str], port: int, environment: dict[str, str] | None = None
    ) -> None:
        self.name, self.port = name, port
        self.log = (ROOT / "bench" / "results" / f"{name}.log").open("wb")
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_for(self, path: str, port: int | None = None, seconds: float = 180.0) -> float:
        """Wait until ``path`` answers 2xx; return the seconds since the start."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended:\n{Path(self.log.name).read_text()[-2000:]}")
            if status(port or self.port, path) // 100 == 2:
                return time.perf_counter() - self.started
            time.sleep(0.02)
        raise SystemExit(f"{self.name} does not answer {path}:\n{Path(self.log.name).read_text()[-2000:]}")

    def tree(self) -> Iterator[int]:
        """Yield the process and its children, PostgreSQL's excepted."""
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            try:
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                continue
            if name.startswith(_POSTGRES):
                continue
            yield pid
            waiting += map(int, children)

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, by ended children too."""
        total = 0
        for pid in self.tree():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            # utime, stime; for our own process also those of children waited for
            total += sum(map(int, fields[11:15] if pid == self.process.pid else fields[11:13]))
        return total / TICKS

    def memory_mb(self, *, alone: bool = False) -> float:
        """Return the resident memory of all its processes, or of the first alone."""
        pages = 0
        for pid in [self.process.pid] if alone else self.tree():
            try:
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue
        return pages * PAGE / 1e6

    def stop(self) -> None:
        """End it and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


class Platform(Process):
    """BackSaas as its users start it, over given directories."""

    def __init__(
        self,
        name: str,
        schemas: Path,
        data: Path,
        database_url: str,
        settings: dict[str, str] | None = None,
        program: list[str] | None = None,
    ) -> None:
        self.admin_port = free_port()
        port = free_port()
        self.environment = {
            "BACKSAAS_PORT": str(port),
            "BACKSAAS_ADMIN_PORT": str(self.admin_port),
            "BACKSAAS_DATA_DIR": str(data),
            "BACKSAAS_SCHEMAS_DIR": str(schemas),
            "BACKSAAS_DATABASE_URL": database_url,
            "BACKSAAS_LOG_LEVEL": "warning",
            "BACKSAAS_LOG_FORMAT": "json",
            **(settings or {}),
        }
        super().__init__(name, [sys.executable, *(program or ["run.py", "serve"])], port, self.environment)

    def key(self, slug: str) -> str:
        """Return a new API key of an administrator of a tenant."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "run.py"), "key", slug],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def send(self, path: str, body: dict, **headers: str) -> dict:
        """POST JSON; return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                "POST", path, json.dumps(body), {"Content-Type": "application/json", **headers}
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{path}: {answer.status} {text}")
        return dict(json.loads(text))


class Load:
    """The load generator's process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, port: int, requests: list[str], connections: int, seconds: float, **more: object) -> None:
        """Begin a job."""
        job = {"port": port, "requests": requests, "connections": connections, "seconds": seconds, **more}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def result(self) -> dict:
        """Wait for the job's end."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the load generator ended")
        return dict(json.loads(line))

    def run(self, port: int, requests: list[str], connections: int, seconds: float, **more: object) -> dict:
        """Run a job to its end."""
        self.start(port, requests, connections, seconds, **more)
        return self.result()

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


def status(port: int, path: str) -> int:
    """Return the status a GET answers, 0 when nobody does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
