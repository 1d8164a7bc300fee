"""Closing, opening, renaming and deleting tenants.

Decides what each state means: a suspended tenant answers 503 with the reason and keeps everything; an
archived one is not found, can be had back until its time is over, and then is deleted to the last row. The
row in ``system`` is what counts; the registry follows it, at once here and within a second by ``following``.
Functions of the platform.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from msgspec.structs import asdict

from actors.features.platform import settling, undertakings
from actors.features.platform.events import note
from actors.features.platform.rights import Request, invalid, require_admin, require_owner
from actors.messages import Call, ProblemError, TenantIdentity
from actors.tenant import closing, registry, rows
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.names import slug_problem
from schemas.compiler.principal import SERVICE

ACTIVE, SUSPENDED, ARCHIVED = "active", "suspended", "archived"
GRACE_DAYS = 30
HANDS_OFF = timedelta(seconds=10)
"""For so long nobody else deletes what a request is deleting right now."""
_SHOWN = "id,slug,name,domain,status,status_reason,delete_after"


async def list_tenants(request: Request) -> list[dict[str, Any]]:
    """List what the registry knows: version, namespace, whether the file is there."""
    require_admin(request)
    async with request.platform.database.owner() as connection:
        found = await registry.tenants(connection)
    return [
        {
            "slug": tenant.identity.slug,
            "version": tenant.version,
            "namespace": tenant.identity.namespace,
            "state": tenant.state,
            "file": request.platform.file(tenant.identity.slug).exists(),
        }
        for tenant in found
    ]


async def suspend_tenant(request: Request) -> dict[str, Any]:
    """Close a tenant: its callers read the reason, its data stays."""
    require_admin(request)
    reason = request.text("reason", most=500) or "the tenant is suspended"
    return await _move(request, SUSPENDED, (ACTIVE, SUSPENDED), status_reason=reason)


async def resume_tenant(request: Request) -> dict[str, Any]:
    """Open a tenant again, also one that waits for its deletion."""
    require_admin(request)
    return await _move(request, ACTIVE, (SUSPENDED, ARCHIVED, ACTIVE), status_reason=None, delete_after=None)


async def delete_tenant(request: Request) -> dict[str, Any]:
    """Delete a tenant after a time of grace, none for at once; the slug is repeated to confirm it."""
    slug = _slug(request)
    administrator = await require_owner(request, slug)
    if request.text("confirm") != slug:
        raise ProblemError(
            "tenant.confirm", "repeat the slug as 'confirm': this deletes the tenant with all its data"
        )
    days = request.arguments.get("grace_days", GRACE_DAYS)
    if isinstance(days, str) and days.isdecimal():
        days = int(days)
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 365:
        raise invalid("grace_days", "a whole number from 0 to 365")
    if not days and not administrator:
        raise ProblemError("auth.forbidden", "only administrators of the platform delete at once")
    # at once: by this request; should it not come to it, by whoever looks next
    until = datetime.now(UTC) + (timedelta(days=days) or HANDS_OFF)
    row = await _move(
        request,
        ARCHIVED,
        (ACTIVE, SUSPENDED, ARCHIVED),
        status_reason=f"deleted; it can be had back until {until:%Y-%m-%d %H:%M} UTC",
        delete_after=until.isoformat(),
    )
    if not days:
        await purge(request.generation, request.platform, slug, request.author)
        return {**row, "deleted": True}
    return {**row, "deleted": False}


async def rename_domain(request: Request) -> dict[str, Any]:
    """Give a tenant another host name, or none."""
    slug = _slug(request)
    await require_owner(request, slug)
    domain = request.text("domain", most=253).lower() or None
    row = await _change(request, slug, {"domain": domain})
    await note(request.generation, "tenant.domain", slug, request.who, domain=domain)
    return row


async def purge(generation: Generation, platform: Platform, slug: str, who: str) -> None:
    """Delete a tenant for good, now, and look whether it is gone.

    Raises:
        ProblemError: tenant.busy, tenant.not_deleted; a deletion that has begun is completed later.
    """
    async with platform.database.owner() as connection:
        identity = await registry.find_tenant(connection, slug) or TenantIdentity("", slug, "", "")
        if not identity.id:
            raise ProblemError("tenant.not_found", "there is no such tenant")
        undertaking = await undertakings.begin(
            connection, slug, undertakings.DELETE, "", identity=asdict(identity), who=who
        )
    await settling.settle(generation, undertaking)


async def _move(request: Request, state: str, origins: tuple[str, ...], **values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    slug = _slug(request)
    origin = ",".join(origins)
    row = await _change(request, slug, {"status": state, **values}, f"&status=in.({origin})")
    async with request.platform.database.owner() as connection:
        identity = await registry.find_tenant(connection, slug)
        if identity is not None:
            await closing.set_state(connection, identity, state, values["status_reason"] or "")
    if request.platform.serves:
        await _settled(request.platform, slug, state)
    reason = values["status_reason"] or ""
    await note(request.generation, f"tenant.{state}", slug, request.who, reason=reason)
    return row


async def _settled(platform: Platform, slug: str, state: str) -> None:
    """Wait a moment until this process obeys, so that who asked sees it."""
    closed = state != ACTIVE
    try:
        await platform.book.until(slug, lambda status: (status.state == "suspended") == closed, 2.0)
    except TimeoutError:
        return


async def _change(request: Request, slug: str, values: dict[str, Any], more: str = "") -> dict[str, Any]:
    call = Call(
        "update",
        "PATCH",
        "tenants",
        query=f"slug=eq.{slug}{more}&select={_SHOWN}",
        body=orjson.dumps(values),
        content_type="application/json",
        prefer="return=representation",
        principal=SERVICE,
        request_id=request.call.request_id,
        address=request.call.address,
    )
    result = await rows.write(request.generation, call, SERVICE, None)
    changed: list[dict[str, Any]] = orjson.loads(result.body)
    if not changed:
        raise ProblemError("tenant.not_found", "there is no such tenant, or it cannot change to that")
    return changed[0]


def _slug(request: Request) -> str:
    slug = request.text("slug", required=True)
    if slug == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "the platform itself stays")
    if slug_problem(slug):
        raise ProblemError("tenant.not_found", "there is no such tenant")
    return slug
