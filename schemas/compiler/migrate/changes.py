"""Semantic differences between two catalogs: a closed union. What they cost is decided by ``planner``.

``table`` is always the table's wanted name, except in changes that remove one.
"""

from typing import TypeAlias

from msgspec import Struct

from schemas.compiler.migrate.catalog import (
    Audit,
    Binder,
    Check,
    Column,
    Derive,
    ForeignKey,
    History,
    Index,
    Recorder,
    Table,
)


class CreateTable(Struct, frozen=True):
    """A new entity."""

    table: Table


class RenameTable(Struct, frozen=True):
    """An entity with ``renamed_from``."""

    old: str
    new: str


class ArchiveTable(Struct, frozen=True):
    """A removed entity: moves to the archive with its rows. ``replaced``: its name is needed at once."""

    table: Table
    replaced: bool = False


class RestoreTable(Struct, frozen=True):
    """An entity that comes back from the archive, where it is called ``archived``."""

    table: str
    archived: str


class AddColumn(Struct, frozen=True):
    """A new field."""

    table: str
    column: Column


class RenameColumn(Struct, frozen=True):
    """A field with ``renamed_from``."""

    table: str
    old: str
    new: str


class ArchiveColumn(Struct, frozen=True):
    """A removed field: the column stays under an archive name. ``replaced``: its name is needed at once."""

    table: str
    column: Column
    replaced: bool = False


class RestoreColumn(Struct, frozen=True):
    """A field that comes back with the values it had as ``archived``."""

    table: str
    column: Column
    archived: str
    archived_type: str


class ChangeType(Struct, frozen=True):
    """A field of another type; ``origin`` is the archived column it goes back to, if it does."""

    table: str
    column: Column
    before: Column
    origin: str | None = None


class SetNotNull(Struct, frozen=True):
    """A field becomes required. ``waiting`` is its not yet valid CHECK, left by an earlier confirmed plan."""

    table: str
    column: Column
    waiting: str | None = None


class DropNotNull(Struct, frozen=True):
    """A field becomes optional, or goes away."""

    table: str
    column: Column


class SetDefault(Struct, frozen=True):
    """A new default, or none (``column.default`` is None)."""

    table: str
    column: Column


class ChangeKey(Struct, frozen=True):
    """Another primary key."""

    table: str
    before: Column
    after: Column


class AddCheck(Struct, frozen=True):
    """A new or different condition on a field."""

    table: str
    check: Check


class ValidateCheck(Struct, frozen=True):
    """A condition that old rows may meet by now."""

    table: str
    check: Check


class AddForeignKey(Struct, frozen=True):
    """A reference; ``changed`` when the field had another one."""

    table: str
    key: ForeignKey
    changed: bool = False


class ValidateForeignKey(Struct, frozen=True):
    """A reference whose old rows may be right by now."""

    table: str
    key: ForeignKey


class DropConstraint(Struct, frozen=True):
    """A condition or reference that is gone; it loosens."""

    table: str
    name: str
    columns: tuple[str, ...]


class AddIndex(Struct, frozen=True):
    """A new index."""

    table: str
    index: Index


class DropIndex(Struct, frozen=True):
    """An index nobody wants, or an invalid one."""

    table: str
    index: Index


class RenameObject(Struct, frozen=True):
    """A constraint or index named after something renamed; ``stamp`` is its new mark, "" to keep it."""

    table: str
    kind: str  # constraint | index
    old: str
    new: str
    stamp: str = ""


class SetDerive(Struct, frozen=True):
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


class SetRecorder(Struct, frozen=True):
    """Keep the table's changes from now on, in another way, or no more."""

    table: str
    after: Recorder | None


class SetBinder(Struct, frozen=True):
    """Tie files to the table's rows from now on, by other columns, or no more."""

    table: str
    after: Binder | None


class SetAudit(Struct, frozen=True):
    """Keep the table's changes in the audit log from now on, in another way, or no more."""

    table: str
    after: Audit | None


class SetHistory(Struct, frozen=True):
    """Keep the table's rows as they were from now on, in another way, or no more.

    Attributes:
        before: as it is kept now, by a table of the name it has now.
        old: name the table has now.
    """

    table: str
    after: History | None
    before: History | None = None
    old: str = ""


Change: TypeAlias = (
    CreateTable | RenameTable | ArchiveTable | RestoreTable | AddColumn | RenameColumn | ArchiveColumn
    | RestoreColumn | ChangeType | SetNotNull | DropNotNull | SetDefault | ChangeKey | AddCheck
    | ValidateCheck | AddForeignKey | ValidateForeignKey | DropConstraint | AddIndex | DropIndex
    | RenameObject | SetDerive | SetRecorder | SetBinder | SetAudit | SetHistory
)  # fmt: skip
