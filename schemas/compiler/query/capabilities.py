"""What a caller may do with each row: change it, delete it, move it, write which fields.

Decides nothing: it asks of each row what the statements of writes and transitions ask. Whether the values of
a write are accepted is another matter. Pure; called by the operations that tell people what they may.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.model import AccessEntry, Entity, TenantModel
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller, entries_for
from schemas.compiler.query.columns import base_type
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.held_sql import locks
from schemas.compiler.sections.workflow import ALL, Transition, Workflow
from schemas.compiler.sql import Claim, Const, Fragment, Slot, Statement, join, quote, sql, statement

KEYS = 0
"""Slot of the rows' keys."""


class Capabilities(Struct, frozen=True):
    """How to learn it.

    Attributes:
        statement: takes keys in slot ``KEYS``; a row for each of them that is there: ``key``, ``updates``
            (whether each update entry lets the caller), ``deletes``, ``state``, ``moves``.
        fields: what each update entry lets the caller write.
        ways: names of the transitions that are for this caller at all, in the order of ``moves``.
        locks: fields that each state locks.
    """

    statement: Statement
    fields: tuple[tuple[str, ...], ...]
    ways: tuple[str, ...]
    locks: Mapping[str, tuple[str, ...]]

    def told(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the caller may do with a row of the statement's answer."""
        locked = self.locks.get(row["state"] or "", ())
        free = () if ALL in locked else None
        writable = {
            name: None
            for names, holds in zip(self.fields, row["updates"], strict=True)
            if holds
            for name in names
            if free is None and name not in locked
        }
        return {
            "update": bool(writable),
            "delete": row["deletes"],
            "fields": list(writable),
            "transitions": [name for name, may in zip(self.ways, row["moves"], strict=True) if may],
        }


def compile_capabilities(
    model: TenantModel, namespace: str, entity: Entity, principal: Principal
) -> Capabilities:
    """Return how to learn what somebody may do with rows of an entity."""
    caller = Caller(principal.roles, principal.scopes)
    context = SqlContext("t0", namespace, model)
    updates, deletes = _entries(entity, "update", caller), _entries(entity, "delete", caller)
    workflow: Workflow | None = entity.sections.get("workflow")
    ways = {} if workflow is None or not updates else _ways(workflow, caller)
    may = _any(updates, context)
    moves = [
        join(" AND ", [may, *_conditions(entity, workflow, name, way, context, caller)])
        for name, way in ways.items()
        if workflow is not None
    ]
    state = "NULL" if workflow is None else f"t0.{quote(workflow.field)}"
    key = f"t0.{quote(entity.key)}"
    gone = ' AND t0."deleted_at" IS NULL' if entity.soft_delete else ""
    text = sql(
        f"SELECT {key}::text AS key, ", _array(_rule(entry, context) for entry in updates), " AS updates, ",
        _any(deletes, context), f" AS deletes, {state} AS state, ", _array(moves),
        f" AS moves FROM {quote(namespace)}.{quote(entity.name)} t0 WHERE {key} = ANY(",
        Slot(KEYS, f"{base_type(entity.fields[entity.key].pg_type)}[]"), f"){gone}",
    )  # fmt: skip
    return Capabilities(
        statement(text),
        tuple(_writable(entity, entry, workflow) for entry in updates),
        tuple(ways),
        {} if workflow is None else locks(workflow, caller),
    )


def _entries(entity: Entity, verb: str, caller: Caller) -> tuple[AccessEntry, ...]:
    try:
        return entries_for(entity, verb, caller)
    except QueryError:
        return ()


def _ways(workflow: Workflow, caller: Caller) -> dict[str, Transition]:
    return {
        name: way
        for name, way in workflow.transitions.items()
        if not way.roles or SERVICE_ROLE in caller.roles or not caller.roles.isdisjoint(way.roles)
    }


def _conditions(
    entity: Entity, workflow: Workflow, name: str, way: Transition, context: SqlContext, caller: Caller
) -> list[Fragment]:
    field = quote(workflow.field)
    found = [sql(f"t0.{field} = ANY(", Const(way.sources, "text[]"), ")")]
    if way.guard is not None and way.guard.in_sql and not way.guard.uses_old:
        found.append(to_sql(way.guard, context))
    if SERVICE_ROLE in caller.roles:
        return found
    me = Claim(("id",), "text")
    if not way.allow_self and entity.managed:
        found.append(sql('t0."created_by" IS DISTINCT FROM ', me))
    if way.quorum > 1:
        version = 't0."row_version"' if entity.managed else "NULL"
        found.append(
            sql(
                f"NOT EXISTS (SELECT FROM {quote(context.namespace)}.approvals a"
                f" WHERE a.entity = '{entity.name}' AND a.key = t0.{quote(entity.key)}::text"
                f" AND a.transition = '{name}' AND a.outcome = 'waiting' AND a.state = t0.{field}"
                f" AND a.version IS NOT DISTINCT FROM {version} AND a.user_id = ", me, ")",
            )
        )  # fmt: skip
    return found


def _rule(entry: AccessEntry, context: SqlContext) -> Fragment:
    return sql("true") if entry.rule is None else to_sql(entry.rule, context)


def _any(entries: Sequence[AccessEntry], context: SqlContext) -> Fragment:
    rules = [_rule(entry, context) for entry in entries] or [sql("false")]
    return sql("(", join(" OR ", rules), ")")


def _array(parts: Any) -> Fragment:  # noqa: ANN401 - an iterable of fragments
    return sql("ARRAY[", join(", ", [sql("(", part, ")") for part in parts]), "]::boolean[]")


def _writable(entity: Entity, entry: AccessEntry, workflow: Workflow | None) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in entity.fields.values()
        if (entry.fields is None or field.name in entry.fields)
        and not (field.read_only or field.virtual or field.computed is not None or field.generated)
        and field.name not in {entity.key, *(() if workflow is None else (workflow.field,))}
    )
