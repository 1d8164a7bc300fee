"""The platform's operations, and its functions at ``rpc/NAME``: the one table of both.

Decides what is reachable: functions only of the tenant ``system``, ``auth.enter`` and ``auth.member`` of
every tenant, by the platform alone. Called by ``actors.tenant.operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from actors.features.platform import creating, following, lifecycle, people
from actors.features.platform.rights import Request, answer, request_of
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

TENANTS = "tenants"
"""The entity whose rows are tenants."""

FUNCTIONS: Mapping[str, Callable[[Request], Awaitable[Any]]] = {
    "validate_tenant_slug": creating.check_slug,
    "suspend_tenant": lifecycle.suspend_tenant,
    "resume_tenant": lifecycle.resume_tenant,
    "delete_tenant": lifecycle.delete_tenant,
    "rename_domain": lifecycle.rename_domain,
    "explain_access": people.explain_access,
}


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Call one of ``FUNCTIONS``."""
    value = await FUNCTIONS[call.entity](request_of(generation, call, principal))
    return value if isinstance(value, Result) else answer(value)


async def check_slug(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say whether a slug is free."""
    return answer(await creating.check_slug(request_of(generation, call, principal)))


OPERATIONS: Mapping[str, Any] = {
    "auth.tenants": people.list_tenants,
    "auth.switch": people.switch,
    "auth.enter": people.enter,
    "auth.member": people.change_member,
    "platform.follow": following.follow,
    "platform.told": following.told,
    "platform.adopt": following.adopt,
    "platform.check_slug": check_slug,
}
