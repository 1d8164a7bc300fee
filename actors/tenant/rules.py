"""What a row's own rules say when one is broken: the statement names the rule, the file has the words.

Decides the text and the field of a refusal. Called by ``operations``.
"""

from typing import Any

import orjson

from actors.messages import ProblemError
from schemas.compiler.model import Entity, Rule

_REFUSED = "rule.violated"


def explained(entity: Entity, error: ProblemError) -> ProblemError:
    """Return a refusal by rules with the rules' own words; any other one as it is."""
    if error.code != _REFUSED:
        return error
    try:
        found: list[dict[str, Any]] = orjson.loads(error.message)
    except orjson.JSONDecodeError:
        return error
    numbers = sorted({int(item["rule"]) for item in found})
    named = [entity.rules[number] for number in numbers if number < len(entity.rules)]
    errors = tuple({"pointer": pointer(rule), "code": rule.reason, "detail": words(rule)} for rule in named)
    return ProblemError(
        _REFUSED, "; ".join(words(rule) for rule in named) or "a rule is not met", errors=errors
    )


def words(rule: Rule) -> str:
    """Return what a rule tells the caller."""
    message = rule.message.get("en") or next(iter(rule.message.values()), "")
    return message or f"the rule '{rule.rule.text}' is not met"


def pointer(rule: Rule) -> str:
    """Return the JSON pointer of the field a rule is about."""
    path = rule.field_path.replace("[", ".").replace("]", "")
    return "/" + "/".join(part for part in path.split(".") if part) if path else ""
