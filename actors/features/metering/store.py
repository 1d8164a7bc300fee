"""Writes what was counted, measures rows and storage, and keeps the tables small.

Decides how long which detail is kept. Runs on the owner's connections: ``backsaas.usage`` has a row per
tenant,
minute, route, status and class of latency; the entity ``usage_records`` of the tenant ``system`` has one per
tenant, day and metric, which is what is billed. Called by ``actor``.

A batch is one transaction with a name of its own, so that one whose outcome is unknown can be written again:
what was counted is written exactly once.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from actors.database import Database
from actors.tenant import registry
from actors.tenant.system_place import system_namespace
from actors.tenant.usage import NOT_BILLED, Counted, Queues
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sql import quote

MINUTES_KEPT, HOURS_KEPT, DAYS_KEPT = timedelta(days=2), timedelta(days=62), timedelta(days=800)
EXACT_ROWS = 100_000
"""Tables that PostgreSQL believes to have more rows than this are not counted one by one."""

_USAGE = """
INSERT INTO backsaas.usage AS u (tenant, at, method, route, status, le, requests, seconds, egress)
SELECT t.id, $1, x.method, x.route, x.status, x.le, x.requests, x.seconds, x.egress
FROM unnest($2::text[], $3::text[], $4::text[], $5::smallint[], $6::integer[], $7::bigint[], $8::float8[],
  $9::bigint[]) AS x (slug, method, route, status, le, requests, seconds, egress)
JOIN backsaas.tenants t ON t.slug = x.slug
ON CONFLICT (tenant, at, route, method, status, le) DO UPDATE SET requests = u.requests + excluded.requests,
  seconds = u.seconds + excluded.seconds, egress = u.egress + excluded.egress
"""
_PEOPLE = """
INSERT INTO backsaas.active_people (tenant, day, person)
SELECT t.id, $1, x.person FROM unnest($2::text[], $3::text[]) AS x (slug, person)
JOIN backsaas.tenants t ON t.slug = x.slug ON CONFLICT DO NOTHING
"""
_ACTIVE = """
SELECT t.slug, count(*) AS number FROM backsaas.active_people p JOIN backsaas.tenants t ON t.id = p.tenant
WHERE p.day = $1 AND t.slug = ANY($2::text[]) GROUP BY t.slug
"""
_ADD = """
INSERT INTO {ns}.usage_records AS r (id, tenant_id, day, metric, value)
SELECT gen_random_uuid(), t.id, $1, x.metric, x.value
FROM unnest($2::text[], $3::text[], $4::numeric[]) AS x (slug, metric, value)
JOIN {ns}.tenants t ON t.slug = x.slug
ON CONFLICT (tenant_id, day, metric) DO UPDATE SET value = {value}, updated_at = now()
"""
_MONTH = """
SELECT t.slug, sum(r.value)::bigint AS number
FROM {ns}.usage_records r JOIN {ns}.tenants t ON t.id = r.tenant_id
WHERE r.metric = 'requests' AND r.day >= date_trunc('month', $1::date) AND t.slug = ANY($2::text[])
GROUP BY t.slug
"""
_COARSER = """
WITH gone AS (DELETE FROM backsaas.usage WHERE at < $1 AND at <> date_trunc('{unit}', at, 'UTC') RETURNING *)
INSERT INTO backsaas.usage AS u (tenant, at, route, method, status, le, requests, seconds, egress)
SELECT tenant, date_trunc('{unit}', at, 'UTC'), route, method, status, le, sum(requests), sum(seconds),
  sum(egress) FROM gone GROUP BY 1, 2, 3, 4, 5, 6
ON CONFLICT (tenant, at, route, method, status, le) DO UPDATE SET requests = u.requests + excluded.requests,
  seconds = u.seconds + excluded.seconds, egress = u.egress + excluded.egress
