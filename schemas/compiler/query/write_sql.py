"""Writes to one statement: the change, the checks of rows after it, and the answer, in one round trip.

    WITH body AS (...), [old AS (... FOR UPDATE),] w AS (INSERT | UPDATE | DELETE ... RETURNING t0.*)
    SELECT <refusals>, <representation> FROM ...

A refusal is a call of ``backsaas_api.refuse`` that raises inside the statement, so that nothing of it
remains. Pure; called by ``compiler``.
"""

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_sql import SqlContext, to_sql, to_value_sql
from schemas.compiler.model import MANAGED_FIELDS, SOFT_DELETE_FIELD, AccessEntry, Entity, Field
from schemas.compiler.query.access import Caller, entries_for, forced_values
from schemas.compiler.query.columns import Frame
from schemas.compiler.query.errors import forbidden
from schemas.compiler.query.held_sql import Held
from schemas.compiler.query.rules_sql import RowRules, written
from schemas.compiler.query.write_parts import BODY, ROW_KEY, Change
from schemas.compiler.sql import Claim, Fragment, Slot, join, quote, sql


class Writer:
    """Builds the change of one entity.

    Args:
        frame: the statement's own.
        entity: whose rows change.
        caller: who asks.
        columns: fields the body sets, by their present names.
        hooked: those among them that functions have set.
        each: every row of the body is for one row, by key.
        moves: the write is a transition.
    """

    def __init__(
        self,
        frame: Frame,
        entity: Entity,
        caller: Caller,
        columns: tuple[str, ...],
        hooked: frozenset[str] = frozenset(),
        *,
        each: bool = False,
        moves: bool = False,
    ) -> None:
        self._frame = frame
        self._entity = entity
        self._caller = caller
        self._columns = columns
        self._hooked = hooked
        self._each = each
        self._held = Held(entity, caller, columns, hooked, moves=moves)
        self._table = frame.table(entity.name)
        self._context = SqlContext("t0", frame.namespace, frame.model, "o")
        self._rules = RowRules(entity, self._table, self._context)

    def _set(self, forced: dict[str, Expression]) -> list[Fragment]:
        return [
            sql(f"{quote(name)} = ", self._cast(to_sql(expression, self._context), self._entity.fields[name]))
            for name, expression in forced.items()
        ]

    def update(self, where: list[Fragment], version: Fragment | None = None) -> Change:
        """Return an UPDATE of the rows that meet ``where``, have the version and the caller may change."""
        entries = self._entries("update")
        forced = forced_values(entries)
        body = [name for name in self._columns if name not in forced]
        sets = [sql(f"{quote(name)} = b.{quote(name)}") for name in body]
        sets += [*self._set(forced), *self._touch()]
        if not sets:
            sets = [sql(f"{quote(self._entity.key)} = t0.{quote(self._entity.key)}")]
        where = [*where, *self._may(entries)]
        stale = self._stale(where, version)
        where += [sql('t0."row_version" = ', version)] if version is not None else []
        needs_old = any(rule.uses_old for rule in self._entity.rules) or (
            len(entries) > 1 and any(entry.check is not None or entry.set for entry in entries)
        )
        held = self._held.fields(body)
        needs_old = needs_old or bool(held)
        ctes = [self._body_cte(body, many=self._each)] if body or self._each else []
        sources = ["body b"] if body or self._each else []
        if needs_old:
            key = quote(self._entity.key)
            ctes.append(
                sql(
                    f"o AS MATERIALIZED (SELECT t0.* FROM {self._table} t0 WHERE ",
                    join(" AND ", where),
                    " FOR UPDATE)",
                )
            )
            where = [sql(f"t0.{key} = o.{key}")]
            sources.append("o")
        if self._each:
            where = [*where, sql(f"t0.{quote(self._entity.key)} = b.{quote(ROW_KEY)}")]
        from_ = f" FROM {', '.join(sources)}" if sources else ""
        ctes.append(
            sql(
                f"w AS (UPDATE {self._table} AS t0 SET ",
                join(", ", sets),
                from_,
                " WHERE ",
                join(" AND ", where),
                " RETURNING t0.*)",
            )
        )
        changed = {*body, *forced, *MANAGED_FIELDS}
        refusals = stale + self._checks(entries, "o" if needs_old else None)
        refusals += self._rules.refusals(with_old=needs_old, changed=changed)
        refusals += self._held.refusals(held, self._written("o"))
        return Change(tuple(ctes), tuple(refusals), self._rules.in_process(with_old=True, changed=changed))

    def delete(self, where: list[Fragment], version: Fragment | None = None) -> Change:
        """Return a DELETE, or what marks rows deleted."""
        entries = entries_for(self._entity, "delete", self._caller)
        where = [*where, *self._may(entries)]
        stale = self._stale(where, version)
        where += [sql('t0."row_version" = ', version)] if version is not None else []
        ctes = []
        if self._each:
            ctes = [self._body_cte([], many=True)]
            where += [sql(f"t0.{quote(self._entity.key)} IN (SELECT {quote(ROW_KEY)} FROM body)")]
        condition = join(" AND ", where)
        if self._entity.soft_delete:
            sets = join(", ", [sql('"deleted_at" = now()'), *self._touch()])
            change = sql(
                f"w AS (UPDATE {self._table} AS t0 SET ", sets, " WHERE ", condition, " RETURNING t0.*)"
            )
        else:
            change = sql(f"w AS (DELETE FROM {self._table} AS t0 WHERE ", condition, " RETURNING t0.*)")
        return Change((*ctes, change), tuple(stale))

    # -- parts ------------------------------------------------------------------------------------------

    def _entries(self, verb: str, given: frozenset[str] = frozenset()) -> tuple[AccessEntry, ...]:
        """Return the entries that let the caller write these fields; ``given`` ones only say which row."""
        entries = entries_for(self._entity, verb, self._caller)
        if ours := [name for name in self._columns if self._is_ours(self._entity.fields[name])]:
            raise forbidden(ours)
        asked = set(self._columns) - self._hooked
        allowed = tuple(
            entry for entry in entries if entry.fields is None or asked <= {*entry.fields, *given}
        )
        if not allowed:
            union = {name for entry in entries for name in entry.fields or ()}
            refused = sorted(asked - union) or sorted(asked)
            raise forbidden(refused)
        return allowed

    @staticmethod
    def _is_ours(field: Field) -> bool:
        """Whether nobody but the platform writes a field."""
        return field.virtual or field.generated == "managed" or field.name == SOFT_DELETE_FIELD

    def _stale(self, where: list[Fragment], version: Fragment | None) -> list[Fragment]:
        """Return the refusal of a row that is there, but in another version than the caller has seen."""
        if version is None:
            return []
        condition = join(" AND ", [*where, sql('t0."row_version" <> ', version)])
        return [
            sql(
                f"(SELECT backsaas_api.refuse('BS412', '') FROM {self._table} t0 WHERE ",
                condition,
                " LIMIT 1)",
            )
        ]

    def _body_cte(self, body: list[str], *, many: bool, ragged: bool = False, name: str = "body") -> Fragment:
        if not body and not self._each:
            return sql(f"{name} AS (SELECT FROM jsonb_array_elements(", Slot(BODY, "jsonb"), ") e)")
        types = {one: self._entity.fields[one].pg_type for one in body}
        if self._each:
            types[ROW_KEY] = self._entity.fields[self._entity.key].pg_type
        fields = ", ".join(f"{quote(one)} {pg_type}" for one, pg_type in types.items())
        if ragged:
            rows = sql(
                'SELECT r.*, "?e" AS "?given" FROM jsonb_array_elements(',
                Slot(BODY, "jsonb"),
                f') "?e", jsonb_to_record("?e") AS r({fields})',
            )
        else:
            function = "jsonb_to_recordset" if many else "jsonb_to_record"
            rows = sql(f"SELECT * FROM {function}(", Slot(BODY, "jsonb"), f") AS e({fields})")
        return sql(f"{name} AS (", rows, ")")

    def may(self, verb: str, given: frozenset[str] = frozenset()) -> list[Fragment]:
        """Return the conditions on rows the caller may update or delete with these columns.

        Raises:
            QueryError: 42501 when there is no such row.
        """
        return self._may(
            self._entries(verb, given) if verb == "update" else entries_for(self._entity, verb, self._caller)
        )

    def _may(self, entries: tuple[AccessEntry, ...]) -> list[Fragment]:
        parts: list[Fragment] = [sql('t0."deleted_at" IS NULL')] if self._entity.soft_delete else []
        if all(entry.rule is not None for entry in entries):
            context = SqlContext("t0", self._frame.namespace, self._frame.model)
            parts.append(
                sql(
                    "(",
                    join(
                        " OR ", [to_sql(entry.rule, context) for entry in entries if entry.rule is not None]
                    ),
                    ")",
                )
            )
        return parts

    def _touch(self) -> list[Fragment]:
        if not self._entity.managed:
            return []
        return [
            sql('"updated_at" = now()'),
            sql('"updated_by" = ', Claim(("id",), "text")),
            sql('"row_version" = t0."row_version" + 1'),
        ]

    def _checks(self, entries: tuple[AccessEntry, ...], old: str | None, written: str = "") -> list[Fragment]:
        forced = forced_values(entries)
        loose = [
            {name: value for name, value in entry.set.items() if name not in forced} for entry in entries
        ]
        if any(
            entry.check is None and not sets and (old is None or entry.rule is None)
            for entry, sets in zip(entries, loose, strict=True)
        ):
            return []
        options: list[Fragment] = []
        before = SqlContext(old or "t0", self._frame.namespace, self._frame.model)
        for entry, sets in zip(entries, loose, strict=True):
            parts = [] if entry.check is None else [to_sql(entry.check, self._context)]
            # what an entry sets is what it allows, where another entry kept it from being set
            parts += [
                sql(
                    f"t0.{quote(name)} IS NOT DISTINCT FROM ",
                    self._cast(to_value_sql(value, before), self._entity.fields[name]),
                )
                for name, value in sets.items()
            ]
            if old is not None and entry.rule is not None:
                parts.append(to_sql(entry.rule, before))
            options.append(join(" AND ", parts) if parts else sql("true"))
        allowed = sql("(", join(" OR ", [sql("(", option, ")") for option in options]), ")")
        return [
            sql(
                "(SELECT backsaas_api.refuse('BS403', '') FROM ",
                f"{written} AND NOT " if written else f"{self._written(old)} WHERE NOT ",
                allowed,
                " LIMIT 1)",
            )
        ]

    def _written(self, old: str | None) -> str:
        return written(self._entity, with_old=old is not None)

    @staticmethod
    def _cast(value: Fragment, field: Field) -> Fragment:
        return sql("(", value, f")::{field.pg_type}")
