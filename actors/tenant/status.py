"""What a tenant is doing, for people: its state, versions, the last reload by phase and the last refusal.

A value, replaced as a whole; it outlives the actor, so that a tenant that cannot start can still say why.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from runtime.histogram import Histogram
from schemas.compiler.diagnostics import Diagnostic

KEPT_RELOADS = 200
"""Reloads of this process that are remembered, all tenants together."""

State = Literal["cold", "starting", "serving", "paused", "suspended", "failed"]


class Rejection(Struct, frozen=True):
    """An edit that was not taken; the version before keeps serving."""

    at: datetime
    digest: str
    diagnostics: tuple[Diagnostic, ...]


class Pending(Struct, frozen=True):
    """A plan that waits for a person, and what it would do."""

    plan_id: str
    digest: str
    summary: tuple[str, ...]


class ReloadTimes(Struct, frozen=True):
    """How long the last successful reload took: milliseconds by phase, and from save to live."""

    at: datetime
    version: int
    total_ms: float
    phases_ms: dict[str, float] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the JSON view."""
        return {
            "at": self.at.isoformat(),
            "version": self.version,
            "total_ms": round(self.total_ms, 1),
            "phases_ms": {name: round(value, 1) for name, value in self.phases_ms.items()},
        }


class TenantStatus(Struct, frozen=True):
    """One tenant as seen from outside.

    Attributes:
        state: cold (known, wakes at the first request), starting, serving, paused (its file is gone),
            suspended (by the platform) or failed.
        version: the deployed version, 0 when there is none yet.
        generation: how often this process swapped it.
        reason: why it is paused or failed, or waits; "" otherwise.
        unreadable: why its file cannot be read now; kept by the directory.
    """

    slug: str
    state: State = "cold"
    version: int = 0
    digest: str = ""
    generation: int = 0
    reason: str = ""
    rejection: Rejection | None = None
    unreadable: Rejection | None = None
    pending: Pending | None = None
    last_reload: ReloadTimes | None = None

    @property
    def undecided(self) -> bool:
        """Whether the file's newest content is not in force and could be at another time."""
        return self.pending is not None or self.rejection is not None

    def document(self) -> dict[str, Any]:
        """Return the JSON view."""
        rejection = self.unreadable or self.rejection
        return {
            "slug": self.slug,
            "state": self.state,
            "version": self.version,
            "digest": self.digest,
            "generation": self.generation,
            "reason": self.reason,
            "rejection": rejection
            and {
                "at": rejection.at.isoformat(),
                "digest": rejection.digest,
                "diagnostics": [
                    {
                        "file": finding.file or f"{self.slug}.yaml",
                        "line": finding.position.line,
                        "column": finding.position.column,
                        "severity": finding.severity,
                        "code": finding.code,
                        "message": finding.message,
                        "hint": finding.hint,
                        "path": finding.path,
                    }
                    for finding in rejection.diagnostics
                ],
            },
            "pending": self.pending
            and {
                "plan_id": self.pending.plan_id,
                "digest": self.pending.digest,
                "summary": list(self.pending.summary),
                "confirm": f"python3 run.py apply {self.slug} --confirm {self.pending.plan_id}",
            },
            "last_reload": self.last_reload and self.last_reload.document(),
        }


class StatusBook:
    """The latest status of every tenant of this process, cold ones included.

    Attributes:
        reloads: edits that were looked at, by how they came out: live, refused, waiting (for a yes), blocked.
        reload_seconds: from save to live.
    """

    def __init__(self) -> None:
        self.reloads = dict.fromkeys(("live", "refused", "waiting", "blocked"), 0)
        self.reload_seconds = Histogram()
        self._statuses: dict[str, TenantStatus] = {}
        self._past: deque[tuple[str, ReloadTimes]] = deque(maxlen=KEPT_RELOADS)
        self._changed = asyncio.Event()

    def get(self, slug: str) -> TenantStatus:
        """Return the tenant's status; a new cold one when it is unknown."""
        return self._statuses.get(slug) or TenantStatus(slug)

    def update(self, slug: str, **changes: Any) -> TenantStatus:  # noqa: ANN401 - the attributes of TenantStatus
        """Replace some attributes."""
        before = self.get(slug)
        status = replace(before, **changes)
        self._statuses[slug] = status
        if status.last_reload is not None and status.last_reload is not before.last_reload:
            self._past.append((slug, status.last_reload))
        self._wake()
        return status

    def forget(self, slug: str) -> None:
        """Know nothing of a tenant that is really gone."""
        self._statuses.pop(slug, None)
        self._wake()

    def past_reloads(self, slug: str = "") -> list[dict[str, Any]]:
        """Return the latest reloads, the newest first; of one tenant, if one is named."""
        return [
            {"tenant": of, **times.document()} for of, times in reversed(self._past) if not slug or of == slug
        ]

    async def until(self, slug: str, test: Callable[[TenantStatus], bool], seconds: float) -> TenantStatus:
        """Wait until a tenant's status passes a test.

        Raises:
            TimeoutError: it did not in that time.
        """
        async with asyncio.timeout(seconds):
            while not test(status := self.get(slug)):
                await self._changed.wait()
        return status

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def all(self) -> list[TenantStatus]:
        """Return every known status by slug."""
        return [self._statuses[slug] for slug in sorted(self._statuses)]
