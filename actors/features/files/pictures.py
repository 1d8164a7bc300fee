"""Smaller pictures, made where they are asked for and remembered for a while.

Decides which sizes can be asked for and how many pictures are made at once. Decoding is done by
``picture_child``, a process per picture that can do nothing else: whatever a picture does to a decoder ends
there.
"""

import asyncio
import contextlib
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from actors.messages import ProblemError

MAX_SIDE = 2500
MAX_SOURCE = 32 << 20
SECONDS = 20.0
MAX_WAITING = 32
_REMEMBERED = 16 << 20
_HOW = frozenset({"cover", "contain", "fill"})
_TOO_LARGE = 3
_ROOT = Path(__file__).resolve().parents[3]
_KINDS = frozenset(f"image/{name}" for name in ("png", "jpeg", "gif", "webp", "bmp", "tiff"))


class Size(NamedTuple):
    """A size that is asked for: 0 for a side that follows from the other."""

    width: int
    height: int
    how: str = "cover"
    quality: int = 80


class Pictures:
    """Makes and remembers them.

    Args:
        at_once: processes.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._made: OrderedDict[tuple[str, str, Size], bytes] = OrderedDict()
        self._size = 0

    async def smaller(self, tenant: str, name: str, size: Size, source: AsyncIterator[bytes]) -> bytes:
        """Return a picture in another size, as WebP.

        Args:
            tenant: whose it is.
            name: of the object it is made of; its bytes never change.
            size: wanted.
            source: its bytes; not read when it was made before.

        Raises:
            ProblemError: file.no_picture; http.overloaded.
        """
        key = (tenant, name, size)
        known = self._made.get(key)
        if known is not None:
            self._made.move_to_end(key)
            return known
        if self._waiting >= MAX_WAITING:
            raise ProblemError(
                "http.overloaded", "too many pictures at once", headers=(("Retry-After", "1"),)
            )
        self._waiting += 1
        try:
            async with self._room:
                made = await _make(size, source)
        finally:
            self._waiting -= 1
        self._made[key] = made
        self._size += len(made)
        while self._size > _REMEMBERED:
            self._size -= len(self._made.popitem(last=False)[1])
        return made


def size_of(query: str) -> Size | None:
    """Return the size a query asks for with ``width``, ``height``, ``resize`` and ``quality``; None for none.

    Raises:
        ProblemError: file.no_picture for a size that cannot be.
    """
    if "width=" not in query and "height=" not in query:
        return None
    said = dict(parse_qsl(query))
    try:
        size = Size(
            int(said.get("width", 0)), int(said.get("height", 0)), said.get("resize", "cover"),
            int(said.get("quality", 80)),
        )  # fmt: skip
    except ValueError:
        raise _refused("width, height and quality are whole numbers") from None
    if not (0 <= size.width <= MAX_SIDE and 0 <= size.height <= MAX_SIDE and size.width + size.height):
        raise _refused(f"a side has 1 to {MAX_SIDE} pixels")
    if size.how not in _HOW or not 20 <= size.quality <= 100:
        raise _refused("resize is cover, contain or fill; quality is 20 to 100")
    return size


def check_source(media: str, size: int) -> None:
    """Refuse what no smaller picture is made of.

    Raises:
        ProblemError: file.no_picture.
    """
    if media not in _KINDS or size > MAX_SOURCE:
        raise _refused(f"smaller pictures are made of images of at most {MAX_SOURCE >> 20} MiB")


async def _make(size: Size, source: AsyncIterator[bytes]) -> bytes:
    words = [str(word) for word in size]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "actors.features.files.picture_child", *words, cwd=_ROOT, env={},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS):
            data = b"".join([piece async for piece in source])
            made, _ = await process.communicate(data)
    except TimeoutError:
        raise _refused("the picture takes too long to read") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        told = "it has too many pixels" if process.returncode == _TOO_LARGE else "it cannot be read"
        raise _refused(f"no smaller picture can be made: {told}")
    return made


def _refused(message: str) -> ProblemError:
    return ProblemError("file.no_picture", message)
