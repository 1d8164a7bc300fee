"""Finds what changed in a directory of source files since the last look.

Decides which files count as changed, unfinished, refused or gone. It never compiles. Called by the watcher,
both on file events and on every periodic rescan: events are a hint that makes it fast, the rescan is what
makes it right.
"""

import os
import time
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from actors.sources import CODE_SUFFIX, Source, SourceError, UnreadableError, read_tenant, unreadable

GONE_AFTER = 0.3
"""Seconds until a missing file counts as deleted: editors move the old one away before they write."""


class Changed(Struct, frozen=True):
    """The file ``name`` (without suffix) was saved; its content may be what it was."""

    name: str
    source: Source


class Refused(Struct, frozen=True):
    """The file cannot be used; ``reason`` speaks to its author."""

    name: str
    reason: str


class Removed(Struct, frozen=True):
    """The file is gone."""

    name: str


Finding: TypeAlias = Changed | Refused | Removed
Signature: TypeAlias = tuple[int, ...]
_NEVER: Signature = ()
"""No file has it: one that is remembered with it is read at the next look."""
_UNKNOWN: Signature = (0,)
"""Of a file that is there but tells nothing; reading it says why."""


class Scanner:
    """Remembers one directory's direct children with one suffix.

    Attributes:
        trouble: why the directory could not be read at the last look; "" when it could, or is not there.
    """

    def __init__(self, root: Path, suffix: str = ".yaml") -> None:
        self.root = root
        self.trouble = ""
        self._suffix = suffix
        self._signatures: dict[str, Signature] = {}
        self._refusals: dict[str, str] = {}
        self._missing_since: dict[str, float] = {}

    def start_over(self) -> None:
        """Look at everything as if for the first time, but remember which files there were."""
        self._signatures = dict.fromkeys(self._signatures, _NEVER)
        self._refusals.clear()

    def scan(self) -> tuple[list[Finding], bool]:
        """Look once; a directory that cannot be read has lost nothing.

        Returns:
            The findings, and whether a file is unfinished or newly missing, so that one should look again
            soon.
        """
        findings: list[Finding] = []
        unsettled = False
        present: set[str] = set()
        try:
            files = list_files(self.root, self._suffix)
        except OSError as error:
            self.trouble = unreadable(self.root, error)
            return [], False
        self.trouble = ""
        for path in files:
            name = path.name.removesuffix(self._suffix)
            signature = _signature(path)
            if signature is None:
                continue
            present.add(name)
            if self._signatures.get(name) == signature:
                continue
            try:
                source = read_tenant(path, self.root)
            except FileNotFoundError:
                present.discard(name)
                continue
            except SourceError as error:
                # what the system would not read it may read at the next look
                self._signatures[name] = _NEVER if isinstance(error, UnreadableError) else signature
                if self._refusals.get(name) != str(error):
                    self._refusals[name] = str(error)
                    findings.append(Refused(name, str(error)))
                continue
            if source is None or _signature(path) != signature:
                unsettled = True
                continue
            self._signatures[name] = signature
            self._refusals.pop(name, None)
            findings.append(Changed(name, source))
        gone, waiting = self._removed(present)
        return findings + gone, unsettled or waiting

    def _removed(self, present: set[str]) -> tuple[list[Finding], bool]:
        now = time.monotonic()
        gone: list[Finding] = []
        for name in present:
            self._missing_since.pop(name, None)
        for name in self._signatures.keys() - present:
            since = self._missing_since.setdefault(name, now)
            if now - since >= GONE_AFTER:
                for memory in (self._signatures, self._refusals, self._missing_since):
                    memory.pop(name, None)
                gone.append(Removed(name))
        return gone, bool(self._missing_since)


def list_files(root: Path, suffix: str = ".yaml") -> list[Path]:
    """Return a directory's direct children with a suffix; none when there is no directory.

    Raises:
        OSError: it cannot be read, or what is in it cannot be reached.
    """
    try:
        os.stat(os.path.join(root, "."))  # noqa: PTH116, PTH118 - pathlib drops the dot, which asks to enter
        # hidden files are editors' swap and lock files
        return sorted(p for p in root.iterdir() if p.name.endswith(suffix) and p.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        return []


def _signature(path: Path) -> Signature | None:
    """What changes whenever the content may have, that of the Python file beside it included."""
    own = _signature_of(path)
    return None if own is None else own + (_signature_of(path.with_suffix(CODE_SUFFIX)) or ())


def _signature_of(path: Path) -> Signature | None:
    """What changes whenever one file may have; unlike the modification time, ctime cannot be set back."""
    try:
        status = path.stat()
    except OSError:
        try:
            # a dangling link, or one that may not be followed, is reported by reading it
            status = path.lstat()
        except FileNotFoundError:
            return None
        except OSError:
            return _UNKNOWN
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
