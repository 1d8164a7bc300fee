"""A client's body on its way to an upstream, piece by piece.

Decides when it is too large or too slow. It never holds more than a piece. Made by ``proxy`` for each request
with a body.
"""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_request import BaseRequest

from actors.messages import ProblemError
from gateway.limits import Limits

BYTES_PER_SECOND = 16 * 1024
"""A body may take the time the settings allow, and longer only while it comes at least this fast."""


class Upload:
    """The body of one request.

    Args:
        request: whose body it is.
        limits: how long a client may take.
        most: bytes a body may have.

    Raises:
        ProblemError: http.body_too_large when the client says so in advance; http.expectation.
    """

    def __init__(self, request: BaseRequest, limits: Limits, most: int) -> None:
        self.begun = False
        self.refusal: ProblemError | None = None
        self._deadline: asyncio.Timeout | None = None
        self._patience = 0.0
        self._request = request
        self._most = most
        self._seconds = limits.body_seconds
        headers = request.headers
        # aiohttp decodes what it knows; then neither coding nor length are what they were
        self.decoded = request._message.compression is not None  # noqa: SLF001 - it has no public name
        declared = headers.get("Content-Length")
        self.length = int(declared) if declared is not None and not self.decoded else None
        if declared is not None and int(declared) > most:
            raise self._too_large()
        self._expect = headers.get("Expect")
        if self._expect is not None and self._expect.lower() != "100-continue":
            raise ProblemError("http.expectation", "only 'Expect: 100-continue' is understood")

    @property
    def is_complete(self) -> bool:
        """Whether everything was read."""
        return self._request.content.at_eof()

    def hold(self, deadline: asyncio.Timeout, seconds: float) -> None:
        """Stop the upstream's time while the client is waited for; it has ``seconds`` after each piece."""
        self._deadline, self._patience = deadline, seconds

    def release(self) -> None:
        """Leave the upstream's time alone: its answer has begun."""
        self._deadline = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; what goes wrong is in ``refusal``."""
        self.begun = True
        try:
            async for piece in self._read():
                yield piece
        except ProblemError as error:
            self.refusal = error
            raise
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
            self.refusal = ProblemError(
                "http.bad_body", "the request's body is not encoded as its headers say"
            )
            raise self.refusal from error

    async def _read(self) -> AsyncIterator[bytes]:
        content, loop = self._request.content, asyncio.get_running_loop()
        transport = self._request.transport
        if self._expect is not None and transport is not None and not content.is_eof():
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        began, size = loop.time(), 0
        while not content.at_eof():
            if self._deadline is not None:
                self._deadline.reschedule(None)
            try:
                async with asyncio.timeout_at(began + self._seconds + size / BYTES_PER_SECOND):
                    piece = await content.readany()
            except TimeoutError:
                raise ProblemError("http.timeout", "the request's body did not arrive in time") from None
            finally:
                if self._deadline is not None:
                    self._deadline.reschedule(loop.time() + self._patience)
            size += len(piece)
            if size > self._most:
                raise self._too_large()
            if piece:
                yield piece

    def _too_large(self) -> ProblemError:
        return ProblemError("http.body_too_large", f"a request's body has at most {self._most} bytes here")
