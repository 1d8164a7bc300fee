"""Changes to ordered steps: which may be one short transaction, which run online, which wait for a yes.

The switch is one transaction under the new names; whatever must be ready by then (unique indexes, converted
or computed values) is prepared before it under the old names, and what only proves or speeds up follows it.
Rows are asked beforehand (``hazards``); small and empty tables take the direct way. Pure;
``actors.tenant.migrator`` executes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from schemas.compiler.migrate import plan_columns, plan_constraints, plan_history, plan_tables, plan_types
from schemas.compiler.migrate.catalog import Catalog, Table, Target
from schemas.compiler.migrate.causes import table_of
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
    DropConstraint,
    DropIndex,
    DropNotNull,
    RenameColumn,
    RenameObject,
    RenameTable,
    RestoreColumn,
    RestoreTable,
    SetAudit,
    SetBinder,
    SetDefault,
    SetDerive,
    SetHistory,
    SetNotNull,
    SetRecorder,
    ValidateCheck,
    ValidateForeignKey,
)
from schemas.compiler.migrate.ddl import Names
from schemas.compiler.migrate.draft import Draft, Facts
from schemas.compiler.migrate.hazards import Hazard
from schemas.compiler.migrate.steps import Migration, plan_id

_PLANS: dict[type[Any], Callable[[Draft, Any], None]] = {
    CreateTable: plan_tables.create_table,
    RenameTable: plan_tables.rename_table,
    ArchiveTable: plan_tables.archive_table,
    RestoreTable: plan_tables.restore_table,
    ChangeKey: plan_tables.change_key,
    SetDerive: plan_tables.set_derive,
    SetRecorder: plan_tables.set_recorder,
    SetBinder: plan_tables.set_binder,
    SetAudit: plan_tables.set_audit,
    SetHistory: plan_history.set_history,
    AddColumn: plan_columns.add_column,
    RenameColumn: plan_columns.rename_column,
    ArchiveColumn: plan_columns.archive_column,
    RestoreColumn: plan_columns.restore_column,
    ChangeType: plan_types.change_type,
    SetNotNull: plan_columns.set_not_null,
    DropNotNull: plan_columns.drop_not_null,
    SetDefault: plan_columns.set_default,
    AddCheck: plan_constraints.add_check,
    ValidateCheck: plan_constraints.validate_check,
    AddForeignKey: plan_constraints.add_foreign_key,
    ValidateForeignKey: plan_constraints.validate_foreign_key,
    DropConstraint: plan_constraints.drop_constraint,
    AddIndex: plan_constraints.add_index,
    DropIndex: plan_constraints.drop_index,
}


def names_before(changes: list[Change], target: Target) -> Names:
    """Return what wanted tables and columns are called before the switch."""
    tables: dict[str, str] = {}
    columns: dict[tuple[str, str], str] = {}
    for change in changes:
        if isinstance(change, RenameTable):
            tables[change.new] = change.old
        elif isinstance(change, RenameColumn):
            columns[change.table, change.new] = change.old
        elif isinstance(change, RestoreColumn) and change.archived_type == change.column.pg_type:
            columns[change.table, change.column.name] = change.archived
    return Names(target, tables, columns)


def current_by_wanted_name(changes: list[Change], current: Catalog) -> dict[str, Table]:
    """Return the present tables under their wanted names; removed ones keep their own unless it is taken."""
    renamed = {change.old: change.new for change in changes if isinstance(change, RenameTable)}
    arriving = {change.table.name for change in changes if isinstance(change, CreateTable)}
    arriving |= {change.table for change in changes if isinstance(change, RestoreTable)}
    staying = {renamed.get(name, name): table for name, table in current.tables.items() if name in renamed}
    rest = {name: table for name, table in current.tables.items() if name not in renamed}
    return {**{name: table for name, table in rest.items() if name not in arriving}, **staying}


def plan(
    changes: list[Change],
    catalogs: tuple[Catalog, Catalog],
    target: Target,
    facts: Facts,
    versions: tuple[int, int],
    digest: str = "",
    hazards: tuple[Hazard, ...] = (),
) -> Migration:
    """Return the migration.

    Args:
        changes: what ``diff`` found.
        catalogs: the present one and the wanted one.
        target: the tenant's names in PostgreSQL.
        facts: what the rows said.
        versions: the deployed version and the one this leads to.
        digest: identifies the file, so that a confirmation can't be used for another.
        hazards: found before planning (drift).
    """
    base, version = versions
    current, wanted = catalogs
    names = (names_before(changes, target), Names(target))
    draft = Draft(current_by_wanted_name(changes, current), wanted, names, facts, version)
    draft.expect(changes)
    draft.hazards.extend(hazards)
    for change in _in_free_order(changes):
        if not isinstance(change, RenameObject):
            _PLANS[type(change)](draft, change)
    plan_constraints.rename_objects(draft, [change for change in changes if isinstance(change, RenameObject)])
    steps = draft.steps()
    level = max((*(step.level for step in steps), *(hazard.level for hazard in draft.hazards)), default=0)
    touched = {table_of(change) for change in changes}
    touched |= {change.old for change in changes if isinstance(change, RenameTable)}
    return Migration(
        plan_id(steps, base, digest),
        version,
        base,
        level,
        steps,
        tuple(draft.hazards),
        draft.record,
        tuple(sorted(touched)),
    )


def _in_free_order(changes: list[Change]) -> list[Change]:
    """Put renames in an order in which every new name is free."""
    renames = {change.old: change for change in changes if isinstance(change, RenameTable)}
    tables = _chain({old: change.new for old, change in renames.items()})
    columns: dict[str, dict[str, str]] = {}
    for change in changes:
        if isinstance(change, RenameColumn):
            columns.setdefault(change.table, {})[change.old] = change.new
    ordered: list[Change] = [replace(renames[old], old=old, new=new) for old, new in tables]
    ordered += [
        RenameColumn(table, old, new) for table, names in columns.items() for old, new in _chain(names)
    ]
    return ordered + [change for change in changes if not isinstance(change, RenameTable | RenameColumn)]


def _chain(names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Order renames so that each frees its name before another takes it (circles can't be asked for)."""
    waiting = dict(names)
    ordered: list[tuple[str, str]] = []
    while waiting:
        old = next((old for old, new in waiting.items() if new not in waiting), next(iter(waiting)))
        ordered.append((old, waiting.pop(old)))
    return ordered
