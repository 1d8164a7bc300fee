"""The file's ``auth.claims``: values of a person's users row that rules and tokens may say.

Decides nothing; it evaluates the compiled expressions, in SQL where they can be said there.
"""

from typing import TYPE_CHECKING, Any

import orjson

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.store import Session
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.principal import Principal
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sql import Claim, Statement, join, quote, sql, statement

if TYPE_CHECKING:
    from actors.tenant.generation import Generation


async def claims_of(session: Session, generation: "Generation", account: Account) -> dict[str, Any]:
    """Return a person's claims by name; text, number, bool, list or None."""
    declared = accounts.settings_of(generation).claims
    if not declared:
        return {}
    now = accounts.realm_of(generation).services.now()
    found: dict[str, Any] = {}
    prepared = _statement(generation)
    if prepared is not None:
        arguments = prepared.arguments((), Principal(account.id, account.email), now.isoformat())
        row = await session.row(prepared.text, *arguments)
        found = orjson.loads(row[0]) if row else {}
    env = Env(self=account.row, now=now, timezone=generation.model.timezone)
    for name, expression in declared.items():
        if not expression.in_sql:
            found[name] = to_python(expression)(env)
    return found


def _statement(generation: "Generation") -> Statement | None:
    model, namespace = generation.model, generation.identity.namespace
    context = SqlContext("t0", namespace, model)
    parts = [
        sql(f"'{name}', ", to_sql(expression, context))
        for name, expression in accounts.settings_of(generation).claims.items()
        if expression.in_sql
    ]
    if not parts:
        return None
    key = quote(model.entities[USERS].key)
    return statement(
        sql(
            "SELECT json_build_object(",
            join(", ", parts),
            f")::text FROM {quote(namespace)}.{quote(USERS)} t0 WHERE t0.{key}::text = ",
            Claim(("id",), "text"),
        )
    )
