"""``rules``: what must hold for a row that is written, with the keys Kubernetes uses.

Decides the form of a rule and of its message. Rules are run by the write pipeline.
"""

from typing import Any

from typing_extensions import override

from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, Text
from schemas.compiler.grammar.slots import Cel
from schemas.compiler.model import Rule
from schemas.compiler.nodes import Mapping, Node, plain
from schemas.compiler.scope import Scope

REASONS = {
    "FieldValueInvalid": "the value is not allowed; the default",
    "FieldValueForbidden": "the field may not be set in this state",
    "FieldValueRequired": "the value is missing",
    "FieldValueDuplicate": "the value is there already",
}


class RuleRecord(Record):
    """One rule; ``fieldPath`` must begin with a field."""

    @override
    def build(self, node: Node, scope: Scope) -> Rule:
        values: dict[str, Any] = super().build(node, scope)
        rule = values["rule"]
        path: str = values.get("fieldPath", "")
        place = node.get("fieldPath") if isinstance(node, Mapping) else None
        if place is not None:
            scope.find_field(place, str(plain(place)).lstrip(".").split(".")[0].split("[")[0])
        return Rule(
            rule,
            values.get("message", {}),
            values.get("messageExpression"),
            values.get("reason", "FieldValueInvalid"),
            path.lstrip("."),
            uses_old=rule is not None and rule.uses_old and not values.get("optionalOldSelf", False),
        )


RULES = Many(
    RuleRecord(
        "rule",
        "A condition every written row must meet; one that names oldSelf is skipped on create.",
        {
            "rule": Key(Cel(Use("a rule", old=True)), "CEL that must be true.", required=True),
            "message": Key(Titles(), "What to tell the caller."),
            "messageExpression": Key(Cel(Use("a message", "text", old=True)), "CEL that makes the message."),
            "reason": Key(Choice(REASONS, "a reason"), "Machine-readable kind of refusal."),
            "fieldPath": Key(
                Text("a field path", pattern=r"\.?[A-Za-z_][A-Za-z0-9_.\[\]]*", examples=(".due_on",)),
                "Field the refusal points at.",
            ),
            "optionalOldSelf": Key(BOOLEAN, "Run on create too, with oldSelf absent."),
        },
        shorthand="rule",
        suggest={"check": "write rule: ...", "expression": "write rule: ..."},
    ),
    "rules such as {rule: self.net > 0, message: ...}",
    most=100,
)
