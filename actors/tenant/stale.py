"""A request that met tables changed under it, run again on the version that fits them.

Decides how long it waits for that version. Called by the tenant actor.
"""

import asyncio

from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import StaleGenerationError
from actors.tenant.generation import Generation
from actors.tenant.operations import execute
from runtime.lease import Lease

STALE_WAIT = 5.0
"""Seconds a request that met a table just changed waits for the generation that fits."""


async def serve_on_newer(
    lease: Lease[Generation], swapped: asyncio.Condition, stale: Generation, call: Call
) -> Result:
    """Run a request again, whole: the tables changed under it before it had any effect.

    Args:
        lease: of the tenant.
        swapped: notified when the lease has a new generation.
        stale: the generation that no longer fits.
        call: the request.

    Raises:
        ProblemError: refused, or no version fits the tables.
    """
    if lease.current is stale:
        try:
            async with asyncio.timeout(STALE_WAIT), swapped:
                await swapped.wait_for(lambda: lease.current is not stale)
        except TimeoutError:
            raise _changing("The tenant's tables do not fit its running version.") from None
    with lease.acquire() as generation:
        try:
            return await execute(generation, call)
        except StaleGenerationError:
            raise _changing("The tenant's tables keep changing.") from None


def _changing(detail: str) -> ProblemError:
    return ProblemError("tenant.changing", detail, headers=(("Retry-After", "1"),))
