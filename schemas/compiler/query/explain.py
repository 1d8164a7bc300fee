"""Why a caller may do something with a row, or may not: the access entries one by one.

Decides how entries are numbered and told apart: by verb and place, those of ``write`` after the verb's own.
It grants nothing and is shown to administrators only. Pure; called by the operation that explains access.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.model import AccessEntry, Entity, TenantModel
from schemas.compiler.principal import ADMIN_ROLE, Principal
from schemas.compiler.query.access import Caller
from schemas.compiler.query.columns import base_type
from schemas.compiler.sql import Fragment, Slot, Statement, join, quote, sql, statement

VERBS = ("read", "create", "update", "delete")
KEY = 0
"""Slot of the row's key."""


class ExplainedEntry(Struct, frozen=True):
    """One access entry before one caller.

    Attributes:
        index: its place among the entries of its verb.
        mine: the caller has its role.
        rule, check: CEL as written; "" for none.
        fields: those it shows, or lets the caller write.
    """

    index: int
    role: str
    mine: bool
    rule: str
    check: str
    fields: tuple[str, ...]


class AccessExplanation(Struct, frozen=True):
    """What a caller may do with an entity.

    Attributes:
        declared: False where the entity has no ``access``: only ``admin`` may.
        verbs: the entries of every verb.
        lacking: verbs that the scopes of the caller's key leave out.
        statement: takes the key in slot ``KEY``; its columns are ``rules``, a JSON object of verb -> whether
            the rule of each entry holds, and ``deleted``. It answers without a row when there is none.
    """

    entity: str
    declared: bool
    verbs: Mapping[str, tuple[ExplainedEntry, ...]]
    lacking: frozenset[str]
    statement: Statement

    def told(self, rules: Mapping[str, Sequence[bool]]) -> list[str]:
        """Return a line for each verb.

        Args:
            rules: what the statement answered for a row; empty to speak of no row.
        """
        return [f"{verb}: {self._of(verb, rules.get(verb, ()))}" for verb in self.verbs]

    def _of(self, verb: str, holds: Sequence[bool]) -> str:
        if verb in self.lacking:
            return f"the key lacks the scope {self.entity}:{verb}"
        said = [_said(entry, holds) for entry in self.verbs[verb]]
        return "; ".join(said) or "nobody may"


def explain_access(
    model: TenantModel, namespace: str, entity: Entity, principal: Principal
) -> AccessExplanation:
    """Return which access entries are for a caller, and how to learn which of their rules hold for a row."""
    access = entity.access
    implied = (AccessEntry(ADMIN_ROLE, aggregate=True),)
    entries: dict[str, tuple[AccessEntry, ...]] = {
        verb: getattr(access, verb) if access.declared else implied for verb in VERBS
    }
    caller = Caller(principal.roles, principal.scopes)
    return AccessExplanation(
        entity.name,
        access.declared,
        {
            verb: tuple(
                _explained(entity, verb, index, entry, principal) for index, entry in enumerate(found)
            )
            for verb, found in entries.items()
        },
        frozenset(verb for verb in VERBS if not caller.reaches(entity.name, verb)),
        _statement(model, namespace, entity, entries),
    )


def _explained(
    entity: Entity, verb: str, index: int, entry: AccessEntry, principal: Principal
) -> ExplainedEntry:
    names = [
        field.name
        for field in entity.fields.values()
        if (entry.fields is None or field.name in entry.fields)
        and field.name not in entry.hide
        and not (field.write_only if verb == "read" else field.virtual or field.generated == "managed")
    ]
    return ExplainedEntry(
        index,
        entry.role,
        entry.role in principal.roles,
        "" if entry.rule is None else entry.rule.text,
        "" if entry.check is None else entry.check.text,
        () if verb == "delete" else tuple(names),
    )


def _statement(
    model: TenantModel, namespace: str, entity: Entity, entries: Mapping[str, tuple[AccessEntry, ...]]
) -> Statement:
    context = SqlContext("t0", namespace, model)
    parts: list[Fragment] = []
    for verb, found in entries.items():
        rules = [sql("true") if entry.rule is None else to_sql(entry.rule, context) for entry in found]
        parts.append(sql(f"'{verb}', json_build_array(", join(", ", rules), ")"))
    deleted = 't0."deleted_at" IS NOT NULL' if entity.soft_delete else "false"
    key = Slot(KEY, base_type(entity.fields[entity.key].pg_type))
    return statement(
        sql(
            "SELECT json_build_object(",
            join(", ", parts),
            f")::text AS rules, {deleted} AS deleted FROM {quote(namespace)}.{quote(entity.name)} t0"
            f" WHERE t0.{quote(entity.key)} = ",
            key,
        )
    )


def _said(entry: ExplainedEntry, holds: Sequence[bool]) -> str:
    name = f"entry {entry.index} (role {entry.role})"
    if not entry.mine:
        return f"{name}: not your role"
    if not entry.rule:
        outcome = "every row" if not entry.check else ""
    elif len(holds) > entry.index:
        outcome = f"rule `{entry.rule}` {'holds' if holds[entry.index] else 'does not hold'}"
    else:
        outcome = f"where `{entry.rule}`"
    after = f"the row must then meet `{entry.check}`" if entry.check else ""
    return f"{name}: {', '.join(part for part in (outcome, after) if part)}"
