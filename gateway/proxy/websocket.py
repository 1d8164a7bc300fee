"""A websocket passed on: two handshakes, then messages both ways until one end closes.

Decides which messages and close codes cross. It never looks into a message. Called by ``proxy``.
"""

import asyncio
from collections.abc import Iterable

import aiohttp
import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict
from yarl import URL

from actors.messages import ProblemError

MAX_MESSAGE = 4 << 20
HEARTBEAT_SECONDS = 30.0
GOING_AWAY = 1001
_BROKEN = 1014
_SENDABLE = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
log = structlog.get_logger("gateway.proxy")

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


def is_websocket(request: BaseRequest) -> bool:
    """Whether a request asks for a websocket."""
    message = request._message  # noqa: SLF001 - it has no public name
    return message.upgrade and request.headers.get("Upgrade", "").strip().lower() == "websocket"


def check_origin(request: BaseRequest, scheme: str, origins: Iterable[str]) -> None:
    """Refuse pages that have no business here: a websocket carries cookies and asks no browser's leave.

    Raises:
        ProblemError: auth.forbidden.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in origins:
        return
    if origin != f"{scheme}://{request.headers.get('Host', '').lower()}":
        refusal = ProblemError("auth.forbidden", "pages of this origin may not open a websocket here")
        refusal.signed_in = True
        raise refusal


def accept(upstream: aiohttp.ClientWebSocketResponse, most: int) -> web.WebSocketResponse:
    """Return our side of the websocket, speaking what the upstream chose to speak."""
    return web.WebSocketResponse(
        protocols=(upstream.protocol,) if upstream.protocol else (),
        heartbeat=HEARTBEAT_SECONDS,
        max_msg_size=most,
        compress=False,
    )


def check_handshake(request: BaseRequest) -> None:
    """Refuse what is no proper handshake before the upstream hears of it.

    Raises:
        ProblemError: http.bad_request.
    """
    if request.method != "GET" or not web.WebSocketResponse().can_prepare(request).ok:
        raise ProblemError("http.bad_request", "this is no websocket handshake (RFC 6455)")


async def connect(
    session: aiohttp.ClientSession, url: URL, request: BaseRequest, fields: CIMultiDict[str], most: int
) -> aiohttp.ClientWebSocketResponse:
    """Open the upstream's side.

    Raises:
        aiohttp.ClientError: it does not want to, or cannot.
    """
    offered = ",".join(request.headers.getall("Sec-WebSocket-Protocol", ()))
    return await session.ws_connect(
        url,
        protocols=tuple(name for word in offered.split(",") if (name := word.strip())),
        headers=fields,
        heartbeat=HEARTBEAT_SECONDS,
        max_msg_size=most,
    )


async def exchange(client: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    """Carry messages both ways until one end closes, then close the other."""
    try:
        await asyncio.gather(_carry(client, upstream), _carry(upstream, client))
    finally:
        # who vanishes after saying goodbye said goodbye
        await upstream.close(code=_passed_on(client.close_code, GOING_AWAY))


async def _carry(source: Socket, sink: Socket) -> None:
    try:
        async for message in source:
            if message.type is aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
    except ConnectionError:
        pass  # the sink is gone; closing both is all that is left
    await sink.close(code=_passed_on(source.close_code, _BROKEN))
    await source.close(code=GOING_AWAY)


def _passed_on(code: int | None, otherwise: int) -> int:
    """Return the code for the other end's close frame (RFC 6455 section 7.4)."""
    if code is not None and (code in _SENDABLE or 3000 <= code <= 4999):
        return code
    return otherwise
