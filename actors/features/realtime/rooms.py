"""Who is in which room of one tenant: broadcast and presence, in this process.

Decides who hears what somebody says, and who is said to be there. A room belongs to its tenant alone; a
private one is another room than the public one of the same name. No I/O.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from actors.messages import Socket

MOST_SOCKETS = 2000
"""Of a tenant in a process."""
RESTARTS = 1012
"""Close code (RFC 6455 registry): the service restarts."""
RoomName: TypeAlias = tuple[str, bool]
"""Topic, and whether it is private."""


@dataclass(slots=True, eq=False)
class Seat:
    """One member of a room.

    Attributes:
        hear: is given an event and its payload: JSON, or a broadcast's name and bytes; must not wait.
        key: under which it is present.
        meta: as what; None: it is not shown.
    """

    room: RoomName
    hear: Callable[[str, bytes], None]
    hear_bytes: Callable[[str, bytes], None]
    key: str
    meta: dict[str, Any] | None = None


@dataclass(slots=True)
class Rooms:
    """See the module's docstring."""

    sockets: set[Socket] = field(default_factory=set)
    _rooms: dict[RoomName, set[Seat]] = field(default_factory=dict)

    def close(self, reason: str) -> None:
        """End every websocket; its client comes back."""
        for socket in list(self.sockets):
            socket.end(RESTARTS, reason)

    def enter(self, seat: Seat) -> None:
        """Take a member in."""
        self._rooms.setdefault(seat.room, set()).add(seat)

    def leave(self, seat: Seat) -> None:
        """Let a member go; the others hear of it."""
        self.show(seat, None)
        members = self._rooms.get(seat.room, set())
        members.discard(seat)
        if not members:
            self._rooms.pop(seat.room, None)

    def say(self, room: RoomName, event: str, payload: object, but: Seat | None = None) -> None:
        """Broadcast to everybody in a room."""
        raw = isinstance(payload, bytes)
        told = b"" if raw else orjson.dumps({"type": "broadcast", "event": event, "payload": payload})
        for seat in list(self._rooms.get(room, ())):
            if seat is but:
                continue
            if isinstance(payload, bytes):
                seat.hear_bytes(event, payload)
            else:
                seat.hear("broadcast", told)

    def show(self, seat: Seat, meta: dict[str, Any] | None) -> None:
        """Say that a member is there, or as what from now on, or (None) no more."""
        before = seat.meta
        if before is None and meta is None:
            return
        seat.meta = None if meta is None else {**meta, "phx_ref": secrets.token_urlsafe(9)}
        if before is not None and seat.meta is not None:
            seat.meta["phx_ref_prev"] = before["phx_ref"]
        told = orjson.dumps({"joins": _shown(seat.key, seat.meta), "leaves": _shown(seat.key, before)})
        for member in list(self._rooms.get(seat.room, ())):
            member.hear("presence_diff", told)

    def present(self, room: RoomName) -> bytes:
        """Return who is there, as JSON."""
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for seat in self._rooms.get(room, ()):
            if seat.meta is not None:
                found.setdefault(seat.key, {"metas": []})["metas"].append(seat.meta)
        return orjson.dumps(found)


def _shown(key: str, meta: dict[str, Any] | None) -> dict[str, Any]:
    return {} if meta is None else {key: {"metas": [meta]}}
