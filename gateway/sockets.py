"""Websockets with a tenant: a handshake, then messages both ways until one side ends it.

Decides which pages may open one and how long a peer may take. It looks into no message. Called by
``streaming``.
"""

import asyncio
import time

import aiohttp
from aiohttp import web
from aiohttp.web_request import BaseRequest

from actors.messages import ProblemError, Socket
from gateway.credentials import is_same_origin
from gateway.proxy.websocket import HEARTBEAT_SECONDS, check_handshake

MOST_BYTES = 256 * 1024
"""Of a message."""
CLOSE_SECONDS = 3.0


async def converse(
    request: BaseRequest, socket: Socket, extra: str, write_seconds: float, *, secure: bool
) -> float:
    """Carry messages until the end; returns when it began, by ``time.perf_counter``.

    Args:
        request: the client's.
        socket: closed in any case.
        extra: header lines that say which pages of other origins may call.
        write_seconds: a client that takes nothing for so long is cut off.
        secure: the client reached us by TLS.

    Raises:
        ProblemError: auth.forbidden for a page of another origin, http.bad_request for no handshake.
    """
    try:
        origin = request.headers.get("Origin")
        welcome = origin is None or is_same_origin(request, secure) or "Access-Control-Allow-Origin" in extra
        if not welcome:
            refusal = ProblemError("auth.forbidden", "pages of this origin may not open a websocket here")
            refusal.signed_in = True
            raise refusal
        check_handshake(request)
        client = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MOST_BYTES, timeout=CLOSE_SECONDS, compress=False
        )
        began = time.perf_counter()
        await client.prepare(request)
        await asyncio.gather(_receive(client, socket), _send(client, socket, write_seconds))
    finally:
        socket.close()
    return began


async def _receive(client: web.WebSocketResponse, socket: Socket) -> None:
    async for message in client:
        if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            await socket.take(message.data)
    socket.end(1000, "")


async def _send(client: web.WebSocketResponse, socket: Socket, write_seconds: float) -> None:
    try:
        while (message := await socket.next()) is not None:
            async with asyncio.timeout(write_seconds):
                if isinstance(message, str):
                    await client.send_str(message)
                else:
                    await client.send_bytes(message)
    except (ConnectionError, TimeoutError):
        if client._req is not None and client._req.transport is not None:  # noqa: SLF001 - no public name
            client._req.transport.abort()  # noqa: SLF001
    finally:
        socket.end(1000, "")
        await client.close(code=socket.code, message=socket.reason.encode()[:120])
