"""Steps for another column type: at once, or by a second column that is filled beside the traffic."""

from schemas.compiler.migrate import ddl, ddl_rows, plan_history
from schemas.compiler.migrate.casts import Conversion, conversion
from schemas.compiler.migrate.catalog import SHADOW_PREFIX, Column, shorten
from schemas.compiler.migrate.changes import ChangeType
from schemas.compiler.migrate.draft import Draft
from schemas.compiler.migrate.hazards import Finding
from schemas.compiler.migrate.plan_columns import by_key, plain_column
from schemas.compiler.sql import quote


def change_type(draft: Draft, change: ChangeType) -> None:
    """Another type: at once where PostgreSQL can, else a second column is filled and takes the name."""
    table, column, before = change.table, change.column, change.before
    how = conversion(before.pg_type, column.pg_type)
    plan_history.retyped(draft, change, table, column.name)
    if how is None:
        _replace(draft, change)
        return
    summary = f"{table}.{column.name}: {before.pg_type} becomes {column.pg_type}"
    if how.instant or draft.empty(table):
        names = draft.after
        alter = f"ALTER TABLE {names.table(table)} ALTER COLUMN {quote(column.name)}"
        loosen = [] if how.instant else [f"{alter} DROP DEFAULT", f"{alter} DROP NOT NULL"]
        converted = how.sql.format(quote(column.name))
        draft.switch(
            5, change, summary, [*loosen, f"{alter} TYPE {column.pg_type} USING {converted}"], tables=(table,)
        )
        return
    _warn(draft, change, how)
    if draft.fast(table):
        _convert_at_once(draft, change, how, summary)
    else:
        _convert_online(draft, change, how, summary)


def _warn(draft: Draft, change: ChangeType, how: Conversion) -> None:
    table, column = change.table, change.column
    failing = draft.finding("cast", table, column.name) if how.fallible else Finding()
    lost = f"; the values of {failing.rows} cannot be converted and become empty" if failing.count else ""
    draft.hazard(
        2, "migration.type_change", change,
        f"field '{column.name}' of '{table}' changes from {change.before.pg_type} to {column.pg_type}{lost}",
        f"the old values stay in the archive as {draft.archive_name(column.name)}", failing,
    )  # fmt: skip


def _replace(draft: Draft, change: ChangeType) -> None:
    """No value can be carried over: refused while there is one."""
    table, column = change.table, change.column
    found = draft.finding("values", table, column.name)
    if found.count and not draft.empty(table):
        draft.hazard(
            3, "migration.no_conversion", change,
            f"field '{column.name}' of '{table}' cannot change from {change.before.pg_type} "
            f"to {column.pg_type}: {found.rows} have a value and there is no conversion",
            "give the new field another name", found,
        )  # fmt: skip
        return
    archived = draft.archive_name(column.name)
    draft.record.retyped[f"{table}.{column.name}"] = archived
    names = draft.after
    alter = f"ALTER TABLE {names.table(table)} ALTER COLUMN {quote(column.name)}"
    sql = [
        f"{alter} DROP NOT NULL",
        *ddl.set_default(table, plain_column(column), names),
        ddl.rename_column(table, column.name, archived, names),
        *ddl.add_column(table, plain_column(column), names),
    ]
    draft.switch(5, change, f"{table}.{column.name} becomes an empty {column.pg_type}", sql, tables=(table,))


