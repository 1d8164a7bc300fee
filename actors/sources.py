"""Reads files that people and programs edit at any moment: whole, bounded and only regular ones.

Decides what counts as a readable, finished file, and how one is written. It knows nothing of YAML or tenants.
Called by the watcher, the platform's functions and the command line.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import signal
import stat
import time
from pathlib import Path

from msgspec import Struct

MAX_BYTES = (1 << 20) + 1
"""One byte more than a source may have, so that the compiler sees that it is too long."""
CODE_SUFFIX = ".py"
SETTLE = 0.1
"""Seconds a file must have been left alone where the kernel cannot say whether somebody is writing."""


class SourceError(Exception):
    """The file cannot be used as it is; the message says why, for its author."""


class UnreadableError(SourceError):
    """The system would not read it; it may at another time, with the file as it is."""


class Source(Struct, frozen=True):
    """A tenant's file, and the Python file beside it: one version of a tenant.

    Attributes:
        text: of the YAML file.
        digest: SHA-256 in hex, of both.
        saved_at: when it was put there or last touched: wall clock, seconds; 0 when unknown.
        code: of the Python file; b"" when there is none.
    """

    text: bytes
    digest: str
    saved_at: float = 0.0
    code: bytes = b""

    def age_ms(self, limit: float = 5000.0) -> float:
        """Return milliseconds since the save when that is recent enough to be this save's delay, else 0."""
        age = (time.time() - self.saved_at) * 1000
        return age if 0 <= age <= limit else 0.0


def source_of(text: bytes, code: bytes = b"", saved_at: float = 0.0) -> Source:
    """Return the source of a text, and of the code beside it."""
    digest = hashlib.sha256(text)
    if code:
        digest = hashlib.sha256(len(text).to_bytes(8, "big") + text + code)
    return Source(text, digest.hexdigest(), saved_at, code)


def read_tenant(path: Path, root: Path) -> Source | None:
    """Read a tenant's file and the Python file beside it; otherwise as ``read_source``."""
    source = read_source(path, root)
    try:
        beside = read_source(path.with_suffix(CODE_SUFFIX), root)
    except FileNotFoundError:
        return source
    if source is None or beside is None:
        return None
    return source_of(source.text, beside.text, max(source.saved_at, beside.saved_at))


def read_source(path: Path, root: Path) -> Source | None:
    """Read one file.

    Args:
        path: the file; a symbolic link is followed only to a place inside ``root``.
        root: the directory that is watched.

    Returns:
        The content, or None while somebody is still writing it.

    Raises:
        SourceError: it is no regular file or lies outside ``root``.
        UnreadableError: it cannot be read.
        FileNotFoundError: there is no such file.
    """
    try:
        real = Path(os.path.realpath(path))  # of a circle of links one of them, which cannot be opened
        if path.is_symlink() and not real.is_relative_to(os.path.realpath(root)):
            msg = f"{path.name} is a link to a place outside the schemas directory"
            raise SourceError(msg)
        return _read_whole(real, path.name)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(unreadable(path.name, error)) from None


def unreadable(name: str | Path, error: OSError) -> str:
    """Return what is told of a file or folder that the system does not let us read."""
    return f"{name} cannot be read: {os.strerror(error.errno or 0)}"


def write_source(path: Path, text: bytes, *, new: bool = False) -> None:
    """Replace a file's content in one step, so that no reader sees half of it and no crash leaves half.

    Args:
        path: the file.
        text: its new content.
        new: refuse when there is one already.

    Raises:
        FileExistsError: ``new``, and there is a file.
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(text)
            file.flush()
            if path.exists():
                temporary.chmod(path.stat().st_mode & 0o777)
            os.fsync(file.fileno())
        if new and path.exists():
            raise FileExistsError(path.name)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def write_tenant(path: Path, source: Source, *, new: bool = False) -> None:
    """Replace a tenant's file and the Python file beside it; arguments and errors as ``write_source``."""
    if new and path.exists():
        raise FileExistsError(path.name)
    beside = path.with_suffix(CODE_SUFFIX)
    if source.code:
        write_source(beside, source.code)
    else:
        beside.unlink(missing_ok=True)
    write_source(path, source.text, new=new)


def remove_source(path: Path) -> None:
    """Remove a file for good, and the Python file beside it; one that is gone already is fine."""
    path.unlink(missing_ok=True)
    path.with_suffix(CODE_SUFFIX).unlink(missing_ok=True)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """Make names in a directory outlive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_whole(real: Path, name: str) -> Source | None:
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            msg = f"{name} is not a regular file"
            raise SourceError(msg)
        if status.st_nlink > 1:
            msg = f"{name} is a hard link: its content can be changed from outside the schemas directory"
            raise SourceError(msg)
        if _being_written(descriptor, status):
            return None
        text = _read(descriptor)
    finally:
        os.close(descriptor)
    # unlike the modification time, it tells of a file that was moved or copied here
    return source_of(text, saved_at=status.st_ctime)


def _read(descriptor: int) -> bytes:
    chunks: list[bytes] = []
    missing = MAX_BYTES
    while missing and (chunk := os.read(descriptor, missing)):
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)


def _being_written(descriptor: int, status: os.stat_result) -> bool:
    """Ask the kernel for a read lease: it is refused exactly while another descriptor is open for writing."""
    if signal.getsignal(signal.SIGIO) is not signal.SIG_IGN:
        return 0 <= time.time() - status.st_mtime < SETTLE
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        # leases need ownership of the file and a local file system: otherwise the clock has to do
        return error.errno == errno.EAGAIN or 0 <= time.time() - status.st_mtime < SETTLE
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def allow_leases() -> None:
    """Let ``read_source`` ask the kernel who is writing; call it once, in the main thread.

    A writer that comes while we hold a lease is announced by SIGIO, whose default action would end the
    process.
    """
    signal.signal(signal.SIGIO, signal.SIG_IGN)
