"""A made report as JSON, CSV, workbook or paper.

Decides that CSV holds the rows alone, for programs, and that workbook and paper have headings in words,
figures of parts below them and of all at the end, for people. Called by ``operations`` and ``mailing``.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from actors.features.reports import words
from actors.features.reports.running import Made
from actors.messages import ProblemError
from actors.paper import Paper, Words
from actors.tenant.replies import JSON, to_csv
from actors.workbook import MEDIA, Workbook, in_turn
from actors.workbook import Column as Cells
from schemas.compiler.model import TenantModel
from schemas.compiler.report_query import Column, groups_of

TYPES: Mapping[str, str] = {
    "json": JSON,
    "csv": "text/csv; charset=utf-8",
    "xlsx": MEDIA,
    "pdf": "application/pdf",
}
MOST_ON_PAPER = 2000
"""Rows; beyond them nobody reads, and drawing takes seconds."""
_WIDE = 6
"""Columns from which on a sheet lies."""
_LONG = 24
"""Characters from which on a cell may take several lines."""
_ROW = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Row = dict[str, Any]


async def render(made: Made, model: TenantModel, form: str) -> bytes:
    """Return a report in one of ``TYPES`` but json.

    Raises:
        ProblemError: report.too_long for paper.
    """
    if form == "csv":
        return await in_turn(to_csv, _joined(made.rows), tuple(column.name for column in made.columns))
    if form == "xlsx":
        return await in_turn(_workbook, made, model)
    if len(made.rows) > MOST_ON_PAPER:
        raise ProblemError(
            "report.too_long",
            f"on paper a report has at most {MOST_ON_PAPER:,} rows, this one has {len(made.rows):,}",
            hint="ask for xlsx or csv, or give the report a limit",
        )
    return await in_turn(_paper, made, model)


def as_json(made: Made, model: TenantModel, schedule: Mapping[str, Any] | None) -> bytes:
    """Return a report as pages and programs read it."""
    report = made.report
    return _ENCODER.encode(
        {
            "name": made.name,
            "title": report.title,
            "entity": report.entity,
            "parameters": made.values,
            "filter": made.filter,
            "columns": [
                {
                    "name": column.name,
                    "of": column.of,
                    "aggregate": column.aggregate or None,
                    "kind": column.kind,
                    "title": words.heading(
                        model, model.entities[report.entity], column, words.language_of(model)
                    ),
                }
                for column in made.columns
            ],
            "rows": made.rows,
            "subtotals": made.subtotals,
            "total": made.total,
            "complete": made.complete,
            "made_at": made.at,
            "schedule": schedule,
        }
    )


def lines(made: Made, total: str) -> Iterator[tuple[str, Row]]:
    """Yield a report's lines in order, each with what it is: row, part (figures below its rows) or total.

    Args:
        made: the report.
        total: what the first column of a part's line and of the last one says.
    """
    rows = [_ROW.decode(row) for row in made.rows]
    groups = groups_of(made.columns)
    if made.subtotals:
        first = groups[0].name
        parts = {_same(part.get(first)): part for part in map(_ROW.decode, made.subtotals)}
        sections: dict[str, list[Row]] = {}
        for row in rows:
            sections.setdefault(_same(row.get(first)), []).append(row)
        for value, section in sections.items():
            yield from (("row", row) for row in section)
            part = parts.get(value)
            if part is not None:
                yield "part", part
    else:
        yield from (("row", row) for row in rows)
    if made.total is not None:
        label = {groups[0].name: total} if groups else {}
        yield "total", _ROW.decode(made.total) | label


def _workbook(made: Made, model: TenantModel) -> bytes:
    language = words.language_of(model)
    entity = model.entities[made.report.entity]
    columns = [
        Cells(words.heading(model, entity, column, language), column.kind, words.digits_of(column))
        for column in made.columns
    ]
    with tempfile.TemporaryDirectory(prefix="backsaas-report-") as folder:
        path = Path(folder) / "report.xlsx"
        book = Workbook(path, columns)
        for kind, row in lines(made, words.word("total", language)):
            book.add([row.get(column.name) for column in made.columns], bold=kind != "row")
        book.close()
        return path.read_bytes()


def _paper(made: Made, model: TenantModel) -> bytes:
    language = words.language_of(model)
    entity, columns = model.entities[made.report.entity], made.columns
    title = words.title_of(made.report.title, made.name, language)
    paper = Paper(
        title,
        wide=len(columns) >= _WIDE,
        foot=f"{words.title_of(model.title, model.slug, language)} · {title}",
    )
    paper.heading(title)
    for told in words.made_with(made, model, language):
        paper.remark(told)
    paper.space(4)
    total = words.word("total", language)
    table: list[list[str]] = [[words.heading(model, entity, column, language) for column in columns]]
    kinds = ["head"]
    for kind, row in lines(made, total):
        kinds.append(kind)
        table.append([_cell(row, column, kind, model, language) for column in columns])
    marked = {kind: {at for at, one in enumerate(kinds) if one == kind} for kind in ("part", "total")}
    paper.table(
        [[Words(text) if len(text) > _LONG else text for text in row] for row in table],
        widths=_widths(table, paper.width),
        head=True,
        right=[at for at, column in enumerate(columns) if words.is_number(column)],
        bold=marked["part"] | marked["total"],
        shaded=marked["part"],
        ruled=marked["total"],
    )
    return paper.close()


def _cell(row: Row, column: Column, kind: str, model: TenantModel, language: str) -> str:
    if kind != "row" and column.name not in row:
        return ""
    value = row.get(column.name)
    if kind == "total" and not column.aggregate:
        return str(value)  # a word of ours
    return words.shown(value, column, model, language)


def _widths(table: Sequence[Sequence[str]], room: float) -> list[float]:
    """Return the columns' widths in millimetres: by their longest cells, and as wide as the sheet at most."""
    longest = [max(min(len(row[at]), 40) for row in table) for at in range(len(table[0]))]
    wanted = [length * 1.9 + 6 for length in longest]
    share = min(1.0, room / sum(wanted))
    return [width * share for width in wanted]


def _joined(rows: Sequence[msgspec.Raw]) -> bytes:
    return b"[" + b",".join(map(bytes, rows)) + b"]"


def _same(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a value so that equal ones are equal, whatever their type."""
    return _ENCODER.encode(value).decode()
