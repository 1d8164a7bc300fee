"""The embedded PostgreSQL: finds the binaries, makes the cluster, starts and stops the server.

Decides how PostgreSQL runs when no DSN is configured. It never opens a database connection. Called by
``run.py`` and the tests; sharp edges (root, socket length, stale pid files) are explained where they are
handled.
"""

import contextlib
import ctypes
import fcntl
import hashlib
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
from typing import IO, TypedDict

from actors.binaries import EmbeddedError, copy_binaries, find_binaries, major_version, service_user

SUPERUSER = "postgres"
SOCKET_PATH_LIMIT = 100
START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0


class _Identity(TypedDict, total=False):
    """Whom a child process runs as, in subprocess's own words."""

    user: int
    group: int
    extra_groups: list[str | int]


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
        self._bin_dir: Path | None = None
        self._user = self._choose_user()

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

    @property
    def log_path(self) -> Path:
        """What the server itself says."""
        return self._root / "postgres.log"

    def password(self) -> str:
        """Return the superuser's password, made at first use.

        Raises:
            EmbeddedError: it is gone although the cluster that knows it is there.
        """
        path = self._root / "superuser.key"
        if not path.exists():
            if self._initialised:
                msg = f"{path} is missing but {self.data} is there: restore the file from a backup"
                raise EmbeddedError(msg)
            building = path.with_suffix(".building")
            building.unlink(missing_ok=True)
            descriptor = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(descriptor)
            building.rename(path)  # whole or not at all
        return path.read_text()

    def start(self) -> None:
        """Make the cluster if needed and start the server; returns when it accepts connections.

        Call it from the main thread: the server is tied to the life of the thread that starts it.

        Raises:
            EmbeddedError: no binaries, another process uses the directory, or the server does not come up.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            binaries = find_binaries()
            self._bin_dir = copy_binaries(binaries, self._root) if self._user else binaries
            self._prepare_directories()
            if not self._initialised:
                self._initdb(self._bin_dir)
            self.password()
            self._check_version(self._bin_dir)
            self._wait_for_old_server()
            self._launch(self._bin_dir)
            self._wait_until_ready()
        except PermissionError as error:
            self.stop()
            msg = f"no right to use {error.filename or self._root}: it belongs to another user"
            raise EmbeddedError(msg) from error
        except BaseException:
            self.stop()
            raise

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
        major = major_version(bin_dir)
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
            command,
            capture_output=True,
            pass_fds=(read_end,),
            check=False,
            text=True,
            cwd="/",
            **self._identity(),
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
        ours = major_version(bin_dir)
        if stored != ours:
            msg = (
                f"{self.data} was made by PostgreSQL {stored}, this is {ours}: dump it with {stored}'s "
                f"pg_dumpall, move the directory away and restore"
            )
            raise EmbeddedError(msg)

    @property
    def _initialised(self) -> bool:
        """Whether there is a cluster; a directory that holds anything else is never built over.

        Raises:
            EmbeddedError: there is something that is no whole cluster.
        """
        if (self.data / "PG_VERSION").exists():
            return True
        if self.data.exists() and any(self.data.iterdir()):
            msg = (
                f"{self.data} is not empty but holds no whole PostgreSQL cluster: restore it or move it away"
            )
            raise EmbeddedError(msg)
        return False

    def _choose_user(self) -> pwd.struct_passwd | None:
        """As root: who runs the server. A cluster stays with its owner, whoever starts it later."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and self.data.stat().st_uid != 0:
            with contextlib.suppress(KeyError):
                return pwd.getpwuid(self.data.stat().st_uid)
        return service_user()

    def _old_server(self) -> int | None:
        """The pid of a server that still uses the cluster; a stale pid file or a stranger's pid is none."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        return pid if _is_postgres(pid, self.data) else None

    def _wait_for_old_server(self) -> None:
        """After a kill -9 of us the old server needs a moment to notice; strangers are left alone."""
        deadline = time.monotonic() + START_TIMEOUT
        while (pid := self._old_server()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            if time.monotonic() > deadline:
                msg = f"an old PostgreSQL (pid {pid}) still uses {self.data} and does not stop"
                raise EmbeddedError(msg)
            time.sleep(0.05)

    def _launch(self, bin_dir: Path) -> None:
        options = {"unix_socket_directories": str(self.socket_dir), **self._options}
        flags = [f"--{name}={value}" for name, value in options.items()]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                [str(bin_dir / "postgres"), "-D", str(self.data), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one syscall
                **self._identity(),
            )  # fmt: skip

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
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

    def ready(self) -> bool:
        """Whether the server we started accepts connections."""
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

    def _identity(self) -> _Identity:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


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
