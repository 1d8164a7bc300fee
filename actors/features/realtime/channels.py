"""One websocket that speaks Phoenix channels: joins, broadcasts, presence, changes of rows.

Decides what each message does, and when the whole connection ends and why. It knows no websocket: the gateway
brings messages in and takes them out. Made by ``sockets``.
"""

import secrets
from collections.abc import Callable
from typing import Any

import orjson
from msgspec import Struct, field

from actors.features.realtime import phoenix
from actors.features.realtime.groups import Ended, Follower, LiveEvent, Message
from actors.features.realtime.hub import Hub
from actors.features.realtime.outgoing import FORBIDDEN, POLICY, REFUSED, Outgoing
from actors.features.realtime.phoenix import Frame, FrameError
from actors.features.realtime.rooms import RESTARTS, Seat
from actors.features.realtime.row_messages import (
    EVERY,
    MOST_BINDINGS,
    Binding,
    change_message,
    read_binding,
)
from actors.messages import Credential, ProblemError
from actors.tenant.executor import StaleGenerationError
from runtime.buckets import Buckets
from schemas.compiler.principal import AUTHENTICATED_ROLE, Principal
from schemas.compiler.query.errors import QueryError

MOST_CHANNELS = 100
"""Of a websocket."""
MOST_FOLLOWED = 100
"""Tables of a channel."""
PER_SECOND = 100
CHECK_SECONDS = 0.5
_TOPIC = "realtime:"


class Channel(Struct, eq=False):
    """One topic a websocket has joined."""

    topic: str
    join_ref: str | None
    credential: Credential
    seat: Seat
    hears_itself: bool = False
    acknowledges: bool = False
    followers: list[Follower] = field(default_factory=list)


