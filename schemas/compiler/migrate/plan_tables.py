"""Steps for whole tables and their row triggers."""

from schemas.compiler.migrate import ddl, ddl_history, ddl_rows
from schemas.compiler.migrate.changes import (
    ArchiveTable,
    ChangeKey,
    CreateTable,
    RenameTable,
    RestoreTable,
    SetAudit,
    SetBinder,
    SetDerive,
    SetHistory,
    SetRecorder,
)
from schemas.compiler.migrate.draft import SHARE_ROW_EXCLUSIVE, Draft
from schemas.compiler.migrate.plan_history import set_history
from schemas.compiler.migrate.steps import Batches


def create_table(draft: Draft, change: CreateTable) -> None:
    """A new table, its references after all new tables."""
    table, names = change.table, draft.after
    draft.switch(5, change, f"create table {table.name}", ddl.create_table(table, names))
    if table.derive is not None:
        draft.switch(
            6,
            change,
            f"number and compute rows of {table.name}",
            ddl_rows.set_derive(table.name, table.derive, names),
        )
    if table.recorder is not None:
        sql = ddl_rows.set_recorder(table.name, table.recorder, names)
        draft.switch(6, change, f"record changes of {table.name}", sql)
    if table.binder is not None:
        sql = ddl_rows.set_binder(table.name, table.binder, names)
        draft.switch(6, change, f"tie files to rows of {table.name}", sql)
    if table.audit is not None:
        set_audit(draft, SetAudit(table.name, table.audit))
    if table.history is not None:
        set_history(draft, SetHistory(table.name, table.history))
    for key in table.foreign_keys.values():
        sql = [ddl.add_foreign_key(table.name, key, names, validate=True)]
        draft.switch(10, change, f"{table.name}.{key.column} references {key.target}", sql)
        draft.also_lock(key.target, SHARE_ROW_EXCLUSIVE)


def rename_table(draft: Draft, change: RenameTable) -> None:
    """A table under a new name, at once."""
    draft.record.tables[change.new] = change.old
    sql = [ddl.rename_table(change.old, change.new, draft.after)]
    draft.switch(1, change, f"rename table {change.old} to {change.new}", sql, tables=(change.new,))


def archive_table(draft: Draft, change: ArchiveTable) -> None:
    """A table out of sight with its rows."""
    table = change.table
    archived = draft.archive_name(table.name)
    draft.record.archived_tables[table.name] = archived
    found = draft.finding("rows", table.name, "")
    level = 2 if found.count else 0
    if level:
        draft.hazard(
            2, "migration.remove_entity", change,
            f"entity '{table.name}' is removed; its {found.rows} move to the archive",
            "nothing is lost, but the API no longer serves it; 'renamed_from' keeps it under another name",
            found,
        )  # fmt: skip
    without = ddl_rows.drop_derive(table.name, draft.after) if table.derive is not None else []
    if table.recorder is not None:
        without.append(ddl_rows.drop_recorder(table.name, draft.after))
    if table.binder is not None:
        without.append(ddl_rows.drop_binder(table.name, draft.after))
    if table.audit is not None:
        without += ddl_rows.drop_audit(table.name, draft.after)
    if table.history is not None:
        without += ddl_history.drop_history(table.name, draft.after)
    sql = ddl.archive_table(table, archived, draft.after, without)
    summary = f"archive table {table.name} as {archived}"
    if change.replaced:
        draft.switch(0, change, summary, sql, tables=(table.name,), level=level)
    else:
        keys = [ddl.drop_constraint(table.name, name, draft.after) for name in table.foreign_keys]
        if keys:  # its rows no longer hold back deletes elsewhere
            draft.switch(
                2, change, f"drop references of {table.name}", keys, tables=(table.name,), level=level
            )
        draft.contract(6, change, summary, sql, table.name, level=level)


def restore_table(draft: Draft, change: RestoreTable) -> None:
    """A table back from the archive."""
    draft.record.restored_tables[change.table] = change.archived
    sql = ddl.restore_table(change.table, change.archived, draft.after)
    draft.switch(1, change, f"restore table {change.table} from {change.archived}", sql)


