"""What happened to tenants as a whole, as rows of the entity ``events``.

For the people who run the installation. Decides nothing. Called by the modules of this folder after something
is done; a note that cannot be written undoes nothing.
"""

import orjson
import structlog

from actors.messages import Call, ProblemError
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError

log = structlog.get_logger("platform")


async def note(
    generation: Generation, type_: str, slug: str, who: str, call: Call | None = None, **data: object
) -> None:
    """Write one event.

    Args:
        generation: of ``system``.
        type_: past tense, such as ``tenant.created``.
        slug: the tenant.
        who: an address, a key's id or ``operator``.
        call: the request that did it.
        data: JSON values.
    """
    request_id = call.request_id if call is not None else ""
    row = {"type": type_, "slug": slug, "who": who, "request_id": request_id, "data": data}
    write = Call(
        "create",
        "POST",
        "events",
        body=orjson.dumps(row, default=str),
        content_type="application/json",
        prefer="return=minimal",
        principal=SERVICE,
    )
    try:
        await rows.write(generation, write, SERVICE, None)
    except (ProblemError, QueryError) as error:
        log.warning("platform.event_not_kept", type=type_, tenant=slug, reason=error.message)
