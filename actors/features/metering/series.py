"""Series and lists for charts: what was used, by whom, and what it brought.

Decides the width of a step, so that no chart has more than ``MAX_POINTS`` points, and who sees what:
administrators everything, owners their own tenant. Operations of the tenant ``system``; ``GET
metrics/NAME`` with ``tenant``, ``from``, ``to`` (ISO 8601) and ``step`` (minute, hour, day, month).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from actors.features.auth.bodies import query_of
from actors.features.platform.rights import Request, answer, hands, invalid, require_admin, require_owner
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from actors.tenant.system_place import system_namespace
from actors.tenant.usage import LATENCY_MS
from schemas.compiler.principal import Principal
from schemas.compiler.sql import quote

MAX_POINTS = 750
STEPS = {
    "minute": timedelta(minutes=1), "hour": timedelta(hours=1),
    "day": timedelta(days=1), "month": timedelta(days=28),
}  # fmt: skip

_WHERE = "u.at >= $1 AND u.at < $2 AND ($3::text IS NULL OR t.slug = $3)"
_FROM = "FROM backsaas.usage u JOIN backsaas.tenants t ON t.id = u.tenant"
_REQUESTS = f"""
SELECT date_trunc('{{step}}', u.at, 'UTC') AS at, sum(requests)::bigint AS requests,
  coalesce(sum(requests) FILTER (WHERE status >= 500), 0)::bigint AS errors,
  coalesce(sum(requests) FILTER (WHERE status >= 400 AND status < 500), 0)::bigint AS refusals
{_FROM} WHERE {_WHERE} GROUP BY 1 ORDER BY 1
"""
_LATENCY = f"""
SELECT date_trunc('{{step}}', u.at, 'UTC') AS at, le, sum(requests)::bigint AS requests
{_FROM} WHERE {_WHERE} GROUP BY 1, 2 ORDER BY 1
"""
_RECORDS = """
SELECT date_trunc('{step}', x.day, 'UTC') AS at, {over}(x.value)::bigint AS value FROM (
  SELECT r.day::timestamp AT TIME ZONE 'UTC' AS day, sum(r.value) AS value
  FROM {ns}.usage_records r JOIN {ns}.tenants t ON t.id = r.tenant_id
  WHERE r.metric = $4 AND r.day >= ($1 AT TIME ZONE 'UTC')::date AND r.day < $2 AT TIME ZONE 'UTC'
    AND ($3::text IS NULL OR t.slug = $3) GROUP BY 1) x
GROUP BY 1 ORDER BY 1
"""
_REVENUE = """
SELECT date_trunc('{step}', issued_on::timestamp AT TIME ZONE 'UTC', 'UTC') AS at, currency,
  sum(subtotal)::text AS invoiced,
  coalesce(sum(subtotal) FILTER (WHERE status IN ('paid', 'refunded')), 0)::text AS paid,
  coalesce(sum((SELECT sum(l.amount) FROM {ns}.invoice_lines l WHERE l.invoice_id = i.id
    AND l.kind = 'plan')), 0)::text AS recurring,
  count(*) FILTER (WHERE kind = 'invoice') AS invoices
FROM {ns}.invoices i WHERE issued_on >= ($1 AT TIME ZONE 'UTC')::date AND issued_on < $2 AT TIME ZONE 'UTC'
  AND ($3::text IS NULL OR slug = $3) AND status <> 'void' GROUP BY 1, 2 ORDER BY 1, 2
"""
_GROWTH = """
SELECT at, sum(tenants)::bigint AS tenants, sum(people)::bigint AS people FROM (
  SELECT date_trunc('{step}', created_at, 'UTC') AS at, 1 AS tenants, 0 AS people FROM {ns}.tenants
  WHERE created_at >= $1 AND created_at < $2 AND ($3::text IS NULL OR slug = $3)
  UNION ALL SELECT date_trunc('{step}', created_at, 'UTC'), 0, 1 FROM {ns}.users
  WHERE created_at >= $1 AND created_at < $2 AND $3::text IS NULL) x
GROUP BY 1 ORDER BY 1
"""
_TOP = f"""
SELECT {{by}} AS name, sum(requests)::bigint AS requests,
  coalesce(sum(requests) FILTER (WHERE status >= 500), 0)::bigint AS errors,
  sum(egress)::bigint AS egress_bytes,
  round((sum(seconds) * 1000)::numeric, 1)::float8 AS milliseconds
{_FROM} WHERE {_WHERE} GROUP BY 1 ORDER BY {{order}} DESC, 1 LIMIT $4
"""
_TOP_BY = {"tenant": "t.slug", "route": "u.method || ' ' || u.route", "status": "u.status::text"}
_TOP_ORDER = {"requests": "2", "errors": "3", "egress_bytes": "4", "milliseconds": "5"}
_SUMS = {"egress": "egress_bytes", "function_time": "function_ms"}
_LARGEST = {"active_users": "active_users", "rows": "rows", "storage": "storage_bytes"}


class Range(Struct, frozen=True):
    """What a chart is about; ``tenant`` None: all."""

    since: datetime
    until: datetime
    step: str
    tenant: str | None

    def document(self, points: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the answer."""
        return {
            "from": self.since,
            "to": self.until,
            "step": self.step,
            "tenant": self.tenant,
            "points": points,
        }


