"""An upstream's answer on its way to the client, piece by piece.

Decides how the answer is framed, and what becomes of it when one of the two ends breaks. It never holds more
than a piece: who reads slowly makes the upstream wait. Called by ``proxy``.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

import aiohttp
import structlog
from aiohttp.web_request import BaseRequest

from gateway.streaming import Sent, framed, transport, write

log = structlog.get_logger("gateway.proxy")
IDLE_SECONDS = 60.0
"""Between two pieces; streams of events may be silent for as long as both ends like."""
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_BARE = frozenset({204, 304})
_STANDARD = {status.value: status.phrase for status in HTTPStatus}


async def relay(
    request: BaseRequest, response: aiohttp.ClientResponse, lines: list[str], *, close: bool
) -> Sent:
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
    whole, sent = False, 0
    try:
        await write(request, head.encode("utf-8", "surrogateescape"))
        if not bodiless:
            async with aclosing(_pieces(request, response)) as pieces:
                async for piece in pieces:
                    await write(request, framed(piece) if chunked else piece)
                    sent += len(piece)
            if chunked:
                await write(request, b"0\r\n\r\n")
        whole = True
    except (aiohttp.ClientError, TimeoutError) as error:
        # the head is out: only a cut connection tells the client that something is missing
        log.warning("upstream.cut_off", reason=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the client went away
    return Sent(status, keep_alive=stay and whole, began=time.perf_counter(), sent=sent)


async def _pieces(request: BaseRequest, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
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
            transport(request)
        if piece:
            yield piece


def _length(response: aiohttp.ClientResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    if "Transfer-Encoding" in response.headers or not _LENGTH.fullmatch(value):
        return None
    return int(value)
