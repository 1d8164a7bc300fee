"""What every shape of the language can do: check a node, build its value, print itself as JSON Schema.

Decides how a wrong kind of value is reported. A shape never knows where in the language it is used.
"""

from typing import Any

from typing_extensions import override

from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, plain
from schemas.compiler.scope import Scope

JsonSchema = dict[str, Any]


class Definitions:
    """The ``$defs`` of the language's JSON Schema, filled while shapes print themselves."""

    def __init__(self) -> None:
        self.schemas: dict[str, JsonSchema] = {}


class Shape:
    """One form of value.

    Attributes:
        expects: the form in words, with its article, for messages and the reference.
    """

    expects = "a value"

    def check(self, node: Node, findings: Findings) -> Node | None:
        """Return the node as ``build`` wants it, or None after reporting why it is refused."""
        raise NotImplementedError

    def build(self, node: Node, scope: Scope) -> Any:  # noqa: ANN401 - each form has its own
        """Return the value of a checked node; names and expressions in it are checked against the scope."""
        return plain(node)

    def schema(self, definitions: Definitions) -> JsonSchema:
        """Return the JSON Schema of this form, for editors."""
        raise NotImplementedError

    def parts(self) -> "tuple[Shape, ...]":
        """Return the forms this one is made of, for the reference."""
        return ()

    def wrong_kind(self, node: Node, findings: Findings, hint: str = "") -> None:
        """Report that the node is no such form."""
        findings.error("language.type", f"expected {self.expects}, found {kind_of(node)}", node, hint)


def kind_of(node: Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, Mapping):
        return "a map"
    if isinstance(node, Sequence):
        return "a list"
    return _kind_of_scalar(node)


def _kind_of_scalar(node: Scalar) -> str:
    match node.value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {node.text}"
        case int() | float():
            return f"the number {node.text}"
        case _:
            text = node.text if len(node.text) <= 40 else node.text[:37] + "..."
            return f"the text '{text}'"


class AnyValue(Shape):
    """Any value JSON can hold: a literal, or the configuration of a function."""

    expects = "any value"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        """Accept everything; the loader has refused what JSON cannot hold."""
        return node

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        """Return the schema that accepts everything."""
        return {}
