"""``rpc/dead_tasks``: in which tenants something was given up and waits for a person.

Decides that no tenant's tables are asked for it: ``features.metering`` counts a tenant's dead tasks when its
relay has failed at something, and this reads the counts of all. For administrators of the platform.
"""

from typing import Any

from actors.features.platform.rights import Request, require_admin
from schemas.compiler.sql import quote

MOST = 200
_COUNTS = """
SELECT t.slug AS tenant, d.tasks, d.deliveries, d.counted_at
FROM backsaas.dead_tasks d JOIN backsaas.tenants t ON t.id = d.tenant
LEFT JOIN {ns}.tenants p ON p.slug = t.slug
WHERE d.tasks + d.deliveries > 0 AND coalesce(p.status, 'active') = 'active'
ORDER BY d.tasks + d.deliveries DESC, t.slug LIMIT $1
"""


async def dead_tasks(request: Request) -> list[dict[str, Any]]:
    """Count what was given up, by tenant, the most first; tenants that are suspended are left out.

    Returns:
        ``tenant``; ``tasks``: functions, jobs and changes; ``deliveries`` of webhooks; ``counted_at``.

    Raises:
        ProblemError: auth.forbidden.
    """
    require_admin(request)
    text = _COUNTS.format(ns=quote(request.generation.identity.namespace))
    async with request.platform.database.owner() as connection:
        return [dict(row) for row in await connection.fetch(text, MOST)]
