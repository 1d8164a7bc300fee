"""Steps for conditions, references and indexes."""

from dataclasses import replace

from schemas.compiler.migrate import ddl
from schemas.compiler.migrate.catalog import SHADOW_PREFIX, Table, shorten
from schemas.compiler.migrate.changes import (
    AddCheck,
    AddForeignKey,
    AddIndex,
    DropConstraint,
    DropIndex,
    RenameObject,
    ValidateCheck,
    ValidateForeignKey,
)
from schemas.compiler.migrate.ddl import Names
from schemas.compiler.migrate.draft import SHARE_ROW_EXCLUSIVE, Draft
from schemas.compiler.migrate.hazards import Finding


def add_check(draft: Draft, change: AddCheck) -> None:
    """A condition: for new rows at once, for old ones as soon as it is proven."""
    table, check = change.table, change.check
    found = Finding() if draft.empty(table) else draft.finding("check", table, check.name)
    direct = (
        draft.fast(table)
        and not draft.restored(table)
        and not found.count
        and not any(draft.retyped(table, name) for name in check.columns)
    )
    level = 2 if found.count else 0 if direct else 1
    if found.count:
        draft.hazard(
            2, "migration.check_violated", change,
            f"{found.rows} of '{table}' do not meet the new condition on '{', '.join(check.columns)}' "
            f"({check.name})",
            "correct them, or confirm: old rows then have to meet it when they are next written", found,
        )  # fmt: skip
    sql = ddl.add_check(table, check, draft.after, validate=direct)
    draft.switch(9, change, f"check {check.name}", sql, tables=(table,), level=level)
    if not direct and not found.count:
        draft.validate(
            change, f"prove {check.name}", [ddl.validate_constraint(table, check.name, draft.after)]
        )


def validate_check(draft: Draft, change: ValidateCheck) -> None:
    """A condition old rows did not meet once; proven when they do."""
    if not draft.finding("check", change.table, change.check.name).count:
        sql = [ddl.validate_constraint(change.table, change.check.name, draft.after)]
        draft.validate(change, f"prove {change.check.name}", sql)


def add_foreign_key(draft: Draft, change: AddForeignKey) -> None:
    """A reference: for new rows at once, for old ones as soon as it is proven."""
    table, key = change.table, change.key
    found = Finding() if draft.empty(table) else draft.finding("orphans", table, key.name)
    direct = (
        draft.fast(table)
        and not draft.restored(table)
        and not draft.restored(key.target)
        and not found.count
        and not draft.retyped(table, key.column)
    )
    level = 2 if found.count or (change.changed and not draft.empty(table)) else 0 if direct else 1
    if found.count:
        draft.hazard(
            2, "migration.reference_violated", change,
            f"{found.rows} of '{table}' refer by '{key.column}' to no row of '{key.target}'",
            "correct them, or confirm: old rows then have to be right when they are next written", found,
        )  # fmt: skip
    elif level == 2:
        draft.hazard(
            2, "migration.reference_change", change,
            f"'{table}.{key.column}' now refers to '{key.target}', on delete {key.on_delete}",
            "deletes will behave differently",
        )  # fmt: skip
    sql = [ddl.add_foreign_key(table, key, draft.after, validate=direct)]
    draft.switch(
        10, change, f"{table}.{key.column} references {key.target}", sql, tables=(table,), level=level
    )
    draft.also_lock(key.target, SHARE_ROW_EXCLUSIVE)
    if not direct and not found.count:
        draft.validate(change, f"prove {key.name}", [ddl.validate_constraint(table, key.name, draft.after)])


def validate_foreign_key(draft: Draft, change: ValidateForeignKey) -> None:
    """A reference old rows did not have right once; proven when they do."""
    if not draft.finding("orphans", change.table, change.key.name).count:
        sql = [ddl.validate_constraint(change.table, change.key.name, draft.after)]
        draft.validate(change, f"prove {change.key.name}", sql)


