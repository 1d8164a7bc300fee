"""How long statements took: the slow ones are kept for people, the sum of a request's for its trace.

Decides what counts as slow and how many are kept. Values are never seen here: what is kept is the statement's
text, in which they are ``$1``. Connections tell it; the view of the runtime and traces read it.
"""

from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from config.logs import REQUEST

KEPT = 20
"""Slow statements kept per tenant."""
MAX_TEXT = 2000


class Spent(Struct):
    """What one request spent in PostgreSQL."""

    seconds: float = 0.0
    statements: int = 0


SPENT: ContextVar[Spent | None] = ContextVar("spent", default=None)
"""Set where somebody wants to know."""


class Watch:
    """Watches the statements of one pool.

    Args:
        slow: seconds from which on a statement is kept.
    """

    __slots__ = ("_kept", "_slow", "total")

    def __init__(self, slow: float) -> None:
        self._slow = slow
        self._kept: deque[tuple[datetime, str, float, str]] = deque(maxlen=KEPT)
        self.total = 0

    def took(self, text: str, seconds: float) -> None:
        """Note one statement."""
        spent = SPENT.get()
        if spent is not None:
            spent.seconds += seconds
            spent.statements += 1
        if seconds >= self._slow:
            self.total += 1
            self._kept.append((datetime.now(UTC), text, seconds, REQUEST.get()[0]))

    def documents(self) -> list[dict[str, Any]]:
        """Return what is kept."""
        return [
            {
                "at": at,
                "ms": round(seconds * 1000, 1),
                "statement": text[:MAX_TEXT],
                "request_id": request_id or None,
            }
            for at, text, seconds, request_id in self._kept
        ]


class SlowBook:
    """The watches of all tenants of this process, by slug.

    Args:
        slow: seconds from which on a statement is kept.
    """

    def __init__(self, slow: float) -> None:
        self._slow = slow
        self._watches: dict[str, Watch] = {}

    def of(self, slug: str) -> Watch:
        """Return a tenant's watch."""
        watch = self._watches.get(slug)
        if watch is None:
            watch = self._watches[slug] = Watch(self._slow)
        return watch

    @property
    def total(self) -> int:
        """How many statements were slow."""
        return sum(watch.total for watch in self._watches.values())

    def newest(self, tenant: str = "") -> list[dict[str, Any]]:
        """Return the slow statements, the newest first; of one tenant, if one is named."""
        found = [
            {"tenant": slug, **document}
            for slug, watch in self._watches.items()
            if not tenant or slug == tenant
            for document in watch.documents()
        ]
        return sorted(found, key=lambda one: one["at"], reverse=True)
