"""What a tenant can be asked about rooms and channels: a websocket, and broadcasts without one.

Decides who may speak in a room at all. Called through ``actors.tenant.operations``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from actors.features.realtime.channels import Channels
from actors.features.realtime.hub import Hub
from actors.features.realtime.phoenix import VERSIONS
from actors.features.realtime.rooms import MOST_SOCKETS
from actors.messages import Call, Credential, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import AUTHENTICATED_ROLE, Principal

MOST_MESSAGES = 100
"""Of one request."""


async def open_socket(generation: Generation, call: Call, principal: Principal) -> Result:
    """Begin to speak Phoenix channels.

    Raises:
        ProblemError: realtime.too_many; http.bad_request for another version of the protocol.
    """
    del principal  # each channel looks at its own credential
    hub = _hub(generation)
    version = parse_qs(call.query).get("vsn", ["1.0.0"])[-1]
    if version not in VERSIONS:
        raise ProblemError("http.bad_request", f"vsn is {' or '.join(VERSIONS)}")
    if len(hub.rooms.sockets) >= MOST_SOCKETS:
        raise ProblemError("realtime.too_many", "the tenant has as many websockets as it may")
    clock = asyncio.get_running_loop().time
    socket = Channels(hub, call.credential or Credential(), version, clock)
    hub.rooms.sockets.add(socket)
    return Result(101, socket=socket)


async def broadcast(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say something in rooms, without being there.

    Raises:
        ProblemError: auth.required, http.bad_body.
    """
    hub = _hub(generation)
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise ProblemError("http.bad_body", "the body is no JSON") from None
    if call.entity:  # the address names topic and event, the body is the payload
        private = "private=true" in call.query.split("&")
        messages: Any = [{"topic": call.entity, "event": call.key, "payload": body, "private": private}]
    else:
        messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or len(messages) > MOST_MESSAGES:
        raise ProblemError("http.bad_body", f'write {{"messages": [...]}}, at most {MOST_MESSAGES}')
    signed_in = AUTHENTICATED_ROLE in principal.roles
    for one in messages:
        if not (isinstance(one, dict) and isinstance(one.get("topic"), str) and one.get("event")):
            raise ProblemError("http.bad_body", "a message has topic, event and payload")
        if not (signed_in or (principal.known and not one.get("private"))):
            raise ProblemError("auth.required", "sign in to speak here")
    for one in messages:
        room = f"realtime:{one['topic']}", one.get("private") is True
        hub.rooms.say(room, str(one["event"]), one.get("payload"))
    return Result(202)


def _hub(generation: Generation) -> Hub:
    if generation.live is None:
        raise ProblemError("http.not_built", "there are no channels in this installation")
    return generation.live


OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "realtime.socket": open_socket,
    "realtime.broadcast": broadcast,
}
