"""One row on its way through the functions before a write.

Decides what a function sees of a row, and what of its answer counts. Called by ``before``.
"""

import asyncio
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from actors.connections import TenantConnection
from actors.features.functions.calls import Invocation, Origin
from actors.features.functions.rendering import Surroundings, as_json
from actors.messages import Call, ProblemError
from actors.tenant.bodies import Row
from actors.tenant.data_port import RowPort
from actors.tenant.generation import Generation
from actors.tenant.pipeline import Write
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.principal import Principal
from schemas.compiler.sections.functions import Function

REJECTED = "function.rejected"


class Item(Struct):
    """One row on its way: what the caller sets, and the whole row as functions see it."""

    place: str
    verb: str
    key: str
    given: Row
    record: Row
    old: Row | None
    set: Row = field(default_factory=dict)


def items_of(
    generation: Generation,
    call: Call,
    principal: Principal,
    write: Write,
    held: list[tuple[int, str, Row]],
    now: datetime,
) -> list[Item]:
    """Return the rows of a write, as functions see them."""
    entity = write.entity
    if call.method in {"PATCH", "DELETE"}:
        verb = "update" if call.method == "PATCH" else "delete"
        given = write.rows[0] if write.rows else {}
        return [Item("", verb, key, dict(given), old | given, old) for _, key, old in held]
    there = {number: (key, row) for number, key, row in held}
    items: list[Item] = []
    for number, row in enumerate(write.rows, 1):
        place = f"/{number - 1}" if write.many else ""
        key, old = there.get(number, (str(row.get(entity.key, "")), None))
        if old is None:
            record = _new(generation, call, principal, write, row, now)
            items.append(Item(place, "create", key, dict(row), record, None))
        else:
            items.append(Item(place, "update", key, dict(row), old | row, old))
    return items


def _new(
    generation: Generation, call: Call, principal: Principal, write: Write, row: Row, now: datetime
) -> Row:
    """Return a row that is to be made, with every field: given, by default, or null."""
    model = generation.model
    env = Env(
        row,
        None,
        principal,
        {"slug": model.slug},
        now,
        {"method": call.method},
        timezone=model.timezone,
    )
    record: Row = {}
    for one in write.entity.fields.values():
        if one.virtual or one.computed is not None or one.generated == "managed":
            continue
        default = one.default
        value = as_json(to_python(default)(env)) if default is not None and default.in_process else None
        record[one.name] = row.get(one.name, value)
    return record


class Runner:
    """Runs the functions of one row; arguments as for ``before.run_functions``."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a function may look at
        self,
        generation: Generation,
        call: Call,
        principal: Principal,
        write: Write,
        now: datetime,
        connection: TenantConnection,
        port: RowPort,
        item: Item,
    ) -> None:
        self._generation, self._call, self._principal = generation, call, principal
        self._write, self._now, self._connection = write, now, connection
        self._port, self._item = port, item

    async def run(self, bad: frozenset[str]) -> list[dict[str, Any]]:
        """Run those that are for this row; returns what they refuse.

        Args:
            bad: fields whose values are wrong already: functions about them have nothing to say, and only
                validations run at all when there are some.
        """
        findings: list[dict[str, Any]] = []
        wanted = [f"before_{self._item.verb}"]
        if self._write.request.moves:
            wanted.append("before_transition")
        for function in self._write.functions:
            trigger = next((one for one in wanted if one in function.triggers), None)
            if trigger is None:
                continue
            if (bad or findings) and (function.type != "validation" or not bad.isdisjoint(function.fields)):
                continue
            try:
                await self._run_one(function, trigger)
            except ProblemError as error:
                if error.code != REJECTED:
                    raise
                place = self._item.place
                findings += [
                    {**one, "pointer": f"{place}{one.get('pointer', '')}"}
                    for one in error.errors or ({"code": "rejected", "detail": error.message},)
                ]
        return findings

    async def _run_one(self, function: Function, trigger: str) -> None:
        item, generation = self._item, self._generation
        surroundings = Surroundings(
            generation, self._write.entity.name, item.record, item.old, self._principal, self._now,
            self._call.method, self._connection,
        )  # fmt: skip
        if not await surroundings.holds(function.condition):
            return
        host = generation.functions
        if host is None:
            raise ProblemError("function.failed", "functions are not run here")
        origin = self._port.origin
        outcome = await host.run(
            generation,
            Invocation(
                function.function,
                trigger,
                function.name,
                self._write.entity.name,
                dict(item.record),
                item.old,
                function.fields,
                None,
                await surroundings.render(function.config),
                self._principal,
                self._call.request_id,
                time_left(function.timeout, origin),
                origin.depth,
                origin.lane,
            ),
            self._port,
        )
        if item.verb != "delete":
            self._take(function, outcome.value)

    def _take(self, function: Function, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Note what a function made of the row."""
        if function.type == "computed" and function.field is not None and not isinstance(value, dict):
            value = {function.field: value}
        if not isinstance(value, dict):
            return
        item = self._item
        for name, new in value.items():
            if (
                name not in item.record
                or item.record[name] != new
                or type(item.record[name]) is not type(new)
            ):
                item.record[name] = item.set[name] = new


def time_left(seconds: float, origin: Origin) -> float:
    """Return how long a function may take: its own limit, or what is left of the request's."""
    if not origin.deadline:
        return seconds
    return max(0.01, min(seconds, origin.deadline - asyncio.get_running_loop().time()))
