"""``?explain=access``: why somebody may do something with an entity or a row, or may not; for administrators.

Decides who may ask and about whom. The answer itself is the query compiler's. ``explain`` is asked by the
platform alone; nothing is ever changed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from msgspec.structs import replace

from actors.features.auth import accounts
from actors.features.auth.bodies import read_object, text
from actors.features.auth.principals import SIGNED_IN, principal_of, role_and_included
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from actors.tenant.replies import not_found
from schemas.compiler.principal import ADMIN_ROLE, ANONYMOUS, ANONYMOUS_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller
from schemas.compiler.query.explain import AccessExplanation, explain_access

MAX_WORDS = 30
ASKED = "explain=access"


def is_asked(query: str) -> bool:
    """Whether a query string asks for an explanation; a filter has an operator, so it is none of a column."""
    return ASKED in query.split("&")


async def explain_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """Explain an entity, or one of its rows, to an administrator; ``as`` names another person."""
    if ADMIN_ROLE not in principal.roles:
        raise ProblemError("auth.forbidden", "only admins may ask why")
    name = generation.queries.entity(call.entity, datetime.now(UTC).date()).name
    if not Caller(principal.roles, principal.scopes).reaches(name, "read"):
        raise ProblemError("auth.forbidden", f"the key lacks the scope {name}:read")
    words = dict(parse_qsl(call.query, keep_blank_values=True, max_num_fields=MAX_WORDS))
    further = sorted(words.keys() - {"explain", "as"})
    if further:
        raise ProblemError("PGRST100", f"'{further[0][:63]}' has no place beside {ASKED}")
    about = await _person(generation, words["as"]) if "as" in words else principal
    return await _answer(generation, name, call.key, about)


async def explain(generation: Generation, call: Call, principal: Principal) -> Result:
    """Explain to the platform: of a person, or of a role with claims."""
    if SERVICE_ROLE not in principal.roles:
        raise ProblemError("PGRST125", "there is nothing at this path")
    body = read_object(call)
    user_id, role = text(body, "user_id", most=63), text(body, "role", most=63)
    if bool(user_id) == bool(role):
        raise ProblemError("auth.validation_failed", "either user_id or role says about whom")
    claims = _claims(body)
    if user_id and claims:
        raise ProblemError("auth.validation_failed", "a person has claims already: name a role with them")
    about = await _person(generation, user_id) if user_id else replace(_role(generation, role), claims=claims)
    return await _answer(generation, text(body, "entity", required=True), text(body, "key") or None, about)


async def _answer(generation: Generation, name: str, key: str | None, about: Principal) -> Result:
    now = datetime.now(UTC)
    entity = generation.queries.entity(name, now.date())
    explanation = explain_access(generation.model, generation.identity.namespace, entity, about)
    rules: dict[str, list[bool]] = {}
    told: dict[str, Any] = {
        "entity": explanation.entity,
        "declared": explanation.declared,
        "user": about.id,
        "roles": sorted(about.roles),
    }
    if key is not None:
        statement = explanation.statement
        arguments = statement.arguments((key,), about, now.isoformat())
        row = await in_transaction(
            generation.pool, lambda own: own.fetchrow(statement.text, *arguments), reads=True
        )
        if row is None:
            raise not_found()
        rules = orjson.loads(row["rules"])
        told |= {"key": key, "deleted": row["deleted"]}
    told |= {"verbs": _verbs(explanation, rules), "told": explanation.told(rules)}
    return Result(200, orjson.dumps(told))


def _verbs(explanation: AccessExplanation, rules: Mapping[str, list[bool]]) -> dict[str, list[Any]]:
    """Return the entries of every verb; of a row with what their rules say of it."""
    told: dict[str, list[Any]] = {}
    for verb, entries in explanation.verbs.items():
        holds = rules.get(verb, [])
        told[verb] = [
            {
                "index": entry.index,
                "role": entry.role,
                "mine": entry.mine,
                "rule": entry.rule or None,
                "check": entry.check or None,
                "fields": list(entry.fields),
                **({"holds": holds[entry.index]} if entry.index < len(holds) else {}),
            }
            for entry in entries
        ]
    return told


async def _person(generation: Generation, user_id: str) -> Principal:
    """Return a person as after a complete sign-in, second factor included."""
    if generation.realm is None:
        raise ProblemError("auth.user_not_found", "there are no accounts here")

    async def work(session: Session) -> Principal | None:
        account = await accounts.find(session, generation, user_id)
        return None if account is None else await principal_of(session, generation, account, "", "aal2")

    found = await generation.realm.store.transaction(work, reads=True)
    if found is None:
        raise ProblemError("auth.user_not_found", "there is no such person here")
    return found


def _claims(body: Mapping[str, Any]) -> dict[str, object]:
    """Return the claims to imagine."""
    claims = body.get("claims") or {}
    if not isinstance(claims, dict) or len(claims) > MAX_WORDS:
        raise ProblemError("auth.validation_failed", f"'claims' is an object of at most {MAX_WORDS} values")
    for name, value in claims.items():
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int | float | bool) for one in listed):
            raise ProblemError(
                "auth.validation_failed", f"the claim '{name[:63]}' is no value or list of values"
            )
    return claims


def _role(generation: Generation, role: str) -> Principal:
    if role == ANONYMOUS_ROLE:
        return ANONYMOUS
    included = role_and_included(generation, role)
    if not included and role not in SIGNED_IN:
        raise ProblemError("auth.validation_failed", f"the tenant's file has no role '{role}'")
    return Principal(roles=SIGNED_IN | included)


OPERATIONS: Mapping[str, Any] = {"explain": explain}
