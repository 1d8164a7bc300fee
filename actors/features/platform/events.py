"""What happened to tenants as a whole: rows of the entity ``events``, and acts in the platform's audit log.

For the people who run the installation. Decides which of them are somebody's acts. Called after something is
done; a note that cannot be written undoes nothing, and what it changed in tables is in the audit log without
it.
"""

import asyncpg
import orjson
import structlog

from actors.connections import ConnectError
from actors.features.platform.rights import hands
from actors.messages import Call, ProblemError
from actors.pool import PoolError
from actors.tenant import rows
from actors.tenant.audit import Who, act
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError

log = structlog.get_logger("platform")


NO_ACTS = frozenset({"quota.near", "quota.reached", "schema.applied"})
"""Nobody did the first two; the log has the last as ``schema.deployed``, whoever saved the file."""


async def note(generation: Generation, type_: str, slug: str, who: Who, **data: object) -> None:
    """Write one event, and the act it tells of.

    Args:
        generation: of ``system``.
        type_: past tense, such as ``tenant.created``.
        slug: the tenant.
        who: did it.
        data: JSON values.
    """
    row = {"type": type_, "slug": slug, "who": who.name, "request_id": who.request_id, "data": data}
    write = Call(
        "create",
        "POST",
        "events",
        body=orjson.dumps(row, default=str),
        content_type="application/json",
        prefer="return=minimal",
        principal=SERVICE,
    )
    if type_ not in NO_ACTS:
        try:
            async with hands(generation).database.owner() as connection:
                await act(connection, type_, slug, who, data)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, PoolError, ConnectError) as error:
            log.error("platform.act_not_kept", type=type_, tenant=slug, reason=str(error))  # noqa: TRY400
    try:
        await rows.write(generation, write, SERVICE, None)
    except (ProblemError, QueryError) as error:
        log.warning("platform.event_not_kept", type=type_, tenant=slug, reason=error.message)
