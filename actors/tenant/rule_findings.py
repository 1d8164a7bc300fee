"""The rules a refused row breaks besides, so that all that is wrong with it is said at once.

Decides only what can be decided in process: the statement, which judges the rest, is not run for such a row.
Called by ``before``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from actors.messages import Call
from actors.tenant.bodies import Row
from actors.tenant.generation import Generation
from actors.tenant.rules import pointer, words
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.model import Entity
from schemas.compiler.principal import Principal
from schemas.compiler.query.ratchet import watched


def rule_findings(
    generation: Generation,
    call: Call,
    principal: Principal,
    entity: Entity,
    rows: Sequence[tuple[str, Row, Row | None]],
    known: Sequence[dict[str, Any]],
    now: datetime,
) -> list[dict[str, Any]]:
    """Return one finding per broken rule and row.

    Args:
        generation: the tenant.
        call: the request.
        principal: who asks.
        entity: of the rows.
        rows: pointer, row as it would be, row before.
        known: findings so far; rules about those fields have nothing to add.
        now: the request's time.
    """
    model = generation.model
    bad = [str(one.get("pointer", "")) for one in known]
    found: list[dict[str, Any]] = []
    for place, row, old in rows:
        env = Env(
            row,
            old,
            principal,
            {"slug": model.slug},
            now,
            {"method": call.method},
            timezone=model.timezone,
        )
        for rule in entity.rules:
            if not rule.rule.in_process or (rule.uses_old and old is None):
                continue
            about = watched(entity, rule) if old is not None else ()
            if about and old is not None and all(row.get(name) == old.get(name) for name in about):
                continue  # as right or wrong as it was
            if any(f"{place}/{name.partition('.')[0]}" in bad for name in rule.rule.names):
                continue
            if to_python(rule.rule)(env) is not True:
                found.append(
                    {"pointer": f"{place}{pointer(rule)}", "code": rule.reason, "detail": words(rule)}
                )
    return found
