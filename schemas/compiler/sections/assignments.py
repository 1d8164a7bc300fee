"""``set``: values by field, each a literal that fits the field or a CEL expression.

Decides when a text is a literal and when it is an expression. Used by access entries and for defaults.
"""

from typing import Any

from typing_extensions import override

from schemas.compiler.expressions.celtypes import STRING
from schemas.compiler.expressions.check import literal_expression
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.containers import Keyed
from schemas.compiler.grammar.slots import Cel
from schemas.compiler.model import Field
from schemas.compiler.names import FIELD_PATTERN
from schemas.compiler.nodes import Node, Scalar, pairs
from schemas.compiler.scope import Scope


class Assignments(Keyed):
    """A map of CEL expressions by field."""

    def __init__(self) -> None:
        super().__init__("forced value", Cel(Use("a forced value", "any", "either")), pattern=FIELD_PATTERN)
        self.expects = "a map of CEL expressions by field"

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Expression]:
        built: dict[str, Any] = {}
        for key, value in pairs(node):
            field = scope.find_field(key, key.text)
            if field is None or not isinstance(value, Scalar):
                continue
            if field.computed is not None or field.generated == "managed":
                scope.findings.error("reference.not_writable", f"'{key.text}' is set by the server", key)
            expression = assigned(value, field, scope, "a forced value")
            if expression is not None:
                built[key.text] = expression
        return built


def assigned(value: Scalar, field: Field, scope: Scope, says: str) -> Expression | None:
    """Compile what a field is set to: an enum word is a literal, everything else CEL of the field's type."""
    words = field.schema.get("enum", ())
    use = Use(says, field, "either", row=True)
    if value.text in words and isinstance(value.value, str):
        return literal_expression(value.text, STRING)
    return scope.expression(value, use)
