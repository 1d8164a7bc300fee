"""What a change is about: its table, and the path in the tenant file that asks for it.

The file's positions turn a path into a line. Pure; called by the planner and whoever tells people of a plan.
"""

from schemas.compiler.migrate.changes import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    ArchiveColumn,
    ArchiveTable,
    Change,
    ChangeKey,
    ChangeType,
    CreateTable,
    DropNotNull,
    RenameColumn,
    RenameTable,
    RestoreColumn,
    SetDefault,
    SetNotNull,
    ValidateCheck,
    ValidateForeignKey,
)


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
