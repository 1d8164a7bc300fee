"""The type checker: CEL text and shapes to a typed tree. The only maker of ``Expression``.

Called by the schema compiler for every expression of a tenant file. It bounds the cost of what it accepts,
so neither back end needs to.
"""

import difflib
from collections.abc import Iterable, Mapping

from schemas.compiler.expressions import functions, members, operators, parse, tree
from schemas.compiler.expressions.celtypes import (
    ANY,
    BOOL,
    DATE,
    DECIMAL,
    INT,
    JSON,
    NULL,
    STRING,
    TIMESTAMP,
    CelType,
    base_pg_type,
    entity_type,
    list_of,
    pg_type_of,
)
from schemas.compiler.expressions.errors import ExpressionError
from schemas.compiler.expressions.parse import Raw
from schemas.compiler.expressions.shapes import Shapes
from schemas.compiler.expressions.sql_support import obstacle_of
from schemas.compiler.expressions.syntax import (
    Call,
    Comprehension,
    Expression,
    Field,
    Items,
    Literal,
    Member,
    Node,
    Setting,
    Use,
    Value,
    Variable,
)
from schemas.compiler.expressions.typing_rules import (
    Mismatch,
    adapt,
    as_list,
    element_type,
    is_null,
    is_open,
    pair,
)

MAX_NODES = 500
MAX_DEPTH = 64
MAX_MACROS = 3
MAX_PRODUCTS = 32
_NAMESPACES = ("user", "tenant", "request")
_ROOTS = ("self", "old", "oldSelf", "now", "user", "tenant", "request")


def compile_expression(
    text: str,
    shapes: Shapes,
    entity: str | None,
    *,
    expect: CelType | None = None,
    pg_type: str | None = None,
    variables: Mapping[str, CelType] | None = None,
    definitions: Mapping[str, str] | None = None,
) -> Expression:
    """Parse and check an expression.

    Args:
        text: CEL.
        shapes: the tenant's entities.
        entity: whose rows ``self`` and ``old`` are; None when there is no row.
        expect: the type the result must have; numbers stand in for each other, null and json fit every type.
        pg_type: column type the result is for; a claim that does not fit it is absent.
        variables: further names, in process only, filled from ``Env.variables``; they hide the built-in ones.
        definitions: named rules, by name; a use stands for the rule's own text.

    Returns:
        The checked expression.

    Raises:
        ExpressionError: with line and column within ``text``.
    """
    checker = _Checker(shapes, entity, variables or {}, definitions or {}, text)
    node = checker.expression(parse.parse(text), {}, 0)
    node = checker.result(node, expect, pg_type)
    obstacle = obstacle_of(node)
    return Expression(
        text=text,
        type=node.type,
        node=node,
        in_sql=not obstacle,
        in_process=not tree.follows_relations(node),
        names=tree.names_of(node) | frozenset(checker.computed),
        uses_old=tree.uses_variable(node, "old"),
        uses_user=tree.uses_user(node),
        constant=tree.is_constant(node),
        immutable=tree.is_immutable(node),
        references=tuple(checker.uses),
        obstacle=obstacle,
    )


def literal_expression(value: Value, kind: CelType | None = None) -> Expression:
    """Return the expression that is a fixed value, for defaults that are not CEL."""
    node = literal(value)
    if kind is not None and value is not None:
        node = Literal(kind, value, pg_type_of(kind))
    return Expression(text=str(value), type=node.type, node=node, constant=True, immutable=True)


def literal(value: Value) -> Literal:
    """Return the node of a literal."""
    kinds: tuple[tuple[type, CelType], ...] = ((bool, BOOL), (int, INT), (str, STRING), (type(None), NULL))
    kind = next((kind for python, kind in kinds if isinstance(value, python)), DECIMAL)
    return Literal(kind, value, pg_type_of(kind))


