"""Steps for columns: add, rename, archive, restore, default and NOT NULL."""

from schemas.compiler.migrate import ddl, ddl_rows, plan_history
from schemas.compiler.migrate.casts import conversion
from schemas.compiler.migrate.catalog import (
    ARCHIVE_PREFIX,
    REQUIRED_MARK,
    REQUIRED_SUFFIX,
    Column,
    object_name,
)
from schemas.compiler.migrate.changes import (
    AddColumn,
    ArchiveColumn,
    DropNotNull,
    RenameColumn,
    RestoreColumn,
    SetDefault,
    SetNotNull,
)
from schemas.compiler.migrate.draft import Draft
from schemas.compiler.migrate.hazards import Finding
from schemas.compiler.migrate.steps import Batches
from schemas.compiler.sql import quote


def add_column(draft: Draft, change: AddColumn) -> None:
    """A new column; before the switch, so that what is built on it can be."""
    table, column = change.table, change.column
    summary = f"add column {table}.{column.name} {column.pg_type}"
    if draft.exists(table) and any(
        name.startswith(f"{ARCHIVE_PREFIX}{column.name}_") for name in draft.current[table].archived
    ):
        plan_history.retyped(draft, change, table, column.name)
    if not draft.exists(table) or column.name in draft.current[table].columns:
        draft.switch(5, change, summary, ddl.add_column(table, column, draft.after), tables=(table,))
        return
    drop = f"ALTER TABLE {draft.before.table(table)} DROP COLUMN IF EXISTS {quote(column.name)}"
    draft.expand(change, summary, ddl.add_column(table, column, draft.before), [drop])


def rename_column(draft: Draft, change: RenameColumn) -> None:
    """A column under a new name, at once."""
    draft.record.columns[f"{change.table}.{change.new}"] = change.old
    sql = [ddl.rename_column(change.table, change.old, change.new, draft.after)]
    draft.switch(
        4, change, f"rename column {change.table}.{change.old} to {change.new}", sql, tables=(change.table,)
    )
    plan_history.renamed(draft, change, change.table, change.old, change.new)


def archive_column(draft: Draft, change: ArchiveColumn) -> None:
    """A column out of sight with its values."""
    table, column = change.table, change.column
    archived = draft.archive_name(column.name)
    draft.record.archived_columns[f"{table}.{column.name}"] = archived
    found = draft.finding("values", table, column.name)
    level = 2 if found.count else 0
    if level:
        draft.hazard(
            2, "migration.remove_field", change,
            f"field '{column.name}' of '{table}' is removed; its values in {found.rows} move to the archive",
            f"nothing is lost: 'restore_from: {column.name}' brings them back; 'renamed_from' keeps them "
            "under another name",
            found,
        )  # fmt: skip
    sql = [
        *ddl.set_default(table, plain_column(column), draft.after),
        ddl.rename_column(table, column.name, archived, draft.after),
    ]
    summary = f"archive column {table}.{column.name} as {archived}"
    if change.replaced:
        draft.switch(3, change, summary, sql, tables=(table,), level=level)
    else:
        draft.contract(5, change, summary, sql, table, level=level)


def plain_column(column: Column) -> Column:
    """Return the column without default and NOT NULL."""
    return Column(column.name, column.pg_type)


def restore_column(draft: Draft, change: RestoreColumn) -> None:
    """A column with the values it was archived with."""
    table, column, names = change.table, change.column, draft.after
    draft.record.restored_columns[f"{table}.{column.name}"] = change.archived
    summary = f"restore column {table}.{column.name} from {change.archived}"
    if change.archived_type == column.pg_type:
        sql = [ddl.rename_column(table, change.archived, column.name, names)]
        draft.switch(5, change, summary, sql, tables=(table,))
        return
    how = conversion(change.archived_type, column.pg_type)
    if how is None or not draft.fast(table):
        draft.hazard(
            3, "migration.restore_type", change,
            f"'{change.archived}' holds {change.archived_type}, not {column.pg_type}",
            "restore it with the type it had, then change the type",
        )  # fmt: skip
        return
    function = ddl_rows.cast_function(table, column.name)
    converted = f"{names.object(function)}({quote(change.archived)})"
    sql = [
        ddl_rows.create_cast(function, change.archived_type, column.pg_type, how, names),
        *ddl.add_column(table, Column(column.name, column.pg_type), names),
        f"UPDATE {names.table(table)} SET {quote(column.name)} = {converted}",
        ddl_rows.drop_function(f"{function}({change.archived_type})", names),
    ]
    draft.switch(5, change, summary, sql, tables=(table,))