def change_key(draft: Draft, change: ChangeKey) -> None:
    """Refuse: another key would cut every reference. A table without rows is made anew instead."""
    draft.hazard(
        3, "migration.key_change", change,
        f"the key of '{change.table}' cannot change from {change.before.name} {change.before.pg_type} "
        f"to {change.after.name} {change.after.pg_type} while it has rows",
        "make a new entity and move the rows, or archive this one first",
    )  # fmt: skip


def set_derive(draft: Draft, change: SetDerive) -> None:
    """The row trigger; values for old rows where they have none yet."""
    table, after = change.table, change.after
    old_name = draft.current[table].name if draft.exists(table) else table
    if after is None:
        draft.switch(
            11,
            change,
            f"drop the row trigger of {table}",
            ddl_rows.drop_derive(table, draft.after),
            tables=(table,),
        )
        return
    online = bool(change.fills) and not draft.fast(table)
    if online:
        sql = ddl_rows.set_derive(table, after, draft.before)
        reverse = ddl_rows.drop_derive(table, draft.before) if not change.existed else []
        draft.expand(change, f"compute {', '.join(change.fills)} of {table}", sql, reverse, level=1)
        draft.fill(change, f"fill {', '.join(change.fills)} of {table}", _touch(draft, change, before=True))
    sql = [ddl_rows.rename_counter(old, new, draft.after) for old, new in change.counters]
    sql += ddl_rows.set_derive(table, after, draft.after)
    if old_name != table and change.existed:
        sql.append(ddl_rows.drop_function(f"{ddl_rows.derive_function(old_name)}()", draft.after))
    if change.fills and not online and not draft.empty(table):
        touched = _touch(draft, change, before=False)
        sql.append(f"UPDATE {touched.table} SET {touched.assignment} WHERE {touched.where}")
    draft.switch(6, change, f"number and compute rows of {table}", sql, tables=(table,))


def set_recorder(draft: Draft, change: SetRecorder) -> None:
    """The row trigger that keeps changes; what was changed before it nobody hears of."""
    table, after = change.table, change.after
    if after is None:
        summary, sql = f"record no changes of {table}", [ddl_rows.drop_recorder(table, draft.after)]
    else:
        summary, sql = f"record changes of {table}", ddl_rows.set_recorder(table, after, draft.after)
    draft.switch(11, change, summary, sql, tables=(table,))


def set_binder(draft: Draft, change: SetBinder) -> None:
    """The row trigger that ties files to rows."""
    table, after = change.table, change.after
    if after is None:
        summary, sql = f"tie no files to rows of {table}", [ddl_rows.drop_binder(table, draft.after)]
    else:
        summary, sql = f"tie files to rows of {table}", ddl_rows.set_binder(table, after, draft.after)
    draft.switch(11, change, summary, sql, tables=(table,))


def set_audit(draft: Draft, change: SetAudit) -> None:
    """The trigger that keeps changes in the audit log, or the one that seals the log itself."""
    table, after = change.table, change.after
    if after is None:
        summary, sql = f"audit {table} no more", ddl_rows.drop_audit(table, draft.after)
    elif after.key:
        summary, sql = f"audit {table}", ddl_rows.set_audit(table, after, draft.after)
    else:
        summary, sql = f"let {table} only grow", ddl_rows.seal_audit_log(table, after, draft.after)
    draft.switch(11, change, summary, sql, tables=(table,))


def _touch(draft: Draft, change: SetDerive, *, before: bool) -> Batches:
    """Rewrite rows as they are: the trigger fills them."""
    table, names = change.table, draft.before if before else draft.after
    key = draft.current[table].columns[draft.current[table].key]
    column = names.column(table, draft.wanted.tables[table].key)
    counted = change.after.counters if change.after else ()
    numbered = all(name in counted for name in change.fills)
    where = (
        " OR ".join(f"{names.column(table, name)} IS NULL" for name in change.fills) if numbered else "true"
    )
    return Batches(names.table(table), column, key.pg_type, f"{column} = {column}", where)
