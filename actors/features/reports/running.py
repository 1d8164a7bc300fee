"""A report made: its groups, the figures of parts of them, and those of all.

Decides that every figure of one report is of the same moment, and where it ends. Which rows count is decided
where every read is. Called by ``operations`` and ``mailing``.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.reports.asking import values_of
from actors.messages import Call
from actors.tenant import rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.access import Caller, sight_of
from schemas.compiler.report_query import Column, columns_of, queries_of
from schemas.compiler.sections.reports import Report

MOST_ROWS = 10_000
"""Of a report whose file says nothing."""
_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_SAME_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


class Made(Struct, frozen=True):
    """A report with its figures.

    Attributes:
        name, report: which one.
        columns: of the rows, in order.
        values: of its parameters.
        filter: with the values in it, as in an address.
        rows: JSON objects by the columns' names.
        total: figures of all rows, None when it has none.
        subtotals: figures by the first column; none unless several make a group.
        complete: nothing was cut off.
        at: when it was made.
    """

    name: str
    report: Report
    columns: tuple[Column, ...]
    values: Mapping[str, Any]
    filter: str
    rows: list[msgspec.Raw]
    total: msgspec.Raw | None
    subtotals: list[msgspec.Raw]
    complete: bool
    at: dt.datetime


async def make(generation: Generation, name: str, report: Report, call: Call, principal: Principal) -> Made:
    """Make a report as somebody.

    Args:
        generation: to run on.
        name: of the report.
        report: that it is.
        call: ``query`` holds the parameters.
        principal: with every role its roles include.

    Raises:
        ProblemError, QueryError: refused: values, or rights.
    """
    now = dt.datetime.now(dt.UTC)
    values = values_of(generation, name, report, call.query, principal, now)
    columns = columns_of(generation.model, report)
    asked = queries_of(generation.model, report, columns, values)
    reading = replace(
        call, operation="list", method="GET", entity=report.entity, key=None, action="",
        accept="application/json", prefer="", range="", profile="", if_none_match="", body=b"",
    )  # fmt: skip
    if generation.limits is not None:
        generation.limits.check(generation, reading, principal)
    most = report.limit or MOST_ROWS

    async def read(connection: TenantConnection, query: str) -> list[msgspec.Raw]:
        result = await rows.read(generation, replace(reading, query=query), principal, connection, most + 1)
        return _RAW_ROWS.decode(result.body)

    async def work(connection: TenantConnection) -> Made:
        await connection.execute(_SAME_MOMENT)
        found = await read(connection, f"{asked.rows}&limit={most + 1}")
        total = await read(connection, asked.total) if asked.total else []
        parts = await read(connection, f"{asked.subtotals}&limit={most + 1}") if asked.subtotals else []
        return Made(
            name, report, columns, values, asked.filter, found[:most], total[0] if total else None,
            parts[:most], _complete(generation, report, principal, len(found), most), now,
        )  # fmt: skip

    return await in_transaction(generation.pool, work, reads=True)


def _complete(generation: Generation, report: Report, principal: Principal, found: int, most: int) -> bool:
    """Whether neither the report's limit nor one of the caller's cut rows off."""
    entity = generation.model.entities[report.entity]
    limit = sight_of(entity, Caller(principal.roles, principal.scopes)).limit
    return found <= most and (limit is None or found < limit)
