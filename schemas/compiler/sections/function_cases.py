"""``tests`` beside a function, and the schema of what it is called with.

Decides what a test of a function can say. Running it is a feature's.
"""

from collections.abc import Mapping as MappingType
from typing import Any

import jsonschema_rs
from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.findings import Findings
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.scalars import ANY, Text
from schemas.compiler.grammar.shape import AnyValue
from schemas.compiler.grammar.slots import RoleName
from schemas.compiler.nodes import Mapping, Node, plain
from schemas.compiler.scope import Scope


class FunctionCase(Struct, frozen=True):
    """One expectation of a function.

    Attributes:
        input: the row, or the arguments.
        old: the row before the change.
        expect: members its result must have, with their values; any other value: the result itself.
        rejects: what its refusal must say or be about (a field's name); "" when it must not refuse.
        role: of the caller.
        line: where it stands.
    """

    input: MappingType[str, Any] = field(default_factory=dict)
    old: MappingType[str, Any] | None = None
    expect: Any = None
    rejects: str = ""
    role: str = "admin"
    name: str = ""
    line: int = 0


class FunctionCaseRecord(Record):
    """One test of a function, with its line."""

    @override
    def build(self, node: Node, scope: Scope) -> FunctionCase:
        values: dict[str, Any] = super().build(node, scope)
        entries = node.entries if isinstance(node, Mapping) else {}
        for name in ("input", "old"):
            if name in values and not isinstance(values[name], dict):
                scope.findings.error("case.input", f"'{name}' is a map of values", entries[name].key)
        if ("expect" in values) == ("rejects" in values):
            scope.findings.error("case.expect", "a test says either what it expects or what rejects", node)
        return FunctionCase(line=node.line, **values)


FUNCTION_CASES = Many(
    FunctionCaseRecord(
        "function test",
        "What a function must make of an input.",
        {
            "input": Key(ANY, "The row, or what the function is called with.", required=True),
            "old": Key(ANY, "The row before the change."),
            "expect": Key(ANY, "Values the result must have; others are not looked at."),
            "rejects": Key(
                Text("a field's name or words", most=300), "The refusal is about this field, or says this."
            ),
            "role": Key(RoleName(), "The caller's role; without: admin."),
            "name": Key(Text("a text", most=200), "What the test is about."),
        },
    ),
    "tests",
    most=200,
)


class ArgumentsSchema(AnyValue):
    """A JSON Schema of an object."""

    expects = "a JSON Schema of an object"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        schema = plain(node)
        if not isinstance(schema, dict):
            self.wrong_kind(node, findings)
            return None
        try:
            jsonschema_rs.validator_for(
                schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
            )
        except ValueError as error:
            findings.error(
                "function.args", f"this is no JSON Schema: {str(error).splitlines()[0][:200]}", node
            )
            return None
        return node

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Any]:
        schema = plain(node)
        assert isinstance(schema, dict)  # noqa: S101 - checked
        return {"type": "object", "additionalProperties": False} | schema
