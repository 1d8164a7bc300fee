"""The type checker: parsed tree to typed tree, names resolved, errors placed. Called by ``check``."""

import difflib
from collections.abc import Iterable, Mapping

from schemas.compiler.expressions import calls, macros, members, operators, parse
from schemas.compiler.expressions.celtypes import (
    ANY,
    BOOL,
    DECIMAL,
    INT,
    JSON,
    STRING,
    TIMESTAMP,
    CelType,
    base_pg_type,
    entity_type,
    list_of,
)
from schemas.compiler.expressions.errors import ExpressionError
from schemas.compiler.expressions.parse import Raw
from schemas.compiler.expressions.shapes import Shapes
from schemas.compiler.expressions.syntax import Items, Node, Setting, Use, Variable
from schemas.compiler.expressions.typing_rules import (
    Mismatch,
    adapt,
    as_list,
    is_null,
    is_open,
    literal,
    pair,
)

MAX_NODES = 500
MAX_DEPTH = 64
_NAMESPACES = ("user", "tenant", "request")
_ROOTS = ("self", "old", "oldSelf", "now", "user", "tenant", "request")


class Checker:
    """Checks one expression; holds what is being inlined, the cost so far and the uses found."""

    def __init__(
        self,
        shapes: Shapes,
        entity: str | None,
        variables: Mapping[str, CelType],
        definitions: Mapping[str, str],
        text: str,
    ) -> None:
        self.shapes = shapes
        self.entity = entity
        self.variables = variables
        self.definitions = definitions
        self.text = text
        # What is being expanded: name, place in the text, entity of a computed field.
        self.inlined: list[tuple[str, tuple[int, int], str]] = []
        self.uses: list[Use] = []
        self.computed: set[str] = set()
        self.nodes = 0
        self.products = 0
        self.macros = 0  # so far, to name their variables
        self.nesting = 0  # of the macros around what is being checked

    # Errors

    def place(self, offset: int) -> tuple[int, int]:
        """Return where in the user's text something stands, also while a definition is expanded."""
        return self.inlined[0][1] if self.inlined else parse.line_and_column(self.text, offset)

    def error(
        self, offset: int, message: str, hint: str = "", code: str = "expression.type"
    ) -> ExpressionError:
        """Return the refusal of what stands at an offset."""
        for name, _, _ in reversed(self.inlined):
            message = f"in '{name}': {message}"
        return ExpressionError(message, *self.place(offset), hint, code)

    def unknown_name(self, offset: int, what: str, name: str, known: Iterable[str]) -> ExpressionError:
        """Return the refusal of an unknown name, with the nearest known one."""
        near = difflib.get_close_matches(name, list(known), 1, 0.6)
        return self.error(
            offset, what, f"did you mean '{near[0]}'?" if near else "", "expression.unknown_name"
        )

    def use(self, entity: str, field: str, offset: int) -> None:
        """Note that a field is used; uses inside what is expanded belong to its own text."""
        if not self.inlined:
            self.uses.append(Use(entity, field, *parse.line_and_column(self.text, offset)))

    # The walk

    def expression(self, raw: Raw, scope: Mapping[str, Node], depth: int) -> Node:
        """Type a node; ``scope`` holds the macros' variables, and ``self`` when it is not the row."""
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = (
                f"more than {MAX_NODES} parts"
                if self.nodes > MAX_NODES
                else f"nested deeper than {MAX_DEPTH} levels"
            )
            raise self.error(
                raw.offset, f"too costly: {limit}", "split it into computed fields", "expression.too_costly"
            )
        try:
            match raw:
                case parse.Const():
                    return literal(raw.value)
                case parse.Ident():
                    return self._identifier(raw, scope, depth)
                case parse.Select():
                    return self._select(raw, scope, depth)
                case parse.Invoke():
                    return calls.invoke(self, raw, scope, depth)
                case parse.Sequence():
                    return self._sequence(raw, scope, depth)
                case parse.Macro():
                    return macros.macro(self, raw, scope, depth)
        except Mismatch as mismatch:
            raise self.error(raw.offset, str(mismatch), mismatch.hint) from None

    def result(self, node: Node, expect: CelType | None, pg_type: str | None = None) -> Node:
        """Fit the whole expression to the expected type."""
        if node.type.kind == "namespace":
            raise self.error(0, "a member is missing, such as user.id")
        if expect is None or (is_null(node) and expect != BOOL):
            return node
        if expect == BOOL and node.type != BOOL and not is_open(node.type):
            raise self.error(0, f"must be true or false, not {node.type}")
        if expect in {JSON, ANY}:
            return node
        try:
            if expect.kind == "list" or node.type.kind == "list":
                return self._list_result(node, expect)
            fitted = adapt(node, expect, base_pg_type(pg_type) if pg_type else None)
        except Mismatch:
            raise self.error(0, f"must be {expect}, not {node.type}") from None
        if expect == INT and fitted.type.kind in {"decimal", "double"}:
            raise self.error(0, "must be a whole number", "convert with int()")
        return fitted

    def _list_result(self, node: Node, expect: CelType) -> Node:
        node = as_list(node, expect.element)
        if expect.kind != "list" or (node.type.kind != "list" and node.type != JSON):
            raise Mismatch("")
        return adapt(node, expect) if isinstance(node, Items) else node

    def _identifier(self, raw: parse.Ident, scope: Mapping[str, Node], depth: int) -> Node:
        name = raw.name
        if name in scope:
            return scope[name]
        if name in self.variables:
            return Variable(self.variables[name], f"variables.{name}")
        if name in {"self", "old", "oldSelf"} and self.entity is not None:
            return Variable(entity_type(self.entity), "self" if name == "self" else "old")
        if name == "now":
            return Variable(TIMESTAMP, "now")
        if name in _NAMESPACES:
            return Setting(CelType("namespace"), (name,))
        if name in self.definitions:
            bound = {key: value for key, value in scope.items() if key == "self"}
            return self.inline(name, self.definitions[name], bound, raw.offset, depth)
        if self.entity is not None and name in self.shapes.members(self.entity):
            raise self.error(
                raw.offset, f"unknown name '{name}'", f"write self.{name}", "expression.unknown_name"
            )
        roots = [*_ROOTS, *scope, *self.variables, *self.definitions]
        raise self.unknown_name(raw.offset, f"unknown name '{name}'", name, roots)

    def inline(
        self, name: str, text: str, scope: Mapping[str, Node], offset: int, depth: int, of: str = ""
    ) -> Node:
        """Expand a named rule, or a computed field of the entity ``of``, where it is used."""
        if any((name, of) == (other, owner) for other, _, owner in self.inlined):
            chain = " -> ".join([*(other for other, _, _ in self.inlined), name])
            raise self.error(offset, f"'{name}' refers to itself ({chain})", code="expression.cycle")
        self.inlined.append((name, self.place(offset), of))
        try:
            raw = parse.parse(text)
        except ExpressionError as error:
            raise self.error(
                offset,
                f"{error.message} (at {error.offset_line}:{error.offset_column} of it)",
                error.hint,
                error.code,
            ) from None
        node = self.expression(raw, scope, depth + 1)
        self.inlined.pop()
        return node

    def _select(self, raw: parse.Select, scope: Mapping[str, Node], depth: int) -> Node:
        base = self.expression(raw.operand, scope, depth + 1)
        node = members.select(self, base, raw.field, raw.offset, depth)
        return operators.present(node) if raw.test else node

    def _sequence(self, raw: parse.Sequence, scope: Mapping[str, Node], depth: int) -> Node:
        items = [self.expression(item, scope, depth + 1) for item in raw.items]
        typed = [item for item in items if not is_null(item)]
        kind = typed[0].type if typed else STRING
        for item, source in zip(items, raw.items, strict=True):
            if is_null(item):
                continue
            try:
                pair(typed[0], item)
            except Mismatch:
                raise self.error(source.offset, f"a list of {kind} cannot hold {item.type}") from None
        if any(item.type.kind != kind.kind for item in typed) and kind.kind in {"int", "decimal", "double"}:
            kind = DECIMAL
        return Items(list_of(kind), tuple(items))
