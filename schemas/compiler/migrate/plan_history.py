"""Steps for row history: its trigger, and notes about fields that change their name or type.

Decides that old versions are never rewritten: a note says from when on a field is called otherwise, and who
reads a version follows the notes. So renaming a field of a table with a long past takes a moment.
"""

from schemas.compiler.migrate import ddl_history
from schemas.compiler.migrate.changes import Change, SetHistory
from schemas.compiler.migrate.draft import Draft
from schemas.compiler.names import history_name


def set_history(draft: Draft, change: SetHistory) -> None:
    """The trigger that keeps what rows were; keeping begins, or ends, at that moment."""
    table, after = change.table, change.after
    # the functions of a table that is renamed are its trigger's until that has those of the new name
    left = [] if change.old in {"", table} else ddl_history.drop_functions(change.old, draft.after)
    if after is not None:
        sql = ddl_history.set_history(table, after, draft.after)
        if change.before is None:
            sql.append(ddl_history.note(after.table, ddl_history.BEGIN, draft.after))
        draft.switch(11, change, f"keep what rows of {table} were", [*sql, *left], tables=(table,))
        return
    for kept in dict.fromkeys((history_name(table), history_name(change.old))):
        if draft.exists(kept):
            # before it is renamed, or archived: if it comes back, this is what it lacks from then on
            ended = [ddl_history.note(kept, ddl_history.END, draft.before)]
            draft.switch(-1, change, f"end what is kept of {table}", ended)
    sql = [*ddl_history.drop_history(table, draft.after), *left]
    draft.switch(11, change, f"keep what rows of {table} were no more", sql, tables=(table,))


def renamed(draft: Draft, change: Change, table: str, old: str, new: str) -> None:
    """Note that a field has another name."""
    _note(draft, change, table, ddl_history.RENAME, (old, new))


def retyped(draft: Draft, change: Change, table: str, column: str) -> None:
    """Note that values of a field may not fit its type any more."""
    _note(draft, change, table, ddl_history.RETYPE, (column, column))


def _note(draft: Draft, change: Change, table: str, operation: str, said: tuple[str, str]) -> None:
    kept = history_name(table)
    if draft.exists(kept) and kept in draft.wanted.tables and kept != table:
        summary = f"let versions of {table} follow {said[1]}"
        draft.switch(10, change, summary, [ddl_history.note(kept, operation, draft.after, said)])
