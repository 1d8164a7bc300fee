"""Versions of tenants' files, and their functions, as rows of ``schemas`` and ``tenant_functions``.

Decides nothing: the registry is what counts. It marks what changed (``mirrored``) in the transaction that
changes it, so that no crash lets a row fall behind for good. Called by ``following``.
"""

from typing import Any

import asyncpg
import orjson
import structlog

from actors.features.platform.function_rows import mirror_functions
from actors.messages import Call, ProblemError
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sql import quote

ENTITY = "schemas"
BATCH = 50
"""Versions written at once; a text has up to a megabyte, most have some kilobytes."""
MAX_BATCHES = 20
"""Per look: more than that waits for the next one, half a second later."""
MAX_FINDINGS = 1000
_LOCK = 0x6D6972726F72
"""Advisory lock (one key): one process mirrors at a time, so that none writes what another knows is old."""

_CHANGED = """
SELECT v.tenant::text AS tenant, v.xmin::text AS row_version, r.id::text AS tenant_id, r.slug, v.number,
  v.code, v.text, v.digest, v.state, v.plan::text AS plan, v.diagnostics::text AS diagnostics,
  v.author, v.created_at, v.deployed_at
FROM backsaas.versions v JOIN backsaas.tenants t ON t.id = v.tenant JOIN {ns}.tenants r ON r.slug = t.slug
WHERE NOT v.mirrored ORDER BY v.tenant, v.number LIMIT $1
"""
_MIRRORED = """
UPDATE backsaas.versions v SET mirrored = true
FROM unnest($1::text[], $2::integer[], $3::text[]) AS done (tenant, number, row_version)
WHERE v.tenant = done.tenant::uuid AND v.number = done.number AND v.xmin::text = done.row_version
"""

log = structlog.get_logger("platform")


async def mirror_versions(generation: Generation, platform: Platform) -> None:
    """Write what changed in the registry; what cannot be written now is tried again at the next look."""
    if ENTITY not in generation.model.entities:
        return
    changed = _CHANGED.replace("{ns}", quote(generation.identity.namespace))
    async with platform.database.owner() as connection:
        for _ in range(MAX_BATCHES):
            async with connection.transaction():
                if not await connection.fetchval("SELECT pg_catalog.pg_try_advisory_xact_lock($1)", _LOCK):
                    return
                found = await connection.fetch(changed, BATCH)
                if not found:
                    return
                try:
                    await _write(generation, found)
                    deployed = [version for version in found if version["state"] == "deployed"]
                    await mirror_functions(generation, platform, deployed)
                except (ProblemError, QueryError) as error:
                    log.warning("platform.versions_behind", reason=error.message)
                    return
                await connection.execute(
                    _MIRRORED, *([row[name] for row in found] for name in ("tenant", "number", "row_version"))
                )


async def _write(generation: Generation, versions: list[asyncpg.Record]) -> None:
    call = Call(
        "create",
        "POST",
        ENTITY,
        query="on_conflict=tenant_id,number",
        prefer="resolution=merge-duplicates,return=minimal",
        body=orjson.dumps([_row(version) for version in versions]),
        content_type="application/json",
        principal=SERVICE,
    )
    await rows.write(generation, call, SERVICE, None)


def _row(version: asyncpg.Record) -> dict[str, Any]:
    findings = orjson.loads(version["diagnostics"])[:MAX_FINDINGS]
    return {
        "tenant_id": version["tenant_id"],
        "number": version["number"],
        "text": version["text"],
        "hash": version["digest"],
        "status": version["state"],
        "plan": orjson.loads(version["plan"]) or None,
        "findings": [
            {**{name: one[name] for name in ("code", "message")}, **_place(one["position"])}
            for one in findings
        ],
        "author": version["author"][:200],
        "saved_at": version["created_at"],
        "deployed_at": version["deployed_at"],
    }


def _place(position: dict[str, Any]) -> dict[str, Any]:
    return {name: position[name] for name in ("line", "column")}
