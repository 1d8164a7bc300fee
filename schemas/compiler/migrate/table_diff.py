"""The changes of one table that exists and stays.

A rename is followed through everything that names the column: constraints and indexes are recognised by what
they would look like under the old names, and only renamed. A removed field is archived, never dropped. Used
by ``diff``.
"""

from collections.abc import Iterator, Mapping

from schemas.compiler.migrate.casts import is_instant
from schemas.compiler.migrate.catalog import (
    REQUIRED_MARK,
    Check,
    Column,
    Derive,
    ForeignKey,
    Index,
    Table,
    mark,
    render,
)
from schemas.compiler.migrate.changes import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    ArchiveColumn,
    Change,
    ChangeKey,
    ChangeType,
    DropConstraint,
    DropIndex,
    DropNotNull,
    RenameColumn,
    RenameObject,
    RestoreColumn,
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
from schemas.compiler.migrate.hints import Hints, renames


class TableDifference:
    """Compares a table with what it should be.

    Args:
        name: its wanted name.
        current: as it is.
        wanted: as it should be.
        hints: renames and restores.
        tables: wanted names by present ones, to compare references.
    """

    def __init__(
        self, name: str, current: Table, wanted: Table, hints: Hints, tables: Mapping[str, str]
    ) -> None:
        self._name = name
        self._current = current
        self._wanted = wanted
        self._hints = hints
        self._tables = tables  # old table name -> wanted one
        self._restored: dict[str, str] = {}
        self._old: dict[str, str] = {}  # wanted column -> the name it has now
        asked: dict[str, tuple[str, ...]] = {}
        for column in wanted.columns:
            archived = self._archived(column)
            if archived is not None:
                self._restored[column] = archived
            else:
                asked[column] = hints.columns.get((name, column), ())
        moved = renames(asked, current.columns, replace=hints.replace)
        for column in asked:
            if column in moved:
                self._old[column] = moved[column]
            elif column in current.columns and column not in moved.values():
                self._old[column] = column
        self._retyped = {
            new
            for new, old in self._old.items()
            if not is_instant(current.columns[old].pg_type, wanted.columns[new].pg_type)
        }

    def changes(self) -> list[Change]:
        """Return the changes in the order they must happen."""
        return [
            *self._columns(),
            *self._constraints(),
            *self._indexes(),
            *self._derived(),
            *self._recorded(),
        ]

    def _archived(self, column: str) -> str | None:
        asked = self._hints.restores.get((self._name, column))
        if asked is None or (column in self._current.columns and not self._hints.replace):
            return None
        if asked in self._current.archived:
            return asked
        field_name, _, version = asked.partition("@")
        found = [
            name
            for name in self._current.archived
            if name.startswith(f"_arch_{field_name}_")
            and name.rpartition("_")[2] == (version or name.rpartition("_")[2])
        ]
        return max(found, key=lambda name: int(name.rpartition("_")[2]), default=None)

    def _columns(self) -> Iterator[Change]:
        kept = set(self._old.values())
        for old, column in self._current.columns.items():
            if old not in kept:
                if column.not_null:
                    yield DropNotNull(self._name, column)
                yield ArchiveColumn(self._name, column, replaced=old in self._wanted.columns)
        for new, old in self._old.items():
            if new != old:
                yield RenameColumn(self._name, old, new)
        for new, column in self._wanted.columns.items():
            if new in self._old:
                yield from self._altered(self._current.columns[self._old[new]], column)
            else:
                yield from self._arriving(column)
        yield from self._key()

    def _arriving(self, column: Column) -> Iterator[Change]:
        archived = self._restored.get(column.name)
        if archived is None:
            yield AddColumn(self._name, column)
        else:
            yield RestoreColumn(self._name, column, archived, self._current.archived[archived])
            if column.default is not None:
                yield SetDefault(self._name, column)
        if column.not_null and (archived is not None or column.default is None):
            yield SetNotNull(self._name, column)

    def _key(self) -> Iterator[Change]:
        current, wanted = self._current, self._wanted
        if self._old.get(wanted.key) != current.key:
            yield ChangeKey(self._name, current.columns[current.key], wanted.columns[wanted.key])
        elif wanted.key_name != current.key_name:
            yield RenameObject(self._name, "constraint", current.key_name, wanted.key_name)

    def _altered(self, before: Column, after: Column) -> Iterator[Change]:
        is_key = after.name == self._wanted.key
        if before.pg_type != after.pg_type or (is_key and before.identity != after.identity):
            if is_key:
                yield ChangeKey(self._name, before, after)
                return
            archived = self._hints.origins.get((self._name, after.name))
            yield ChangeType(
                self._name, after, before, archived if archived in self._current.archived else None
            )
            if after.name in self._retyped:  # a column of the new type starts without either
                if after.default is not None:
                    yield SetDefault(self._name, after)
                if after.not_null:
                    yield SetNotNull(self._name, after)
                return
        if before.default != after.default:
            yield SetDefault(self._name, after)
        if after.not_null and not before.not_null:
            yield SetNotNull(self._name, after, self._waiting(before))
        elif before.not_null and not after.not_null:
            yield DropNotNull(self._name, after)

    def _waiting(self, column: Column) -> str | None:
        checks = self._current.checks.values()
        return next((c.name for c in checks if c.mark == REQUIRED_MARK and c.columns == (column.name,)), None)

    def _constraints(self) -> Iterator[Change]:
        yield from self._checks()
        yield from self._foreign_keys()

    def _checks(self) -> Iterator[Change]:
        left = dict(self._current.checks)
        for new, old in self._old.items():  # a required field's own check goes when its NOT NULL comes
            column = self._current.columns[old]
            waiting = self._waiting(column)
            if waiting is not None and self._wanted.columns[new].not_null and not column.not_null:
                del left[waiting]
        matched = {
            check.name: left.pop(found.name)
            for check in self._wanted.checks.values()
            if (found := self._same_check(check, left)) is not None
        }
        for gone in left.values():
            yield DropConstraint(self._name, gone.name, gone.columns)
        for check in self._wanted.checks.values():
            before = matched.get(check.name)
            if before is None:
                yield AddCheck(self._name, check)
                continue
            if before.name != check.name or before.mark != check.mark:
                stamp = check.mark if before.mark != check.mark else ""
                yield RenameObject(self._name, "constraint", before.name, check.name, stamp)
            if not before.valid:
                yield ValidateCheck(self._name, check)

    def _same_check(self, wanted: Check, left: Mapping[str, Check]) -> Check | None:
        if not self._retyped.isdisjoint(wanted.columns):
            return None
        old_mark = mark(render(wanted.template, self._old))
        old_columns = tuple(self._old.get(column, "") for column in wanted.columns)
        return next((c for c in left.values() if c.mark == old_mark and c.columns == old_columns), None)

    def _foreign_keys(self) -> Iterator[Change]:
        left = dict(self._current.foreign_keys)
        matched: dict[str, ForeignKey] = {}
        for key in self._wanted.foreign_keys.values():
            found = next((other for other in left.values() if self._same_key(other, key)), None)
            if found is not None and key.column not in self._retyped:
                matched[key.name] = left.pop(found.name)
        for gone in left.values():
            yield DropConstraint(self._name, gone.name, (gone.column,))
        for key in self._wanted.foreign_keys.values():
            before = matched.get(key.name)
            if before is None:
                changed = any(other.column == self._old.get(key.column) for other in left.values())
                yield AddForeignKey(self._name, key, changed)
                continue
            if before.name != key.name:
                yield RenameObject(self._name, "constraint", before.name, key.name)
            if not before.valid:
                yield ValidateForeignKey(self._name, key)

    def _same_key(self, current: ForeignKey, wanted: ForeignKey) -> bool:
        return (
            current.column == self._old.get(wanted.column)
            and self._tables.get(current.target) == wanted.target
            and current.on_delete == wanted.on_delete
        )

    def _indexes(self) -> Iterator[Change]:
        left = dict(self._current.indexes)
        pairs: list[tuple[Index, Index]] = []
        added: list[Index] = []
        for index in self._wanted.indexes.values():
            found = None
            if self._retyped.isdisjoint(index.uses()):
                found = next((other for other in left.values() if self._same_index(other, index)), None)
            if found is None:
                added.append(index)
            else:
                pairs.append((left.pop(found.name), index))
        for gone in left.values():
            yield DropIndex(self._name, gone)
        for before, after in pairs:
            if before.name != after.name or before.mark != after.mark:
                stamp = after.mark if before.mark != after.mark else ""
                yield RenameObject(self._name, "index", before.name, after.name, stamp)
        for index in added:
            yield AddIndex(self._name, index)

    def _same_index(self, current: Index, wanted: Index) -> bool:
        if not current.valid or current.unique != wanted.unique or current.method != wanted.method:
            return False
        if wanted.mark:
            return current.mark == mark(render(wanted.template, self._old))
        return not current.mark and current.columns == tuple(
            self._old.get(column, "") for column in wanted.columns
        )

    def _derived(self) -> Iterator[Change]:
        before, after = self._current.derive, self._wanted.derive
        if (before.mark if before else None) == (after.mark if after else None):
            return
        fills: tuple[str, ...] = ()
        if after is not None and (before is None or before.mark != self._former_mark(after)):
            fills = after.columns
        counters = tuple(
            (f"{self._current.name}.{self._old[column]}", f"{self._name}.{column}")
            for column in (after.counters if after else ())
            if column in self._old and (self._current.name, self._old[column]) != (self._name, column)
        )
        yield SetDerive(self._name, after, before is not None, fills, counters)

    def _recorded(self) -> Iterator[Change]:
        if self._current.recorder != self._wanted.recorder:
            yield SetRecorder(self._name, self._wanted.recorder)
        if self._current.binder != self._wanted.binder:
            yield SetBinder(self._name, self._wanted.binder)
        if self._current.audit != self._wanted.audit:
            yield SetAudit(self._name, self._wanted.audit)
        if self._current.history != self._wanted.history:
            yield SetHistory(self._name, self._wanted.history, self._current.history, self._current.name)

    def _former_mark(self, derive: Derive) -> str:
        """The mark the wanted trigger would have had under the old names."""
        text = derive.declarations + render(derive.body, self._old)
        for column in derive.counters:
            now, was = f"'{self._name}.{column}:'", f"'{self._current.name}.{self._old.get(column, column)}:'"
            text = text.replace(now, was)
        return mark(self._current.name + text)
