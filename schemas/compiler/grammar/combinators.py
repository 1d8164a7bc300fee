"""Forms made of others: lists, alternatives, titles per language, forms defined further down.

Decides how one value may stand for a list of one, and how alternatives are told apart. Maps are in
``containers``.
"""

import re
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from schemas.compiler.findings import Findings
from schemas.compiler.grammar.scalars import Text
from schemas.compiler.grammar.shape import Definitions, JsonSchema, Shape
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs, plain
from schemas.compiler.scope import Scope


class Many(Shape):
    """A list; with ``single`` one value may stand for a list of one."""

    def __init__(
        self, item: Shape, what: str = "", *, least: int = 0, most: int = 200, single: bool = False
    ) -> None:
        self.item, self.least, self.most, self.single = item, least, most, single
        self.expects = f"a list of {what}" if what else "a list"
        self.what = what or "entries"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Sequence):
            empty = isinstance(node, Scalar) and node.value is None
            if not self.single or empty:
                self.wrong_kind(node, findings, "write [ ... ]" if not empty else "")
                return None
            node = Sequence([node], node.line, node.column)
        if not self.least <= len(node.items) <= self.most:
            found = len(node.items)
            findings.error(
                "language.too_many",
                f"{found} {self.what}; from {self.least} to {self.most} are expected",
                node,
            )
            return None
        checked = (self.item.check(item, findings) for item in node.items)
        return Sequence([item for item in checked if item is not None], node.line, node.column)

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        items = node.items if isinstance(node, Sequence) else []
        return tuple(self.item.build(item, scope) for item in items)

    @override
    def parts(self) -> tuple[Shape, ...]:
        return (self.item,)

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        item = self.item.schema(definitions)
        schema: JsonSchema = {"type": "array", "items": item, "maxItems": self.most}
        if self.least:
            schema["minItems"] = self.least
        return {"anyOf": [item, schema]} if self.single else schema


class FormerNames(Many):
    """``renamed_from``: the name before, or all names there were."""

    def __init__(self, pattern: str) -> None:
        super().__init__(
            Text("the old name", pattern=pattern, most=63), "old names", least=1, most=10, single=True
        )

    @override
    def build(self, node: Node, scope: Scope) -> tuple[str, ...]:
        return tuple(str(plain(item)) for item in node.items) if isinstance(node, Sequence) else ()


class Either(Shape):
    """One of several forms, told apart by whether the value is a map, a list or a single value."""

    def __init__(
        self, *, single: Shape | None = None, many: Shape | None = None, record: Shape | None = None
    ) -> None:
        self._by_kind: dict[type, Shape] = {}
        for kind, shape in ((Scalar, single), (Sequence, many), (Mapping, record)):
            if shape is not None:
                self._by_kind[kind] = shape
        self.expects = " or ".join(shape.expects for shape in self._by_kind.values())

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        shape = self._by_kind.get(type(node))
        if shape is None:
            self.wrong_kind(node, findings)
            return None
        return shape.check(node, findings)

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        return self._by_kind[type(node)].build(node, scope)

    @override
    def parts(self) -> tuple[Shape, ...]:
        return tuple(self._by_kind.values())

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"anyOf": [shape.schema(definitions) for shape in self._by_kind.values()]}


class Titles(Shape):
    """A text, or a text per language; its value is by language, a bare text in the tenant's first."""

    expects = "a text, or a map of texts by language"
    _language = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?", re.ASCII)

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip():
            return node
        if not isinstance(node, Mapping):
            hint = "quote it" if isinstance(node, Scalar) and node.value is not None else ""
            self.wrong_kind(node, findings, hint)
            return None
        for key, value in pairs(node):
            if not self._language.fullmatch(key.text):
                findings.error(
                    "language.name", f"'{key.text[:40]}' is no language", key, "for example en, de or pt-BR"
                )
                return None
            if not isinstance(value, Scalar) or not isinstance(value.value, str):
                self.wrong_kind(value, findings)
                return None
        return node

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, str]:
        if isinstance(node, Mapping):
            scope.check_languages(node)
            return {key: str(plain(entry.value)) for key, entry in node.entries.items()}
        return {scope.tenant.languages[0]: str(plain(node))}

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        by_language = {
            "type": "object",
            "propertyNames": {"pattern": f"^{self._language.pattern}$"},
            "additionalProperties": {"type": "string"},
        }
        return {"anyOf": [{"type": "string", "minLength": 1}, by_language]}


class Later(Shape):
    """A form defined further down, for forms that contain themselves."""

    def __init__(self, shape: Callable[[], Shape], expects: str) -> None:
        self._shape = shape
        self.expects = expects

    @property
    def shape(self) -> Shape:
        """The form meant."""
        return self._shape()

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        return self._shape().check(node, findings)

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        return self._shape().build(node, scope)

    @override
    def parts(self) -> tuple[Shape, ...]:
        return (self._shape(),)

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return self._shape().schema(definitions)
