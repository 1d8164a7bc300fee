"""Functions of the versions in force as rows of the entity ``tenant_functions``, asked for like all rows.

Decides nothing: the tenants' files are what counts. Called by ``mirroring`` with what was deployed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import asyncpg
import orjson

from actors.messages import Call
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.diagnostics import CompileError
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import SERVICE
from schemas.compiler.sections.functions import Function

ENTITY = "tenant_functions"


async def mirror_functions(
    generation: Generation, platform: Platform, deployed: Iterable[asyncpg.Record]
) -> None:
    """Write the functions of versions (tenant_id, slug, number, text, code) in place of their earlier ones.

    Raises:
        ProblemError, QueryError: they cannot be written now.
    """
    if ENTITY not in generation.model.entities:
        return
    for version in deployed:
        try:
            compiled = await platform.compiler.compile(
                version["text"].encode(), version["slug"], version["code"].encode()
            )
        except CompileError:
            continue  # of an earlier language; it serves on, and its rows stay
        tenant, number = version["tenant_id"], version["number"]
        found = [{"tenant_id": tenant, "version": number, **row} for row in _rows(compiled.model)]
        await _send(generation, "DELETE", query=f"tenant_id=eq.{tenant}")
        if found:
            await _send(generation, "POST", body=orjson.dumps(found))


def _rows(model: TenantModel) -> Iterator[dict[str, Any]]:
    shared: Mapping[str, Function] = model.sections.get("functions") or {}
    yield from (_row(model, "", one) for one in shared.values())
    for entity in model.entities.values():
        own: Mapping[str, Function] = entity.sections.get("functions") or {}
        yield from (_row(model, entity.name, one) for one in own.values())


def _row(model: TenantModel, entity: str, function: Function) -> dict[str, Any]:
    return {
        "entity": entity,
        "name": function.name,
        "runs": function.function,
        "kind": "python" if function.function in model.python else "built_in",
        "triggers": list(function.triggers),
    }


async def _send(generation: Generation, method: str, *, query: str = "", body: bytes = b"") -> None:
    call = Call(
        "delete" if method == "DELETE" else "create",
        method,
        ENTITY,
        query=query,
        prefer="return=minimal",
        body=body,
        content_type="application/json",
        principal=SERVICE,
    )
    await rows.write(generation, call, SERVICE, None)
