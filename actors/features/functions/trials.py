"""Runs the ``tests`` beside functions: what each must make of an input.

Decides whether a test came out as the file says. Nothing leaves the process: no mail, no events, no other
server; rows are what the given port shows, and are rolled back by whoever opened it. Called by ``reload`` for
files with ``strict: true``, and by ``run.py check --functions``.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from actors.connections import TenantConnection
from actors.features.functions.calls import BY_REQUEST, DataPort, Invocation, Origin
from actors.features.functions.host import FunctionHost
from actors.features.functions.process import LoadError
from actors.features.functions.rendering import Surroundings
from actors.features.functions.workers import code_of
from actors.messages import ProblemError
from actors.tenant.generation import Generation
from schemas.compiler.diagnostics import Diagnostic, Position
from schemas.compiler.principal import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.function_cases import FunctionCase
from schemas.compiler.sections.functions import Function

ME = "00000000-0000-7000-8000-000000000001"


class NoRows:
    """``ctx.data`` where there is no database: every use is refused."""

    def __init__(self, origin: Origin = BY_REQUEST) -> None:
        self.taken: set[tuple[str, str, str]] = set()
        self.origin = origin

    def nested(self, origin: Origin) -> "NoRows":
        """Return the same."""
        return NoRows(origin)

    async def _refuse(self, *asked: object, **more: object) -> Any:  # noqa: ANN401 - it never returns
        raise ProblemError(
            "database.unavailable", "there is no database in a check: use strict: true for this"
        )

    find = get = create = update = delete = transition = count = sum = _refuse


async def try_load(host: FunctionHost, generation: Generation) -> tuple[Diagnostic, ...]:
    """Load a version's Python file; returns why it cannot be."""
    try:
        await host.check(generation)
    except LoadError as error:
        place = Position(error.line or 1, 1)
        return (Diagnostic("python.load", str(error)[:1000], place, file=code_of(generation).file),)
    return ()


async def try_functions(
    host: FunctionHost, generation: Generation, port: DataPort, connection: TenantConnection | None = None
) -> tuple[Diagnostic, ...]:
    """Run every test; returns one finding for each that came out differently.

    Args:
        host: from ``trial_host``.
        generation: the version.
        port: ``ctx.data`` of the functions.
        connection: for templates that follow relations.
    """
    found: list[Diagnostic] = []
    for path, entity, function in _functions(generation):
        for number, case in enumerate(function.tests):
            problem = await _run(host, generation, port, connection, entity, function, case)
            if problem:
                text = f"{case.name or function.name}: {problem}"
                place = Position(case.line or 1, 1)
                found.append(
                    Diagnostic("function.test", text, place, f"{path}.{function.name}.tests.{number}")
                )
    return tuple(found)


def _functions(generation: Generation) -> Iterator[tuple[str, str, Function]]:
    shared: Mapping[str, Function] = generation.model.sections.get("functions", {})
    seen: set[int] = set()
    for function in shared.values():
        yield "functions", "", function
    for entity in generation.model.entities.values():
        functions: Mapping[str, Function] = entity.sections.get("functions", {})
        for function in functions.values():
            if function.tests and id(function) not in seen:
                seen.add(id(function))
                yield f"entities.{entity.name}.functions", entity.name, function


async def _run(
    host: FunctionHost,
    generation: Generation,
    port: DataPort,
    connection: TenantConnection | None,
    entity: str,
    function: Function,
    case: FunctionCase,
) -> str:
    """Return what came out differently, "" when nothing did."""
    record = dict(case.input)
    if entity:
        fields = generation.model.entities[entity].fields.values()
        record = {field.name: None for field in fields if not field.virtual} | record
    roles = {ANONYMOUS_ROLE, AUTHENTICATED_ROLE, case.role}
    known = generation.model.roles.get(case.role)
    who = Principal(ME, None, frozenset(roles | set(known.includes if known else ())))
    old = dict(case.old) if case.old is not None else None
    now = datetime.now(UTC)
    try:
        surroundings = Surroundings(
            generation, entity, record if entity else None, old, who, now, "POST", connection
        )
        call = Invocation(
            function.function, function.triggers[0] if function.triggers else "test", function.name, entity,
            record if entity else None, old, function.fields, None if entity else record,
            await surroundings.render(function.config), who, "", function.timeout, 1,
        )  # fmt: skip
        value = (await host.run(generation, call, port)).value
    except ProblemError as error:
        trace = getattr(error, "trace", "")
        said = [error.message, *(str(one.get("pointer", "")).strip("/") for one in error.errors)]
        if case.rejects and any(case.rejects in text for text in said):
            return ""
        return f"refused: {trace or error.message}"
    except QueryError as error:
        return f"refused: {error.message}"
    if case.rejects:
        return f"was to be refused with '{case.rejects}', and was not"
    return _compare(case.expect, record | value if entity and isinstance(value, dict) else value)


def _compare(expected: Any, value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(expected, dict) and isinstance(value, dict):
        wrong = [
            f"{name} is {value.get(name)!r}, not {wanted!r}"
            for name, wanted in expected.items()
            if not _same(value.get(name), wanted)
        ]
        return "; ".join(wrong)
    return "" if _same(value, expected) else f"the result is {value!r}, not {expected!r}"


def _same(value: Any, wanted: Any) -> bool:  # noqa: ANN401 - JSON
    """Compare as JSON does: 0.3 in the file is exactly 0.3."""
    if isinstance(wanted, float) and not isinstance(value, bool | str):
        return value is not None and str(float(value)) == str(wanted)
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(_same, value, wanted))
    if isinstance(wanted, dict) and isinstance(value, dict):
        return wanted.keys() == value.keys() and all(_same(value[name], wanted[name]) for name in wanted)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
