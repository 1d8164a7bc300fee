"""A row's own rules, judged by the statement that writes it.

Decides which rules a write can break at all. Pure; used by ``write_sql`` and ``insert_sql``.
"""

from collections.abc import Iterable

from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.model import Entity, Rule
from schemas.compiler.query.ratchet import watched
from schemas.compiler.sql import Fragment, join, quote, sql


class RowRules:
    """The rules of one entity's rows.

    Args:
        entity: whose.
        table: its table, quoted.
        context: of a row that was written (``t0``) and the row before (``o``).
    """

    def __init__(self, entity: Entity, table: str, context: SqlContext) -> None:
        self._entity, self._table, self._context = entity, table, context

    def refusals(self, *, with_old: bool, changed: Iterable[str] | None = None) -> list[Fragment]:
        """Return one refusal naming every broken rule and the key of a row that breaks it.

        Args:
            with_old: there is ``o``, the rows before.
            changed: fields set in rows that are there; None when all rows are new.
        """
        parts: list[Fragment] = []
        for index, rule in enumerate(self._entity.rules):
            if (rule.uses_old and not with_old) or not rule.rule.in_sql or self._spares(rule, changed):
                continue
            broken = sql("NOT ", to_sql(rule.rule, self._context))
            names = watched(self._entity, rule) if changed is not None else ()
            if names:
                broken = sql(broken, " AND ", self._differs(names))
            parts.append(
                sql(
                    f"SELECT {index} AS rule, t0.{quote(self._entity.key)}::text AS key FROM ",
                    written(self._entity, with_old=rule.uses_old),
                    " WHERE ",
                    broken,
                )
            )
        if not parts:
            return []
        return [
            sql(
                "(SELECT backsaas_api.refuse('BS422', json_agg(v)::text) FROM (",
                join(" UNION ALL ", parts),
                ") v HAVING count(*) > 0)",
            )
        ]

    def _spares(self, rule: Rule, changed: Iterable[str] | None) -> bool:
        """Whether a write leaves alone what a rule is about."""
        names = watched(self._entity, rule)
        return bool(names) and changed is not None and names.isdisjoint(changed)

    def _differs(self, names: Iterable[str]) -> Fragment:
        """Return the condition that a row is new, or that one of these was another value before.

        The table shows the rows as they were when the statement began; only a broken rule looks there.
        """
        key = quote(self._entity.key)
        same = " AND ".join(
            f"x.{quote(name)} IS NOT DISTINCT FROM t0.{quote(name)}" for name in sorted(names)
        )
        return sql(f"(SELECT {same} FROM {self._table} x WHERE x.{key} = t0.{key}) IS NOT TRUE")

    def in_process(self, *, with_old: bool, changed: Iterable[str] | None = None) -> tuple[Rule, ...]:
        """Return the rules left to the process; arguments as for ``refusals``."""
        return tuple(
            rule
            for rule in self._entity.rules
            if not rule.rule.in_sql and (with_old or not rule.uses_old) and not self._spares(rule, changed)
        )


def written(entity: Entity, *, with_old: bool) -> str:
    """Return the FROM item with the rows that were written, and the rows before."""
    key = quote(entity.key)
    return f"w t0 JOIN o ON o.{key} = t0.{key}" if with_old else "w t0"
