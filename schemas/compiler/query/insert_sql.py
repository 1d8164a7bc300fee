"""INSERT and upsert: what every row of the body becomes, and what happens to the row that is already there.

Decides that an upsert needs the rights of both creating and updating, and that each row is checked by what
happened to it. Pure; called by ``write_statement``.
"""

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_sql import SqlContext, to_sql, to_value_sql
from schemas.compiler.model import MANAGED_FIELDS, AccessEntry
from schemas.compiler.query.access import forced_values
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.write_parts import INSERTED, Change
from schemas.compiler.query.write_sql import Writer
from schemas.compiler.sql import Claim, Fragment, join, quote, sql


class Inserter(Writer):
    """Builds the change of rows that may be new."""

    def insert(self, *, ragged: bool = False) -> Change:
        """Return an INSERT; ``ragged`` rows have their own fields each, and defaults for what they miss."""
        source, body, refusals = self._insert(ragged=ragged)
        ctes = (self._given(body, ragged=ragged), sql("w AS (", source, " RETURNING t0.*)"))
        return Change(ctes, tuple(refusals), self._rules.in_process(with_old=False))

    def upsert(
        self, conflict: tuple[str, ...], *, merge: bool, whole: bool, ragged: bool, version: Fragment | None
    ) -> Change:
        """Return an INSERT that leaves alone, merges into or (``whole``) replaces the rows that are there.

        Args:
            conflict: the unique fields that decide whether a row is there.
            merge: change the row that is there, else skip it.
            whole: fields the body does not name go back to their defaults.
            ragged: rows have their own fields each.
            version: what the row must have, None for any.
        """
        entity = self._entity
        mine = self._filled(self._creating())
        if not set(conflict) <= {*self._columns, *mine}:
            return self.insert(ragged=ragged)  # nothing says which row it would be
        source, body, refusals = self._insert(ragged=ragged)
        target = ", ".join(map(quote, conflict))
        entries = self._entries("update", frozenset({*conflict, entity.key})) if merge else ()
        forced = forced_values(entries) if merge else {}
        fixed = {*conflict, entity.key, *mine, *forced}
        reset = [*self._resettable(entries), *sorted(self._hooked)] if whole else body
        names = [name for name in dict.fromkeys(reset) if name not in fixed]
        # what is set only for new rows is the caller's to say of the row that is there
        given = [name for name in self._columns if name in mine and name not in {*forced, *conflict}]
        same = [sql(f"t0.{quote(name)} = ", self._own(name, mine, ragged=ragged)) for name in conflict]
        sets = [sql(f"{quote(name)} = EXCLUDED.{quote(name)}") for name in names]
        sets += [
            sql(
                f"{quote(name)} = (SELECT ",
                self._own(name, {}, ragged=ragged),
                " FROM body b WHERE ",
                join(" AND ", same),
                ")",
            )
            for name in given
        ]
        sets += [*self._set(forced), *self._touch()]
        if not sets:
            sets = [sql(f"{quote(entity.key)} = t0.{quote(entity.key)}")]  # it is there, and answered
        if not merge:
            clause = sql(source, f" ON CONFLICT ({target}) DO NOTHING RETURNING t0.*")
            return Change((self._given(body, ragged=ragged), sql("w AS (", clause, ")")), tuple(refusals))
        body += given
        old = sql(
            f"o AS MATERIALIZED (SELECT t0.* FROM {self._table} t0 JOIN body b ON ",
            join(" AND ", same),
            " FOR UPDATE OF t0)",
        )
        # reading o first: once this statement has changed a row, it could no longer be locked
        clause = sql(
            source,
            f" WHERE (SELECT count(*) FROM o) >= 0 ON CONFLICT ({target}) DO UPDATE SET ",
            join(", ", sets),
        )
        may = self._may(entries)
        if may:
            # a row out of the caller's reach must be refused, not skipped in silence
            guard = sql(
                " WHERE CASE WHEN ",
                join(" AND ", may),
                " THEN true ELSE backsaas_api.refuse('BS403', '') END",
            )
            clause = sql(clause, guard)
        refusals = [
            *self._checks(self._creating(), None, f"w t0 WHERE {self._was('NOT')}"),
            *self._checks(entries, "o"),
            *self._rules.refusals(with_old=True, changed=[*names, *given, *forced, *MANAGED_FIELDS]),
            *self._held.refusals(self._held.fields(names + given), self._written("o")),
            *self._held.beginnings(f"w t0 WHERE {self._was('NOT')} AND"),
        ]
        if version is not None:
            key = quote(entity.key)
            refusals.append(
                sql(
                    f"(SELECT backsaas_api.refuse('BS412', '') FROM body b WHERE NOT EXISTS"
                    f" (SELECT 1 FROM o WHERE o.{key} = b.{key}"
                    ' AND o."row_version" = ', version, ") LIMIT 1)",
                )
            )  # fmt: skip
        ctes = (
            self._given(body, ragged=ragged),
            old,
            sql("w AS (", clause, f" RETURNING t0.*, t0.xmax = 0 AS {INSERTED})"),
        )
        return Change(ctes, tuple(refusals), self._rules.in_process(with_old=True), merges=True)

    def _given(self, names: list[str], *, ragged: bool) -> Fragment:
        """Return the rows of the body; with every field, where a value set for new rows reads some."""
        if not any(value.names for value in self._filled(self._creating()).values()):
            return self._body_cte(names, many=True, ragged=ragged)
        fields = [field for field in self._entity.fields.values() if not field.virtual]
        values = [
            sql(
                self._own(field.name, {}, ragged=ragged)
                if field.name in self._columns
                else sql("NULL")
                if field.default is None
                else to_value_sql(field.default, self._context),
                f"::{field.pg_type} AS {quote(field.name)}",
            )
            for field in fields
        ]
        if ragged:
            values.append(sql('b."?given"'))
        rows = self._body_cte([*self._columns], many=True, ragged=ragged, name="given")
        return sql(rows, ", body AS (SELECT ", join(", ", values), " FROM given b)")

    def _creating(self) -> tuple[AccessEntry, ...]:
        """Return the entries that let the caller create such rows; every new row has a key."""
        return self._entries("create", frozenset({self._entity.key}))

    def _was(self, negation: str) -> str:
        key = quote(self._entity.key)
        return f"{negation} EXISTS (SELECT 1 FROM o WHERE o.{key} = t0.{key})"

    def _resettable(self, entries: tuple[AccessEntry, ...]) -> list[str]:
        """Return the fields that a whole new row sets: those that every entry lets the caller write."""
        return [
            field.name
            for field in self._entity.fields.values()
            if not (self._is_ours(field) or field.read_only or field.generated)
            and (not (field.write_only or field.name == self._held.field) or field.name in self._columns)
            and all(entry.fields is None or field.name in entry.fields for entry in entries)
        ]

    def _insert(self, *, ragged: bool) -> tuple[Fragment, list[str], list[Fragment]]:
        """Return the INSERT up to its source, the fields taken from the body, and its refusals."""
        entity = self._entity
        entries = self._creating()
        forced = self._filled(entries)
        body = [name for name in self._columns if name not in forced]
        targets = [*body, *forced]
        values = [self._own(name, forced, ragged=ragged) for name in targets]
        for field in entity.fields.values():
            if field.name in targets or field.virtual:
                continue
            if field.default is not None and not field.default.constant:
                targets.append(field.name)
                values.append(self._cast(to_sql(field.default, self._context), field))
        if entity.managed:
            for name in ("created_by", "updated_by"):
                if name not in targets:
                    targets.append(name)
                    values.append(sql(Claim(("id",), "text")))
        if not targets:
            # nothing is given: name a field all the same, for one row per row of the body
            key = entity.fields[entity.key]
            spare = next(
                (field for field in entity.fields.values() if field is not key and not field.virtual), key
            )
            if spare.generated:
                raise QueryError("PGRST102", "an empty row")
            targets = [spare.name]
            given = sql("NULL") if spare.default is None else to_value_sql(spare.default, self._context)
            values = [self._cast(given, spare)]
        source = sql(
            f"INSERT INTO {self._table} AS t0 ({', '.join(map(quote, targets))}) SELECT ",
            join(", ", values),
            " FROM body b",
        )
        refusals = self._checks(entries, None) + self._rules.refusals(with_old=False)
        return source, body, refusals + self._held.beginnings("w t0 WHERE")

    def _filled(self, entries: tuple[AccessEntry, ...]) -> dict[str, Expression]:
        """Return the values set for a new row: what every entry sets, and what one does and nobody gave."""
        filled = forced_values(entries)
        for entry in entries:
            for name, expression in entry.set.items():
                if name not in self._columns:
                    filled.setdefault(name, expression)
        return filled

    def _own(self, name: str, forced: dict[str, Expression], *, ragged: bool) -> Fragment:
        """Return a field of a row of the body: forced, given, or by default."""
        field = self._entity.fields[name]
        if name in forced:
            return self._cast(
                to_sql(forced[name], SqlContext("b", self._frame.namespace, self._frame.model)), field
            )
        if not ragged or field.default is None:
            return sql(f"b.{quote(name)}")
        default = self._cast(to_value_sql(field.default, self._context), field)
        return sql(f"CASE WHEN b.\"?given\" ? '{name}' THEN b.{quote(name)} ELSE ", default, " END")
