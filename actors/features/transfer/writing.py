"""Rows of a file through the tenant's one way to write: values, look-ups, functions, rules, access, quotas.

Decides which rows of a batch are at fault when it is refused: those a refusal names, else by halves, each try
in a savepoint of its own. What is refused whatever the row is ends the import. Called by ``running``.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from actors.connections import TenantConnection
from actors.features.transfer import records
from actors.features.transfer.cells import EMPTY, CellError, Writing, read_cell
from actors.features.transfer.lookups import Lookups
from actors.features.transfer.mapping import Column, target_of
from actors.features.transfer.records import Import, Rejected
from actors.features.transfer.source import RawRow
from actors.messages import Call, ProblemError, Result
from actors.tenant import people, rows
from actors.tenant.bodies import Row
from actors.tenant.generation import Generation
from schemas.compiler.model import Entity, Field
from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.auth import USERS

MOST_VALUES = 20_000
"""In one statement."""
MOST_ERRORS = 50
"""Of one row."""
_PLACE = re.compile(r"/(\d+)(?:/([^/]*))?(?:/.*)?", re.ASCII)
_NOT_OF_A_ROW = ("quota.", "database.", "http.", "tenant.", "auth.", "PGRST0", "import.")
_ENDING = frozenset({"outcome_unknown", "storage_full", "function.not_found", "42P10"})


class _Line(Struct):
    """A row on its way: what it was, what it sets, and what it still looks for by name."""

    raw: RawRow
    row: Row
    names: list[tuple[Column, str]]


class Writer:
    """Writes the rows of one import.

    Args:
        generation: to run on.
        principal: as whom.
        task: the import.
        entity: as it is now.
    """

    def __init__(self, generation: Generation, principal: Principal, task: Import, entity: Entity) -> None:
        self._generation, self._principal, self._task = generation, principal, task
        self._entity = entity
        self._lookups = Lookups(principal, f"import-{task.id}")
        self._columns = {column.name: column for column in task.columns}
        options = task.options
        self._writing = Writing(
            options.decimal, options.dates, generation.model.timezone, csv=task.format == "csv"
        )
        prefer = "return=minimal,count=exact,missing=default"
        if options.on_conflict:
            prefer += f",resolution={'ignore' if options.ignore else 'merge'}-duplicates"
        self._call = Call(
            "create", "POST", entity.name, None, query_of(options.on_conflict),
            content_type="application/json", prefer=prefer, request_id=f"import-{task.id}",
            address=str(task.who.get("address", "")), principal=principal,
        )  # fmt: skip

    async def write(self, connection: TenantConnection, raws: Sequence[RawRow]) -> tuple[int, list[Rejected]]:
        """Write a batch inside a transaction; returns how many rows were written, and those that were not.

        Raises:
            ProblemError, QueryError: no row can be written, whichever it is.
        """
        rejected: list[Rejected] = []
        lines = [line for raw in raws if (line := self._line(raw, rejected)) is not None]
        await asyncio.sleep(0)  # requests have their turn
        written = 0
        while lines:
            ready, later = await self._resolved(connection, lines, rejected)
            size = max(1, MOST_VALUES // max(1, len(self._columns)))
            done = 0
            for alike in self._alike(ready):
                for start in range(0, len(alike), size):
                    done += await self._write(connection, alike[start : start + size], rejected)
            written += done
            if later and not done:
                for line in later:
                    self._reject(rejected, line.raw, self._not_found(line))
                break
            lines = later  # they may name rows that are there only now
        rejected.sort(key=lambda one: one.row)
        return written, rejected

    def _alike(self, lines: list[_Line]) -> list[list[_Line]]:
        """Return lines by the fields they give: what one does not give stays in a row that is there."""
        if not self._task.options.on_conflict:
            return [lines]
        groups: dict[frozenset[str], list[_Line]] = {}
        for line in lines:
            groups.setdefault(frozenset(line.row), []).append(line)
        return list(groups.values())

    # -- cells to values --------------------------------------------------------------------------------

    def _line(self, raw: RawRow, rejected: list[Rejected]) -> _Line | None:
        cells, errors = self._cells(raw)
        row: Row = {}
        names: list[tuple[Column, str]] = []
        for name, cell in cells.items():
            column = self._columns.get(name)
            if column is None:
                errors.append(_error(name, "", "column", "the header has no such column"))
            elif column.field:
                self._take(column, cell, row, names, errors)
        if errors:
            self._reject(rejected, raw, errors)
            return None
        return _Line(raw, row, names) if row or names else None

    def _cells(self, raw: RawRow) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        if raw.wrong or raw.cells is None:
            return {}, [_error("", "", "row", raw.wrong)]
        if not isinstance(raw.cells, str):
            return dict(zip(self._task.header, raw.cells, strict=True)), []
        if not raw.cells:
            return {}, []
        try:
            value = decode_json(raw.cells.encode())
        except QueryError as error:
            return {}, [_error("", "", "row", error.message.replace("the body", "the line"))]
        return (
            (value, []) if isinstance(value, dict) else ({}, [_error("", "", "row", "the line is no object")])
        )

    def _take(
        self,
        column: Column,
        cell: Any,  # noqa: ANN401 - JSON
        row: Row,
        names: list[tuple[Column, str]],
        errors: list[dict[str, Any]],
    ) -> None:
        field = self._entity.fields[column.field]
        try:
            value = read_cell(self._named(column) if column.by else field, cell, self._writing)
        except CellError as error:
            errors.append(_error(column.name, field.name, "value", str(error)))
            return
        if value is not EMPTY and column.by:
            names.append((column, str(value).strip()))
        elif value is not EMPTY:
            row[field.name] = value
        elif field.nullable and (self._task.options.on_conflict or not field.has_default):
            row[field.name] = None

    def _named(self, column: Column) -> Field:
        """Return the field of the related entity that a column's values are of."""
        target, _ = target_of(self._entity, column)
        return self._generation.model.entities[target].fields[column.by]

    # -- names to keys ----------------------------------------------------------------------------------

    async def _resolved(
        self, connection: TenantConnection, lines: list[_Line], rejected: list[Rejected]
    ) -> tuple[list[_Line], list[_Line]]:
        """Return the lines whose names are found, and those that may be found among the others' rows."""
        found: dict[Column, dict[str, list[Any]]] = {}
        for column in dict.fromkeys(column for line in lines for column, _ in line.names):
            target, key = target_of(self._entity, column)
            names = [name for line in lines for one, name in line.names if one == column]
            found[column] = await self._lookups.find(
                self._generation, connection, (target, key, column.by), names
            )
        ready: list[_Line] = []
        later: list[_Line] = []
        for line in lines:
            wrong: list[dict[str, Any]] = []
            waits = False
            for column, name in line.names:
                keys = found[column].get(name, [])
                if len(keys) == 1:
                    line.row[column.field] = keys[0]
                elif not keys and target_of(self._entity, column)[0] == self._entity.name:
                    waits = True
                else:
                    wrong.append(self._nobody(column, name, len(keys)))
            if wrong:
                self._reject(rejected, line.raw, wrong)
            else:
                (later if waits else ready).append(line)
        return ready, later

    def _not_found(self, line: _Line) -> list[dict[str, Any]]:
        return [self._nobody(column, name, 0) for column, name in line.names if column.field not in line.row]

    def _nobody(self, column: Column, name: str, number: int) -> dict[str, Any]:
        target, _ = target_of(self._entity, column)
        what = "several rows have" if number else "no row has"
        text = f"{what} the {column.by} '{name[:60]}' in {target}"
        return _error(column.name, column.field, "ambiguous" if number else "no_such_row", text)

    # -- rows to the tenant -----------------------------------------------------------------------------

    async def _write(self, connection: TenantConnection, lines: list[_Line], rejected: list[Rejected]) -> int:
        """Write lines; those at fault are rejected, the others written."""
        while lines:
            await connection.execute("SAVEPOINT import")
            try:
                written = await self._insert(connection, [line.row for line in lines])
            except (ProblemError, QueryError) as error:
                await connection.execute("ROLLBACK TO SAVEPOINT import")
                if error.code.startswith(_NOT_OF_A_ROW) or error.code in _ENDING:
                    raise
                faults = self._faults(error, lines)
                if faults is None:
                    middle = len(lines) // 2
                    first = await self._write(connection, lines[:middle], rejected)
                    return first + await self._write(connection, lines[middle:], rejected)
                for number, errors in faults.items():
                    self._reject(rejected, lines[number].raw, errors)
                lines = [line for number, line in enumerate(lines) if number not in faults]
            else:
                await connection.execute("RELEASE SAVEPOINT import")
                return written
        return 0

    async def _insert(self, connection: TenantConnection, values: list[Row]) -> int:
        generation, call = self._generation, self._call
        call.body = records.encode(values).encode()

        async def write(own: TenantConnection) -> Result:
            return await rows.write(generation, call, self._principal, own)

        if generation.realm is not None and self._entity.name == USERS:
            result = await people.guard(generation, self._principal, connection, write)
        else:
            result = await write(connection)
        count = dict(result.headers).get("Content-Range", "").rpartition("/")[2]
        return int(count) if count.isdecimal() else len(values)

    def _faults(
        self, error: ProblemError | QueryError, lines: list[_Line]
    ) -> dict[int, list[dict[str, Any]]] | None:
        """Return what is wrong by line; None when the refusal does not say whose fault it is."""
        faults: dict[int, list[dict[str, Any]]] = {}
        for one in error.errors:
            place = _PLACE.fullmatch(str(one.get("pointer", "")))
            if place is None or int(place[1]) >= len(lines):
                break
            faults.setdefault(int(place[1]), []).append(self._told(place[2] or "", one))
        else:
            if faults:
                return faults
        if len(lines) > 1:
            return None
        named = [
            self._told(str(one.get("pointer", "")).strip("/").partition("/")[0], one) for one in error.errors
        ]
        return {0: named or [_error("", "", error.code, error.message)]}

    def _told(self, field: str, found: dict[str, Any]) -> dict[str, Any]:
        column = next((one.name for one in self._columns.values() if one.field == field), "")
        return _error(column, field, str(found.get("code", "")), str(found.get("detail", "")))

    def _reject(self, rejected: list[Rejected], raw: RawRow, errors: list[dict[str, Any]]) -> None:
        cells = masked(self._entity, self._task.columns, raw.cells)
        rejected.append(Rejected(raw.number, cells, errors[:MOST_ERRORS]))


def masked(
    entity: Entity, columns: Sequence[Column], cells: list[Any] | str | None
) -> list[Any] | str | None:
    """Return cells as they may be kept: without the values of fields that are never shown."""
    secret = {one.name for one in columns if one.field and entity.fields[one.field].write_only}
    if not secret or cells is None:
        return cells
    if isinstance(cells, str):
        return None  # a line that is kept whole or not at all
    return [None if one.name in secret else cell for one, cell in zip(columns, cells, strict=False)]


def query_of(on_conflict: str) -> str:
    """Return the query of a write that finds rows by these fields."""
    return f"on_conflict={on_conflict}" if on_conflict else ""


def _error(column: str, field: str, code: str, detail: str) -> dict[str, Any]:
    return {"column": column or None, "field": field or None, "code": code, "detail": detail}
