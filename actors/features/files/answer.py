"""A file as an answer: ranges, validators, and headers under which it can do no harm.

Decides that what may run scripts is handed out as a download, that whatever a browser does show has a policy
that forbids everything (CSP ``sandbox``), and that a file's type is never guessed. RFC 9110, 13 and 14.
"""

import re
import string
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple
from urllib.parse import quote

from actors.features.files.intake import trouble
from actors.features.files.keeper import TenantFiles
from actors.features.files.media import shown_inline
from actors.features.files.pictures import Size, check_source, size_of
from actors.features.files.records import File
from actors.messages import Call, ProblemError, Result, Stream

PRIVATE = "private, no-cache"
"""A client may keep it, and asks each time whether it still may see it."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_PLAIN = frozenset(string.ascii_letters + string.digits + " .,+-_()[]!#$&@^`{}~'")
BY_LINK = frozenset({"file.signed", "storage.get.public", "storage.get.signed"})
"""Operations that hand out a file to whoever has its address: with a host for files they are served there."""
_POLICY = "default-src 'none'; sandbox"


class Shown(NamedTuple):
    """How a file is handed out.

    Attributes:
        caching: the Cache-Control header.
        download: as a download whatever it is; under this name, "": its own.
        name: what to call it when it has no name.
    """

    caching: str = PRIVATE
    download: str | None = None
    name: str = "file"


async def answer(files: TenantFiles, call: Call, file: File, shown: Shown) -> Result:
    """Return a file, a part of it, or that the client has it already.

    Raises:
        ProblemError: file.not_found when it is gone; file.range.
    """
    wanted = size_of(call.query)
    if wanted is not None:
        return await _smaller(files, call, file, shown, wanted)
    tag = f'"{file.sha256[:32]}"'
    headers = [
        ("ETag", tag),
        ("Cache-Control", shown.caching),
        ("Accept-Ranges", "bytes"),
        ("Last-Modified", f"{file.created_at:%a, %d %b %Y %H:%M:%S} GMT"),
    ]
    if call.if_none_match and _names(call.if_none_match, tag):
        return Result(304, headers=tuple(headers))
    apart = not files.shared.settings.url or call.operation in BY_LINK
    headers += [
        ("Content-Disposition", disposition(file, shown, apart=apart)),
        ("Content-Security-Policy", _POLICY),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    ]
    first, last = 0, file.size - 1
    status = 200
    within = None if call.range and not _still(call, tag) else _asked(call.range, file.size)
    if within is not None:
        first, last = within
        status = 206
        headers.append(("Content-Range", f"bytes {first}-{last}/{file.size}"))
    size = last - first + 1
    # a policy's charset: text is read as UTF-8 here, and nobody may guess another
    kind = f"{file.media_type}; charset=utf-8" if file.media_type.startswith("text/") else file.media_type
    if not size or call.method == "HEAD":
        return Result(status, b"", kind, tuple(headers), Stream(_nothing(), size))
    try:
        pieces = await files.shared.store.open(files.key(file.id), first, size)
    except FileNotFoundError:
        raise not_found() from None
    except OSError as error:
        raise trouble(error) from error
    return Result(status, b"", kind, tuple(headers), Stream(pieces, size))


async def _smaller(files: TenantFiles, call: Call, file: File, shown: Shown, size: Size) -> Result:
    """Return a picture in another size."""
    check_source(file.media_type, file.size)
    tag = f'"{file.sha256[:32]}-{"-".join(str(word) for word in size)}"'
    headers = [("ETag", tag), ("Cache-Control", shown.caching)]
    if call.if_none_match and _names(call.if_none_match, tag):
        return Result(304, headers=tuple(headers))
    try:
        source = await files.shared.store.open(files.key(file.id), 0, file.size)
    except FileNotFoundError:
        raise not_found() from None
    except OSError as error:
        raise trouble(error) from error
    async with aclosing(source):
        body = await files.shared.pictures.smaller(files.tenant, file.id, size, source)
    headers += [("Content-Security-Policy", _POLICY), ("Cross-Origin-Resource-Policy", "cross-origin")]
    return Result(200, body, "image/webp", (*headers, ("Content-Disposition", "inline")))


async def _nothing() -> AsyncGenerator[bytes, None]:
    for piece in tuple[bytes, ...]():
        yield piece


def not_found() -> ProblemError:
    """Return the refusal for a file that is not there, or not for this caller."""
    return ProblemError("file.not_found", "there is no such file")


def disposition(file: File, shown: Shown, *, apart: bool) -> str:
    """Return the Content-Disposition header (RFC 6266); no byte of a name can leave its quotes.

    A browser opens a file only ``apart``: where there is a host for files, nowhere else.
    """
    name = shown.download or file.name or shown.name
    inline = apart and shown.download is None and shown_inline(file.media_type)
    plain = "".join(char if char in _PLAIN else "_" for char in name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in header.split(",")}


def _still(call: Call, tag: str) -> bool:
    """Whether a part is wanted of what there is now: If-Range may name what there was."""
    condition = "" if call.sending is None else call.sending.headers.get("if-range", "")
    return not condition or condition.strip() == tag


def _asked(header: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte of a range; None for the whole: also for several ranges, or none we know.

    Raises:
        ProblemError: file.range when it begins behind the end.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    else:
        first, last = max(0, size - int(found[2])), size - 1
    if first >= size or last < first:
        raise ProblemError(
            "file.range",
            f"the file has {size} bytes",
            headers=(("Content-Range", f"bytes */{size}"), ("Accept-Ranges", "bytes")),
        )
    return first, last
