"""Answers written piece by piece, as fast as the client reads and no faster.

Decides how such an answer is framed, and what becomes of it when one of the two ends breaks. It never holds
more than a piece. Called by ``server`` for a tenant's streams, by ``proxy.relay`` for an upstream's answers.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest
from typing_extensions import override

from actors.messages import Result, Socket, Stream
from gateway.answers import Answer, drain, head
from gateway.sockets import converse

SERVICE_RESTART = 1012
log = structlog.get_logger("gateway")


class Sent(Answer):
    """An answer that was written already.

    Args:
        status: of the answer.
        keep_alive: whether the connection may bring another request.
        sent: bytes of its body.
        began: when its head was written, by ``time.perf_counter``.
    """

    def __init__(self, status: int, *, keep_alive: bool, began: float, sent: int = 0) -> None:  # pyright: ignore
        # nothing is left to write, so nothing is prepared
        self.began = began
        self.sent = sent
        self._sent_status = status
        self._keep_alive = keep_alive

    @property
    @override
    def status(self) -> int:
        return self._sent_status

    @override
    async def prepare(self, request: BaseRequest) -> None:
        """Nothing is left to write."""


class Streams:
    """The tenants' streams and websockets of one gateway.

    Args:
        write_seconds: a client that takes nothing for so long is cut off.
        secure: clients reach us by TLS.
    """

    def __init__(self, write_seconds: float = 30.0, *, secure: bool = False) -> None:
        self._endless: set[asyncio.Timeout] = set()
        self._sockets: set[Socket] = set()
        self._write_seconds, self._secure = write_seconds, secure
        self._ended = False

    def end(self) -> None:
        """End the streams that have no end of their own; those to come end at once."""
        self._ended = True
        for scope in self._endless:
            scope.reschedule(0)
        for socket in self._sockets:
            socket.end(SERVICE_RESTART, "the server restarts")

    async def send(
        self, request: BaseRequest, result: Result, request_id: str, extra: str, *, close: bool
    ) -> web.StreamResponse:
        """Write a whole answer.

        Args:
            request: the client's.
            result: with a stream or a socket, which is closed in any case.
            request_id: for the header of that name.
            extra: further complete header lines.
            close: end the connection afterwards.
        """
        if result.socket is not None:
            return await self._converse(request, result.socket, extra)
        stream = result.stream
        if stream is None:
            raise ValueError("there is nothing to stream")
        began = time.perf_counter()
        chunked = stream.length is None and request.version >= (1, 1)
        stay = request.keep_alive and not close and (chunked or stream.length is not None)
        frame = "Transfer-Encoding: chunked\r\n" if chunked else ""
        whole, sent = False, 0

        def note(size: int) -> None:
            nonlocal sent
            sent += size

        async with aclosing(stream.pieces):
            try:
                await write(request, head(result, request_id, frame + extra, close=not stay))
                if request.method != "HEAD":
                    await self._copy(request, _measured(stream, note), chunked=chunked)
                whole = True
            except ConnectionError:
                pass  # the client went away
            except Exception as error:  # noqa: BLE001 - whatever stops a body, the answer has begun
                # the head is out: only a cut connection tells the client that something is missing
                reason = str(error) or type(error).__name__
                log.warning("stream.cut_off", request_id=request_id, reason=reason)
                if request.transport is not None:
                    request.transport.abort()
        return Sent(result.status, keep_alive=stay and whole, began=began, sent=sent)

    async def _converse(self, request: BaseRequest, socket: Socket, extra: str) -> web.StreamResponse:
        self._sockets.add(socket)
        if self._ended:
            socket.end(SERVICE_RESTART, "the server restarts")
        try:
            began = await converse(request, socket, extra, self._write_seconds, secure=self._secure)
        finally:
            self._sockets.discard(socket)
        return Sent(101, keep_alive=False, began=began)

    async def _copy(self, request: BaseRequest, stream: Stream, *, chunked: bool) -> None:
        if not stream.endless:
            async for piece in stream.pieces:
                await write(request, framed(piece) if chunked else piece)
        else:
            await self._until_end(request, stream, chunked=chunked)
        if chunked:
            await write(request, b"0\r\n\r\n")

    async def _until_end(self, request: BaseRequest, stream: Stream, *, chunked: bool) -> None:
        scope = asyncio.timeout(0 if self._ended else None)
        self._endless.add(scope)
        try:
            async with scope:
                async for piece in stream.pieces:
                    await write(request, framed(piece) if chunked else piece)
        except TimeoutError:
            if not scope.expired():
                raise
        finally:
            self._endless.discard(scope)


def _measured(stream: Stream, note: Callable[[int], None]) -> Stream:
    """Return a stream that tells the size of each of its pieces."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        async for piece in stream.pieces:
            note(len(piece))
            yield piece

    return stream._replace(pieces=pieces())


def answered_at(result: Result | web.StreamResponse) -> float:
    """Return when an answer began, by ``time.perf_counter``: how long a stream is says nothing about us."""
    return result.began if isinstance(result, Sent) else time.perf_counter()


def framed(piece: bytes) -> bytes:
    """Return a piece as a chunk (RFC 9112, 7.1); an empty one, which would end the body, as nothing."""
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


async def write(request: BaseRequest, data: bytes) -> None:
    """Write bytes; wait when the client does not read.

    Raises:
        ConnectionResetError: it reads too slowly, or went away.
    """
    transport(request).write(data)
    if request.protocol.writing_paused:
        await drain(request.protocol)


def transport(request: BaseRequest) -> asyncio.Transport:
    """Return the connection to the client.

    Raises:
        ConnectionResetError: it went away.
    """
    found = request.protocol.transport
    if found is None or found.is_closing():
        raise ConnectionResetError("the client went away")
    return found