def drop_constraint(draft: Draft, change: DropConstraint) -> None:
    """A condition fewer; one that old rows don't meet goes first, or they could not be converted."""
    table = draft.current.get(change.table)
    if table is not None and _unproven(table, change.name):
        sql = [ddl.drop_constraint(change.table, change.name, draft.before)]
        draft.expand(change, f"drop {change.name}", sql, [])
        return
    sql = [ddl.drop_constraint(change.table, change.name, draft.after)]
    draft.switch(2, change, f"drop {change.name}", sql, tables=(change.table,))


def _unproven(table: Table, name: str) -> bool:
    check, key = table.checks.get(name), table.foreign_keys.get(name)
    return (check is not None and not check.valid) or (key is not None and not key.valid)


def add_index(draft: Draft, change: AddIndex) -> None:
    """An index: unique ones stand before the switch, the others are built after it."""
    table, index = change.table, change.index
    found = Finding() if draft.empty(table) else draft.finding("duplicates", table, index.name)
    if found.count:
        draft.hazard(
            3, "migration.duplicates", change,
            f"'{table}' has {found.rows.replace('row', 'value')} more than once in "
            f"{', '.join(sorted(index.uses()))}, which become unique",
            "make them different, then save or 'run.py apply' the file again", found,
        )  # fmt: skip
        return
    summary = f"index {index.name}"
    if draft.fast(table):
        draft.switch(9, change, summary, ddl.create_index(table, index, draft.after), tables=(table,))
        return
    retyped = {column for column in index.uses() if draft.retyped(table, column)}
    if not index.unique and not retyped:
        sql = ddl.create_index(table, index, draft.after, concurrently=True)
        draft.build(change, summary, index.name, sql, contract=True)
        return
    early = replace(index, name=shorten(f"{SHADOW_PREFIX}{index.name}", salt="early"))
    names = _early_names(draft, table, retyped)
    draft.build(
        change, summary, early.name, ddl.create_index(table, early, names, concurrently=True), contract=False
    )
    sql = [ddl.rename_index(early.name, index.name, draft.after)]
    draft.switch(9, change, f"name {summary}", sql, tables=(table,), level=1)


def _early_names(draft: Draft, table: str, retyped: set[str]) -> Names:
    """Names before the switch, with converted columns as they are while being filled."""
    shadows = {(table, column): shorten(f"{SHADOW_PREFIX}{column}") for column in retyped}
    return Names(draft.before.target, draft.before.tables, {**draft.before.columns, **shadows})


def drop_index(draft: Draft, change: DropIndex) -> None:
    """An index fewer: one that forbids at once, one that only speeds up when nobody uses it any more."""
    table, index = change.table, change.index
    taken = any(index.name in other.indexes for other in draft.wanted.tables.values())
    sql = [ddl.drop_index(index.name, draft.after)]
    if index.unique or taken:
        draft.switch(2, change, f"drop index {index.name}", sql, tables=(table,))
    else:
        draft.contract(4, change, f"drop index {index.name}", sql, table)


def rename_objects(draft: Draft, changes: list[RenameObject]) -> None:
    """Names that follow a rename. All leave their old names before any takes its new one."""
    wanted = {(change.kind, change.new) for change in changes}
    for change in changes:
        names, table = draft.after, change.table
        sql: list[str] = []
        now = change.old
        if change.old != change.new:
            if (change.kind, change.old) in wanted:
                now = shorten(f"{SHADOW_PREFIX}{change.old}", salt="parked")
                draft.switch(
                    7,
                    change,
                    f"free the name {change.old}",
                    [_rename(change, change.old, now, names)],
                    tables=(table,),
                )
            sql.append(_rename(change, now, change.new, names))
        if change.stamp and change.kind == "index":
            sql.append(ddl.stamp_index(change.new, change.stamp, names))
        elif change.stamp:
            sql.append(ddl.stamp_constraint(table, change.new, change.stamp, names))
        draft.switch(8, change, f"{change.old} is now {change.new}", sql, tables=(table,))


def _rename(change: RenameObject, old: str, new: str, names: Names) -> str:
    if change.kind == "index":
        return ddl.rename_index(old, new, names)
    return ddl.rename_constraint(change.table, old, new, names)
