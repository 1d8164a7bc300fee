"""Operators, functions, methods and indexes in the parsed tree. Called by the checker.

What types fit is decided in ``operators`` and ``functions``; this adds what needs the checker: names, places
and the forms that are no ordinary function.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from schemas.compiler.expressions import functions, members, operators, parse
from schemas.compiler.expressions.celtypes import BOOL, DATE, INT, JSON, entity_type
from schemas.compiler.expressions.parse import Raw
from schemas.compiler.expressions.syntax import Call, Field, Items, Literal, Member, Node, Variable
from schemas.compiler.expressions.typing_rules import as_list, element_type

if TYPE_CHECKING:
    from schemas.compiler.expressions.checker import Checker

MAX_PRODUCTS = 32


def invoke(checker: "Checker", raw: parse.Invoke, scope: Mapping[str, Node], depth: int) -> Node:
    """Type an operator, function, method or index."""
    if raw.function in operators.SYMBOLS:
        if raw.function in {"_*_", "_/_"}:
            checker.products += 1
            if checker.products > MAX_PRODUCTS:
                raise checker.error(
                    raw.offset,
                    f"too costly: more than {MAX_PRODUCTS} products and quotients",
                    code="expression.too_costly",
                )
        if (compared := _role(checker, raw, scope)) is not None:
            return compared
        operands = tuple(checker.expression(argument, scope, depth + 1) for argument in raw.arguments)
        for operand, argument in zip(operands, raw.arguments, strict=True):
            whole(checker, operand, argument.offset)
        return operators.apply(raw.function, operands)
    if raw.function == "_[_]":
        return _index(checker, raw, scope, depth)
    if raw.target is None and raw.function in {"today", "changed"}:
        return _special(checker, raw)
    return _function(checker, raw, scope, depth)


def whole(checker: "Checker", node: Node, offset: int) -> None:
    """Refuse ``user``, ``tenant`` and ``request`` themselves as values."""
    if node.type.kind == "namespace":
        raise checker.error(offset, "a member is missing, such as user.id")


def _function(checker: "Checker", raw: parse.Invoke, scope: Mapping[str, Node], depth: int) -> Node:
    arguments = tuple(checker.expression(argument, scope, depth + 1) for argument in raw.arguments)
    name = raw.function
    try:
        if raw.target is None:
            return functions.call(name, arguments)
        if isinstance(raw.target, parse.Ident) and raw.target.name == "math" and "math" not in scope:
            name = f"math.{name}"
            return functions.call(name, arguments)
        target = checker.expression(raw.target, scope, depth + 1)
        whole(checker, target, raw.target.offset)
        return functions.method(name, target, arguments)
    except functions.UnknownFunction as unknown:
        if raw.target is None or name.startswith("math."):
            raise checker.unknown_name(
                raw.offset, f"there is no function {name}()", name, unknown.known
            ) from None
        known = (*unknown.known, "exists", "all", "filter", "map", "exists_one")
        raise checker.unknown_name(
            raw.offset, f"there is no method {name}() for this value", name, known
        ) from None


def _role(checker: "Checker", raw: parse.Invoke, scope: Mapping[str, Node]) -> Node | None:
    """Type comparisons of ``user.role``: it stands for any of the caller's roles."""
    if "user" in scope or "user" in checker.variables or raw.function not in {"_==_", "_!=_", "@in"}:
        return None
    roles = [_is_role(argument) for argument in raw.arguments]
    if not any(roles) or (raw.function == "@in" and not roles[0]):
        return None
    other = checker.expression(raw.arguments[roles.index(False) if False in roles else 1], scope, 1)
    held = members.ROLES
    if raw.function == "@in":
        if not isinstance(other, Items) or not other.items:
            raise checker.error(raw.offset, "user.role in ... needs a list written here")
        found = operators.contained(other.items[0], held)
        for item in other.items[1:]:
            found = Call(BOOL, "or", (found, operators.contained(item, held)))
        return found
    found = operators.contained(other, held)
    return Call(BOOL, "not", (found,)) if raw.function == "_!=_" else found


def _special(checker: "Checker", raw: parse.Invoke) -> Node:
    if raw.function == "today":
        if raw.arguments:
            raise checker.error(raw.offset, "today() takes no argument")
        return Variable(DATE, "today")
    match raw.arguments:
        case (parse.Const(value=str() as field) as argument,) if checker.entity is not None:
            row = entity_type(checker.entity)
            after = members.select(checker, Variable(row, "self"), field, argument.offset + 1, 0)
            before = members.select(checker, Variable(row, "old"), field, argument.offset + 1, 0)
            if not isinstance(after, Field):
                raise checker.error(argument.offset, f"changed() needs a field's name, and '{field}' is none")
            return Call(BOOL, "not", (Call(BOOL, "same", (after, before)),))
        case _:
            raise checker.error(
                raw.offset, "changed() takes the name of a field", "such as changed('status')"
            )


def _index(checker: "Checker", raw: parse.Invoke, scope: Mapping[str, Node], depth: int) -> Node:
    base, key = (checker.expression(argument, scope, depth + 1) for argument in raw.arguments)
    if isinstance(key, Literal) and isinstance(key.value, str):
        if base.type.kind not in {"object", "json", "any", "namespace", "entity"}:
            raise checker.error(
                raw.offset, f"{base.type} has no members in brackets", "use .name or a list index"
            )
        return members.select(checker, base, key.value, raw.arguments[1].offset, depth)
    if key.type != INT:
        raise checker.error(
            raw.arguments[1].offset, f"an index must be a whole number or a text, not {key.type}"
        )
    base = as_list(base)
    element = element_type(base)
    if element.kind == "entity":
        raise checker.error(raw.offset, "rows have no order", "use exists(), filter() or an aggregate")
    index: int | Node = key.value if isinstance(key, Literal) and isinstance(key.value, int) else key
    if base.type == JSON or base.type.stored == "json":
        return members.typed_json(Member(JSON, base, index), element)
    return Member(element, base, index)


def _is_role(raw: Raw) -> bool:
    return (
        isinstance(raw, parse.Select)
        and raw.field == "role"
        and raw.operand == parse.Ident(raw.operand.offset, "user")
    )
