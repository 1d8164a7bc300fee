"""Who follows what: followers of the same query who see the same rows are one group, judged by one statement.

Decides what makes two followers the same, and which events a follower has seen already. Values and small
state; no I/O. Called by the hub.
"""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct, field

from actors.features.realtime.positions import Position, Snapshot
from actors.messages import Credential, ProblemError
from schemas.compiler.principal import Principal
from schemas.compiler.query.follow_sql import Follow
from schemas.compiler.sql import Argument


class Wish(Struct, frozen=True):
    """What somebody wants to follow.

    Attributes:
        entity, query: of a list, as in its address.
        first: tell the rows there are, to begin with.
        rows: whenever events are missing, tell the rows anew; else only that they are.
    """

    entity: str
    query: str = ""
    first: bool = False
    rows: bool = True


class LiveEvent(Struct, eq=False):
    """One change as the followers of a group see it.

    Attributes:
        seq: its number in the log.
        at: when it was made, ISO 8601.
        verb: what happened to the row: insert, update, delete.
        kind: what happened to the list: a row seen no more is a delete, one that is seen now an insert.
        body: JSON text of the row as it is seen; "" for a delete.
        key_name, key: of the row; the latter JSON text.
        wire, record: the event, and its part of a message, as bytes: made once for all who are sent them.
    """

    seq: int
    xid: int
    at: str
    verb: str
    kind: str
    body: str
    key_name: str
    key: str
    wire: bytes = b""
    record: bytes = b""


class Rows(Struct, frozen=True):
    """The rows there are now: to begin with, or (``reason``) because events are missing."""

    position: Position
    body: str
    reason: str = ""


class Reloaded(Struct, frozen=True):
    """Another version of the tenant's file is in force."""

    version: int


class Ended(Struct, frozen=True):
    """There will be no more events; ``problem`` says why, None when the server goes away."""

    problem: ProblemError | None = None


Message: TypeAlias = LiveEvent | Rows | Reloaded | Ended
GroupKey: TypeAlias = tuple[int, str, str, str, tuple[object, ...], frozenset[str], frozenset[str] | None]
"""Number of the generation, entity, query, statement, arguments, roles, scopes."""


class Follower(Struct, eq=False):
    """One who follows.

    Attributes:
        credential: looked at again and again; None inside the process.
        send: is given every message, and must not wait.
        after: changes up to this number were seen.
        seen: and those this snapshot shows, up to number ``until``.
        held: events that wait until the beginning is told; None: told.
    """

    wish: Wish
    principal: Principal
    credential: Credential | None
    send: Callable[["Follower", Message], None]
    group: "Group"
    after: int = 0
    seen: Snapshot | None = None
    seen_text: str = ""
    until: int = 0
    held: list[LiveEvent] | None = field(default_factory=list)

    def take(self, message: Message) -> None:
        """Give a message."""
        self.send(self, message)

    def offer(self, event: LiveEvent) -> None:
        """Give an event, unless it was seen."""
        if self.held is not None:
            self.held.append(event)
            return
        if event.seq <= self.after:
            return
        if self.seen is not None:
            if event.seq > self.until:
                self.seen, self.seen_text = None, ""
            elif self.seen.shows(event.xid):
                return
        self.take(event)

    def begin(self) -> None:
        """Give what was held back."""
        held, self.held = self.held or [], None
        for event in held:
            self.offer(event)

    def position(self, number: int) -> Position:
        """Return where the follower is after a number."""
        return Position(self.group.digest, number, self.seen_text if number < self.until else "")

    def saw(self, snapshot: Snapshot | None, text: str, until: int) -> None:
        """Note that rows were told as a snapshot shows them."""
        self.seen, self.seen_text, self.until = snapshot, text, until


class Group(Struct, eq=False):
    """Followers who are sent the same.

    Attributes:
        principal: one of them; for the statement all are alike.
        digest: of what decides which rows they see.
        shown: digest of the rows when they were told last; "" when nobody knows.
        stale: what the rows depend on has changed.
        due: when that may be told, in loop time.
    """

    key: GroupKey
    follow: Follow
    principal: Principal
    digest: str
    followers: set[Follower] = field(default_factory=set)
    shown: str = ""
    stale: bool = False
    due: float = 0.0

    @property
    def entities(self) -> frozenset[str]:
        """Whose changes concern it."""
        return self.follow.related | {self.follow.entity.name}

    def arguments(self, numbers: list[str | None], now: str) -> list[Argument]:
        """Return the arguments of its statement for some changes."""
        return self.follow.statement.arguments(self.follow.about(numbers), self.principal, now)


def make_group(namespace: str, number: int, wish: Wish, follow: Follow, principal: Principal) -> Group:
    """Return the group of a follower; of two with equal keys one is enough."""
    values = follow.statement.arguments(follow.about([]), principal, "")
    fixed = tuple(tuple(value) if isinstance(value, list) else value for value in values)
    text = follow.statement.text
    told = repr((namespace, wish.entity, wish.query, text, fixed))
    return Group(
        (number, wish.entity, wish.query, text, fixed, principal.roles, principal.scopes),
        follow,
        principal,
        hashlib.sha256(told.encode()).hexdigest()[:12],
    )
