"""The way back: where the tables and columns of an earlier version are now, after the migrations since."""

from collections.abc import Sequence

from schemas.compiler.migrate.catalog import Catalog
from schemas.compiler.migrate.hints import Hints
from schemas.compiler.migrate.steps import Record


def rollback_hints(wanted: Catalog, records: Sequence[Record]) -> Hints:
    """Return renames and restores that lead from the present back to ``wanted``.

    Args:
        wanted: the catalog of the earlier version.
        records: what each migration since did to names, oldest first.
    """
    tables: dict[str, tuple[str, ...]] = {}
    tables_restored: dict[str, str] = {}
    columns: dict[tuple[str, str], tuple[str, ...]] = {}
    restores: dict[tuple[str, str], str] = {}
    origins: dict[tuple[str, str], str] = {}
    for name, table in wanted.tables.items():
        way = _Way(name)
        for record in records:
            way.follow(record)
        if way.archived is not None:
            tables_restored[name] = way.archived
        elif way.table != name:
            tables[name] = (way.table,)
        for column in table.columns:
            found = _column(name, column, records)
            if found.archived is not None:
                restores[name, column] = found.archived
            elif found.column != column:
                columns[name, column] = (found.column,)
            if found.origin is not None:
                origins[name, column] = found.origin
    return Hints(tables, columns, restores, tables_restored, origins, replace=True)


class _Way:
    """A table on its way through the migrations."""

    def __init__(self, name: str) -> None:
        self.table = name
        self.archived: str | None = None

    def follow(self, record: Record) -> None:
        if self.archived is not None:
            back = next((name for name, was in record.restored_tables.items() if was == self.archived), None)
            if back is not None:
                self.table, self.archived = back, None
        elif self.table in record.archived_tables:
            self.archived = record.archived_tables[self.table]
        else:
            self.table = next((new for new, old in record.tables.items() if old == self.table), self.table)


class _Column:
    """A column on its way through the migrations; ``origin`` is its first form, archived by a type change."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.archived: str | None = None
        self.origin: str | None = None

    def follow(self, table: str, record: Record) -> None:
        if self.archived is not None:
            back = next(
                (
                    key.partition(".")[2]
                    for key, was in record.restored_columns.items()
                    if was == self.archived and key.partition(".")[0] == table
                ),
                None,
            )
            if back is not None:
                self.column, self.archived = back, None
            return
        if (archived := record.archived_columns.get(f"{table}.{self.column}")) is not None:
            self.archived = archived
            return
        for key, old in record.columns.items():
            if key.partition(".")[0] == table and old == self.column:
                self.column = key.partition(".")[2]
                break
        if self.origin is None:
            self.origin = record.retyped.get(f"{table}.{self.column}")


def _column(table: str, column: str, records: Sequence[Record]) -> _Column:
    way, found = _Way(table), _Column(column)
    for record in records:
        way.follow(record)
        found.follow(way.table, record)
    return found
