"""What admins see of a tenant's functions, and how they try one out: with an input, and nothing of it stays.

Decides that a trial reaches no other server, sends no mail, leaves no row and no record, and that a tenant
has one at a time. What came out of it, also a failure, is the answer. Called by ``operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.functions.calls import BY_REQUEST, Invocation, Outcome, RunError
from actors.features.functions.host import FunctionHost
from actors.features.functions.rendering import Surroundings
from actors.messages import Call, ProblemError, Result
from actors.tenant import rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.functions import Function

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MOST_SECONDS = 10.0


async def list_functions(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the functions of the file in force, with what they run on and take."""
    del call
    _require_admin(principal)
    return _json([_shown(generation.model, one, entities) for one, entities in _found(generation.model)])


async def try_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Run ``function`` (of ``entity``, when it has one) with ``input`` and undo whatever it did.

    Raises:
        ProblemError: validation.failed, PGRST202 for a function the file does not have.
    """
    _require_admin(principal)
    asked = _read(call)
    entity = str(asked.get("entity") or "")
    function = _named(generation.model, str(asked.get("function") or ""), entity)
    host = generation.functions
    if host is None:
        raise ProblemError("function.failed", "functions are not run here")
    async with generation.trying:
        trial = host.trial()
        try:
            # what a trial's writes set off is tried, too
            alone = replace(generation, functions=trial)
            return _json(await _run(alone, trial, function, entity, asked, principal))
        finally:
            trial.end()


async def _run(
    generation: Generation,
    trial: FunctionHost,
    function: Function,
    entity: str,
    asked: Mapping[str, Any],
    principal: Principal,
) -> dict[str, Any]:
    record = dict(asked["input"])
    old = dict(asked["old"]) if asked.get("old") is not None else None
    if entity:
        fields = generation.model.entities[entity].fields.values()
        record = {field.name: None for field in fields if not field.virtual} | record
    row = record if entity else None

    async def work(connection: TenantConnection) -> Outcome:
        surroundings = Surroundings(
            generation, entity, row, old, principal, datetime.now(UTC), "POST", connection
        )
        call = Invocation(
            function.function, function.triggers[0] if function.triggers else "test", function.name, entity,
            row, old, function.fields, None if entity else record,
            await surroundings.render(function.config), principal, "",
            min(function.timeout, _MOST_SECONDS), 1,
        )  # fmt: skip
        return await trial.run(generation, call, rows.data_port(generation, connection, BY_REQUEST))

    began = perf_counter()
    try:
        outcome = await in_transaction(generation.pool, work, commit=False)
    except RunError as error:
        told = {"outcome": error.outcome, "error": error.trace or error.message, "line": error.line}
        return {**told, "errors": error.errors, "log": error.log, "milliseconds": _since(began)}
    except ProblemError as error:
        kind = error.code.removeprefix("function.")
        told = {"outcome": kind if kind in {"rejected", "timeout"} else "failed", "error": error.message}
        return {**told, "line": None, "errors": error.errors, "log": (), "milliseconds": _since(began)}
    except QueryError as error:
        told = {"outcome": "failed", "error": error.message, "line": None}
        return {**told, "errors": (), "log": (), "milliseconds": _since(began)}
    return {
        "outcome": "ok",
        "value": outcome.value,
        "error": None,
        "line": None,
        "errors": (),
        "log": outcome.log,
        "milliseconds": round(outcome.seconds * 1000, 3),
    }


def _found(model: TenantModel) -> list[tuple[Function, list[str]]]:
    """Return each function once, with the entities whose rows it is about."""
    shared: Mapping[str, Function] = model.sections.get("functions") or {}
    found: dict[int, tuple[Function, list[str]]] = {id(one): (one, []) for one in shared.values()}
    for entity in model.entities.values():
        own: Mapping[str, Function] = entity.sections.get("functions") or {}
        for one in own.values():
            found.setdefault(id(one), (one, []))[1].append(entity.name)
    return list(found.values())


def _named(model: TenantModel, name: str, entity: str) -> Function:
    for function, entities in _found(model):
        if function.name == name and (entity in entities or not (entity or entities)):
            return function
    place = f" of '{entity[:63]}'" if entity else ""
    raise ProblemError("PGRST202", f"the file has no function '{name[:63]}'{place}")


def _shown(model: TenantModel, function: Function, entities: list[str]) -> dict[str, Any]:
    return {
        "name": function.name,
        "entities": entities,
        "runs": function.function,
        "kind": "python" if function.function in model.python else "built_in",
        "triggers": function.triggers,
        "after_commit": function.asynchronous,
        "roles": function.roles,
        "args": function.args,
        "read_only": function.read_only,
        "timeout": function.timeout,
        "retries": function.retries,
        "events": function.on,
        "line": function.line,
    }


def _read(call: Call) -> dict[str, Any]:
    asked = decode_json(call.body) if call.body else None
    if not isinstance(asked, dict) or not isinstance(asked.setdefault("input", {}), dict):
        raise ProblemError("PGRST102", "a trial is an object: function, entity, input, old")
    if not isinstance(asked.get("old"), dict | None):
        raise ProblemError("PGRST102", "'old' is the row before the change: an object, or nothing")
    return asked


def _since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 3)


def _require_admin(principal: Principal) -> None:
    if not principal.roles & {ADMIN_ROLE, SERVICE_ROLE} or principal.scopes is not None:
        raise ProblemError("42501", "only admins see functions and try them out")


def _json(value: object) -> Result:
    return Result(200, _ENCODER.encode(value), headers=(("Cache-Control", "no-store"),))


OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "functions.list": list_functions,
    "functions.try": try_function,
}
