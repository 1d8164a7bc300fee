"""``?capabilities=true``: rows with what the caller may do with each of them.

Decides where it is told: as a further member of each row, in JSON answers that show the key. Called by
``operations``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.messages import Call, ProblemError, Result
from actors.tenant import rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.capabilities import compile_capabilities
from schemas.compiler.query.values import decode_json

ASKED = "capabilities=true"
MEMBER = "capabilities"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def is_asked(query: str) -> bool:
    """Whether a query string asks for it; a filter has an operator, so it is none of a column."""
    return ASKED in query.split("&")


async def list_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer a read, each row with ``capabilities``.

    Raises:
        ProblemError: PGRST100 when rows cannot be told apart, or as for a read.
    """
    query = "&".join(part for part in call.query.split("&") if part != ASKED)
    result = await rows.read(generation, replace(call, query=query, if_none_match=""), principal, None)
    if "json" not in result.content_type or "ndjson" in result.content_type:
        raise ProblemError("PGRST100", f"{ASKED} needs an answer in JSON")
    found: Any = decode_json(result.body)
    listed = found if isinstance(found, list) else [found]
    entity = generation.queries.entity(call.entity, datetime.now(UTC).date())
    if any(entity.key not in row for row in listed):
        raise ProblemError("PGRST100", f"{ASKED} needs the key: select {entity.key} too")
    told = await capabilities_of(generation, entity.name, principal, [str(row[entity.key]) for row in listed])
    for row in listed:
        row[MEMBER] = told.get(str(row[entity.key]))
    headers = tuple(header for header in result.headers if header[0] != "ETag")
    return replace(result, body=_ENCODER.encode(found), headers=headers)


async def capabilities_of(
    generation: Generation, name: str, principal: Principal, keys: list[str]
) -> Mapping[str, dict[str, Any]]:
    """Return what somebody may do with rows, by key."""
    compiled = compile_capabilities(
        generation.model, generation.identity.namespace, generation.model.entities[name], principal
    )
    arguments = compiled.statement.arguments([list(keys)], principal, datetime.now(UTC).isoformat())
    answer = await in_transaction(
        generation.pool, lambda own: own.fetch(compiled.statement.text, *arguments), reads=True
    )
    return {row["key"]: compiled.told(dict(row)) for row in answer}
