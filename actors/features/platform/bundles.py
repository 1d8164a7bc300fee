"""The file a tenant travels in: a zip whose bytes depend on nothing but what is in it.

Decides order, names and limits of members, and that nothing of one is used before all of them are what the
manifest says: their number, size and SHA-256. Names are looked up, never turned into paths. It knows no SQL;
``packing`` writes such files, ``unpacking`` reads them.
"""

import asyncio
import contextlib
import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType
from typing import IO, Any, BinaryIO

import orjson

from actors.features.files.store import PIECE
from actors.messages import ProblemError
from schemas.compiler.names import slug_problem

FORMAT = 2
MANIFEST = "manifest.json"
SCHEMA, CODE, VERSIONS, MIGRATIONS, STRUCTURE = (
    "schema.yaml", "functions.py", "versions.jsonl", "migrations.jsonl", "structure.json",
)  # fmt: skip
MAX_ENTRIES = 200_000
MAX_TEXT = 16 << 20
"""Bytes of a member that is read as a whole."""
MAX_MANIFEST = 64 << 20
MAX_BYTES, MAX_RATIO = 4 << 30, 20
"""What an archive may unpack to: so many bytes, or so many times its own size; more is an attack."""
_NAME = re.compile(
    r"schema\.yaml|functions\.py|versions\.jsonl|migrations\.jsonl|structure\.json"
    r"|(?:data|archive)/[a-z_0-9]{1,63}\.csv|files/[0-9a-f]{1,64}"
)
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    KeyError, TypeError, AttributeError,
)  # fmt: skip


class Member:
    """One member that is being written; memory holds a piece of it."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self.size = 0

    async def write(self, piece: bytes) -> None:
        """Add bytes."""
        self._waiting += piece
        if len(self._waiting) >= PIECE:
            await self.flush()

    async def flush(self) -> None:
        """Give what waits to the archive."""
        piece, self._waiting = bytes(self._waiting), bytearray()
        self._digest.update(piece)
        self.size += len(piece)
        await asyncio.to_thread(self._opened.write, piece)

    def entry(self) -> dict[str, Any]:
        """Return what the manifest says of it."""
        return {"bytes": self.size, "sha256": self._digest.hexdigest()}


class Packer:
    """Writes an archive, member by member, in the order of its caller.

    Args:
        file: seekable, empty.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._members: dict[str, dict[str, Any]] = {}

    @contextlib.asynccontextmanager
    async def member(self, name: str) -> AsyncIterator[Member]:
        """Write one; files are stored as they are, most are compressed already."""
        # a name gets the zip format's first day as its time; a ZipInfo is stored
        place = zipfile.ZipInfo(name) if name.startswith("files/") else name
        with self._zip.open(place, "w", force_zip64=True) as opened:
            member = Member(opened)
            yield member
            await member.flush()
        self._members[name] = member.entry()

    async def add(self, name: str, data: bytes) -> None:
        """Write one that is at hand."""
        async with self.member(name) as member:
            await member.write(data)

    def finish(self, **values: object) -> dict[str, Any]:
        """Write the manifest, the last member, and return what it says."""
        told = {"format": FORMAT, **values, "members": self._members}
        self._zip.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(told, indent=1, sort_keys=True))
        self._zip.close()
        return told


class Bundle:
    """An archive that is being read.

    Attributes:
        manifest: of this format, naming exactly the members that are there; its values are not believed.
    """

    def __init__(self, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self._zip = archive
        self.manifest = MappingProxyType(dict(manifest))
        self.names = frozenset(archive.namelist()) - {MANIFEST}

    def open(self, name: str) -> IO[bytes]:
        """Return a member's bytes as a file."""
        return self._zip.open(name)

    def read(self, name: str) -> bytes:
        """Return a member as a whole; b"" for one that is not there.

        Raises:
            ProblemError: tenant.bad_archive, it is too long for that.
        """
        if name not in self.names:
            return b""
        if self._zip.getinfo(name).file_size > MAX_TEXT:
            raise bad(f"{name} is too long")
        with damaged():
            return self._zip.read(name)

    def verify(self) -> None:
        """Read every member to its end.

        Raises:
            ProblemError: tenant.bad_archive, one is not what the manifest says.
        """
        for name in sorted(self.names):
            digest, wanted = hashlib.sha256(), self.manifest["members"][name]
            with damaged(), self.open(name) as opened:
                while piece := opened.read(PIECE):
                    digest.update(piece)
            if digest.hexdigest() != wanted["sha256"]:
                raise bad(f"{name} is damaged")


@contextlib.contextmanager
def bundle_of(file: BinaryIO) -> Iterator[Bundle]:
    """Open an archive and compare its directory with its manifest.

    Raises:
        ProblemError: tenant.bad_archive.
    """
    with damaged():
        archive = zipfile.ZipFile(file)
    with archive:
        with damaged():
            bundle = _checked(archive, file)
        yield bundle


def _checked(archive: zipfile.ZipFile, file: BinaryIO) -> Bundle:
    entries = archive.infolist()
    file.seek(0, 2)
    if len(entries) > MAX_ENTRIES:
        raise bad("it has too many members")
    if sum(entry.file_size for entry in entries) > max(MAX_BYTES, MAX_RATIO * file.tell()):
        raise bad("it would become too large")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise bad("a member is there twice")
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST:
        raise bad("its manifest is too long")
    manifest = orjson.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT:
        raise bad(f"this reads archives of format {FORMAT}")
    if slug_problem(manifest["slug"]):
        raise bad("its manifest names no tenant")
    members = manifest["members"]
    for entry in entries:
        name = entry.filename
        if name == MANIFEST:
            continue
        if not _NAME.fullmatch(name) or entry.flag_bits & 1:
            raise bad("it has a member that no tenant has")
        if members[name]["bytes"] != entry.file_size:
            raise bad(f"{name} has another size than its manifest says")
    if len(members) != len(names) - 1:
        raise bad("a member is missing")
    return Bundle(archive, manifest)


@contextlib.contextmanager
def damaged() -> Iterator[None]:
    """Say of what cannot be read that it cannot be read."""
    try:
        yield
    except _DAMAGE as error:
        raise bad("it is damaged, or no tenant's archive") from error


def bad(reason: str) -> ProblemError:
    """Return the refusal of an archive."""
    return ProblemError("tenant.bad_archive", f"the archive cannot be taken: {reason}")
