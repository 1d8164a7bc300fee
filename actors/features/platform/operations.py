"""The platform's operations, and its functions at ``rpc/NAME``: the one table of both.

Decides what is reachable: functions only of the tenant ``system``, ``auth.enter``, ``auth.impersonate`` and
``auth.member`` of every tenant, by the platform alone. Called by ``actors.tenant.operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from actors.features.auth.bodies import query_of
from actors.features.platform import (
    archive,
    archived,
    backups,
    copying,
    creating,
    files,
    following,
    impersonation,
    inviting,
    lifecycle,
    people,
    versions,
)
from actors.features.platform.rights import Request, answer, hands, request_of
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

TENANTS = creating.TENANTS

FUNCTIONS: Mapping[str, Callable[[Request], Awaitable[Any]]] = {
    "validate_tenant_slug": creating.check_slug,
    "suspend_tenant": lifecycle.suspend_tenant,
    "resume_tenant": lifecycle.resume_tenant,
    "delete_tenant": lifecycle.delete_tenant,
    "rename_domain": lifecycle.rename_domain,
    "list_tenants": lifecycle.list_tenants,
    "clone_tenant": copying.clone_tenant,
    "export_tenant": archive.export_tenant,
    "backup_tenant": backups.backup_tenant,
    "list_backups": backups.list_backups,
    "restore_tenant": backups.restore_tenant,
    "edit_schema": files.edit,
    "validate_schema": files.check,
    "plan_schema": files.plan,
    "apply_schema": files.apply,
    "rollback_schema": files.rollback,
    "prune_archive": archived.prune_archive,
    "explain_access": people.explain_access,
    "impersonate": impersonation.impersonate,
    "invite_member": inviting.invite_member,
}


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Call one of ``FUNCTIONS``."""
    value = await FUNCTIONS[call.entity](request_of(generation, call, principal))
    return value if isinstance(value, Result) else answer(value)


async def check_slug(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say whether a slug is free."""
    return answer(await creating.check_slug(request_of(generation, call, principal)))


async def read_schema(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return a tenant's file."""
    return await files.read(_about_tenant(generation, call, principal), call.entity)


async def write_schema(generation: Generation, call: Call, principal: Principal) -> Result:
    """Write a tenant's file; ``?plan_id=`` agrees to a plan."""
    request = _about_tenant(generation, call, principal)
    return await files.write(request, call.entity, call.body, plan_id=request.text("plan_id"))


async def schema_status(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return how the last edit of a tenant's file came out, and how far its migration is."""
    return answer(await files.report(_about_tenant(generation, call, principal), call.entity))


async def schema_history(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return a tenant's versions."""
    return answer(await versions.history(_about_tenant(generation, call, principal), call.entity))


async def export(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a tenant's archive."""
    return await archive.download(_about_tenant(generation, call, principal), call.entity)


async def import_(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make a tenant of an archive."""
    return await archive.import_tenant(_about_tenant(generation, call, principal), call.entity)


async def backup(generation: Generation, call: Call, principal: Principal) -> Result:
    """Back up every tenant; asked for by the clock."""
    return answer(await backups.run(_about_tenant(generation, call, principal)))


def _about_tenant(generation: Generation, call: Call, principal: Principal) -> Request:
    return Request(generation, hands(generation), principal, query_of(call), call)


OPERATIONS: Mapping[str, Any] = {
    "auth.tenants": people.list_tenants,
    "auth.switch": people.switch,
    "auth.enter": people.enter,
    "auth.impersonate": impersonation.open_impersonated,
    "auth.member": people.change_member,
    "platform.follow": following.follow,
    "platform.told": following.told,
    "platform.adopt": following.adopt,
    "platform.backup": backup,
    "platform.check_slug": check_slug,
    "platform.export": export,
    "platform.import": import_,
    "platform.schema": read_schema,
    "platform.schema.write": write_schema,
    "platform.schema.status": schema_status,
    "platform.schema.history": schema_history,
}
