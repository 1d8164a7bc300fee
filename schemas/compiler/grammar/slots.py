"""Forms whose values are names and expressions: checked against the rest of the file when they are built.

Decides nothing about where a name is looked up; ``scope`` does. A slot takes part in renames: it follows or
is refused.
"""

from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import Findings, did_you_mean, nearest
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.scalars import Text
from schemas.compiler.grammar.shape import Definitions, JsonSchema, Shape
from schemas.compiler.nodes import Node, Scalar, plain
from schemas.compiler.scope import Scope

MAX_EXPRESSION = 4000
BUILT_IN_FUNCTIONS = {
    "send_email": "send a mail from a template",
    "webhook": "tell an address",
    "http_request": "call an address and use its answer",
    "publish_event": "publish an event",
    "set_fields": "set fields of the row",
    "create_record": "create a row of an entity",
    "validate_email": "refuse an address that cannot receive mail",
    "validate_price": "refuse a negative or badly rounded price",
    "require_role": "refuse callers without a role",
    "generate_slug": "make a URL-safe name from another field",
    "filter_rows": "show only rows for which its condition holds",
}


class Cel(Shape):
    """A CEL expression."""

    def __init__(self, use: Use) -> None:
        self.use = use
        self.expects = "a CEL expression"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Scalar) or node.value is None:
            hint = "quote an expression that holds , : [ ] { or }" if not isinstance(node, Scalar) else ""
            self.wrong_kind(node, findings, hint)
            return None
        if len(node.text) > MAX_EXPRESSION or not node.text.strip():
            findings.error(
                "language.value",
                f"an expression of 1 to {MAX_EXPRESSION:,} characters is expected here",
                node,
            )
            return None
        return node

    @override
    def build(self, node: Node, scope: Scope) -> Expression | None:
        return scope.expression(node, self.use) if isinstance(node, Scalar) else None

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"type": ["string", "boolean", "number"], "maxLength": MAX_EXPRESSION}


class FieldName(Text):
    """The name of a field of the entity at hand."""

    def __init__(self, *, writable: bool = False, stored: bool = False) -> None:
        super().__init__("a field's name", most=200)
        self.writable, self.stored = writable, stored

    @override
    def build(self, node: Node, scope: Scope) -> str:
        name = str(plain(node))
        field = scope.find_field(node, name)
        if (
            field is not None
            and self.writable
            and (field.computed is not None or field.generated in {"managed", "sequence"})
        ):
            scope.findings.error(
                "reference.not_writable", f"'{name}' is set by the server and cannot be written", node
            )
        if field is not None and self.stored and field.virtual:
            scope.findings.error(
                "reference.not_stored",
                f"'{name}' is computed when read and has no column",
                node,
                "add stored: true to it",
            )
        return name


class FieldPath(Text):
    """A field of the entity at hand or of one it refers to: ``name``, ``customer.name``."""

    def __init__(self) -> None:
        super().__init__("a field, or a path such as customer.name", most=300)

    @override
    def build(self, node: Node, scope: Scope) -> str:
        scope.find_path(node, str(plain(node)))
        return str(plain(node))


class EntityName(Text):
    """The name of an entity."""

    def __init__(self) -> None:
        super().__init__("an entity's name", most=200)

    @override
    def build(self, node: Node, scope: Scope) -> str:
        scope.check_entity(node, str(plain(node)))
        return str(plain(node))


class RoleName(Text):
    """The name of a role, declared or built in."""

    def __init__(self) -> None:
        super().__init__("a role's name", most=200)

    @override
    def build(self, node: Node, scope: Scope) -> str:
        scope.check_role(node, str(plain(node)))
        return str(plain(node))


class FunctionName(Text):
    """A built-in function, or a function of the tenant's Python file."""

    def __init__(self) -> None:
        super().__init__(
            "a function's name",
            pattern=r"[a-z_][A-Za-z0-9_]*",
            most=64,
            examples=("price_invoice", "send_email"),
        )

    @override
    def build(self, node: Node, scope: Scope) -> str:
        name = str(plain(node))
        check_function(node, name, scope)
        near = nearest(name, BUILT_IN_FUNCTIONS) if scope.tenant.python is None else None
        if near is not None and near != name and abs(len(near) - len(name)) <= 1:
            scope.findings.warn(
                "reference.function",
                f"'{name}' is taken for a Python function",
                node,
                did_you_mean(name, BUILT_IN_FUNCTIONS),
            )
        return name


def check_function(node: Node, name: str, scope: Scope) -> None:
    """Report a function that is neither built in nor in the Python file, when that one is known."""
    python = scope.tenant.python
    if python is None or name in python or name in BUILT_IN_FUNCTIONS:
        return
    hint = did_you_mean(name, (*python, *BUILT_IN_FUNCTIONS)) or (
        "" if python else "write it in a Python file of the tenant's name, beside this one"
    )
    message = f"there is no function '{name}'"
    scope.findings.error("reference.function", message, node, hint)
