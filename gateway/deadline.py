"""A tenant's answer, or a refusal when the time for it is over.

Decides what a client is told that waited long enough. Called by ``gateway.server`` for each call to a tenant.
"""

import asyncio

from actors.messages import Call, ProblemError, Result
from gateway.ports import TenantPort

_GRACE_SECONDS = 0.05
"""A tenant that is still waking up when the time is over says so itself."""


async def call_in_time(port: TenantPort, call: Call) -> Result:
    """Return the answer to a call; at its deadline what was begun is broken off.

    Raises:
        ProblemError: http.deadline; outcome_unknown for what may have changed something; the tenant's own.
    """
    limit = asyncio.timeout_at(call.deadline + _GRACE_SECONDS)
    try:
        async with limit:
            return await port.call(call)
    except TimeoutError:
        if not limit.expired():
            raise
    if call.method in {"GET", "HEAD"}:
        raise ProblemError("http.deadline", "the request took longer than it may here")
    raise ProblemError(
        "outcome_unknown",
        "the request took longer than it may here, and may have changed something",
        hint="repeat the request with the same Idempotency-Key to learn what happened",
    )
