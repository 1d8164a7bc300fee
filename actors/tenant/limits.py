"""How often callers of one tenant may ask."""

from typing import TYPE_CHECKING

from actors.messages import Call
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.generation import Generation


class TenantLimits:
    """Counts a tenant's callers."""

    def check(
        self, generation: "Generation", call: Call, principal: Principal
    ) -> tuple[tuple[str, str], ...]:
        """Count one call; returns the headers its answer carries.

        Raises:
            ProblemError: http.rate_limited.
        """
        del generation, call, principal
        return ()
