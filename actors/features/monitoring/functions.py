"""What administrators do and see of the running process as functions of the tenant ``system``; the one table.

Called by ``actors.tenant.operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from actors.features.monitoring.given_up import dead_tasks
from actors.features.monitoring.restarting import restart_tenant
from actors.features.platform.rights import Request, answer, request_of
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

FUNCTIONS: Mapping[str, Callable[[Request], Awaitable[Any]]] = {
    "restart_tenant": restart_tenant,
    "dead_tasks": dead_tasks,
}


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Call one of ``FUNCTIONS``."""
    return answer(await FUNCTIONS[call.entity](request_of(generation, call, principal)))