def set_default(draft: Draft, change: SetDefault) -> None:
    """Another default for rows to come."""
    table, column = change.table, change.column
    what = f"default {column.default_sql}" if column.default is not None else "no default"
    draft.switch(
        6,
        change,
        f"{table}.{column.name}: {what}",
        ddl.set_default(table, column, draft.after),
        tables=(table,),
    )


def drop_not_null(draft: Draft, change: DropNotNull) -> None:
    """A column may be empty; also the first half of its removal, since new code no longer fills it."""
    table, name = change.table, change.column.name
    going = name not in draft.wanted.tables[table].columns
    sql = [ddl.set_not_null(table, name, draft.after, required=False)]
    order = 3 if going or draft.arriving(table, name) else 6
    draft.switch(
        order - 1 if order == 3 else order, change, f"{table}.{name} may be empty", sql, tables=(table,)
    )


def set_not_null(draft: Draft, change: SetNotNull) -> None:
    """A required field: old rows get the default, or are held to it when they are next written."""
    table, column, names = change.table, change.column, draft.after
    derive = draft.wanted.tables[table].derive
    filled = column.default is not None or (derive is not None and column.name in derive.columns)
    nulls = draft.finding("nulls", table, column.name)
    uncast = draft.finding("cast", table, column.name)
    missing = (
        Finding()
        if filled or draft.empty(table)
        else Finding(nulls.count + uncast.count, (*nulls.sample, *uncast.sample)[:5])
    )
    require = ddl.set_not_null(table, column.name, names, required=True)
    summary = f"{table}.{column.name} is required"
    drop_waiting = [ddl.drop_constraint(table, change.waiting, names)] if change.waiting else []
    default_here = column.default is not None
    if draft.fast(table) and not missing.count:
        sql = [*drop_waiting, require]
        if default_here and not draft.empty(table):
            sql.insert(0, _defaults(draft, change, names))
        draft.switch(7, change, summary, sql, tables=(table,))
        return
    if missing.count and change.waiting:
        return  # confirmed before; old rows still wait for their value
    if missing.count:
        draft.hazard(
            2, "migration.required_without_value", change,
            f"field '{column.name}' of '{table}' becomes required, but {missing.rows} have no value",
            "give it a 'default', or confirm: old rows then need a value when they are next written", missing,
        )  # fmt: skip
    level = 2 if missing.count else 1
    check = change.waiting or object_name(table, (column.name,), REQUIRED_SUFFIX)
    if default_here and not draft.arriving(table, column.name) and not draft.retyped(table, column.name):
        draft.fill(
            change, f"fill {table}.{column.name} with its default", _batches(draft, change, before=True)
        )
    if change.waiting is None:
        condition = f"{quote(column.name)} IS NOT NULL"
        sql = [
            f"ALTER TABLE {names.table(table)} ADD CONSTRAINT {quote(check)} CHECK ({condition}) NOT VALID",
            ddl.stamp_constraint(table, check, REQUIRED_MARK, names),
        ]
        draft.switch(8, change, summary + " in new rows", sql, tables=(table,), level=level)
    if missing.count:
        return
    if default_here:
        draft.fill(
            change,
            f"fill the rest of {table}.{column.name}",
            _batches(draft, change, before=False),
            contract=True,
        )
    draft.validate(
        change, f"prove that {table}.{column.name} is filled", [ddl.validate_constraint(table, check, names)]
    )
    draft.contract(
        3, change, summary, [require, ddl.drop_constraint(table, check, names)], table, level=1, optional=True
    )


def _defaults(draft: Draft, change: SetNotNull, names: ddl.Names) -> str:
    table, column = change.table, names.column(change.table, change.column.name)
    return f"UPDATE {names.table(table)} SET {column} = {change.column.default_sql} WHERE {column} IS NULL"


def _batches(draft: Draft, change: SetNotNull, *, before: bool) -> Batches:
    table, names = change.table, draft.before if before else draft.after
    column = names.column(table, change.column.name)
    return by_key(draft, table, names, f"{column} = {change.column.default_sql}", f"{column} IS NULL")


def by_key(draft: Draft, table: str, names: ddl.Names, assignment: str, where: str) -> Batches:
    """Return a change of many rows in the order of their key."""
    key = draft.current[table].columns[draft.current[table].key]
    wanted_key = draft.wanted.tables[table].key
    return Batches(names.table(table), names.column(table, wanted_key), key.pg_type, assignment, where)
