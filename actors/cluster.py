"""The directory of a PostgreSQL cluster: whose it is, how it is made, and what is never done to it.

Decides paths, owner, password and version of the embedded cluster; it never builds over anything that is
there. It starts no server: ``actors.embedded`` does, its only caller.
"""

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict

from actors.binaries import EmbeddedError, major_version, service_user

SUPERUSER = "postgres"
SOCKET_PATH_LIMIT = 100


class Identity(TypedDict, total=False):
    """Whom a child process runs as, in subprocess's own words."""

    user: int
    group: int
    extra_groups: list[str | int]


class Cluster:
    """One cluster below a data directory.

    Args:
        root: the data directory; the cluster, its socket and its superuser's password live in it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.user = self._choose_user()

    @property
    def data(self) -> Path:
        """The cluster's own directory."""
        return self.root / "pg"

    @property
    def socket_dir(self) -> Path:
        """Where the unix socket is; outside the data directory when that path is too long for a socket."""
        direct = self.root / "s"
        if len(str(direct / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
            return direct
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"backsaas-{digest}"

    @property
    def initialised(self) -> bool:
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

    def password(self) -> str:
        """Return the superuser's password, made at first use.

        Raises:
            EmbeddedError: it is gone although the cluster that knows it is there.
        """
        path = self.root / "superuser.key"
        if not path.exists():
            if self.initialised:
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

    def prepare(self) -> None:
        """Make the directories and give them to whom the server runs as.

        Raises:
            EmbeddedError: that user cannot reach them, or somebody else's directory is in the way.
        """
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.socket_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.socket_dir.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {
            os.geteuid(),
            self.user and self.user.pw_uid,
        }:
            # below the shared temporary directory anybody may have been there first
            msg = f"{self.socket_dir} belongs to somebody else; choose a shorter BACKSAAS_DATA_DIR"
            raise EmbeddedError(msg)
        if self.user is None:
            return
        # the service user must reach its own directories, whoever owns the tree above
        self.root.chmod(self.root.stat().st_mode | 0o711)
        for path in (self.data, self.socket_dir):
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        for parent in self.root.parents:
            if not parent.stat().st_mode & 0o001 and parent.stat().st_uid != self.user.pw_uid:
                msg = (
                    f"user {self.user.pw_name!r}, who runs PostgreSQL for root, cannot enter {parent}; "
                    f"choose another BACKSAAS_DATA_DIR or run 'chmod o+x {parent}'"
                )
                raise EmbeddedError(msg)

    def make(self, bin_dir: Path) -> None:
        """Run initdb; the cluster appears whole or not at all.

        Raises:
            EmbeddedError: initdb failed.
        """
        major = major_version(bin_dir)
        locale = ["--locale=C.UTF-8"]
        if major >= 17:
            # the order of text must not depend on the machine's C library
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        building = self.data.with_name("pg.building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(building, self.user.pw_uid, self.user.pw_gid)
        read_end, write_end = os.pipe()
        os.write(write_end, self.password().encode() + b"\n")
        os.close(write_end)
        if self.user is not None:
            os.fchown(read_end, self.user.pw_uid, self.user.pw_gid)  # initdb opens it again by name
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
            **self.identity(),
        )
        os.close(read_end)
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip().splitlines()
            msg = f"PostgreSQL's initdb failed: {reason[-1] if reason else done.returncode}"
            raise EmbeddedError(msg)
        # a killed initdb leaves only pg.building
        self.data.rmdir()
        building.rename(self.data)

    def check_version(self, bin_dir: Path) -> None:
        """Refuse programs of another major version.

        Raises:
            EmbeddedError: saying how to move the data.
        """
        stored = int((self.data / "PG_VERSION").read_text().strip().split(".")[0])
        ours = major_version(bin_dir)
        if stored != ours:
            msg = (
                f"{self.data} was made by PostgreSQL {stored}, this is {ours}: dump it with {stored}'s "
                f"pg_dumpall, move the directory away and restore"
            )
            raise EmbeddedError(msg)

    def identity(self) -> Identity:
        """Return whom the server's processes run as; empty when that is who we are."""
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _choose_user(self) -> pwd.struct_passwd | None:
        """As root: who runs the server. A cluster stays with its owner, whoever starts it later."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and self.data.stat().st_uid != 0:
            with contextlib.suppress(KeyError):
                return pwd.getpwuid(self.data.stat().st_uid)
        return service_user()