"""
_TABLES = """
SELECT c.relname AS name, greatest(c.reltuples, 0)::bigint AS guess,
  pg_catalog.pg_total_relation_size(c.oid) AS bytes
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind = 'r'
"""

_DEAD = """
INSERT INTO backsaas.dead_tasks (tenant, tasks, deliveries)
SELECT $1::text::uuid, count(*) FILTER (WHERE kind <> 'webhook'), count(*) FILTER (WHERE kind = 'webhook')
FROM {ns}._tasks WHERE state = 'dead'
ON CONFLICT (tenant) DO UPDATE SET tasks = excluded.tasks, deliveries = excluded.deliveries,
  counted_at = excluded.counted_at
RETURNING tasks + deliveries
"""
_STORED = "SELECT coalesce(sum(size), 0)::bigint FROM {ns}._files"
_QUEUES = """
SELECT (SELECT count(*) FROM {ns}._outbox),
  (SELECT count(*) FROM {ns}._tasks WHERE state = 'ready'),
  (SELECT count(*) FROM {ns}._tasks WHERE state = 'dead')
"""


class Batch:
    """What one flush writes.

    Args:
        counted: by slug.
        moment: when it was taken.
    """

    def __init__(self, counted: Mapping[str, Counted], moment: datetime) -> None:
        self.id = uuid.uuid4()
        self.counted = counted
        self.moment = moment

    def totals(self) -> list[tuple[str, str, int]]:
        """Return (slug, metric, value) of what is billed."""
        found: list[tuple[str, str, int]] = []
        for slug, one in self.counted.items():
            billed = sum(int(n) for (_, _, status, _), (n, _, _) in one.requests.items() if is_billed(status))
            errors = sum(int(n) for (_, _, status, _), (n, _, _) in one.requests.items() if status >= 500)
            egress = sum(int(size) for _, _, size in one.requests.values())
            found += [
                (slug, metric, value)
                for metric, value in (
                    ("requests", billed),
                    ("errors", errors),
                    ("egress_bytes", egress),
                    ("function_ms", round(one.function_seconds * 1000)),
                )
                if value
            ]
        return found


def is_billed(status: int) -> bool:
    """Whether a request with this status counts for quotas and invoices."""
    return status < 500 and status not in NOT_BILLED


async def write(database: Database, batch: Batch) -> dict[str, int]:
    """Write a batch, once however often it is tried; returns the month's billed requests by slug."""
    async with database.owner() as connection:
        namespace = await system_namespace(connection, "usage_records")
        async with connection.transaction():
            fresh = await connection.fetchval(
                "INSERT INTO backsaas.usage_batches (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1",
                batch.id,
            )
            if fresh:
                await _write_all(connection, batch, namespace)
        if namespace is None:
            return {}
        text = _MONTH.format(ns=quote(namespace))
        rows = await connection.fetch(text, batch.moment.date(), list(batch.counted))
        return {row["slug"]: row["number"] for row in rows}


async def with_rows(database: Database, slugs: list[str]) -> set[str]:
    """Return which tenants the tenant ``system`` knows; all of them where there is no such tenant."""
    async with database.owner() as connection:
        namespace = await system_namespace(connection, "usage_records")
        if namespace is None:
            return set(slugs)
        text = f"SELECT slug FROM {quote(namespace)}.tenants WHERE slug = ANY($1::text[])"  # noqa: S608 - a quoted name
        return {row["slug"] for row in await connection.fetch(text, slugs)}


async def _write_all(connection: Any, batch: Batch, namespace: str | None) -> None:  # noqa: ANN401 - asyncpg
    rows = [
        (slug, method, route, status, le, int(number), seconds, int(size))
        for slug, one in batch.counted.items()
        for (method, route, status, le), (number, seconds, size) in one.requests.items()
    ]
    day = batch.moment.date()
    if rows:
        minute = batch.moment.replace(second=0, microsecond=0)
        await connection.execute(_USAGE, minute, *map(list, zip(*rows, strict=True)))
    people = [(slug, person) for slug, one in batch.counted.items() for person in one.people]
    if people:
        await connection.execute(_PEOPLE, day, *map(list, zip(*people, strict=True)))
    if namespace is None:
        return
    await _add(connection, namespace, day, batch.totals(), "r.value + excluded.value")
    if people:
        active = await connection.fetch(_ACTIVE, day, [slug for slug, _ in people])
        found = [(row["slug"], "active_users", row["number"]) for row in active]
        await _add(connection, namespace, day, found, "excluded.value")


