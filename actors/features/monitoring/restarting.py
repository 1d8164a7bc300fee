"""``rpc/restart_tenant``: a tenant's actor anew, without touching any other.

Decides how it ends: in order, after what is in flight, or at once. One that was set aside after repeated
failures is tried again with a clean record. A function of the platform, for administrators.
"""

from typing import Any

from actors.features.platform.events import note
from actors.features.platform.rights import Request, require_admin
from actors.messages import ProblemError
from runtime.signals import ActorError, ActorStatus
from schemas.compiler.compile import SYSTEM_SLUG

START_SECONDS = 10.0
"""How long who asked waits to hear whether it runs."""


async def restart_tenant(request: Request) -> dict[str, Any]:
    """Start a tenant's actor anew; ``{slug, now}``: ``now`` ends it at once, whatever is in flight.

    Raises:
        ProblemError: auth.forbidden, tenant.not_found; tenant.unavailable when it does not start.
    """
    require_admin(request)
    slug, now = request.text("slug", required=True), request.flag("now", default=False)
    if slug == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "the platform itself stays")
    view = request.platform.view
    ref = None if view is None else view.routes.get(slug)
    if ref is None:
        raise ProblemError("tenant.not_found", "there is no such tenant in this process")
    await note(request.generation, "tenant.restarted", slug, request.who, now=now)
    if now and ref.status is not ActorStatus.PARKED:
        ref.kill()  # its supervisor takes it for a failure, and starts it again after a moment
        return {"tenant": slug, "state": ref.status.value}
    if ref.status is ActorStatus.PARKED:
        ref.unpark()
    else:
        ref.passivate()
    try:
        await ref.ready(timeout=START_SECONDS)
    except ActorError as error:
        raise ProblemError("tenant.unavailable", f"it does not start: {error}") from error
    return {"tenant": slug, "state": ref.status.value}
