"""``Accept: text/event-stream`` on a list: its query, followed, as server-sent events (WHATWG HTML, 9.2).

Decides how a message is written and that who does not read is cut off. Called by ``operations`` for reads.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any

import orjson
import structlog
from typing_extensions import override

from actors.features.realtime.groups import Ended, Follower, LiveEvent, Message, Reloaded, Rows, Wish
from actors.features.realtime.hub import Hub
from actors.messages import Call, ProblemError, Result, Stream
from actors.tenant.executor import StaleGenerationError
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

log = structlog.get_logger("realtime")

MEDIA = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
MOST_BUFFERED = 1 << 20
"""Bytes that wait for a client that does not read."""
RETRY = b"retry: 2000\n\n"
_BEAT = b": still here\n\n"
_SNAPSHOT = "snapshot=true"


class SlowReaderError(Exception):
    """The client does not read what it asked for."""


def is_asked(call: Call) -> bool:
    """Whether a read wants events."""
    return MEDIA in call.accept and call.method == "GET" and call.key is None


async def follow_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """Follow a list.

    Raises:
        ProblemError, QueryError: refused.
    """
    hub = generation.live
    if hub is None:
        raise ProblemError("http.not_built", "nothing is followed in this installation")
    parts = [part for part in call.query.split("&") if part]
    query = "&".join(part for part in parts if part != _SNAPSHOT)
    wish = Wish(call.entity, query, first=_SNAPSHOT in parts)
    events = Events(hub, call.last_event)
    events.follower = await hub.follow(wish, principal, call.credential, events.take)
    return Result(
        200,
        content_type=f"{MEDIA}; charset=utf-8",
        headers=(("X-Accel-Buffering", "no"),),
        stream=Stream(events, endless=True),
    )


class Events(AsyncGenerator[bytes, None]):
    """What one follower is sent, piece by piece; a generator that ends properly also when it never began.

    Args:
        hub: where it follows.
        last: id of the last event the client had, or "".
    """

    def __init__(self, hub: Hub, last: str) -> None:
        self.follower: Follower | None = None
        self._last: str | None = last
        self._hub = hub
        self._waiting: deque[bytes] = deque([RETRY])
        self._size = 0
        self._some = asyncio.Event()
        self._some.set()
        self._ended = False
        self._error: Exception | None = None

    def take(self, follower: Follower, message: Message) -> None:
        """Queue a message."""
        if self._ended:
            return
        if self._size > MOST_BUFFERED:
            self._waiting.clear()
            self._size = 0
            self._ended, self._error = True, SlowReaderError("the client does not read its events")
            log.warning("realtime.cut_off", tenant=self._hub.slug, entity=follower.wish.entity)
            self._hub.members.leave(follower)
        else:
            piece = _written(follower, message)
            self._waiting.append(piece)
            self._size += len(piece)
            self._ended = isinstance(message, Ended)
        self._some.set()

    async def _begin(self, follower: Follower, last: str) -> None:
        """Have the first messages told: now that the client has its answer, it may take its time."""
        try:
            await self._hub.begin(follower, last)
        except ProblemError as error:
            self._hub.members.dismiss(follower, error)
        except StaleGenerationError:
            self._hub.members.dismiss(follower, ProblemError("tenant.unavailable", "come back in a moment"))

    @override
    async def asend(self, value: None) -> bytes:
        if self._last is not None and self.follower is not None and not self._waiting:
            last, self._last = self._last, None
            await self._begin(self.follower, last)
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._some.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._some.wait()
            except TimeoutError:
                return _BEAT
        pieces, self._size = b"".join(self._waiting), 0
        self._waiting.clear()
        return pieces

    @override
    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Any:
        await self.aclose()
        raise typ

    @override
    async def aclose(self) -> None:
        """Follow no more."""
        self._ended = True
        if self.follower is not None:
            self._hub.members.leave(self.follower)


def _written(follower: Follower, message: Message) -> bytes:
    match message:
        case LiveEvent():
            if follower.seen_text:
                return _change(message, str(follower.position(message.seq)))
            if not message.wire:
                message.wire = _change(message, str(follower.position(message.seq)))
            return message.wire
        case Rows(position, body, reason):
            return _rows(str(position), body, reason)
        case Reloaded(version):
            return _event("reload", orjson.dumps({"version": version}))
        case Ended(problem):
            return b"" if problem is None else _event("error", _told(problem))


def _change(event: LiveEvent, place: str) -> bytes:
    body = event.body or f"{{{orjson.dumps(event.key_name).decode()}:{event.key}}}"
    return _event(event.kind, body.encode(), place)


def _rows(place: str, body: str, reason: str) -> bytes:
    if not reason:
        return _event("snapshot", body.encode(), place) if body else _event("ready", b"{}", place)
    rows = f',"rows":{body}' if body else ""
    return _event("resync", f'{{"reason":{orjson.dumps(reason).decode()}{rows}}}'.encode(), place)


def _told(problem: ProblemError) -> bytes:
    return orjson.dumps({"code": problem.code, "message": str(problem), "hint": problem.hint})


def _event(kind: str, data: bytes, place: str = "") -> bytes:
    """Write one event; a line's end within JSON is only space."""
    flat = data.replace(b"\r", b" ").replace(b"\n", b" ")
    head = f"id: {place}\nevent: {kind}\n" if place else f"event: {kind}\n"
    return b"%bdata: %b\n\n" % (head.encode(), flat)