class Channels(Outgoing):
    """See the module's docstring.

    Args:
        hub: of the tenant.
        credential: what the connection brought.
        version: of the serializer.
        clock: event-loop time.
    """

    def __init__(self, hub: Hub, credential: Credential, version: str, clock: Callable[[], float]) -> None:
        super().__init__(version)
        self._hub = hub
        self._credential = credential
        self._clock = clock
        self._rate = Buckets(clock)
        self._channels: dict[str, Channel] = {}
        self._checked = clock()

    # -- what the gateway uses --------------------------------------------------------------------------

    async def take(self, message: str | bytes) -> None:
        """Take one message of the client."""
        if self.code:
            return
        if not self._rate.take("", PER_SECOND, 1.0).allowed:
            self.end(POLICY, f"more than {PER_SECOND} messages a second")
            return
        try:
            if isinstance(message, bytes):
                frame = phoenix.read_bytes(message)
            else:
                frame = phoenix.read_text(message, self.version)
        except FrameError as error:
            self.end(POLICY, str(error))
            return
        await self._answer(frame)

    async def next(self) -> str | bytes | None:
        """Return the next message for the client; None: the connection ends with ``code`` and ``reason``."""
        while True:
            await self._check()
            if self.over:
                return None
            piece = await self.piece(CHECK_SECONDS)
            if piece is not None:
                return piece

    def close(self) -> None:
        """Leave everything."""
        self.end(1000, "")
        for topic in list(self._channels):
            self._leave(topic)
        self._hub.rooms.sockets.discard(self)

    # -- messages ---------------------------------------------------------------------------------------

    async def _answer(self, frame: Frame) -> None:
        channel = self._channels.get(frame.topic)
        match frame.event:
            case "heartbeat":
                self.reply(frame, {})
            case "phx_join":
                await self._join(frame)
            case _ if channel is None:
                self.refuse(frame, "unmatched topic")
            case "phx_leave":
                self._leave(frame.topic)
                self.reply(frame, {})
                self.send(frame.topic, "phx_close", b"{}", (channel.join_ref, channel.join_ref))
            case "access_token":
                await self._renew(channel, frame)
            case "broadcast":
                name = frame.payload.get("event")
                but = None if channel.hears_itself else channel.seat
                self._hub.rooms.say(channel.seat.room, str(name), frame.payload.get("payload"), but)
                if channel.acknowledges:
                    self.reply(frame, {})
            case "presence":
                self._show(channel, frame)
            case _:
                self.refuse(frame, f"'{frame.event[:40]}' is not understood")

    async def _join(self, frame: Frame) -> None:
        if frame.topic in self._channels:
            old = self._channels[frame.topic]
            self._leave(frame.topic)
            self.send(frame.topic, "phx_close", b"{}", (old.join_ref, old.join_ref))
        if not frame.topic.startswith(_TOPIC) or len(frame.topic.encode()) > 255:
            return self.refuse(frame, "a topic begins with 'realtime:' and has at most 255 bytes")
        if len(self._channels) >= MOST_CHANNELS:
            return self.refuse(frame, f"a connection joins at most {MOST_CHANNELS} channels")
        config = frame.payload.get("config")
        config = config if isinstance(config, dict) else {}
        private = config.get("private") is True
        credential = self._presented(frame.payload.get("access_token"))
        try:
            principal = await self._hub.principal(credential)
            signed_in = AUTHENTICATED_ROLE in principal.roles
            if not (signed_in or (principal.known and not private)):
                return self.refuse(frame, "Unauthorized: sign in to join this channel")
            channel = self._open(frame, config, credential, private=private)
            bindings = await self._follow(channel, principal, config.get("postgres_changes") or [])
        except StaleGenerationError:
            self._leave(frame.topic)
            return self.refuse(frame, "the tenant's file is being changed: try again")
        except (ProblemError, QueryError, FrameError) as error:
            self._leave(frame.topic)
            return self.refuse(frame, str(getattr(error, "message", "") or error))
        self.reply(frame, {"postgres_changes": [binding.echo for binding in bindings]})
        if bindings:
            self.tell(channel, "system", _subscribed(frame.topic))
        presence = config.get("presence")
        if isinstance(presence, dict) and presence.get("enabled", True):
            self.tell(channel, "presence_state", self._hub.rooms.present(channel.seat.room))
        return None

    def _open(
        self, frame: Frame, config: dict[str, Any], credential: Credential, *, private: bool
    ) -> Channel:
        broadcast, presence = config.get("broadcast"), config.get("presence")
        broadcast = broadcast if isinstance(broadcast, dict) else {}
        key = presence.get("key") if isinstance(presence, dict) else ""
        seat = Seat(
            (frame.topic, private),
            lambda event, payload: self.tell(channel, event, payload),
            lambda name, body: self.tell_bytes(channel, name, body),
            str(key)[:255] if key else secrets.token_urlsafe(12),
        )
        channel = Channel(
            frame.topic, frame.join_ref or frame.ref, credential, seat,
            broadcast.get("self") is True, broadcast.get("ack") is True,
        )  # fmt: skip
        self._channels[frame.topic] = channel
        self._hub.rooms.enter(seat)
        return channel

    async def _follow(self, channel: Channel, principal: Principal, asked: object) -> list[Binding]:
        if not isinstance(asked, list) or len(asked) > MOST_BINDINGS:
            raise FrameError(f"postgres_changes is a list of at most {MOST_BINDINGS}")
        slug = self._hub.slug
        bindings = [read_binding(one, secrets.randbelow(1 << 31), slug) for one in asked]
        for binding in bindings:

            def send(follower: Follower, message: Message, binding: Binding = binding) -> None:
                self._changed(channel, binding, follower, message)

            before = len(channel.followers)
            for wish in binding.wishes(self._hub.generation.model.entities):
                try:
                    follower = await self._hub.follow(wish, principal, channel.credential, send)
                except QueryError:
                    if binding.wish.entity != EVERY:
                        raise
                    continue  # of all tables, those that can be read are meant
                channel.followers.append(follower)
                if len(channel.followers) > MOST_FOLLOWED:
                    raise FrameError(f"a channel follows at most {MOST_FOLLOWED} tables")
                await self._hub.begin(follower)
            if len(channel.followers) == before:
                raise FrameError("there is no table that may be read")
        return bindings

    def _changed(self, channel: Channel, binding: Binding, follower: Follower, message: Message) -> None:
        if isinstance(message, LiveEvent):
            payload = change_message(binding, follower, message)
            if payload is not None:
                self.tell(channel, "postgres_changes", payload)
        elif isinstance(message, Ended):
            problem = message.problem
            if problem is None:
                self.end(RESTARTS, "the server restarts")
            elif problem.code.startswith("auth."):
                self.end(REFUSED, str(problem))
            elif binding.wish.entity != EVERY:
                self.end(FORBIDDEN, str(problem))

    async def _renew(self, channel: Channel, frame: Frame) -> None:
        token = frame.payload.get("access_token")
        if not isinstance(token, str):
            return
        credential = self._presented(token)
        try:
            await self._hub.principal(credential)
        except ProblemError as error:
            self.end(REFUSED, str(error))
            return
        channel.credential = credential
        for follower in channel.followers:
            follower.credential = credential

    def _show(self, channel: Channel, frame: Frame) -> None:
        meta = frame.payload.get("payload")
        match str(frame.payload.get("event")).lower():
            case "track":
                self._hub.rooms.show(channel.seat, meta if isinstance(meta, dict) else {})
            case "untrack":
                self._hub.rooms.show(channel.seat, None)
            case _:
                return self.refuse(frame, "presence is tracked or untracked")
        return self.reply(frame, {})

    def _leave(self, topic: str) -> None:
        channel = self._channels.pop(topic, None)
        if channel is not None:
            for follower in channel.followers:
                self._hub.members.leave(follower)
            self._hub.rooms.leave(channel.seat)

    def _presented(self, token: object) -> Credential:
        if not isinstance(token, str) or not token:
            return self._credential
        return Credential(token[:8192])

    async def _check(self) -> None:
        """Look again whether every credential still counts; those of followers are looked at elsewhere."""
        now = self._clock()
        if now - self._checked < CHECK_SECONDS or self.code:
            return None
        self._checked = now
        for credential in {self._credential, *(one.credential for one in self._channels.values())}:
            try:
                await self._hub.principal(credential)
            except ProblemError as error:
                if error.code.startswith("auth."):
                    return self.end(REFUSED, str(error))
        return None

    def tell(self, channel: Channel, event: str, payload: bytes) -> None:
        """Tell a channel something."""
        self.send(channel.topic, event, payload, (channel.join_ref, None))

    def tell_bytes(self, channel: Channel, name: str, body: bytes) -> None:
        """Tell a channel a broadcast of bytes."""
        if self.version != "1.0.0":  # whose clients cannot read them
            self.queue(phoenix.write_bytes(channel.topic, name, body))


def _subscribed(topic: str) -> bytes:
    told = {"channel": topic.removeprefix(_TOPIC), "extension": "postgres_changes", "status": "ok"}
    return orjson.dumps(told | {"message": "Subscribed to PostgreSQL"})
