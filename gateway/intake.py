"""Bodies that are files: handed on piece by piece, as one file or as the parts of a form.

Decides which requests have such a body, and how a form is read (RFC 7578): strictly, with few and short
headers. Size and patience are ``proxy.upload``'s. Called by ``server``.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from aiohttp.web_request import BaseRequest
from multidict import istr

from actors.messages import Part, ProblemError, Sending
from config.settings import Settings
from gateway import decode
from gateway.limits import Limits
from gateway.proxy.upload import BYTES_PER_SECOND, Upload
from gateway.receive import check_transfer_coding, read_body
from schemas.compiler.compile import SYSTEM_SLUG

FORM = "multipart/form-data"
MAX_PARTS = 300
_OVERHEAD = 64 * 1024
"""What a form may have beside its files."""
IMPORT = "platform.import"
_TAKES_FILES = frozenset(
    {"import", "file.upload", "file.put", "storage.upload", "storage.upload.signed", IMPORT}
)
_WHOLE_TENANT = frozenset({"backup_tenant", "restore_tenant", "clone_tenant", "export_tenant"})
_WHOLE_TENANT_SECONDS = 6 * 3600.0
_TAKES_FORMS = frozenset({"create", "update", "replace"})
_TYPE = istr("Content-Type")
_HEADERS = ("if-range", "cache-control", "x-upsert", "x-metadata")
ABOUT_FILES = frozenset(
    {
        "file.get",
        "file.signed",
        "storage.get",
        "storage.get.public",
        "storage.get.signed",
        "storage.upload.sign",
    }
)
"""Operations whose answers depend on headers about files."""


async def receive(
    request: BaseRequest, operation: str, limits: Limits, most: int
) -> tuple[bytes, Sending | None, float]:
    """Return a request's body, or what hands it on; and the seconds that takes at most from now on.

    Args:
        request: whose body nobody has touched.
        operation: that it is for.
        limits: how long a client may take, and how large a body may be that is no file.
        most: bytes a file may have.

    Raises:
        ProblemError: http.body_too_large, http.timeout, http.bad_body, http.expectation, http.media_type.
    """
    if not request.body_exists:
        about = Sending(headers=_about(request)) if operation in ABOUT_FILES else None
        return b"", about, 0.0
    decode.check_encoding(request.headers)
    content_type = request.headers.get(_TYPE, "")
    form = operation in _TAKES_FORMS and _is_form(content_type)
    if not form and operation not in _TAKES_FILES:
        about = Sending(headers=_about(request)) if operation in ABOUT_FILES else None
        return await read_body(request, limits), about, 0.0
    check_transfer_coding(request.headers)
    body = Upload(request, limits, most + _OVERHEAD)
    parts = _parts(body, content_type) if _is_form(content_type) else _whole(body, content_type)
    patience = limits.body_seconds + (most + _OVERHEAD) / BYTES_PER_SECOND
    return b"", Sending(parts, body.length, _about(request)), patience


def most_bytes(everything: Settings, operation: str) -> int:
    """Return how large a body may be that nobody holds as a whole."""
    settings, backup_settings = everything.files, everything.backup
    if operation == IMPORT:
        return backup_settings.import_max_bytes
    return settings.import_bytes if operation == "import" else settings.max_bytes


def work_seconds(slug: str, function: str) -> float:
    """Return how much longer than other requests one may take that is about a tenant as a whole."""
    return _WHOLE_TENANT_SECONDS if slug == SYSTEM_SLUG and function in _WHOLE_TENANT else 0.0


def _about(request: BaseRequest) -> dict[str, str]:
    return {name: value for name in _HEADERS if (value := request.headers.get(name)) is not None}


def _is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == FORM


async def _whole(body: Upload, content_type: str) -> AsyncGenerator[Part, None]:
    pieces = body.pieces()
    yield Part("", "", content_type, pieces)


async def _parts(body: Upload, content_type: str) -> AsyncGenerator[Part, None]:
    # loaded when the first form comes
    from multipart import MultipartError, PushMultipartParser, parse_options_header  # noqa: PLC0415

    boundary = parse_options_header(content_type)[1].get("boundary", "")
    try:
        parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS, strict=True)
    except MultipartError as error:
        raise _unreadable(error) from error
    events = _events(parser, body.pieces(), MultipartError)
    async with aclosing(events):
        async for event in events:
            if event is None or isinstance(event, bytes | bytearray):
                continue  # of a part nobody read to its end
            if event.name is None:
                raise ProblemError("http.bad_body", "a part of the form has no name")
            # an empty file input of a browser is no file
            yield Part(event.name, event.filename, event.content_type or "", _pieces(events))


async def _pieces(events: AsyncGenerator[Any, None]) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            return
        if isinstance(event, bytes | bytearray):
            yield bytes(event)


async def _events(
    parser: Any,  # noqa: ANN401 - of a library without types
    pieces: AsyncIterator[bytes],
    failure: type[Exception],
) -> AsyncGenerator[Any, None]:
    """Yield what a parser of ``multipart`` finds: a segment's head, its bytes, None at its end."""
    try:
        async for piece in pieces:
            for event in parser.parse(piece):
                yield event
        parser.close()
    except failure as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> ProblemError:
    return ProblemError("http.bad_body", "the form cannot be read", details=str(error)[:200])
