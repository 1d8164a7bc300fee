"""A file on its way in: from a client's bytes to an object in the store, never whole in memory.

Decides when it is refused: too large, not of an accepted type, no room left. Nothing of a refused or broken
upload stays. What becomes of the object, in which table its row is, is the caller's.
"""

import errno
import hashlib
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from actors.features.files.keeper import TenantFiles
from actors.features.files.media import HEAD, accepts, media_of
from actors.features.files.records import File
from actors.features.files.store import Writer, new_name
from actors.messages import Part, ProblemError
from actors.tenant.quotas import used_up

MAX_NAME = 255
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Wanted(Struct, frozen=True):
    """What a file may be.

    Attributes:
        most: bytes.
        accept: media types, such as ``image/*``; none: all.
        what: of whom it is asked, for messages.
        pointer: to the field, for problems; "" where there is none.
    """

    most: int
    accept: Sequence[str] = ()
    what: str = "a file"
    pointer: str = ""


async def take(files: TenantFiles, part: Part, wanted: Wanted) -> File:
    """Take a file in; its bytes are in the store, whole and synced, when this returns.

    Raises:
        ProblemError: file.too_large, file.type_refused, quota.storage, storage_full; what its pieces raise.
    """
    name = new_name()
    writer = files.shared.store.create(files.key(name))
    measured = _Measured(files)
    try:
        file = await _copy(writer, part, wanted, measured, File(name, 0, "", "", display_name(part.filename)))
        await writer.commit()
    except OSError as error:
        await writer.abort()
        measured.end(kept=False)
        raise trouble(error) from error
    except BaseException:
        await writer.abort()
        measured.end(kept=False)
        raise
    measured.end(kept=True)
    return file


async def discard(files: TenantFiles, name: str) -> None:
    """Remove what was taken in and will not be kept."""
    await files.shared.store.delete(files.key(name))


async def _copy(writer: Writer, part: Part, wanted: Wanted, measured: "_Measured", file: File) -> File:
    digest, head, media, size = hashlib.sha256(), b"", "", 0
    async for piece in part.pieces:
        size += len(piece)
        if size > wanted.most:
            raise too_large(wanted)
        measured.add(len(piece))
        digest.update(piece)
        if not media:
            head += piece
            if len(head) >= HEAD:
                media = _media(head[:HEAD], part, wanted)
        await writer.write(piece)
    if not media:
        media = _media(head, part, wanted)
    return replace(file, size=size, media_type=media, sha256=digest.hexdigest())


def _media(head: bytes, part: Part, wanted: Wanted) -> str:
    media = media_of(head, part.content_type)
    if not accepts(wanted.accept, media):
        text = f"{wanted.what} is {', '.join(wanted.accept)}; by its bytes this is {media}"
        raise _refusal("file.type_refused", text, wanted, "type")
    return media


def too_large(wanted: Wanted) -> ProblemError:
    """Return the refusal of a file that is too large."""
    return _refusal("file.too_large", f"{wanted.what} has at most {wanted.most} bytes", wanted, "size")


def _refusal(code: str, text: str, wanted: Wanted, kind: str) -> ProblemError:
    errors = ({"pointer": wanted.pointer, "code": kind, "detail": text},) if wanted.pointer else ()
    return ProblemError(code, text, errors=errors)


def trouble(error: OSError) -> ProblemError:
    """Return what a caller is told about trouble of the store."""
    if error.errno in _FULL:
        return ProblemError("storage_full", "there is no space left for files")
    return ProblemError("file.store", "the store of files cannot be reached at the moment")


def display_name(name: str | None) -> str:
    """Return a client's file name as it is kept: one line, no path, at most ``MAX_NAME`` characters.

    It is only ever shown: no path on this machine is made of it.
    """
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if char.isprintable() and char not in _TURNING).strip()
    return "" if shown in {".", ".."} else shown[:MAX_NAME]


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Characters that turn the direction of text, so that ``gpj.exe`` reads as ``exe.jpg``."""


class _Measured:
    """The room one upload takes, given back when nothing is kept."""

    def __init__(self, files: TenantFiles) -> None:
        self._quota = files.quota
        self._size = 0

    def add(self, size: int) -> None:
        """Take room.

        Raises:
            ProblemError: quota.storage.
        """
        quota = self._quota
        if quota is None:
            return
        limits = quota.limits
        most = None if limits is None else limits.hard("storage")
        if limits is not None and most is not None and quota.filled + size > most:
            raise used_up(limits, "storage", most, "bytes of storage")
        quota.storing += size
        self._size += size

    def end(self, *, kept: bool) -> None:
        """Be done."""
        if self._quota is not None:
            self._quota.storing -= self._size
            self._quota.stored += self._size if kept else 0


async def text_of(pieces: AsyncIterator[bytes], most: int) -> str:
    """Return a short text that came as a part.

    Raises:
        ProblemError: http.body_too_large, PGRST102.
    """
    data = b""
    async for piece in pieces:
        data += piece
        if len(data) > most:
            raise ProblemError("http.body_too_large", f"a field of a form has at most {most} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ProblemError("PGRST102", "a field of the form is not UTF-8") from None
