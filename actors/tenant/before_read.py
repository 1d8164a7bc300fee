"""What happens before a read of an entity that has such functions: they may refuse, or narrow what is found.

Decides what of a function's answer becomes part of the query: filters on fields the caller may read, nothing
else. The function runs once per request and never sees a row. Called by ``rows``; other reads do not come
here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.functions.calls import DataPort, Invocation, Origin
from actors.features.functions.rendering import Surroundings
from actors.messages import Call, ProblemError
from actors.tenant.before_rows import time_left
from actors.tenant.data_port import query_text
from actors.tenant.generation import Generation
from schemas.compiler.model import Entity
from schemas.compiler.principal import Principal
from schemas.compiler.query.screening import screens
from schemas.compiler.sections.functions import Function
from schemas.compiler.sections.triggers import BEFORE_READ

_LOGIC = frozenset({"and", "or", "not.and", "not.or"})


async def narrow(
    generation: Generation,
    call: Call,
    principal: Principal,
    connection: TenantConnection | None,
    port: DataPort,
) -> Call:
    """Return the call with the filters its entity's functions add.

    Args:
        generation: the tenant.
        call: a read.
        principal: who asks, not the platform.
        connection: of the transaction it is in, if any.
        port: ``ctx.data`` of the functions.

    Raises:
        ProblemError: a function refuses, fails, or answers with something that is no filter.
    """
    now = datetime.now(UTC)
    entity = generation.queries.entity(call.entity, now.date())
    for function in screens(entity):
        around = Surroundings(generation, "", None, None, principal, now, call.method, connection)
        if not await around.holds(function.condition):
            continue
        value = await _run(generation, call, principal, function, around, port)
        added = _filters(entity, function, value)
        if added:
            call = replace(call, query=f"{call.query}&{added}" if call.query else added)
    return call


async def _run(
    generation: Generation,
    call: Call,
    principal: Principal,
    function: Function,
    around: Surroundings,
    port: DataPort,
) -> Any:  # noqa: ANN401 - JSON
    host = generation.functions
    if host is None:
        raise ProblemError("function.failed", "functions are not run here")
    origin = Origin(1, None, call.request_id, call.deadline)
    asked = {"entity": call.entity, "key": call.key, "query": call.query}
    made = Invocation(
        function.function, BEFORE_READ, function.name, call.entity, None, None, function.fields, asked,
        await around.render(function.config), principal, call.request_id,
        time_left(function.timeout, origin), 1,
    )  # fmt: skip
    return (await host.run(generation, made, port)).value


def _filters(entity: Entity, function: Function, value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return ""
    if not isinstance(value, str | Mapping):
        raise ProblemError(
            "function.failed", f"'{function.name}' must return a filter: a text, or a map of values"
        )
    text = query_text(value)
    for part in filter(None, text.split("&")):
        name = unquote_plus(part.partition("=")[0])
        if name not in _LOGIC and name.partition("->")[0] not in entity.fields:
            raise ProblemError(
                "function.failed", f"'{function.name}' filters by '{name[:80]}', which is no field"
            )
    return text
