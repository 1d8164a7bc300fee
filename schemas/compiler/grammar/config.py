"""Configuration of functions: any value, with secrets and ``{{ expression }}`` templates in its texts.

Decides that every template in it compiles when the file is loaded. Rendering is the function's.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import Findings
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.scalars import SECRET
from schemas.compiler.grammar.shape import AnyValue
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs, plain
from schemas.compiler.scope import Scope

MAX_TEXT = 10_000
_TEMPLATE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class Config(Struct, frozen=True):
    """Plain values, and the compiled expression of every ``{{ ... }}`` by its text."""

    values: Any = None
    templates: MappingType[str, Expression] = field(default_factory=dict)


class ConfigValue(AnyValue):
    """A configuration."""

    expects = "a configuration (any value)"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        for scalar in _texts(node):
            if len(scalar.text) > MAX_TEXT:
                findings.error(
                    "language.value", f"a text of at most {MAX_TEXT:,} characters is expected here", scalar
                )
                return None
            names = SECRET.findall(scalar.text)
            if names and not scalar.style:
                findings.error(
                    "language.unquoted_secret",
                    "a secret must be quoted",
                    scalar,
                    f'write "{scalar.text[:80]}"',
                )
                return None
            findings.secrets.update(names)
        return node

    @override
    def build(self, node: Node, scope: Scope) -> Config:
        templates: dict[str, Expression] = {}
        for scalar in _texts(node):
            for match in _TEMPLATE.finditer(scalar.text):
                use = Use("a template", "any", old=True)
                expression = scope.expression_part(scalar, match[1], match.start(1), use)
                if expression is not None:
                    templates[match[1]] = expression
        return Config(plain(node), templates)


def _texts(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item)
    elif isinstance(node, Mapping):
        for _, value in pairs(node):
            yield from _texts(value)
