"""Whether a tenant may be entered: its file is there, and the platform has not closed it.

Decides what callers of a closed tenant are told. Held by the tenant's actor, which puts it together from the
file and the registry.
"""

from typing import Any

from msgspec import Struct

from actors.messages import Call, Identify, ProblemError
from actors.tenant.registry import Deployed
from actors.tenant.status import State
from schemas.compiler.principal import SERVICE

ACTIVE, ARCHIVED = "active", "archived"
RETRY_SOON = (("Retry-After", "2"),)


class Standing(Struct):
    """A tenant's standing.

    Attributes:
        paused: its file is gone.
        state: what the platform says: active, suspended or archived.
        reason: why it is closed.
    """

    paused: bool = False
    state: str = ACTIVE
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether everybody may come in."""
        return self.state == ACTIVE and not self.paused

    @property
    def shown(self) -> State:
        """How the status of a tenant that serves is called."""
        return "serving" if self.state == ACTIVE else "suspended"

    def follow(self, deployed: Deployed) -> bool:
        """Do as the platform says; returns whether that is something new."""
        before, now = (self.state, self.reason), (deployed.state, deployed.reason)
        self.state, self.reason = now
        return before != now

    def taken(self, changes: dict[str, Any], *, serves: bool) -> dict[str, Any]:
        """Return the status after a file was taken or refused: it is there, so the tenant is not paused.

        Args:
            changes: of the status, by what came out.
            serves: some version of the file is in force.
        """
        self.paused = False
        reason = changes.get("reason", "" if serves else "no version of the file could be taken yet")
        state = self.shown if serves else "failed"
        return {**changes, "state": state, "reason": reason if self.is_open else self.reason or reason}

    def shuts_out(self, message: Call | Identify) -> bool:
        """Whether a closed tenant refuses a message; a suspended one still obeys the platform."""
        return isinstance(message, Call) and (self.paused or message.principal is not SERVICE)

    def refusal(self, reason: str) -> ProblemError:
        """Return what callers are told.

        Args:
            reason: of the tenant's status; "" when there is none.
        """
        if self.state == ARCHIVED:
            return ProblemError("tenant.not_found", "there is no such tenant")
        code = "suspended" if self.state != ACTIVE else "paused" if self.paused else "unavailable"
        return ProblemError(
            f"tenant.{code}", self.reason or reason or "The tenant is not serving.", headers=RETRY_SOON
        )
