"""What happens before a write: the functions of the entity look at every row, in the write's transaction.

    hold the rows -> conditions, templates, functions in declared order -> all refusals at once
                  -> values checked again -> the write, with what the functions made of it

Decides which rows functions see (those the caller may change, held until the end), and what of their work
counts. Where a function comes from is ``features.functions``'s business. Called by ``rows`` for entities that
have such functions; other writes never come here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError
from actors.tenant import validation
from actors.tenant.before_rows import REJECTED, Item, Runner, items_of
from actors.tenant.bodies import Body, Row
from actors.tenant.data_port import RowPort
from actors.tenant.executor import fetch_rows_on
from actors.tenant.generation import Generation
from actors.tenant.pipeline import VERBS, Write
from actors.tenant.rule_findings import rule_findings
from schemas.compiler.principal import Principal
from schemas.compiler.query.values import decode_json
from schemas.compiler.query.write_parts import ROW_KEY

MAX_ROWS = 1000
"""Rows one write may have when functions look at each of them."""


async def run_functions(
    generation: Generation,
    call: Call,
    principal: Principal,
    write: Write,
    now: datetime,
    connection: TenantConnection,
    port: RowPort,
) -> Write:
    """Run the functions of a write and return what is to be written.

    Args:
        generation: the tenant.
        call: the request.
        principal: who asks.
        write: as the caller wants it; ``functions`` says which run.
        now: the request's time.
        connection: of the transaction.
        port: ``ctx.data`` of the functions.

    Raises:
        ProblemError: refused by a function, by the values it gave, or because there are too many rows.
        QueryError: the caller's rights.
    """
    moment = now.isoformat()
    held = await _hold(generation, call, principal, write, moment, connection)
    items = items_of(generation, call, principal, write, held, now)
    if len(items) > MAX_ROWS:
        raise ProblemError(
            "write.refused", f"functions look at every row: a write has at most {MAX_ROWS:,} of them"
        )
    findings = list(write.findings)
    origin = replace(
        port.origin, depth=port.origin.depth + 1, request_id=call.request_id, deadline=call.deadline
    )
    for item in items:
        runner = Runner(generation, call, principal, write, now, connection, port.nested(origin), item)
        findings += await runner.run(bad=_bad_fields(write.findings, item.place))
    if findings:
        filled = {f"{item.place}/{name}" for item in items for name in item.set}
        findings += [one for one in write.missing if one["pointer"] not in filled]
    elif call.method != "DELETE":
        findings = _values(generation, write, items)
    if findings:
        findings += rule_findings(generation, call, principal, write.entity, _seen(items), findings, now)
        raise _refusal(findings)
    return _rewritten(generation, call, principal, write, items)


async def _hold(
    generation: Generation,
    call: Call,
    principal: Principal,
    write: Write,
    moment: str,
    connection: TenantConnection,
) -> list[tuple[int, str, Row]]:
    """Hold the rows that are there: number in the body (from 1) or 0, key and row.

    Raises:
        ProblemError: 42501, row.version_mismatch.
    """
    verb = VERBS[call.method]
    if verb == "insert" and write.preferences.resolution != "merge-duplicates":
        return []
    prepared = generation.queries.write(f"lock {verb}", write.request, principal)
    arguments = prepared.statement.arguments(prepared.slots, principal, moment)
    found = await fetch_rows_on(connection, prepared.statement.text, arguments)
    if not all(row["may"] for row in found):
        raise ProblemError("42501", "this row may not be changed")
    held = [(row["number"], row["key"], decode_json(row["row"].encode())) for row in found]
    if write.version is not None and any(str(row.get("row_version")) != write.version for *_, row in held):
        raise ProblemError("row.version_mismatch", "the row was changed meanwhile", hint="read it again")
    return held


def _bad_fields(findings: tuple[dict[str, Any], ...], place: str) -> frozenset[str]:
    start = f"{place}/"
    return frozenset(
        one["pointer"].removeprefix(start).partition("/")[0]
        for one in findings
        if one["pointer"].startswith(start)
    ) | ({""} if any(one["pointer"] == place for one in findings) else frozenset())


def _values(generation: Generation, write: Write, items: list[Item]) -> list[dict[str, Any]]:
    """Return what is wrong with the rows as functions left them, and what nobody gave."""
    found: list[dict[str, Any]] = []
    for item in items:
        body = Body([item.given | item.set], many=False)
        found += [
            {**one, "pointer": f"{item.place}{one['pointer']}"}
            for one in validation.findings(generation, write.entity, f"{item.verb}*", body)
        ]
    return found


def _seen(items: list[Item]) -> list[tuple[str, Row, Row | None]]:
    return [(item.place, item.record, item.old) for item in items if item.verb != "delete"]


def _refusal(findings: list[dict[str, Any]]) -> ProblemError:
    if any(one["code"] != "rejected" for one in findings):
        return validation.refusal(findings)
    return ProblemError(REJECTED, "; ".join(str(one["detail"]) for one in findings), errors=tuple(findings))


def _rewritten(
    generation: Generation, call: Call, principal: Principal, write: Write, items: list[Item]
) -> Write:
    """Return the write with what functions set."""
    entity, request = write.entity, write.request
    given = {name for row in write.rows for name in row}
    hooked = frozenset(name for item in items for name in item.set)
    if entity.key in hooked and any(item.old is not None and entity.key in item.set for item in items):
        raise ProblemError("function.failed", "a function must not change the key of a row")
    one_by_one = call.method in {"PATCH", "DELETE"}
    if not hooked and (not one_by_one or call.key is not None):
        return write
    rows: list[Row]
    if call.method == "DELETE":
        rows = [{ROW_KEY: item.key} for item in items]
    elif one_by_one:
        names = [*given, *(hooked - given)]
        rows = [{ROW_KEY: item.key, **{name: _value(item, name, given) for name in names}} for item in items]
    else:
        rows = [item.given | item.set for item in items]
    request = replace(
        request,
        rows=tuple(rows),
        hooked=request.hooked | (hooked - given),
        each=one_by_one,
        ragged=not one_by_one and any(row.keys() != rows[0].keys() for row in rows),
    )
    prepared = replace(
        generation.queries.write(VERBS[call.method], request, principal),
        deprecated=write.prepared.deprecated,
    )
    return replace(write, prepared=prepared, rows=write.rows if one_by_one else tuple(rows), request=request)


def _value(item: Item, name: str, given: Mapping[str, Any] | set[str]) -> Any:  # noqa: ANN401 - JSON
    if name in item.set:
        return item.set[name]
    return item.given[name] if name in given else (item.old or {}).get(name)
