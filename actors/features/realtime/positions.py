"""Where a follower is in a tenant's log of changes, in a form it can hand back.

Decides which changes a follower has seen already: those up to a number, and those its list of rows showed.
Pure.
"""

import re

from msgspec import Struct
from typing_extensions import override

_SNAPSHOT = re.compile(r"(\d{1,20}):(\d{1,20}):((?:\d{1,20})?(?:,\d{1,20}){0,200})", re.ASCII)
_POSITION = re.compile(r"([0-9a-f]{12})\.(\d{1,18})(?:\.([\d:,]{1,4000}))?", re.ASCII)


class Snapshot(Struct, frozen=True):
    """What one statement saw (PostgreSQL's ``pg_snapshot``)."""

    first: int
    end: int
    running: frozenset[int]

    def shows(self, xid: int) -> bool:
        """Whether it saw what a transaction did that is over by now."""
        return xid < self.first or (xid < self.end and xid not in self.running)


def parse_snapshot(text: str) -> Snapshot | None:
    """Return the snapshot a text of PostgreSQL stands for."""
    found = _SNAPSHOT.fullmatch(text)
    if found is None:
        return None
    running = frozenset(int(xid) for xid in found[3].split(",") if xid)
    return Snapshot(int(found[1]), int(found[2]), running)


class Position(Struct, frozen=True):
    """The id of an event.

    Attributes:
        query: of the query and the caller's rules: another one has other rows.
        number: every change up to this one was sent, or concerns others.
        seen: text of the snapshot whose changes were seen too; "" when that says nothing more.
    """

    query: str
    number: int
    seen: str = ""

    @override
    def __str__(self) -> str:
        return f"{self.query}.{self.number}" + (f".{self.seen}" if self.seen else "")


def parse_position(text: str) -> Position | None:
    """Return the position an id stands for, None when it is none of ours."""
    found = _POSITION.fullmatch(text)
    if found is None or (found[3] and parse_snapshot(found[3]) is None):
        return None
    return Position(found[1], int(found[2]), found[3] or "")
