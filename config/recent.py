"""The latest lines of this process's log, and its latest errors: who asked, what failed, where.

Decides how many are kept and how much of each; what was sent is never there. Fed by ``config.logs`` with
lines whose secrets are hidden already; read by the view of the runtime.
"""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

KEPT = 200
_LEVELS = frozenset({"error", "critical"})
_MOST = 300
_PLACES = 3
KEPT_LINES = 1000
_MOST_OF_A_FIELD = 2000
_LINES_AT_ONCE = 500
LEVELS = ("debug", "info", "warning", "error", "critical")
_OWN = frozenset({"event", "level", "timestamp", "tenant", "request_id"})
"""What a line says under names of its own; all else is among its ``fields``."""


class RecentErrors:
    """The newest ``KEPT`` errors."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, event: Mapping[str, Any]) -> None:
        """Keep a line of the log if it tells of an error."""
        if event.get("level") not in _LEVELS:
            return
        trace = str(event.get("exception") or event.get("stack") or "").rstrip().splitlines()
        places = [line.strip().removeprefix("File ") for line in trace if line.lstrip().startswith("File ")]
        said = trace[-1] if event.get("exception") and trace else event.get("reason") or event.get("message")
        self._kept.append(
            {
                "at": datetime.now(UTC),
                "event": str(event.get("event", ""))[:_MOST],
                "tenant": event.get("tenant") or None,
                "request_id": event.get("request_id") or None,
                "actor": event.get("actor"),
                "error": str(said or "")[:_MOST],
                "where": places[-_PLACES:],
            }
        )

    def newest(self, tenant: str = "") -> list[dict[str, Any]]:
        """Return what is kept, the newest first; of one tenant, if one is named."""
        return [dict(one) for one in reversed(self._kept) if not tenant or one["tenant"] == tenant]


class RecentLines:
    """The newest ``KEPT_LINES`` lines, numbered from 1 since the process began."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT_LINES)
        self._numbers = count(1)  # the watchdog speaks from a thread of its own

    def note(self, event: Mapping[str, Any]) -> None:
        """Keep a line of the log."""
        self._kept.append(
            {
                "number": next(self._numbers),
                "at": datetime.now(UTC),
                "level": str(event.get("level", "info")),
                "event": str(event.get("event", ""))[:_MOST],
                "tenant": event.get("tenant") or None,
                "request_id": event.get("request_id") or None,
                "fields": {name: _short(value) for name, value in event.items() if name not in _OWN},
            }
        )

    def newest(self, after: int = 0, level: str = LEVELS[0], tenant: str = "") -> list[dict[str, Any]]:
        """Return lines, the newest first, at most 500.

        Args:
            after: only lines with greater numbers.
            level: the least that matters, one of ``LEVELS``.
            tenant: only of this one; "" for all.
        """
        matter = LEVELS[LEVELS.index(level) :]
        found = (
            dict(line)
            for line in reversed(self._kept.copy())
            if line["number"] > after and line["level"] in matter and tenant in {"", line["tenant"]}
        )
        return list(islice(found, _LINES_AT_ONCE))


def _short(value: object) -> str | float | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_MOST_OF_A_FIELD]


RECENT = RecentErrors()
LINES = RecentLines()
"""Of this process: it has one log."""
