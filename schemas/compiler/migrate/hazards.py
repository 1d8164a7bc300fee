"""What a change may cost: the questions to ask the rows before planning, and what their answers mean.

``probes`` writes one query per change whose safety depends on data; ``actors.tenant.migrator`` runs them and
the planner turns each finding into a ``Hazard``. Samples are keys, never values: a plan may be read by people
who may not read the rows.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from schemas.compiler.migrate.casts import Conversion, conversion
from schemas.compiler.migrate.catalog import Index, Table, render
from schemas.compiler.migrate.causes import table_of
from schemas.compiler.migrate.changes import (
    AddCheck,
    AddForeignKey,
    AddIndex,
    ArchiveColumn,
    ArchiveTable,
    Change,
    ChangeType,
    CreateTable,
    RestoreTable,
    SetNotNull,
    ValidateCheck,
    ValidateForeignKey,
)
from schemas.compiler.migrate.ddl import Names
from schemas.compiler.migrate.ddl_rows import cast_function, create_cast
from schemas.compiler.sql import quote

COUNT_LIMIT = 1000
SAMPLE = 5

Key: TypeAlias = tuple[str, str, str]


class Probe(Struct, frozen=True):
    """A question to the rows; answers ``(count, sample)``. ``key`` is (kind, table, object).

    ``setup`` makes what the question needs; whoever asks rolls it back.
    """

    key: Key
    sql: str
    setup: str = ""


class Finding(Struct, frozen=True):
    """An answer: how many rows (at most ``COUNT_LIMIT`` + 1 are counted) and some of their keys."""

    count: int = 0
    sample: tuple[str, ...] = ()

    @property
    def rows(self) -> str:
        """The count in words."""
        number = f"more than {COUNT_LIMIT}" if self.count > COUNT_LIMIT else str(self.count)
        return f"{number} row{'s' if self.count != 1 else ''}"


class Hazard(Struct, frozen=True):
    """What somebody has to know before a plan runs.

    Attributes:
        level: 2 waits for confirmation; 3 refuses the file.
        code: ``migration.reason``.
        count, sample: rows concerned, keys of some of them.
    """

    level: int
    code: str
    message: str
    cause: str
    hint: str = ""
    count: int = 0
    sample: tuple[str, ...] = ()


def probes(changes: list[Change], names: Names, current: dict[str, Table]) -> Iterator[Probe]:
    """Yield the questions worth asking.

    Args:
        changes: what is planned.
        names: the names in effect now.
        current: the present tables by wanted name; changes of tables that are new or empty are not asked
            about.
    """
    retyped = {
        (change.table, change.column.name): change for change in changes if isinstance(change, ChangeType)
    }
    created = {change.table.name for change in changes if isinstance(change, CreateTable)}
    restored = {change.table for change in changes if isinstance(change, RestoreTable)}
    for change in changes:
        table = table_of(change)
        if table not in current:
            continue
        ask = _Ask(names, table, current[table])
        match change:
            case ArchiveTable():
                yield ask.rows(("rows", table, ""), "true")
            case ArchiveColumn():
                yield ask.rows(
                    ("values", table, change.column.name), f"{quote(change.column.name)} IS NOT NULL"
                )
            case SetNotNull() if ask.has(change.column.name):
                column = names.column(table, change.column.name)
                yield ask.rows(("nulls", table, change.column.name), f"{column} IS NULL")
            case SetNotNull():
                yield ask.rows(("nulls", table, change.column.name), "true")
            case AddCheck() if (converted := retyped.get((table, change.check.columns[0]))) is not None:
                yield from ask.converted(change, converted)
            case AddCheck() | ValidateCheck() if all(ask.has(column) for column in change.check.columns):
                condition = render(change.check.template, names.of(table))
                yield ask.rows(("check", table, change.check.name), f"NOT ({condition})")
            case AddForeignKey() | ValidateForeignKey() if (
                ask.has(change.key.column)
                and (table, change.key.column) not in retyped
                and change.key.target not in restored
            ):
                yield ask.orphans(change, nowhere=change.key.target in created)
            case AddIndex() if change.index.unique and all(
                ask.has(column) and (table, column) not in retyped for column in change.index.uses()
            ):
                yield ask.duplicates(change.index)
            case ChangeType():
                yield from ask.casts(change)
            case _:
                pass


class _Ask:
    def __init__(self, names: Names, table: str, current: Table) -> None:
        self._names = names
        self._table = table
        self._current = current

    def has(self, column: str) -> bool:
        """Whether the column exists now, in use or archived."""
        name = self._names.columns.get((self._table, column), column)
        return name in self._current.columns or name in self._current.archived

    def rows(self, key: Key, condition: str) -> Probe:
        source = f"SELECT x.{quote(self._current.key)}::text AS key FROM {self._from()} WHERE {condition}"
        return _counted(key, source)

    def orphans(self, change: AddForeignKey | ValidateForeignKey, *, nowhere: bool) -> Probe:
        key, names = change.key, self._names
        column = names.column(self._table, key.column)
        if nowhere:  # the table it refers to is only being made
            return self.rows(("orphans", self._table, key.name), f"x.{column} IS NOT NULL")
        target_key = names.column(key.target, key.target_column)
        target = f"SELECT FROM {names.table(key.target)} y WHERE y.{target_key} = x.{column}"
        return self.rows(
            ("orphans", self._table, key.name), f"x.{column} IS NOT NULL AND NOT EXISTS ({target})"
        )

    def duplicates(self, index: Index) -> Probe:
        of = self._names.of(self._table)
        if index.template:
            listed, _, where = render(index.template, of).partition(" WHERE ")
            listed = listed.removeprefix("(").removesuffix(")")
        else:
            listed = ", ".join(self._names.column(self._table, column) for column in index.columns)
            where = ""
        present = f"num_nulls({listed}) = 0" + (f" AND ({where})" if where else "")
        source = (
            f"SELECT min(x.{quote(self._current.key)}::text) AS key FROM {self._from()} WHERE {present} "
            f"GROUP BY {listed} HAVING count(*) > 1"
        )
        return _counted(("duplicates", self._table, index.name), source)

    def casts(self, change: ChangeType) -> Iterator[Probe]:
        how = conversion(change.before.pg_type, change.column.pg_type)
        column = quote(change.before.name)
        if how is None:
            yield self.rows(("values", self._table, change.column.name), f"{column} IS NOT NULL")
        elif how.fallible:
            failing = f"x.{column} IS NOT NULL AND {self._cast(change)} IS NULL"
            yield self._with_cast(self.rows(("cast", self._table, change.column.name), failing), change, how)

    def converted(self, change: AddCheck, to: ChangeType) -> Iterator[Probe]:
        """Ask a condition of the values as they will be."""
        how = conversion(to.before.pg_type, to.column.pg_type)
        if how is not None and not how.instant:
            parts = change.check.template
            condition = "".join(part if isinstance(part, str) else self._cast(to) for part in parts)
            asked = self.rows(("check", self._table, change.check.name), f"NOT ({condition})")
            yield self._with_cast(asked, to, how)

    def _cast(self, change: ChangeType) -> str:
        function = self._names.object(cast_function(self._table, change.column.name))
        return f"{function}(x.{quote(change.before.name)})"

    def _with_cast(self, probe: Probe, change: ChangeType, how: Conversion) -> Probe:
        function = cast_function(self._table, change.column.name)
        setup = create_cast(function, change.before.pg_type, change.column.pg_type, how, self._names)
        return Probe(probe.key, probe.sql, setup)

    def _from(self) -> str:
        return f"{self._names.table(self._table)} x"


def _counted(key: Key, source: str) -> Probe:
    return Probe(
        key, f"SELECT count(*), (array_agg(key))[1:{SAMPLE}] FROM ({source} LIMIT {COUNT_LIMIT + 1}) counted"
    )
