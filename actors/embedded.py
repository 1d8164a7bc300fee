"""The embedded PostgreSQL server: starts it, keeps it to ourselves, stops it.

Decides when it runs; ``actors.cluster`` decides where and as whom. It never opens a database connection.
Called by ``actors.database`` and the tests; sharp edges (stale pid files, orphans) are explained where
handled.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from actors.binaries import EmbeddedError, copy_binaries, find_binaries
from actors.cluster import Cluster

START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0
LOCK_PATIENCE = 0.3
LOG_LIMIT = 16 << 20
"""Bytes of server log after which the next start begins a new one; the old one is kept once."""


class EmbeddedPostgres:
    """One PostgreSQL cluster below a data directory.

    Args:
        directory: where the cluster, its binaries (as root) and its password live; made when missing.
        options: server settings that override the defaults, e.g. ``{"fsync": "off"}`` in tests.
        patience: seconds the server may take to come up.
    """

    def __init__(
        self, directory: Path, options: Mapping[str, str] | None = None, patience: float = START_TIMEOUT
    ) -> None:
        self._patience = patience
        self.cluster = Cluster(directory.resolve())
        self._options = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "wal_level": "logical",
            "shared_buffers": "128MB",
            "max_connections": "100",
            "logging_collector": "off",
            "log_min_messages": "warning",
            # two writers that wait for each other: one gives way and is tried again, soon
            "deadlock_timeout": "200ms",
            **(options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._bin_dir: Path | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs as our child."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def log_path(self) -> Path:
        """What the server itself says."""
        return self.cluster.root / "postgres.log"

    def start(self) -> None:
        """Make the cluster if needed and start the server; returns when it accepts connections.

        Call it from the main thread: the server is tied to the life of the thread that starts it.

        Raises:
            EmbeddedError: no binaries, another process uses the directory, or the server does not come up.
        """
        try:
            cluster = self.cluster
            cluster.root.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            binaries = find_binaries()
            self._bin_dir = copy_binaries(binaries, cluster.root) if cluster.user else binaries
            cluster.prepare()
            if not cluster.initialised:
                cluster.make(self._bin_dir)
            cluster.password()
            cluster.check_version(self._bin_dir)
            self._wait_for_old_server()
            if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
            self._launch(self._bin_dir)
            self._wait_until_ready()
        except PermissionError as error:
            self.stop()
            msg = f"no right to use {error.filename or self.cluster.root}: it belongs to another user"
            raise EmbeddedError(msg) from error
        except BaseException:
            self.stop()
            raise

    def runs_elsewhere(self) -> bool:
        """Whether another BackSaas process runs this cluster's server, so that one can connect to it."""
        try:
            self._take_lock()
        except EmbeddedError:
            return self._old_server() is not None
        except FileNotFoundError:
            return False
        self.stop()
        return False

    def relaunch(self) -> bool:
        """Start the server again after it died, without waiting; ``ready`` says when it accepts connections.

        Returns:
            False while processes of the dead server are still around; try again in a moment.

        Raises:
            EmbeddedError: ``start`` was never called.
        """
        if self._bin_dir is None or self._lock is None:
            msg = "the server was never started"
            raise EmbeddedError(msg)
        if self._old_server() is not None:
            return False
        self._launch(self._bin_dir)
        return True

    def ready(self) -> bool:
        """Whether the server we started accepts connections."""
        try:
            lines = (self.cluster.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self._process is not None
            and len(lines) >= 8
            and lines[0] == str(self._process.pid)
            and lines[7].strip() == "ready"
        )

    def stop(self) -> None:
        """Stop the server (fast shutdown) and release the directory. Safe to call twice."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_TIMEOUT)
        self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.cluster.root / "lock").open("ab")
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                # a command that only looks holds it for a moment
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                lock.close()
                msg = f"another BackSaas process uses {self.cluster.root}; stop it or set BACKSAAS_DATA_DIR"
                raise EmbeddedError(msg) from None
            break
        self._lock = lock

    def _old_server(self) -> int | None:
        """The pid of a server that still uses the cluster; a stale pid file or a stranger's pid is none."""
        try:
            lines = (self.cluster.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        return pid if _is_postgres(pid, self.cluster.data) else None

    def _wait_for_old_server(self) -> None:
        """After a kill -9 of us the old server needs a moment to notice; strangers are left alone."""
        deadline = time.monotonic() + START_TIMEOUT
        while (pid := self._old_server()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            if time.monotonic() > deadline:
                msg = f"an old PostgreSQL (pid {pid}) still uses {self.cluster.data} and does not stop"
                raise EmbeddedError(msg)
            time.sleep(0.05)
        # stale files stop PostgreSQL where their pid now is a stranger's, or a zombie nobody has reaped;
        # without them it cannot see that a killed server's children still run, so that is made sure of first
        if not _runs_in(self.cluster.data):
            (self.cluster.data / "postmaster.pid").unlink(missing_ok=True)
            (self.cluster.socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _launch(self, bin_dir: Path) -> None:
        options = {"unix_socket_directories": str(self.cluster.socket_dir), **self._options}
        flags = [f"--{name}={value}" for name, value in options.items()]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                [str(bin_dir / "postgres"), "-D", str(self.cluster.data), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one syscall
                **self.cluster.identity(),
            )  # fmt: skip

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._patience
        began = self.log_path.stat().st_size
        while not self.ready():
            if self.pid is None:
                # the orphans of a killed server hold its memory for a moment and make the new one give up
                if self._bin_dir is None or time.monotonic() > deadline or not self._orphans_remain(began):
                    raise EmbeddedError(self._last_words())
                time.sleep(0.1)
                began = self.log_path.stat().st_size
                self._launch(self._bin_dir)
            if time.monotonic() > deadline:
                raise EmbeddedError(self._last_words())
            time.sleep(0.01)

    def _orphans_remain(self, offset: int) -> bool:
        with self.log_path.open("rb") as log:
            log.seek(offset)
            return b"pre-existing shared memory block" in log.read()

    def _last_words(self) -> str:
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        fatal = [line for line in lines[-20:] if "FATAL" in line or "PANIC" in line or "could not" in line]
        reason = "".join((fatal or lines)[-1:]) or "no message"
        return f"PostgreSQL did not start: {reason} (see {self.log_path})"


def _is_postgres(pid: int, data: Path) -> bool:
    if pid <= 0:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return bool(command) and b"postgres" in command[0] and str(data).encode() in command


def _runs_in(data: Path) -> bool:
    """Whether a process works in the cluster's directory, as all of PostgreSQL's do; True when in doubt."""
    proc = Path("/proc")
    if not proc.is_dir():
        return True
    for process in proc.iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):  # it ended, or belongs to somebody else
                if (process / "cwd").readlink() == data:
                    return True
    return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG; SIGINT is PostgreSQL's fast shutdown
