"""Functions that are called by name: ``rpc/{name}``, ``functions/v1/{name}``.

Decides who may call one (``roles``; without them admins), with which arguments, by which method. Called by
``operations``.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec

from actors.connections import TenantConnection
from actors.features.functions.calls import Invocation, Origin
from actors.features.functions.rendering import Surroundings
from actors.messages import Call, ProblemError, Result
from actors.tenant import idempotency, rows, validation
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.functions import Function
from schemas.compiler.sections.triggers import RPC

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SCALARS = frozenset({"integer", "number", "boolean"})


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Call a function by its name in the file.

    Raises:
        ProblemError: PGRST202, PGRST101, 42501, validation.failed, or what the function says.
    """
    function = _find(generation, call.entity)
    if call.method == "GET" and not function.read_only:
        raise ProblemError("PGRST101", "this function changes something: call it with POST")
    _check_caller(function, principal)
    args = _arguments(generation, function, call)

    async def work(connection: TenantConnection | None) -> Result:
        return await _run(generation, function, call, principal, args, connection)

    if call.idempotency_key:
        return await idempotency.once(generation.pool, generation.identity.namespace, call, work)
    return await work(None)


async def _run(
    generation: Generation,
    function: Function,
    call: Call,
    principal: Principal,
    args: Any,  # noqa: ANN401 - JSON
    connection: TenantConnection | None,
) -> Result:
    host = generation.functions
    if host is None:
        raise ProblemError("function.failed", "functions are not run here")
    left = call.deadline - asyncio.get_running_loop().time() if call.deadline else function.timeout
    origin = Origin(1, None, call.request_id, call.deadline)
    surroundings = Surroundings(
        generation, "", None, None, principal, datetime.now(UTC), call.method, connection
    )
    outcome = await host.run(
        generation,
        Invocation(
            function.function,
            RPC,
            function.name,
            args=args,
            config=await surroundings.render(function.config),
            principal=principal,
            request_id=call.request_id,
            timeout=max(0.01, min(function.timeout, left)),
            depth=1,
        ),
        rows.data_port(generation, connection, origin),
    )
    if outcome.value is None:
        return Result(204)
    return Result(200, _ENCODER.encode(outcome.value))


def _find(generation: Generation, name: str) -> Function:
    functions: Mapping[str, Function] = generation.model.sections.get("functions", {})
    function = functions.get(name)
    if function is None or RPC not in function.triggers:
        raise ProblemError(
            "PGRST202",
            f"Could not find the function '{name[:100]}' in the schema cache",
            hint="functions that may be called have trigger: rpc",
        )
    return function


def _check_caller(function: Function, principal: Principal) -> None:
    wanted = {SERVICE_ROLE, *(function.roles or (ADMIN_ROLE,))}
    reached = Caller(principal.roles, principal.scopes).reaches(RPC, function.name)
    if not (principal.roles & wanted and reached):
        raise ProblemError("42501", f"permission denied for function {function.name}")


def _arguments(generation: Generation, function: Function, call: Call) -> Any:  # noqa: ANN401 - JSON
    if call.method == "GET":
        args: Any = dict(parse_qsl(call.query, keep_blank_values=True))
        properties = (function.args or {}).get("properties", {})
        args = {name: _typed(value, properties.get(name)) for name, value in args.items()}
    else:
        args = decode_json(call.body) if call.body else {}
    if not isinstance(args, dict):
        raise ProblemError("PGRST102", "a function is called with an object of named arguments")
    if function.args is not None:
        check = generation.arguments.get(function.name)
        if check is None:
            check = generation.arguments[function.name] = jsonschema_rs.validator_for(
                dict(function.args), validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
            )
        errors = [
            {
                "pointer": "".join(f"/{step}" for step in error.instance_path),
                "code": str(error.schema_path[-1]) if error.schema_path else "invalid",
                "detail": error.message[:300],
            }
            for error in check.iter_errors(args)
        ]
        if errors:
            raise validation.refusal(errors)
    return args


def _typed(text: str, schema: object) -> Any:  # noqa: ANN401 - JSON
    """Return an argument of a GET as its schema wants it."""
    if isinstance(schema, Mapping) and schema.get("type") in _SCALARS:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text
