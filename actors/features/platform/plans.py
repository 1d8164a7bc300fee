"""What a text means before anything is written: its findings, and the plan from the tables as they are.

Decides nothing and changes nothing. Called by ``files`` and ``archive``.
"""

import asyncpg

from actors.features.platform import making
from actors.messages import ProblemError, TenantIdentity
from actors.sources import Source
from actors.tenant import reload
from actors.tenant.dry_run import plan_source
from actors.tenant.platform import Platform
from schemas.compiler.migrate.steps import Migration
from schemas.compiler.sql import quote


async def compiled(platform: Platform, slug: str, source: Source) -> None:
    """Let only texts come near a parser that compile.

    Raises:
        ProblemError: schema.refused.
    """
    try:
        await reload.compile_file(platform, slug, source)
    except reload.RejectedError as error:
        raise making.refused(slug, error) from error


async def planned(platform: Platform, identity: TenantIdentity, source: Source) -> Migration:
    """Plan a text against the tables as they are, and change nothing.

    Raises:
        ProblemError: schema.refused, by the compiler or because nothing leads there; tenant.changing.
    """
    try:
        migration = await plan_source(platform, identity.slug, source)
        await reload.refuse_hazards(platform, migration, source)
    except reload.RejectedError as error:
        raise making.refused(identity.slug, error) from error
    except reload.BlockedError as error:
        raise ProblemError("tenant.changing", str(error), headers=(("Retry-After", "1"),)) from error
    return migration


async def sizes(platform: Platform, identity: TenantIdentity, migration: Migration) -> dict[str, int]:
    """Return about how many rows the tables have that a plan touches; exactly where nobody has estimated."""
    async with platform.database.owner() as connection:
        found = await connection.fetch(
            "SELECT relname, reltuples::bigint AS rows FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = $1 AND relkind = 'r' AND relname = ANY($2::text[])",
            identity.namespace,
            sorted(migration.touched),
        )
        sizes = {row["relname"]: row["rows"] for row in found}
        for name in [name for name, rows in sizes.items() if rows < 0]:
            table = f"{quote(identity.namespace)}.{quote(name)}"
            try:
                sizes[name] = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - quoted
            except asyncpg.UndefinedTableError:
                del sizes[name]  # archived or renamed since the plan
    return sizes
