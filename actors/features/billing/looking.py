"""What people look at before they decide about plans: what a change would cost, and who uses how much.

Decides nothing and changes nothing: a preview is the change itself, undone. Called by ``functions``.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from actors.features.auth.store import Session, Store
from actors.features.billing import subscriptions
from actors.features.billing.plans import PlanFile
from actors.tenant.executor import in_transaction
from actors.tenant.quotas import WARN_AT
from actors.tenant.usage import TenantUsage, UsageBook

# what this very transaction wrote: created_at is its beginning
_NEW_LINES = """
SELECT l.kind, l.description, l.quantity, l.unit_price, l.amount, l.period_start, l.period_end,
  l.invoice_id IS NOT NULL AS invoiced
FROM {ns}.invoice_lines l WHERE l.tenant_id = $1 AND l.created_at = now() ORDER BY l.position, l.id
"""


async def preview(store: Store, file: PlanFile, slug: str, name: str, today: date) -> dict[str, Any]:
    """Return what giving a tenant a plan on a day would charge, and change nothing.

    Returns:
        The subscription as it would be; ``lines`` with ``invoiced`` where an invoice is issued at once, the
        others wait for the next one; ``subtotal`` of all lines, without tax; ``tax_rate``.

    Raises:
        ProblemError: billing.unknown_plan, tenant.not_found.
    """

    async def look(session: Session) -> dict[str, Any]:
        made = await subscriptions.set_plan(session, file, slug, name, today)
        found = await subscriptions.subscription_of(session, slug)
        lines = [dict(row) for row in await session.rows(_NEW_LINES, found["tenant_id"])]
        return {
            **made,
            "trial_end": found["trial_end"] if found["status"] == "trialing" else None,
            "currency": found["currency"],
            "tax_rate": file.tax_rate if found["tax_rate"] is None else found["tax_rate"],
            "lines": lines,
            "subtotal": sum((line["amount"] for line in lines), Decimal(0)),
        }

    return await in_transaction(
        store.pool, lambda connection: look(Session(connection, store.namespace)), commit=False
    )


def quotas(usage: TenantUsage | None) -> dict[str, dict[str, Any]]:
    """Return what a tenant used of each limit it has, as far as this process knows.

    Returns:
        By name: ``used``, ``limit``, ``share`` (1: all of it), ``metered``: more is charged for, not refused.
    """
    limits = None if usage is None else usage.quota.limits
    if usage is None or limits is None:
        return {}
    return {
        name: {
            "used": used,
            "limit": most,
            "share": round(used / most, 4) if most else 1.0,
            "metered": name in limits.metered,
        }
        for name, (used, most) in usage.quota.shares().items()
    }


def everybody(book: UsageBook | None, *, near: bool) -> list[dict[str, Any]]:
    """Return the quotas of every tenant that has a plan; who is nearest to a limit comes first.

    Args:
        book: what this process counted.
        near: only those of which four fifths of something are used.
    """
    found = [
        {"tenant": slug, "plan": usage.quota.limits.plan, "quotas": quotas(usage)}
        for slug, usage in ({} if book is None else book.all()).items()
        if usage.quota.limits is not None
    ]

    def nearest(one: dict[str, Any]) -> tuple[float, str]:
        return -max((quota["share"] for quota in one["quotas"].values()), default=0.0), one["tenant"]

    return sorted((one for one in found if not near or -nearest(one)[0] >= WARN_AT), key=nearest)
