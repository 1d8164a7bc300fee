"""Operators: which operand types they take and what they give. Raises ``Mismatch``; called by the checker."""

from collections.abc import Callable

from schemas.compiler.expressions.celtypes import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    NUMBERS,
    STRING,
    TIMESTAMP,
    CelType,
    base_pg_type,
)
from schemas.compiler.expressions.syntax import Call, Claim, Field, Items, Literal, Node, Setting, Variable
from schemas.compiler.expressions.tree import walk
from schemas.compiler.expressions.typing_rules import (
    Mismatch,
    adapt,
    as_list,
    element_type,
    is_null,
    is_open,
    pair,
    pg_of,
    unify,
)

SYMBOLS = {
    "_&&_": "&&",
    "_||_": "||",
    "!_": "!",
    "-_": "-",
    "_==_": "==",
    "_!=_": "!=",
    "_<_": "<",
    "_<=_": "<=",
    "_>_": ">",
    "_>=_": ">=",
    "_+_": "+",
    "_-_": "-",
    "_*_": "*",
    "_/_": "/",
    "_%_": "%",
    "@in": "in",
    "_?_:_": "?:",
}
_ORDERINGS = {"_<_": "lt", "_<=_": "le", "_>_": "gt", "_>=_": "ge"}
_ORDERED = (*NUMBERS, "string", "timestamp", "date", "time", "duration")


def apply(operator: str, operands: tuple[Node, ...]) -> Node:
    """Type an operator call.

    Raises:
        Mismatch: the operands do not fit.
    """
    match operator:
        case "_&&_" | "_||_" | "!_":
            names = {"_&&_": "and", "_||_": "or", "!_": "not"}
            return Call(
                BOOL, names[operator], tuple(truth(operand, SYMBOLS[operator]) for operand in operands)
            )
        case "_?_:_":
            condition, then, otherwise = operands
            then, otherwise, kind = unify(then, otherwise)
            return Call(kind, "if", (truth(condition, "?:"), then, otherwise))
        case "_==_":
            return equal(*operands)
        case "_!=_":
            return Call(BOOL, "not", (equal(*operands),))
        case "@in":
            return contained(*operands)
        case "-_":
            return negated(operands[0])
        case _ if operator in _ORDERINGS:
            return ordered(operator, *operands)
        case _:
            return _ARITHMETIC[operator](*operands)


def truth(node: Node, symbol: str) -> Node:
    """Take an operand as a truth value."""
    if is_open(node.type):
        return adapt(node, BOOL)
    if node.type != BOOL:
        raise Mismatch(f"'{symbol}' needs true or false, not {node.type}")
    return node


def equal(left: Node, right: Node) -> Node:
    """Type ``==``: "eq" never holds for absent operands, "same" holds for two of them."""
    if is_null(left) or is_null(right):
        tested = right if is_null(left) else left
        if is_null(tested):
            return Literal(BOOL, value=True, pg_type="boolean")
        return Call(BOOL, "not", (present(tested),))
    if left.type.kind == "entity" and right.type == left.type:
        left, right = _key(left), _key(right)
    if "entity" in (left.type.kind, right.type.kind):
        raise Mismatch(f"cannot compare {left.type} with {right.type}")
    left, right = pair(left, right)
    strict = any(isinstance(part, Claim | Setting) for side in (left, right) for part in walk(side))
    strict = strict or _never_absent(left) or _never_absent(right)
    return Call(BOOL, "eq" if strict else "same", (left, right))


def _key(node: Node) -> Node:
    raise Mismatch(f"compare keys instead of rows: write `{node.type.entity}`'s key field on both sides")


def _never_absent(node: Node) -> bool:
    match node:
        case Literal():
            return node.value is not None
        case Items():
            return True
        case Variable():
            return node.name in {"now", "today"}
        case Field(required=True, base=Variable(name="self")):
            return True
        case _:
            return False


def present(node: Node) -> Node:
    """Type ``has(x)`` and ``x != null``."""
    return Call(BOOL, "present", (node,))


def ordered(operator: str, left: Node, right: Node) -> Node:
    """Type ``<``, ``<=``, ``>``, ``>=``."""
    if is_null(left) or is_null(right):
        raise Mismatch("null has no order", "use == null, != null or has()")
    left, right = pair(left, right)
    if left.type == JSON:
        left, right = adapt(left, STRING), adapt(right, STRING)
    if left.type.kind not in _ORDERED:
        raise Mismatch(f"{left.type} has no order")
    return Call(BOOL, _ORDERINGS[operator], (left, right))


def contained(item: Node, container: Node) -> Node:
    """Type ``in``."""
    if isinstance(container, Items):
        return _contained_in_items(item, container)
    container = as_list(container, item.type if not is_open(item.type) else None)
    try:
        element = element_type(container)
    except Mismatch:
        if container.type.kind == "string":
            raise Mismatch("'in' needs a list on its right", "for text use text.contains(part)") from None
        if container.type.kind == "object":
            raise Mismatch("'in' needs a list on its right", "for a member use has(object.member)") from None
        raise Mismatch(f"'in' needs a list on its right, not {container.type}") from None
    if element.kind == "entity":
        raise Mismatch("'in' cannot look for rows", "use exists(x, ...)")
    if is_null(item):
        raise Mismatch("null is in no list")
    pg_type = (
        base_pg_type(container.pg_type).removesuffix("[]") if isinstance(container, Field | Claim) else None
    )
    if element == JSON and item.type.kind in {"string", "bool", *NUMBERS}:
        pass
    elif isinstance(item, Literal | Claim) or is_open(item.type):
        item = adapt(item, element if element != JSON else STRING, pg_type if pg_type != "jsonb" else None)
    elif item.type.kind != element.kind and not {item.type.kind, element.kind} <= set(NUMBERS):
        raise Mismatch(f"cannot look for {item.type} in {container.type}")
    return Call(BOOL, "in", (item, container))


