"""What a row's own rules say when one is broken, and those few rules that only the process can judge.

Nearly every rule is part of the statement, which names it when it is broken; the file has the words. A rule
that asks for more than the row (``request.method``) is judged here, on the rows as they were written, before
they are committed. Called by ``operations``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError
from actors.tenant.generation import Generation
from actors.tenant.pipeline import Write
from schemas.compiler.expressions.to_python import Env, Row, to_python
from schemas.compiler.model import Entity, Rule
from schemas.compiler.principal import Principal
from schemas.compiler.query.values import decode_json
from schemas.compiler.sql import quote

_REFUSED = "rule.violated"


def explained(entity: Entity, error: ProblemError) -> ProblemError:
    """Return a refusal by the statement's rules in the rules' own words; any other one as it is."""
    if error.code != _REFUSED or error.errors:
        return error
    try:
        found: list[dict[str, Any]] = orjson.loads(error.message)
    except orjson.JSONDecodeError:
        return error
    numbers = sorted({int(item["rule"]) for item in found})
    return refusal([(entity.rules[number], words(entity.rules[number])) for number in numbers])


async def rows_before(
    generation: Generation, call: Call, write: Write, connection: TenantConnection
) -> Mapping[str, Row]:
    """Return the rows a write is about to change, by key, when a rule wants to compare; and hold them.

    Raises:
        ProblemError: the rows are named by a filter only.
    """
    if call.method not in {"PATCH", "PUT"} or not any(
        rule.rule.uses_old for rule in write.prepared.process_rules
    ):
        return {}
    if call.key is None:
        raise ProblemError(
            "write.refused",
            f"rows of {write.entity.name} are changed one by one, because of a rule that compares them",
            hint=f"use {call.base}/{write.entity.name}/{{id}}",
        )
    return await _rows(generation, write.entity, [call.key], connection, "FOR UPDATE")


async def judge(
    generation: Generation,
    call: Call,
    principal: Principal,
    write: Write,
    before: Mapping[str, Row],
    now: datetime,
    connection: TenantConnection,
) -> None:
    """Judge the rows a write has written by the rules the statement could not hold.

    Raises:
        ProblemError: rule.violated.
    """
    model, entity = generation.model, write.entity
    keys = (
        [str(row[entity.key]) for row in write.rows if entity.key in row] if call.key is None else [call.key]
    )
    known = bool(keys) and (call.key is not None or (call.method == "POST" and len(keys) == len(write.rows)))
    written = await _rows(generation, entity, keys if known else None, connection, "")
    broken: list[tuple[Rule, str]] = []
    for rule in write.prepared.process_rules:
        holds = to_python(rule.rule)
        for key, row in written.items():
            env = Env(
                row,
                before.get(key),
                principal,
                {"slug": model.slug},
                now,
                {"method": call.method},
                timezone=model.timezone,
            )
            if not holds(env):
                said = to_python(rule.message_expression)(env) if rule.message_expression else None
                broken.append((rule, said if isinstance(said, str) else words(rule)))
                break
    if broken:
        raise refusal(broken)


def refusal(broken: list[tuple[Rule, str]]) -> ProblemError:
    """Return one refusal for all broken rules."""
    errors = tuple({"pointer": pointer(rule), "code": rule.reason, "detail": text} for rule, text in broken)
    return ProblemError(_REFUSED, "; ".join(text for _, text in broken) or "a rule is not met", errors=errors)


def words(rule: Rule) -> str:
    """Return what a rule tells the caller."""
    message = rule.message.get("en") or next(iter(rule.message.values()), "")
    return message or f"the rule '{rule.rule.text}' is not met"


def pointer(rule: Rule) -> str:
    """Return the JSON pointer of the field a rule is about."""
    path = rule.field_path.replace("[", ".").replace("]", "")
    return "/" + "/".join(part for part in path.split(".") if part) if path else ""


async def _rows(
    generation: Generation, entity: Entity, keys: list[str] | None, connection: TenantConnection, lock: str
) -> dict[str, Row]:
    """Return whole rows by key: those named, or all that this transaction has written."""
    table = f"{quote(generation.identity.namespace)}.{quote(entity.name)}"
    column, arguments = f"t.{quote(entity.key)}", [keys] if keys is not None else []
    which = (
        f"{column} = ANY($1::text[]::{entity.fields[entity.key].pg_type}[])"
        if keys is not None
        # keys the server numbers, or rows named by a filter: no index helps, but such rules are rare
        else "t.xmin = pg_current_xact_id()::xid"
    )
    found = await connection.fetch(
        f"SELECT {column}::text, to_jsonb(t)::text FROM {table} t WHERE {which} {lock}",  # noqa: S608 - the model's names
        *arguments,
    )
    return {key: decode_json(text.encode()) for key, text in found}
