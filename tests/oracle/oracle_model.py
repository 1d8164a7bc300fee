"""The naive model: what a caller may see, and what a read answers, row by row and without SQL."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.model import AccessEntry, TenantModel
from schemas.compiler.principal import Principal
from tests.oracle import oracle_values as values
from tests.oracle.oracle_queries import Ask, Embed, Group, Item, Key, Level, Test

Row = dict[str, Any]
Tables = dict[str, list[Row]]
MOST = 1000


class Refused(Exception):
    """The request is not allowed."""


class Undetermined(Exception):
    """Any of several answers would be right."""


class Bag(list[Any]):
    """Rows in whatever order."""


class Naive:
    """One caller in front of the tables as they are; expressions follow relations through all rows."""

    def __init__(self, model: TenantModel, tables: Tables, caller: Principal) -> None:
        self.model, self.tables, self.caller = model, tables, caller
        self._functions: dict[int, Callable[[Env], object]] = {}

    # -- the world expressions see ----------------------------------------------------------------------

    def one(self, entity: str, key_field: str, key: object) -> Row | None:
        """The row with that key."""
        return next((row for row in self._alive(entity) if row[key_field] == key), None)

    def many(self, entity: str, foreign_field: str, key: object) -> Sequence[Row]:
        """The rows that refer to that key."""
        return [row for row in self._alive(entity) if row[foreign_field] == key]

    def _alive(self, entity: str) -> list[Row]:
        return [row for row in self.tables[entity] if row.get("deleted_at") is None]

    def value_of(self, expression: Expression, row: Row) -> Any:
        """What an expression says of a row."""
        function = self._functions.get(id(expression))
        if function is None:
            function = self._functions[id(expression)] = to_python(expression)
        now = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
        return function(Env(self=row, user=self.caller, now=now, world=self))

    # -- rights -----------------------------------------------------------------------------------------

    def entries(self, entity: str, verb: str) -> tuple[AccessEntry, ...]:
        """The entries of a verb that are for this caller."""
        scopes = self.caller.scopes
        words = {verb, "*", *(["write"] if verb in {"create", "update"} else [])}
        if scopes is not None and not scopes & {f"{name}:{word}" for name in (entity, "*") for word in words}:
            raise Refused(f"the scope {entity}:{verb}")
        access = self.model.entities[entity].access
        if not access.declared:
            found = (AccessEntry("admin", aggregate=True),) if "admin" in self.caller.roles else ()
        else:
            found = tuple(item for item in getattr(access, verb) if item.role in self.caller.roles)
        if not found:
            raise Refused(f"{verb} {entity}")
        return found

    def applies(self, entry: AccessEntry, row: Row) -> bool:
        """Whether an entry is about a row."""
        return entry.rule is None or self.value_of(entry.rule, row) is True

    def readable(self, entity: str, row: Row, *, deleted: bool = False) -> bool:
        """Whether a row may be seen."""
        if row.get("deleted_at") is not None and not deleted:
            return False
        return any(self.applies(entry, row) for entry in self.entries(entity, "read"))

    def known(self, entity: str) -> set[str]:
        """Fields that some entry shows in some row."""
        entries = self.entries(entity, "read")
        return {name for name in self.model.entities[entity].fields if any(values.shows(item, name) for item in entries)}  # fmt: skip

    def shown(self, entity: str, row: Row, name: str) -> bool:
        """Whether a row shows a field."""
        entries = self.entries(entity, "read")
        return any(values.shows(item, name) and self.applies(item, row) for item in entries)

    def value(self, entity: str, row: Row, name: str) -> Any:
        """A field's value as far as the caller may know it."""
        if not self.shown(entity, row, name):
            return None
        declared = self.model.entities[entity].fields[name]
        if declared.virtual and declared.computed is not None:
            return self.value_of(declared.computed, row)
        return row[name]

    # -- what may be asked ------------------------------------------------------------------------------

    def check(self, entity: str, items: tuple[Item, ...], level: Level) -> None:
        """Refuse names that are not the caller's to know, whatever the rows."""
        known = self.known(entity)
        embeds = {item.alias for item in items if isinstance(item, Embed)}
        names = [item.name for item in items if isinstance(item, Key) and item.name not in {"", "*"}]
        names += [name for name, _ in level.order if "(" not in name]
        names += [test.name for test in values.flat(level.tests) if test.name not in embeds]
        if not set(names) <= known:
            raise Refused(f"fields of {entity}")
        if not {name.partition("(")[0] for name, _ in level.order if "(" in name} <= embeds:
            raise Refused("an order by what is not embedded")
        for item in items:
            if isinstance(item, Embed):
                if not {item.column, item.far} - {""} <= self.known(item.child):
                    raise Refused(f"the tie {item.child}.{item.column}")
                self.check(item.target, item.items, item.level)
                keys = [name for name, _ in level.order if name.startswith(f"{item.alias}(")]
                if not {values.inside(name) for name in keys} <= self.known(item.target):
                    raise Refused(f"order by a field of {item.target}")
        if any(isinstance(item, Key) and item.function for item in items) and not self._aggregates(entity):
            raise Refused(f"aggregates of {entity}")

    def _aggregates(self, entity: str) -> bool:
        return any(entry.aggregate or entry.role == "admin" for entry in self.entries(entity, "read"))

    # -- reading ----------------------------------------------------------------------------------------

    def read(self, ask: Ask) -> tuple[list[Any], int]:
        """What a read answers, and how many rows there are in all."""
        self.check(ask.entity, ask.items, ask.level)
        rows = self.tables[ask.entity]
        if ask.key is not None:
            rows = [row for row in rows if row["id"] == ask.key]
        if ask.paged:
            if "id" not in self.known(ask.entity):
                raise Refused("a cursor needs the key")
            rows = self.matching(ask.entity, rows, ask.items, ask.level)
            ordered, sure = self._ordered(ask.entity, rows, ask.items, ask.level)
            if not sure:
                raise Undetermined
            return [self.shape(ask.entity, row, ask.items) for row in ordered], len(rows)
        return self.answer(ask.entity, rows, ask.items, ask.level)

    def answer(
        self, entity: str, rows: list[Row], items: tuple[Item, ...], level: Level
    ) -> tuple[list[Any], int]:
        """The answer of a level, and the number of its rows before paging."""
        found = self.matching(entity, rows, items, level)
        limits = [entry.limit for entry in self.entries(entity, "read")]
        cap = max(limit or MOST for limit in limits) if all(limits) else MOST
        if any(isinstance(item, Key) and item.function for item in items):
            groups = self._groups(entity, found, items)
            if len(groups) > cap:
                raise Undetermined
            return groups, len(groups)
        ordered, sure = self._ordered(entity, found, items, level)
        size = min(cap, MOST if level.limit is None else level.limit)
        if not sure and size > 0 and (len(found) > size or level.offset):
            raise Undetermined
        page = ordered[level.offset :][:size]
        shown = [self.shape(entity, row, items) for row in page]
        return (shown if sure and level.order else Bag(shown)), len(found)

    def matching(
        self,
        entity: str,
        rows: Iterable[Row],
        items: tuple[Item, ...],
        level: Level,
        *,
        deleted: bool = False,
    ) -> list[Row]:
        """The rows a caller sees that pass the filters and have what is embedded with ``!inner``."""
        embeds = {item.alias: item for item in items if isinstance(item, Embed)}
        return [
            row
            for row in rows
            if self.readable(entity, row, deleted=deleted)
            and all(self.passes(entity, row, test, embeds) is True for test in level.tests)
            and all(self.related(row, embed) for embed in embeds.values() if embed.inner)
        ]

    def related(self, row: Row, embed: Embed) -> list[Row]:
        """The rows an embed leads to, before paging."""
        return self.matching(embed.target, self.tied(row, embed), embed.items, embed.level)

    def tied(self, row: Row, embed: Embed) -> list[Row]:
        """The readable rows that belong to a row by a foreign key its holder shows."""
        if embed.up:
            keys = {self.value(embed.child, row, embed.column)}
        else:
            held = [
                other
                for other in self.tables[embed.child]
                if other[embed.column] == row["id"] and self.shown(embed.child, other, embed.column)
            ]
            if embed.far:
                held = [other for other in held if self.readable(embed.child, other)]
            keys = {self.value(embed.child, other, embed.far) if embed.far else other["id"] for other in held}
        return [
            other
            for other in self.tables[embed.target]
            if other["id"] in keys and self.readable(embed.target, other)
        ]

    def passes(self, entity: str, row: Row, test: Test, embeds: dict[str, Embed]) -> bool | None:
        """Whether a row passes, in SQL's three values."""
        if isinstance(test, Group):
            found = [self.passes(entity, row, item, embeds) for item in test.items]
            stop = test.operator == "or"
            outcome = stop if stop in found else None if None in found else not stop
        elif test.name in embeds:
            outcome = not self.related(row, embeds[test.name])
        else:
            outcome = values.compare(self.value(entity, row, test.name), test)
        return outcome if outcome is None or not test.negated else not outcome

    def shape(self, entity: str, row: Row, items: tuple[Item, ...]) -> Row:
        """A row as it is answered: hidden fields are absent."""
        shaped: Row = {}
        for item in items:
            if isinstance(item, Key) and item.name == "*":
                names = [name for name in self.known(entity) if self.shown(entity, row, name)]
                shaped |= {name: self.value(entity, row, name) for name in names}
            elif isinstance(item, Key):
                if self.shown(entity, row, item.name):
                    shaped[item.alias] = self.value(entity, row, item.name)
            elif item.spread:
                related, _ = self.answer(item.target, self.related(row, item), item.items, item.level)
                shaped |= related[0] if related else dict.fromkeys(values.names(item.items))
            else:
                rows, _ = self.answer(item.target, self.related(row, item), item.items, item.level)
                shaped[item.alias] = (rows[0] if rows else None) if item.up else rows
        return shaped

    def _ordered(
        self, entity: str, rows: list[Row], items: tuple[Item, ...], level: Level
    ) -> tuple[list[Row], bool]:
        """The rows in order, and whether there is only one such order."""
        ordered = list(rows)
        for name, suffix in reversed(level.order):
            descending = ".desc" in suffix
            first = "nullsfirst" in suffix or (descending and "nullslast" not in suffix)
            by = {id(row): self._sorted_by(entity, row, items, name) for row in rows}
            some = [row for row in ordered if by[id(row)] is not None]
            none = [row for row in ordered if by[id(row)] is None]
            some.sort(key=lambda row, by=by: by[id(row)], reverse=descending)
            ordered = none + some if first else some + none
        keys = [
            tuple(str(self._sorted_by(entity, row, items, name)) for name, _ in level.order) for row in rows
        ]
        return ordered, len(set(keys)) == len(keys)

    def _sorted_by(self, entity: str, row: Row, items: tuple[Item, ...], name: str) -> Any:
        alias, paren, _ = name.partition("(")
        if not paren:
            return self.value(entity, row, name)
        embed = next(item for item in items if isinstance(item, Embed) and item.alias == alias)
        related = self.tied(row, embed)
        return self.value(embed.target, related[0], values.inside(name)) if related else None

    def _groups(self, entity: str, rows: list[Row], items: tuple[Item, ...]) -> list[Any]:
        plain = [item for item in items if isinstance(item, Key) and not item.function]
        calls = [item for item in items if isinstance(item, Key) and item.function]
        groups: dict[tuple[Any, ...], list[Row]] = {} if plain else {(): []}
        for row in rows:
            groups.setdefault(tuple(self.value(entity, row, item.name) for item in plain), []).append(row)
        answer = Bag()
        for key, members in groups.items():
            shaped = {item.alias: value for item, value in zip(plain, key, strict=True)}
            for call in calls:
                taken = [self.value(entity, row, call.name) if call.name else 1 for row in members]
                shaped[call.alias] = values.called(
                    call.function, [value for value in taken if value is not None]
                )
            answer.append(shaped)
        return answer
