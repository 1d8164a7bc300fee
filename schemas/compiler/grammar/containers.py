"""Maps: records with known keys, and maps keyed by names of the author's choice.

Decides how unknown and missing keys are reported, and that one bad part is taken out and the rest still
checked.
"""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from typing_extensions import override

from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.grammar.shape import Definitions, JsonSchema, Shape
from schemas.compiler.nodes import Entry, Mapping, Node, Scalar, plain
from schemas.compiler.scope import Scope


class Key(Struct, frozen=True):
    """One key of a record: the form of its value, what it means, and the attribute that keeps it."""

    shape: Shape
    says: str
    required: bool = False
    attribute: str = ""
    examples: tuple[object, ...] = ()


class Record(Shape):
    """A map with known keys.

    Attributes:
        name: the record's name in messages, the JSON Schema's ``$defs`` and the reference.
        make: builds the value from keyword arguments; absent keys are left to its defaults.
        shorthand: key that a bare value stands for: ``member`` for ``{role: member}``.
        open: whether other keys are kept as they are.
        of_entity: key that names the entity in which the record's other names are looked up.
        suggest: further advice for an unknown key, by key.
    """

    open = False

    def __init__(  # noqa: PLR0913 - a declaration, not a call
        self,
        name: str,
        says: str,
        keys: dict[str, Key],
        *,
        make: Callable[..., Any] | None = None,
        shorthand: str = "",
        of_entity: str = "",
        suggest: dict[str, str] | None = None,
        code: str = "language.unknown_key",
    ) -> None:
        self.name, self.says, self.keys = name, says, keys
        self.make, self.shorthand, self.of_entity = make, shorthand, of_entity
        self.suggest = suggest or {}
        self.code = code
        self.expects = f"{_article(name)} {name} (a map)"
        self._required = tuple(key for key, value in keys.items() if value.required)

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Mapping):
            if self.shorthand and not (isinstance(node, Scalar) and node.value is None):
                key = Scalar(self.shorthand, self.shorthand, node.line, node.column, 0, 0)
                node = Mapping({self.shorthand: Entry(key, node)}, node.line, node.column)
            elif isinstance(node, Scalar) and node.value is None:
                node = Mapping({}, node.line, node.column)
            else:
                self.wrong_kind(node, findings)
                return None
        return self._check_keys(node, findings)

    def _check_keys(self, node: Mapping, findings: Findings) -> Mapping | None:
        entries: dict[str, Entry] = {}
        dropped: set[str] = set()
        for name, entry in node.entries.items():
            key = self.keys.get(name)
            if key is None:
                if self.open:
                    entries[name] = entry
                else:
                    self._unknown(name, entry, findings)
                continue
            value = key.shape.check(entry.value, findings)
            if value is None:
                dropped.add(name)
            else:
                entries[name] = entry if value is entry.value else Entry(entry.key, value)
        for name in self._required:
            if name not in node.entries:
                findings.error(
                    "language.missing_key",
                    f"{_article(self.name)} {self.name} needs the key '{name}'",
                    node,
                    self.keys[name].says,
                )
                return None
            if name in dropped:
                return None
        return Mapping(entries, node.line, node.column, frozenset(dropped))

    def _unknown(self, name: str, entry: Entry, findings: Findings) -> None:
        hint = self.suggest.get(name) or did_you_mean(name, self.keys)
        findings.error(
            self.code, f"{_article(self.name)} {self.name} has no key '{name[:80]}'", entry.key, hint
        )

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        entries = node.entries if isinstance(node, Mapping) else {}
        values: dict[str, Any] = {}
        inner = scope
        if self.of_entity:
            values[self.keys[self.of_entity].attribute or self.of_entity] = None
            if entity := entries.get(self.of_entity):
                inner = scope.within(str(plain(entity.value)))
        for name, entry in entries.items():
            key = self.keys[name]
            values[key.attribute or name] = key.shape.build(
                entry.value, scope if name == self.of_entity else inner
            )
        return values if self.make is None else self.make(**values)

    @override
    def parts(self) -> tuple[Shape, ...]:
        return tuple(key.shape for key in self.keys.values())

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        definition = self.name.replace(" ", "_")
        if definition not in definitions.schemas:
            definitions.schemas[definition] = {}  # recursion ends here
            definitions.schemas[definition] = self._schema(definitions)
        return {"$ref": f"#/$defs/{definition}"}

    def _schema(self, definitions: Definitions) -> JsonSchema:
        properties = {}
        for name, key in self.keys.items():
            described: JsonSchema = {"description": key.says}
            if key.examples:
                described["examples"] = list(key.examples)
            properties[name] = key.shape.schema(definitions) | described
        schema: JsonSchema = {
            "type": "object",
            "description": self.says,
            "properties": properties,
            "additionalProperties": self.open,
        }
        if self._required:
            schema["required"] = list(self._required)
        elif not self.shorthand:
            schema["type"] = ["object", "null"]
        if self.shorthand:
            short = self.keys[self.shorthand].shape.schema(definitions)
            return {"anyOf": [short, schema]}
        return schema


class Keyed(Shape):
    """A map from names chosen by the author to values of one form."""

    def __init__(self, what: str, value: Shape, *, pattern: str, says: str = "", most: int = 200) -> None:
        self.what, self.value, self.most = what, value, most
        self.expects = f"a map of {plural(what)} by name"
        self.says = says or "letters, digits and underscores, beginning with a letter"
        self.pattern = pattern
        self._pattern = re.compile(pattern, re.ASCII)

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if isinstance(node, Scalar) and node.value is None:
            return Mapping({}, node.line, node.column)
        if not isinstance(node, Mapping):
            self.wrong_kind(node, findings)
            return None
        if len(node.entries) > self.most:
            findings.error(
                "language.too_many",
                f"{len(node.entries):,} {plural(self.what)}; at most {self.most} are allowed",
                node,
            )
            return None
        entries: dict[str, Entry] = {}
        for name, entry in node.entries.items():
            if not self._pattern.fullmatch(name):
                findings.error(
                    "language.name",
                    f"'{name[:80]}' is no name for {_article(self.what)} {self.what}",
                    entry.key,
                    self.says,
                )
            elif (value := self.value.check(entry.value, findings)) is not None:
                entries[name] = Entry(entry.key, value)
        return Mapping(entries, node.line, node.column, frozenset(node.entries.keys() - entries.keys()))

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        entries = node.entries if isinstance(node, Mapping) else {}
        return {name: self.value.build(entry.value, scope) for name, entry in entries.items()}

    @override
    def parts(self) -> tuple[Shape, ...]:
        return (self.value,)

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {
            "type": ["object", "null"],
            "propertyNames": {"pattern": f"^(?:{self.pattern})$"},
            "additionalProperties": self.value.schema(definitions),
            "maxProperties": self.most,
        }


def plural(word: str) -> str:
    """Return a word for several of its kind."""
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"