async def _add(
    connection: Any,  # noqa: ANN401 - asyncpg
    namespace: str,
    day: date,
    rows: list[tuple[str, str, int]],
    value: str,
) -> None:
    if rows:
        text = _ADD.format(ns=quote(namespace), value=value)
        await connection.execute(text, day, *map(list, zip(*rows, strict=True)))


async def count(database: Database, slug: str, what: str, most: int) -> int:
    """Count rows of all entities, or people, of a tenant; stops at ``most``."""
    async with database.owner() as connection:
        identity = await registry.find_tenant(connection, slug)
        if identity is None:
            return 0
        tables = await connection.fetch(_TABLES, identity.namespace)
        names = [row["name"] for row in tables if not row["name"].startswith("_")]
        names = [name for name in names if (name == USERS) is (what == "users")]
        total = 0
        for name in names:
            total += await _rows_of(connection, identity.namespace, name, most - total)
            if total >= most:
                break
        return total


async def _rows_of(connection: Any, namespace: str, name: str, most: int) -> int:  # noqa: ANN401 - asyncpg
    text = f"SELECT count(*) FROM (SELECT FROM {quote(namespace)}.{quote(name)} LIMIT $1) x"  # noqa: S608 - catalog names
    return int(await connection.fetchval(text, max(0, most)))


async def measure(database: Database, slug: str, moment: datetime) -> tuple[int, int, Queues]:
    """Measure a tenant and note it for the day; returns rows, bytes and what waits in its queues.

    The largest of a day counts. Large tables are estimated as PostgreSQL's statistics do.
    """
    async with database.owner() as connection:
        identity = await registry.find_tenant(connection, slug)
        if identity is None:
            return 0, 0, Queues()
        rows = size = 0
        waiting = Queues()
        for table in await connection.fetch(_TABLES, identity.namespace):
            size += table["bytes"]
            name = table["name"]
            if name == "_files":
                size += await connection.fetchval(_STORED.format(ns=quote(identity.namespace)))
            elif name == "_outbox":
                (counts,) = await connection.fetch(_QUEUES.format(ns=quote(identity.namespace)))
                waiting = Queues(*counts)
            if name.startswith("_") or name == USERS:
                continue
            if table["guess"] > EXACT_ROWS:
                rows += table["guess"]
            else:
                counted = await _rows_of(connection, identity.namespace, name, EXACT_ROWS * 2)
                rows += counted
        namespace = await system_namespace(connection, "usage_records")
        if namespace is not None:
            found = [(slug, "rows", rows), (slug, "storage_bytes", size)]
            await _add(connection, namespace, moment.date(), found, "greatest(r.value, excluded.value)")
        return rows, size, waiting


async def count_dead(database: Database, slug: str) -> int:
    """Count the tasks and deliveries a tenant's relay gave up, and note both for ``rpc/dead_tasks``."""
    async with database.owner() as connection:
        identity = await registry.find_tenant(connection, slug)
        if identity is None:
            return 0
        text = _DEAD.format(ns=quote(identity.namespace))
        return int(await connection.fetchval(text, identity.id))


async def tidy(database: Database, moment: datetime) -> None:
    """Make what is old coarser, and forget what is very old."""
    async with database.owner() as connection, connection.transaction():
        for unit, kept in (("hour", MINUTES_KEPT), ("day", HOURS_KEPT)):
            at = (moment - kept).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            await connection.execute(_COARSER.format(unit=unit), at)
        await connection.execute("DELETE FROM backsaas.usage WHERE at < $1", moment - DAYS_KEPT)
        await connection.execute(
            "DELETE FROM backsaas.active_people WHERE day < $1", (moment - HOURS_KEPT).date()
        )
        await connection.execute(
            "DELETE FROM backsaas.usage_batches WHERE written_at < $1", moment - timedelta(days=1)
        )


TROUBLES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