def _contained_in_items(item: Node, container: Items) -> Node:
    if any(is_null(candidate) for candidate in container.items):
        raise Mismatch("null is in no list", "add '|| x == null'")
    if is_null(item):
        raise Mismatch("null is in no list")
    if not container.items:
        return Literal(BOOL, value=False, pg_type="boolean")
    if not all(isinstance(candidate, Literal) for candidate in container.items) or isinstance(item, Literal):
        found = equal(item, container.items[0])
        for candidate in container.items[1:]:
            found = Call(BOOL, "or", (found, equal(item, candidate)))
        return found
    if is_open(item.type):
        item = adapt(item, container.items[0].type)
    candidates = tuple(pair(item, candidate)[1] for candidate in container.items)
    pg_types = {pg_of(candidate) for candidate in candidates}
    if len(pg_types) > 1:  # whole and broken numbers: compare all as numeric
        candidates = tuple(adapt(candidate, DECIMAL, "numeric") for candidate in candidates)
    return Call(BOOL, "in", (item, Items(CelType("list", element=item.type), candidates)))


def number(node: Node, symbol: str) -> Node:
    """Take an operand as a number."""
    if is_open(node.type):
        return adapt(node, DECIMAL)
    if node.type.kind not in NUMBERS or is_null(node):
        raise Mismatch(f"'{symbol}' needs numbers, not {node.type}", *_conversion_hint(node))
    return adapt(node, node.type, "numeric") if isinstance(node, Literal) else node


def _conversion_hint(node: Node) -> tuple[str, ...]:
    return ("convert it with int() or double()",) if node.type == STRING else ()


def negated(node: Node) -> Node:
    """Type unary minus."""
    operand = number(node, "-")
    return Call(INT if operand.type == INT else DECIMAL, "neg", (operand,))


def _numeric(function: str, symbol: str, left: Node, right: Node) -> Node:
    left, right = number(left, symbol), number(right, symbol)
    kind = INT if left.type == right.type == INT else DECIMAL
    return Call(kind, function, (left, right))


def _add(left: Node, right: Node) -> Node:
    kinds = (left.type.kind, right.type.kind)
    if "string" in kinds:
        left, right = (adapt(side, STRING) if is_open(side.type) else side for side in (left, right))
        if left.type != STRING or right.type != STRING:
            other = right.type if left.type == STRING else left.type
            raise Mismatch(f"cannot add {other} to text", "convert it with string()")
        return Call(STRING, "concat", (left, right))
    match kinds:
        case ("timestamp", "duration"):
            return Call(TIMESTAMP, "shift", (left, right))
        case ("duration", "timestamp"):
            return Call(TIMESTAMP, "shift", (right, left))
        case ("duration", "duration"):
            return Call(DURATION, "add", (left, right))
        case ("date", "duration"):
            return Call(TIMESTAMP, "shift", (left, right))
        case ("date", "int"):
            return Call(DATE, "shift_days", (left, number(right, "+")))
        case ("list", _) | (_, "list"):
            raise Mismatch("lists cannot be added")
        case ("any" | "json", "any" | "json"):
            raise Mismatch("neither side's type is known", "convert with string() or int()")
        case _:
            return _numeric("add", "+", left, right)


def _subtract(left: Node, right: Node) -> Node:
    match (left.type.kind, right.type.kind):
        case ("timestamp" | "date", "timestamp" | "date"):
            return Call(DURATION, "elapsed", (left, right))
        case ("timestamp" | "date", "duration"):
            return Call(TIMESTAMP, "shift", (left, Call(DURATION, "neg", (right,))))
        case ("duration", "duration"):
            return Call(DURATION, "sub", (left, right))
        case ("date", "int"):
            return Call(DATE, "shift_days", (left, Call(INT, "neg", (number(right, "-"),))))
        case _:
            return _numeric("sub", "-", left, right)


def _multiply(left: Node, right: Node) -> Node:
    return _numeric("mul", "*", left, right)


def _divide(left: Node, right: Node) -> Node:
    call = _numeric("div", "/", left, right)
    return Call(INT, "idiv", call.arguments) if isinstance(call, Call) and call.type == INT else call


def _modulo(left: Node, right: Node) -> Node:
    call = _numeric("mod", "%", left, right)
    if call.type != INT:
        raise Mismatch("'%' needs whole numbers", "convert with int()")
    return call


_ARITHMETIC: dict[str, Callable[[Node, Node], Node]] = {
    "_+_": _add,
    "_-_": _subtract,
    "_*_": _multiply,
    "_/_": _divide,
    "_%_": _modulo,
}
