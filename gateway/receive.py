"""Request bodies, read no further and no longer than the limits say.

Decides when a body is refused. It never looks at what it holds. Called by ``server``.
"""

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDictProxy

from actors.messages import ProblemError
from gateway.limits import Limits


async def read_body(request: BaseRequest, limits: Limits) -> bytes:
    """Read a request's body, refusing it as soon as it is too large or too slow.

    Raises:
        ProblemError: http.body_too_large, http.timeout, http.bad_body, http.expectation.
    """
    payload = request.content
    headers = request.headers
    check_transfer_coding(headers)
    declared = headers.get("Content-Length")
    if declared is not None and int(declared) > limits.body_bytes:
        raise _too_large(limits)
    if payload.is_eof() and payload.exception() is None:
        data = payload.read_nowait()
        if len(data) > limits.body_bytes:
            raise _too_large(limits)
        return data
    expect = headers.get("Expect")
    if expect is not None:
        if expect.lower() != "100-continue":
            raise ProblemError("http.expectation", "only 'Expect: 100-continue' is understood")
        if request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _gather(payload, limits)
    except TimeoutError:
        raise ProblemError("http.timeout", "the request's body did not arrive in time") from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise ProblemError("http.bad_body", "the request's body is not encoded as its headers say") from error


def check_transfer_coding(headers: CIMultiDictProxy[str]) -> None:
    """Refuse a transfer coding besides ``chunked``: the body would be taken for what it is not (RFC 9112).

    Raises:
        ProblemError: http.bad_body.
    """
    coding = headers.get("Transfer-Encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise ProblemError("http.bad_body", "the only transfer coding that is read here is chunked")


async def _gather(payload: StreamReader, limits: Limits) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while not payload.at_eof():
        piece = await payload.readany()
        size += len(piece)
        if size > limits.body_bytes:
            raise _too_large(limits)
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(limits: Limits) -> ProblemError:
    return ProblemError("http.body_too_large", f"a request's body has at most {limits.body_bytes} bytes")
