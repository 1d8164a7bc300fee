"""An upstream's answer on its way to the client, piece by piece.

Decides how the answer is framed, and what becomes of it when one of the two ends breaks. It never holds more
than a piece: who reads slowly makes the upstream wait. Called by ``proxy``.
"""

import asyncio
import re
from http import HTTPStatus

import aiohttp
import structlog
from aiohttp.web_request import BaseRequest
from typing_extensions import override

from gateway.answers import Answer, drain

log = structlog.get_logger("gateway.proxy")
IDLE_SECONDS = 60.0
"""Between two pieces; streams of events may be silent for as long as both ends like."""
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_BARE = frozenset({204, 304})
_STANDARD = {status.value: status.phrase for status in HTTPStatus}


class Relayed(Answer):
    """An answer that was written already.

    Args:
        status: of the answer.
        keep_alive: whether the connection may bring another request.
    """

    def __init__(self, status: int, *, keep_alive: bool) -> None:  # pyright: ignore
        # nothing is left to write, so nothing is prepared
        self._relayed_status = status
        self._keep_alive = keep_alive

    @property
    @override
    def status(self) -> int:
        return self._relayed_status

    @override
    async def prepare(self, request: BaseRequest) -> None:
        """Nothing is left to write."""


async def relay(
    request: BaseRequest, response: aiohttp.ClientResponse, lines: list[str], *, close: bool
) -> Relayed:
    """Write an upstream's answer to the client.

    Args:
        request: the client's.
        response: head received, body not read.
        lines: header lines, without those of the frame.
        close: end the connection afterwards.
    """
    status = response.status
    bodiless = request.method == "HEAD" or status in _BARE
    length = _length(response)
    stay = request.keep_alive and not close
    chunked = False
    if status not in _BARE and length is not None:
        lines.append(f"Content-Length: {length}\r\n")
    elif not bodiless:
        chunked = request.version >= (1, 1)
        stay = stay and chunked
        if chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
    if not stay:
        lines.append("Connection: close\r\n")
    elif request.version < (1, 1):
        lines.append("Connection: keep-alive\r\n")
    head = f"HTTP/1.1 {status} {_STANDARD.get(status, 'Unknown')}\r\n{''.join(lines)}\r\n"
    whole = False
    try:
        await _write(request, head.encode("utf-8", "surrogateescape"))
        if not bodiless:
            await _copy(request, response, chunked=chunked)
        whole = True
    except (aiohttp.ClientError, TimeoutError) as error:
        # the head is out: only a cut connection tells the client that something is missing
        log.warning("upstream.cut_off", reason=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the client went away
    return Relayed(status, keep_alive=stay and whole)


async def _copy(request: BaseRequest, response: aiohttp.ClientResponse, *, chunked: bool) -> None:
    may_be_silent = response.content_type == "text/event-stream"
    content = response.content
    while not content.at_eof():
        piece = b""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await content.readany()
        except TimeoutError:
            if not may_be_silent:
                raise
            _transport(request)
        if piece:
            await _write(request, b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        await _write(request, b"0\r\n\r\n")


async def _write(request: BaseRequest, data: bytes) -> None:
    _transport(request).write(data)
    if request.protocol.writing_paused:
        await drain(request.protocol)


def _transport(request: BaseRequest) -> asyncio.Transport:
    """Return the connection to the client.

    Raises:
        ConnectionResetError: it went away.
    """
    transport = request.protocol.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client went away")
    return transport


def _length(response: aiohttp.ClientResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    if "Transfer-Encoding" in response.headers or not _LENGTH.fullmatch(value):
        return None
    return int(value)
