"""Semantic differences between two catalogs: a closed union. What they cost is decided by ``planner``.

``table`` is always the table's wanted name, except in changes that remove one. ``cause`` is the path in the
tenant file that asks for the change; the file's positions turn it into a line.
"""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.compiler.migrate.catalog import (
    Audit,
    Binder,
    Check,
    Column,
    Derive,
    ForeignKey,
    Index,
    Recorder,
    Table,
)


@dataclass(frozen=True, slots=True)
class CreateTable:
    """A new entity."""

    table: Table


@dataclass(frozen=True, slots=True)
class RenameTable:
    """An entity with ``renamed_from``."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """A removed entity: moves to the archive with its rows. ``replaced``: its name is needed at once."""

    table: Table
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class RestoreTable:
    """An entity that comes back from the archive, where it is called ``archived``."""

    table: str
    archived: str


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A new field."""

    table: str
    column: Column


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """A field with ``renamed_from``."""

    table: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ArchiveColumn:
    """A removed field: the column stays under an archive name. ``replaced``: its name is needed at once."""

    table: str
    column: Column
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class RestoreColumn:
    """A field that comes back with the values it had as ``archived``."""

    table: str
    column: Column
    archived: str
    archived_type: str


@dataclass(frozen=True, slots=True)
class ChangeType:
    """A field of another type; ``origin`` is the archived column it goes back to, if it does."""

    table: str
    column: Column
    before: Column
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class SetNotNull:
    """A field becomes required. ``waiting`` is its not yet valid CHECK, left by an earlier confirmed plan."""

    table: str
    column: Column
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class DropNotNull:
    """A field becomes optional, or goes away."""

    table: str
    column: Column


@dataclass(frozen=True, slots=True)
class SetDefault:
    """A new default, or none (``column.default`` is None)."""

    table: str
    column: Column


@dataclass(frozen=True, slots=True)
class ChangeKey:
    """Another primary key."""

    table: str
    before: Column
    after: Column


@dataclass(frozen=True, slots=True)
class AddCheck:
    """A new or different condition on a field."""

    table: str
    check: Check


@dataclass(frozen=True, slots=True)
class ValidateCheck:
    """A condition that old rows may meet by now."""

    table: str
    check: Check


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    """A reference; ``changed`` when the field had another one."""

    table: str
    key: ForeignKey
    changed: bool = False


@dataclass(frozen=True, slots=True)
class ValidateForeignKey:
    """A reference whose old rows may be right by now."""

    table: str
    key: ForeignKey


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """A condition or reference that is gone; it loosens."""

    table: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddIndex:
    """A new index."""

    table: str
    index: Index


@dataclass(frozen=True, slots=True)
class DropIndex:
    """An index nobody wants, or an invalid one."""

    table: str
    index: Index


@dataclass(frozen=True, slots=True)
class RenameObject:
    """A constraint or index named after something renamed; ``stamp`` is its new mark, "" to keep it."""

    table: str
    kind: str  # constraint | index
    old: str
    new: str
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class SetDerive:
    """Another row trigger, or none.

    Attributes:
        after: the wanted trigger.
        existed: whether the table has one now.
        fills: columns in which old rows need values.
        counters: (old, new) names of counters that follow a rename.
    """

    table: str
    after: Derive | None
    existed: bool
    fills: tuple[str, ...] = ()
    counters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SetRecorder:
    """Keep the table's changes from now on, in another way, or no more."""

    table: str
    after: Recorder | None


@dataclass(frozen=True, slots=True)
class SetBinder:
    """Tie files to the table's rows from now on, by other columns, or no more."""

    table: str
    after: Binder | None


@dataclass(frozen=True, slots=True)
class SetAudit:
    """Keep the table's changes in the audit log from now on, in another way, or no more."""

    table: str
    after: Audit | None


Change: TypeAlias = (
    CreateTable | RenameTable | ArchiveTable | RestoreTable | AddColumn | RenameColumn | ArchiveColumn
    | RestoreColumn | ChangeType | SetNotNull | DropNotNull | SetDefault | ChangeKey | AddCheck
    | ValidateCheck | AddForeignKey | ValidateForeignKey | DropConstraint | AddIndex | DropIndex
    | RenameObject | SetDerive | SetRecorder | SetBinder | SetAudit
)  # fmt: skip


def table_of(change: Change) -> str:
    """Return the wanted name of the table a change is about (the present one of a table that goes)."""
    match change:
        case RenameTable():
            return change.new
        case CreateTable() | ArchiveTable():
            return change.table.name
        case _:
            return change.table


def cause(change: Change) -> str:
    """Return the path in the tenant file a change comes from."""
    match change:
        case CreateTable() | ArchiveTable():
            return f"entities.{change.table.name}"
        case RenameTable():
            return f"entities.{change.new}.renamed_from"
        case RenameColumn():
            return f"entities.{change.table}.schema.properties.{change.new}.renamed_from"
        case (
            AddColumn()
            | ArchiveColumn()
            | RestoreColumn()
            | ChangeType()
            | SetNotNull()
            | DropNotNull()
            | SetDefault()
        ):
            return f"entities.{change.table}.schema.properties.{change.column.name}"
        case ChangeKey():
            return f"entities.{change.table}.key"
        case AddCheck() | ValidateCheck():
            return f"entities.{change.table}.schema.properties.{change.check.columns[0]}"
        case AddForeignKey() | ValidateForeignKey():
            return f"entities.{change.table}.schema.properties.{change.key.column}.references"
        case AddIndex() if change.index.unique and len(change.index.uses()) == 1:
            return f"entities.{change.table}.schema.properties.{min(change.index.uses())}"
        case AddIndex():
            return f"entities.{change.table}.{'constraints' if change.index.unique else 'indexes'}"
        case _:
            return f"entities.{change.table}"