class _Conversion:
    """The expression that fills the new column, and the functions it needs."""

    def __init__(self, draft: Draft, change: ChangeType, how: Conversion, names: ddl.Names) -> None:
        table, column = change.table, change.column
        self.shadow = shorten(f"{SHADOW_PREFIX}{column.name}")
        self._names = names
        self._forward = ddl_rows.cast_function(table, column.name)
        self.setup = [ddl_rows.create_cast(self._forward, change.before.pg_type, column.pg_type, how, names)]
        self._signatures = [f"{self._forward}({change.before.pg_type})"]
        self._origin = change.origin
        self._default = change.before.default_sql
        self._back = shorten(f"_back_{table}_{column.name}")
        back = conversion(column.pg_type, change.before.pg_type)
        if self._origin is not None and draft.current[table].archived[self._origin] != column.pg_type:
            self._origin = None
        if self._origin is not None and back is not None:
            self.setup.append(
                ddl_rows.create_cast(self._back, column.pg_type, change.before.pg_type, back, names)
            )
            self._signatures.append(f"{self._back}({column.pg_type})")

    def cleanup(self, names: ddl.Names) -> list[str]:
        return [ddl_rows.drop_function(signature, names) for signature in self._signatures]

    def expression(self, column: str, prefix: str = "") -> str:
        """Old values that were archived when the type changed the other way win over their converted form."""
        now = prefix + quote(column)
        converted = f"{self._names.object(self._forward)}({now})"
        if self._origin is None:
            return converted
        origin = prefix + quote(self._origin)
        back = f"{self._names.object(self._back)}({origin})"
        same = f"{back} IS NOT DISTINCT FROM {now}"
        if self._default:  # what a required field got for a value that could not be converted
            same = f"({same} OR ({back} IS NULL AND {now} IS NOT DISTINCT FROM {self._default}))"
        return f"CASE WHEN {origin} IS NOT NULL AND {same} THEN {origin} ELSE {converted} END"

    def todo(self, column: str) -> str:
        origin = f" OR {quote(self._origin)} IS NOT NULL" if self._origin else ""
        return f"{quote(self.shadow)} IS NULL AND ({quote(column)} IS NOT NULL{origin})"


def _take_over(draft: Draft, change: ChangeType, shadow: str) -> list[str]:
    """The new column takes the name; the old one goes to the archive."""
    table, column, names = change.table, change.column, draft.after
    archived = draft.archive_name(column.name)
    draft.record.retyped[f"{table}.{column.name}"] = archived
    return [
        f"ALTER TABLE {names.table(table)} ALTER COLUMN {quote(column.name)} DROP NOT NULL",
        *ddl.set_default(table, plain_column(column), names),
        ddl.rename_column(table, column.name, archived, names),
        ddl.rename_column(table, shadow, column.name, names),
    ]


def _convert_at_once(draft: Draft, change: ChangeType, how: Conversion, summary: str) -> None:
    table, column, names = change.table, change.column, draft.after
    work = _Conversion(draft, change, how, names)
    sql = [
        *work.setup,
        *ddl.add_column(table, Column(work.shadow, column.pg_type), names),
        f"UPDATE {names.table(table)} SET {quote(work.shadow)} = {work.expression(column.name)}",
        *work.cleanup(names),
        *_take_over(draft, change, work.shadow),
    ]
    draft.switch(5, change, summary, sql, tables=(table,), level=2)


def _convert_online(draft: Draft, change: ChangeType, how: Conversion, summary: str) -> None:
    table, column, names = change.table, change.column, draft.before
    work = _Conversion(draft, change, how, names)
    old = change.before.name
    trigger = shorten(f"_sync_{table}_{column.name}")
    drop = f"ALTER TABLE {names.table(table)} DROP COLUMN IF EXISTS {quote(work.shadow)}"
    assignment = f"NEW.{quote(work.shadow)} := {work.expression(old, 'NEW.')}"
    sql = [
        drop,
        f"ALTER TABLE {names.table(table)} ADD COLUMN {quote(work.shadow)} {column.pg_type}",
        *work.setup,
        *ddl_rows.create_sync(trigger, table, assignment, names),
    ]
    reverse = [*ddl_rows.drop_sync(trigger, table, names), *work.cleanup(names), drop]
    draft.expand(change, f"prepare {summary}", sql, reverse, level=2)
    batches = by_key(draft, table, names, f"{quote(old)} = {quote(old)}", work.todo(old))
    draft.fill(change, f"convert {table}.{old}", batches)
    after = draft.after
    done = [
        *ddl_rows.drop_sync(trigger, table, after),
        *work.cleanup(after),
        *_take_over(draft, change, work.shadow),
    ]
    draft.switch(5, change, summary, done, tables=(table,), level=2)
