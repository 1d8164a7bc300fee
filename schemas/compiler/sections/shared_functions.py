"""``functions`` at the top of the file: for several entities at once, or called by name.

Decides that a function there is one of the two. What a function is, is said in ``functions``; an entity gets
those that are for it as if they were written there, after its own.
"""

from typing_extensions import override

from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key
from schemas.compiler.grammar.scalars import BOOLEAN
from schemas.compiler.grammar.slots import EntityName, RoleName
from schemas.compiler.nodes import Mapping, Node, items, pairs, plain
from schemas.compiler.scope import Scope
from schemas.compiler.sections.function_cases import ArgumentsSchema
from schemas.compiler.sections.functions import (
    FUNCTION_ADVICE,
    FUNCTION_KEYS,
    FUNCTION_NAME,
    RPC,
    Function,
    FunctionMap,
    FunctionRecord,
)

SHARED_FUNCTION = FunctionRecord(
    "shared function",
    "A function of several entities, or one that is called by its name.",
    FUNCTION_KEYS
    | {
        "entities": Key(Many(EntityName(), "entities", least=1, single=True), "Entities it is for."),
        "roles": Key(Many(RoleName(), "roles", single=True), "Who may call it; without: admins."),
        "args": Key(ArgumentsSchema(), "JSON Schema of what it is called with."),
        "read_only": Key(BOOLEAN, "It changes nothing: GET may call it."),
    },
    suggest=FUNCTION_ADVICE,
)


class SharedFunctions(FunctionMap):
    """The functions at the top of the file; ``build`` gives those that are called by name."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Function]:
        for key, value in pairs(node):
            listed = value.get("entities") if isinstance(value, Mapping) else None
            called = isinstance(value, Mapping) and RPC in str(plain(value.get("trigger") or key))
            if called == (listed is not None):
                scope.findings.error(
                    "function.entities",
                    f"'{key.text}' is either called by its name (trigger: rpc) or for some entities",
                    key,
                    "write entities: [...], or trigger: rpc",
                )
        return super().build(self._some(node, None), scope)

    def for_entity(self, node: Node | None, scope: Scope, entity: str) -> dict[str, Function]:
        """Return those that are for an entity; ``scope`` is that entity's."""
        return {} if node is None else super().build(self._some(node, entity), scope)

    @staticmethod
    def _some(node: Node, entity: str | None) -> Mapping:
        entries = {}
        for name, entry in node.entries.items() if isinstance(node, Mapping) else ():
            listed = entry.value.get("entities") if isinstance(entry.value, Mapping) else None
            names = [str(plain(item)) for item in items(listed)]
            if (entity in names) if entity is not None else not names:
                entries[name] = entry
        return Mapping(entries, node.line, node.column)


SHARED_FUNCTIONS = SharedFunctions(
    "function", SHARED_FUNCTION, pattern=FUNCTION_NAME, says="a-z, 0-9 and '_'"
)