async def _range(request: Request) -> Range:
    tenant = request.text("tenant") or None
    if tenant is None:
        require_admin(request)
    else:
        await require_owner(request, tenant)
    until = _moment(request, "to") or request.platform.now()
    since = _moment(request, "from") or until - timedelta(days=1)
    if since >= until:
        raise invalid("from", "before 'to'")
    step = request.text("step")
    if step and step not in STEPS:
        raise invalid("step", f"one of {', '.join(STEPS)}")
    fits = [name for name, width in STEPS.items() if (until - since) / width <= MAX_POINTS]
    if not fits:
        raise invalid("from", "too long ago")
    if not step or step not in fits:
        step = fits[0]
    return Range(since, until, step, tenant)


def _moment(request: Request, name: str) -> datetime | None:
    text = request.text(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise invalid(name, "a moment such as 2027-01-31 or 2027-01-31T12:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def percentile(classes: Mapping[int, int], share: float) -> float:
    """Return the latency in milliseconds that a share of requests stays under, classes evenly spread.

    Args:
        classes: requests by upper bound in milliseconds; 0 stands for what is slower than every bound.
        share: 0 to 1.
    """
    wanted = sum(classes.values()) * share
    below = 0
    lower = 0
    for bound in LATENCY_MS:
        number = classes.get(bound, 0)
        if number and below + number >= wanted:
            return round(lower + (bound - lower) * (wanted - below) / number, 2)
        below += number
        lower = bound
    return float(LATENCY_MS[-1])


async def requests(request: Request) -> dict[str, Any]:
    """Requests, errors (5xx) and refusals (4xx)."""
    asked = await _range(request)
    return asked.document(await _rows(request, asked, _REQUESTS.format(step=asked.step)))


async def latency(request: Request) -> dict[str, Any]:
    """Percentiles per step, in milliseconds."""
    asked = await _range(request)
    found: dict[datetime, dict[int, int]] = {}
    for row in await _rows(request, asked, _LATENCY.format(step=asked.step)):
        found.setdefault(row["at"], {})[row["le"]] = row["requests"]
    points = [
        {"at": at, **{f"p{round(share * 100)}": percentile(classes, share) for share in (0.5, 0.95, 0.99)}}
        for at, classes in found.items()
    ]
    return asked.document(points)


async def records(metric: str, over: str, request: Request) -> dict[str, Any]:
    """One metric of ``usage_records``; days are the finest there is."""
    asked = await _range(request)
    step = "month" if asked.step == "month" else "day"
    text = _RECORDS.format(step=step, over=over, ns=_namespace(request))
    return Range(asked.since, asked.until, step, asked.tenant).document(
        await _rows(request, asked, text, metric)
    )


async def of_rows(text: str, request: Request) -> dict[str, Any]:
    """Revenue or growth, per day or month."""
    asked = await _range(request)
    step = asked.step if asked.step in {"day", "month"} else "day"
    points = await _rows(request, asked, text.format(step=step, ns=_namespace(request)))
    return Range(asked.since, asked.until, step, asked.tenant).document(points)


async def top(request: Request) -> dict[str, Any]:
    """Tenants, routes or statuses that use most; ``by``, ``order`` and ``limit``."""
    asked = await _range(request)
    by, order = request.text("by") or "tenant", request.text("order") or "requests"
    if by not in _TOP_BY:
        raise invalid("by", f"one of {', '.join(_TOP_BY)}")
    if order not in _TOP_ORDER:
        raise invalid("order", f"one of {', '.join(_TOP_ORDER)}")
    limit = request.text("limit") or "10"
    if not (limit.isascii() and limit.isdecimal() and 0 < int(limit) <= 100):
        raise invalid("limit", "a whole number from 1 to 100")
    text = _TOP.format(by=_TOP_BY[by], order=_TOP_ORDER[order])
    return asked.document(await _rows(request, asked, text, int(limit)))


async def _rows(request: Request, asked: Range, text: str, *more: object) -> list[dict[str, Any]]:
    async with request.platform.database.owner() as connection:
        if await system_namespace(connection, "usage_records") is None:
            return []
        found = await connection.fetch(text, asked.since, asked.until, asked.tenant, *more)
    return [dict(row) for row in found]


def _namespace(request: Request) -> str:
    return quote(request.generation.identity.namespace)


SERIES: Mapping[str, Callable[[Request], Awaitable[dict[str, Any]]]] = {
    "requests": requests,
    "latency": latency,
    **{name: partial(records, metric, "sum") for name, metric in _SUMS.items()},
    **{name: partial(records, metric, "max") for name, metric in _LARGEST.items()},
    "revenue": partial(of_rows, _REVENUE),
    "growth": partial(of_rows, _GROWTH),
    "top": top,
}


async def _answer(name: str, generation: Generation, call: Call, principal: Principal) -> Result:
    return answer(await SERIES[name](Request(generation, hands(generation), principal, query_of(call), call)))


OPERATIONS: Mapping[str, Any] = {f"metering.{name}": partial(_answer, name) for name in SERIES}