class _Checker:
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
        self.inlined: list[
            tuple[str, tuple[int, int]]
        ] = []  # what is being expanded, and where it stands in the text
        self.uses: list[Use] = []
        self.computed: set[str] = set()
        self.nodes = 0
        self.products = 0
        self.macros = 0
        self.depth = 0

    # Errors

    def place(self, offset: int) -> tuple[int, int]:
        """Return where in the user's text something stands, also while a definition is expanded."""
        return self.inlined[0][1] if self.inlined else parse.line_and_column(self.text, offset)

    def error(
        self, offset: int, message: str, hint: str = "", code: str = "expression.type"
    ) -> ExpressionError:
        """Return the refusal of what stands at an offset."""
        for name, _ in reversed(self.inlined):
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
        self.depth = depth
        try:
            match raw:
                case parse.Const():
                    return literal(raw.value)
                case parse.Ident():
                    return self._identifier(raw, scope, depth)
                case parse.Select():
                    return self._select(raw, scope, depth)
                case parse.Invoke():
                    return self._invoke(raw, scope, depth)
                case parse.Sequence():
                    return self._sequence(raw, scope, depth)
                case parse.Macro():
                    return self._macro(raw, scope, depth)
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

    def inline(self, name: str, text: str, scope: Mapping[str, Node], offset: int, depth: int) -> Node:
        """Expand a named rule or a computed field where it is used."""
        if any(name == other for other, _ in self.inlined):
            chain = " -> ".join([*(other for other, _ in self.inlined), name])
            raise self.error(offset, f"'{name}' refers to itself ({chain})", code="expression.cycle")
        self.inlined.append((name, self.place(offset)))
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

    def _invoke(self, raw: parse.Invoke, scope: Mapping[str, Node], depth: int) -> Node:
        if raw.function in operators.SYMBOLS:
            if raw.function in {"_*_", "_/_"}:
                self.products += 1
                if self.products > MAX_PRODUCTS:
                    raise self.error(
                        raw.offset,
                        f"too costly: more than {MAX_PRODUCTS} products and quotients",
                        code="expression.too_costly",
                    )
            if (compared := self._role(raw, scope)) is not None:
                return compared
            operands = tuple(self.expression(argument, scope, depth + 1) for argument in raw.arguments)
            for operand, argument in zip(operands, raw.arguments, strict=True):
                self._whole(operand, argument.offset)
            return operators.apply(raw.function, operands)
        if raw.function == "_[_]":
            return self._index(raw, scope, depth)
        if raw.target is None and raw.function in {"today", "changed"}:
            return self._special(raw)
        return self._function(raw, scope, depth)

    def _whole(self, node: Node, offset: int) -> None:
        if node.type.kind == "namespace":
            raise self.error(offset, "a member is missing, such as user.id")

    def _function(self, raw: parse.Invoke, scope: Mapping[str, Node], depth: int) -> Node:
        arguments = tuple(self.expression(argument, scope, depth + 1) for argument in raw.arguments)
        name = raw.function
        try:
            if raw.target is None:
                return functions.call(name, arguments)
            if isinstance(raw.target, parse.Ident) and raw.target.name == "math" and "math" not in scope:
                name = f"math.{name}"
                return functions.call(name, arguments)
            target = self.expression(raw.target, scope, depth + 1)
            self._whole(target, raw.target.offset)
            return functions.method(name, target, arguments)
        except functions.UnknownFunction as unknown:
            if raw.target is None or name.startswith("math."):
                raise self.unknown_name(
                    raw.offset, f"there is no function {name}()", name, unknown.known
                ) from None
            known = (*unknown.known, "exists", "all", "filter", "map", "exists_one")
            raise self.unknown_name(
                raw.offset, f"there is no method {name}() for this value", name, known
            ) from None

    def _role(self, raw: parse.Invoke, scope: Mapping[str, Node]) -> Node | None:
        """Type comparisons of ``user.role``: it stands for any of the caller's roles."""
        if "user" in scope or "user" in self.variables or raw.function not in {"_==_", "_!=_", "@in"}:
            return None
        roles = [_is_role(argument) for argument in raw.arguments]
        if not any(roles) or (raw.function == "@in" and not roles[0]):
            return None
        other = self.expression(raw.arguments[roles.index(False) if False in roles else 1], scope, 1)
        held = members.ROLES
        if raw.function == "@in":
            if not isinstance(other, Items) or not other.items:
                raise self.error(raw.offset, "user.role in ... needs a list written here")
            found = operators.contained(other.items[0], held)
            for item in other.items[1:]:
                found = Call(BOOL, "or", (found, operators.contained(item, held)))
            return found
        found = operators.contained(other, held)
        return Call(BOOL, "not", (found,)) if raw.function == "_!=_" else found

    def _special(self, raw: parse.Invoke) -> Node:
        if raw.function == "today":
            if raw.arguments:
                raise self.error(raw.offset, "today() takes no argument")
            return Variable(DATE, "today")
        match raw.arguments:
            case (parse.Const(value=str() as field) as argument,) if self.entity is not None:
                row = entity_type(self.entity)
                after = members.select(self, Variable(row, "self"), field, argument.offset + 1, 0)
                before = members.select(self, Variable(row, "old"), field, argument.offset + 1, 0)
                if not isinstance(after, Field):
                    raise self.error(
                        argument.offset, f"changed() needs a field's name, and '{field}' is none"
                    )
                return Call(BOOL, "not", (Call(BOOL, "same", (after, before)),))
            case _:
                raise self.error(
                    raw.offset, "changed() takes the name of a field", "such as changed('status')"
                )

    def _index(self, raw: parse.Invoke, scope: Mapping[str, Node], depth: int) -> Node:
        base, key = (self.expression(argument, scope, depth + 1) for argument in raw.arguments)
        if isinstance(key, Literal) and isinstance(key.value, str):
            if base.type.kind not in {"object", "json", "any", "namespace", "entity"}:
                raise self.error(
                    raw.offset, f"{base.type} has no members in brackets", "use .name or a list index"
                )
            return members.select(self, base, key.value, raw.arguments[1].offset, depth)
        if key.type != INT:
            raise self.error(
                raw.arguments[1].offset, f"an index must be a whole number or a text, not {key.type}"
            )
        base = as_list(base)
        element = element_type(base)
        if element.kind == "entity":
            raise self.error(raw.offset, "rows have no order", "use exists(), filter() or an aggregate")
        index: int | Node = key.value if isinstance(key, Literal) and isinstance(key.value, int) else key
        if base.type == JSON or base.type.stored == "json":
            return members.typed_json(Member(JSON, base, index), element)
        return Member(element, base, index)

    def _macro(self, raw: parse.Macro, scope: Mapping[str, Node], depth: int) -> Node:
        if depth_of_macros(raw) > MAX_MACROS or sum(name.startswith("#") for name in scope) >= MAX_MACROS:
            message = f"too costly: macros nested deeper than {MAX_MACROS}"
            raise self.error(raw.offset, message, code="expression.too_costly")
        source = as_list(self.expression(raw.range, scope, depth + 1))
        try:
            element = element_type(source)
        except Mismatch:
            raise self.error(raw.offset, f"{raw.kind}() needs a list, not {source.type}") from None
        self.macros += 1
        name = f"#{self.macros}"
        in_json = source.type == JSON or source.type.stored == "json"
        variable: Node = Variable(JSON if in_json and element.kind != "object" else element, name)
        if in_json:
            variable = members.typed_json(variable, element)
        inner = {**scope, raw.variable: variable, name: variable}
        predicate = None if raw.predicate is None else self.expression(raw.predicate, inner, depth + 1)
        if predicate is not None:
            predicate = operators.truth(predicate, raw.kind + "()")
        body = None if raw.body is None else self.expression(raw.body, inner, depth + 1)
        match raw.kind:
            case "map":
                if body is None or is_null(body) or body.type.kind in {"entity", "namespace", "list"}:
                    raise self.error(raw.offset, "map() must give a value for each element")
                kind = list_of(body.type)
            case "filter":
                kind = source.type
            case _:
                kind = BOOL
        return Comprehension(kind, raw.kind, name, source, predicate, body)


def _is_role(raw: Raw) -> bool:
    return (
        isinstance(raw, parse.Select)
        and raw.field == "role"
        and raw.operand == parse.Ident(raw.operand.offset, "user")
    )


def depth_of_macros(raw: Raw) -> int:
    """Return how deeply macros are nested in an unchecked tree."""
    match raw:
        case parse.Macro():
            inner = [raw.predicate, raw.body]
            nested = max((depth_of_macros(part) for part in inner if part is not None), default=0)
            return max(1 + nested, depth_of_macros(raw.range))
        case parse.Invoke():
            parts = [*raw.arguments, *([raw.target] if raw.target is not None else [])]
            return max((depth_of_macros(part) for part in parts), default=0)
        case parse.Select():
            return depth_of_macros(raw.operand)
        case parse.Sequence():
            return max((depth_of_macros(item) for item in raw.items), default=0)
        case _:
            return 0
