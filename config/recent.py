"""The latest errors of this process as they were logged: who asked, what failed, where; never what was sent.

Decides how many are kept and how much of each. Fed by ``config.logs`` with lines whose secrets are hidden
already; read by the view of the runtime.
"""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

KEPT = 200
_LEVELS = frozenset({"error", "critical"})
_MOST = 300
_PLACES = 3


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


RECENT = RecentErrors()
"""Of this process: it has one log."""
