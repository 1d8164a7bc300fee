"""Who is in which room of one tenant: broadcast and presence.

Decides who hears what somebody says, and who is said to be there, also in other processes (``wire``). A room
belongs to its tenant alone; a private one is another room than the public one of the same name. No I/O.
"""

import secrets
from collections.abc import Callable
from typing import Any, TypeAlias

import orjson
from msgspec import Struct, field

from actors.messages import Socket

MOST_SOCKETS = 2000
"""Of a tenant in a process."""
RESTARTS = 1012
"""Close code (RFC 6455 registry): the service restarts."""
SILENT_SECONDS = 16.0
"""A process that said nothing for so long is gone, and whom it showed with it."""
SAY, SHOW, ASK, BEAT = "say", "show", "ask", "beat"
RoomName: TypeAlias = tuple[str, bool]
"""Topic, and whether it is private."""
Meta: TypeAlias = dict[str, Any]


class Word(Struct, frozen=True):
    """What rooms of one process tell those of another.

    Attributes:
        kind: say (to everybody in the room), show (a member as what, or no more), ask (whom the others show
            there), beat (who shows somebody is there).
        name: of an event; the key of a member.
        payload: JSON value or bytes; what a member is shown as, None: no more.
        seat: of a member.
    """

    kind: str
    room: RoomName = ("", False)
    name: str = ""
    payload: Any = None
    seat: str = ""


class Seat(Struct, eq=False):
    """One member of a room.

    Attributes:
        hear: is given an event and its payload: JSON, or a broadcast's name and bytes; must not wait.
        key: under which it is present.
        meta: as what; None: it is not shown.
        id: names it in other processes.
    """

    room: RoomName
    hear: Callable[[str, bytes], None]
    hear_bytes: Callable[[str, bytes], None]
    key: str
    meta: Meta | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))


def _nobody(word: Word) -> None:
    """Say nothing: there is no other process."""


class Rooms(Struct, weakref=True, eq=False):
    """See the module's docstring.

    Attributes:
        sockets: there are now.
        outward: tells other processes.
    """

    sockets: set[Socket] = field(default_factory=set)
    outward: Callable[[Word], None] = _nobody
    _rooms: dict[RoomName, set[Seat]] = field(default_factory=dict)
    _others: dict[RoomName, dict[tuple[str, str], tuple[str, Meta]]] = field(default_factory=dict)
    _heard: dict[str, float] = field(default_factory=dict)

    def close(self, reason: str) -> None:
        """End every websocket; its client comes back."""
        for socket in list(self.sockets):
            socket.end(RESTARTS, reason)

    def enter(self, seat: Seat) -> None:
        """Take a member in."""
        if seat.room not in self._rooms:
            self._rooms[seat.room] = set()
            self.outward(Word(ASK, seat.room))
        self._rooms[seat.room].add(seat)

    def leave(self, seat: Seat) -> None:
        """Let a member go; the others hear of it."""
        self.show(seat, None)
        members = self._rooms.get(seat.room, set())
        members.discard(seat)
        if not members:
            self._rooms.pop(seat.room, None)
            self._others.pop(seat.room, None)

    def say(self, room: RoomName, event: str, payload: object, but: Seat | None = None) -> None:
        """Broadcast to everybody in a room."""
        self.outward(Word(SAY, room, event, payload))
        self._tell(room, event, payload, but)

    def show(self, seat: Seat, meta: Meta | None) -> None:
        """Say that a member is there, or as what from now on, or (None) no more."""
        before = seat.meta
        if before is None and meta is None:
            return
        seat.meta = None if meta is None else {**meta, "phx_ref": secrets.token_urlsafe(9)}
        if before is not None and seat.meta is not None:
            seat.meta["phx_ref_prev"] = before["phx_ref"]
        self.outward(Word(SHOW, seat.room, seat.key, seat.meta, seat.id))
        self._differ(seat.room, seat.key, seat.meta, before)

    def present(self, room: RoomName) -> bytes:
        """Return who is there, as JSON."""
        found: dict[str, dict[str, list[Meta]]] = {}
        shown = [(seat.key, seat.meta) for seat in self._rooms.get(room, ())]
        for key, meta in (*shown, *self._others.get(room, {}).values()):
            if meta is not None:
                found.setdefault(key, {"metas": []})["metas"].append(meta)
        return orjson.dumps(found)

    # -- other processes --------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask the others whom they show."""
        for room in self._rooms:
            self.outward(Word(ASK, room))

    def beat(self, now: float) -> None:
        """Say that those shown here are still there; take away whom processes showed that are gone."""
        if any(seat.meta is not None for seats in self._rooms.values() for seat in seats):
            self.outward(Word(BEAT))
        for process in [name for name, at in self._heard.items() if now - at > SILENT_SECONDS]:
            del self._heard[process]
            for room, shown in list(self._others.items()):
                for who in [one for one in shown if one[0] == process]:
                    self._take(room, who, "", None)

    def hear(self, process: str, word: Word, now: float) -> None:
        """Take what the rooms of another process say.

        Args:
            process: names it.
            word: what it says.
            now: loop time.
        """
        self._heard[process] = now
        members = self._rooms.get(word.room, ())
        if word.kind == SAY:
            self._tell(word.room, word.name, word.payload, None)
        elif word.kind == SHOW and members:
            self._take(word.room, (process, word.seat), word.name, word.payload)
        elif word.kind == ASK:
            for seat in members:
                if seat.meta is not None:
                    self.outward(Word(SHOW, seat.room, seat.key, seat.meta, seat.id))

    def _take(self, room: RoomName, who: tuple[str, str], key: str, meta: Meta | None) -> None:
        shown = self._others.setdefault(room, {})
        key_before, before = shown.pop(who, (key, None))
        if meta is not None:
            shown[who] = key, meta
        if meta != before:
            self._differ(room, key_before, meta, before)

    def _tell(self, room: RoomName, event: str, payload: object, but: Seat | None) -> None:
        raw = isinstance(payload, bytes)
        told = b"" if raw else orjson.dumps({"type": "broadcast", "event": event, "payload": payload})
        for seat in list(self._rooms.get(room, ())):
            if seat is but:
                continue
            if isinstance(payload, bytes):
                seat.hear_bytes(event, payload)
            else:
                seat.hear("broadcast", told)

    def _differ(self, room: RoomName, key: str, joins: Meta | None, leaves: Meta | None) -> None:
        told = orjson.dumps({"joins": _shown(key, joins), "leaves": _shown(key, leaves)})
        for member in list(self._rooms.get(room, ())):
            member.hear("presence_diff", told)


def _shown(key: str, meta: Meta | None) -> dict[str, Any]:
    return {} if meta is None else {key: {"metas": [meta]}}
