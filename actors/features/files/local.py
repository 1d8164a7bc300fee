"""Files below the installation's data directory, readable by the operator alone.

Decides that an object appears whole or not at all: it is written beside its place, synced, and renamed. What
a crash leaves beside it is removed by ``names``' caller when it is old. Disk work happens in threads.
"""

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from actors.features.files.store import PIECE, Key, Stored

_BUFFER = 1 << 20
_UNFINISHED = ".part"


class LocalStore:
    """See the module's docstring.

    Args:
        folder: below which everything is; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, key: Key) -> "LocalWriter":
        """Begin an object."""
        return LocalWriter(self._place(key))

    async def open(self, key: Key, first: int, size: int) -> AsyncGenerator[bytes, None]:
        """Return bytes of an object; one that is deleted meanwhile is read to its end."""
        pieces = _read(self._place(key), first, size)
        return _again(await anext(pieces, b""), pieces)

    async def copy(self, source: Key, target: Key) -> None:
        """Make another object of the same bytes: objects never change, so one more name is enough."""
        origin, place = self._place(source), self._place(target)

        def link() -> None:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                place.hardlink_to(origin)
            except FileNotFoundError:
                raise
            except OSError:  # a file system without links
                unfinished = place.with_suffix(_UNFINISHED)
                shutil.copyfile(origin, unfinished)
                _settle(unfinished, place)
            else:
                _sync_folder(place.parent)

        await asyncio.to_thread(link)

    async def delete(self, key: Key) -> None:
        """Remove an object."""
        await asyncio.to_thread(self._place(key).unlink, missing_ok=True)

    async def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant."""
        folder = self._place(Key(tenant, "00")).parent.parent
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def names(self, tenant: str) -> AsyncIterator[Stored]:
        """Yield a tenant's objects, unfinished ones too."""
        folder = self._place(Key(tenant, "00")).parent.parent
        for part in await asyncio.to_thread(_listed, folder):
            for found in await asyncio.to_thread(_listed, part):
                with contextlib.suppress(FileNotFoundError):
                    yield Stored(found.name, found.stat().st_mtime)

    async def close(self) -> None:
        """Nothing is open."""

    def _place(self, key: Key) -> Path:
        key.checked()
        return self._folder / key.tenant / key.name[:2] / key.name


class LocalWriter:
    """An object that is being written.

    Args:
        place: where it will be.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._unfinished = place.with_suffix(_UNFINISHED)
        self._descriptor = -1
        self._waiting: list[bytes] = []
        self._size = 0

    async def write(self, piece: bytes) -> None:
        """Add bytes; a megabyte at a time reaches the disk."""
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= _BUFFER:
            await asyncio.to_thread(self._flush)

    async def commit(self) -> None:
        """Sync and rename."""
        await asyncio.to_thread(self._finish)

    async def abort(self) -> None:
        """Remove what was written."""
        self._waiting.clear()
        await asyncio.to_thread(self._drop)

    def _flush(self) -> None:
        if self._descriptor < 0:
            self._place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._descriptor = os.open(self._unfinished, flags, 0o600)
        data = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        self._size = 0
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _finish(self) -> None:
        self._flush()
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        _settle(self._unfinished, self._place)

    def _drop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._unfinished.unlink(missing_ok=True)


async def _read(place: Path, first: int, size: int) -> AsyncGenerator[bytes, None]:
    descriptor, piece = os.open(place, os.O_RDONLY), b""
    try:
        while size > 0:
            piece = await asyncio.to_thread(os.pread, descriptor, min(size, PIECE), first)
            if not piece:
                raise OSError(errno.EIO, "the file is shorter than it should be")
            first += len(piece)
            size -= len(piece)
            if not size:
                break
            yield piece
    finally:
        os.close(descriptor)
    if piece:
        yield piece


async def _again(piece: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(rest):
        if piece:
            yield piece
        async for further in rest:
            yield further


def _settle(unfinished: Path, place: Path) -> None:
    unfinished.replace(place)
    _sync_folder(place.parent)


def _sync_folder(folder: Path) -> None:
    for path in (folder, folder.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
