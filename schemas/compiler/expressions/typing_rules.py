"""How operands are brought to a common type: literals, claims and JSON values take the type they meet.

Called by the checker; raises ``Mismatch``, which the checker turns into an error with a place.
"""

from decimal import Decimal

from msgspec.structs import replace

from schemas.compiler.expressions import values
from schemas.compiler.expressions.celtypes import (
    ANY,
    BOOL,
    DECIMAL,
    DOUBLE,
    INT,
    JSON,
    NULL,
    NUMBERS,
    STRING,
    CelType,
    base_pg_type,
    list_of,
    pg_type_of,
)
from schemas.compiler.expressions.syntax import Call, Claim, Field, Items, Literal, Node, Value

TIMES = ("timestamp", "date", "time")
SCALARS = ("bool", "int", "decimal", "double", "string", "timestamp", "date", "time", "duration")


class Mismatch(Exception):  # noqa: N818 - control flow inside the checker, never escapes it
    """Two types that do not fit; the second argument, when there is one, says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def is_null(node: Node) -> bool:
    """Tell whether a node is the literal null."""
    return isinstance(node, Literal) and node.value is None


def is_open(kind: CelType) -> bool:
    """Tell whether a type is known only at run time."""
    return kind.kind in {"any", "json"}


def pg_of(node: Node) -> str:
    """Return the PostgreSQL type a node's value has in SQL."""
    match node:
        case Literal() | Claim():
            return node.pg_type
        case Field():
            return base_pg_type(node.pg_type)
        case Call(function="if", arguments=(_, left, right)):
            kinds = {pg_of(side) for side in (left, right) if not is_null(side)}
            return kinds.pop() if len(kinds) == 1 else carried(node.type)
        case Call():
            return carried(node.type)
        case _:
            return pg_type_of(node.type)


def carried(kind: CelType) -> str:
    """Return the PostgreSQL type of a computed value: integers become numeric, which cannot overflow."""
    return "numeric" if kind.kind == "int" else pg_type_of(kind)


def adapt(node: Node, want: CelType, pg_type: str | None = None) -> Node:
    """Return the node as a value of type ``want``, sent as ``pg_type`` where it is a literal or a claim.

    Raises:
        Mismatch: it cannot be one.
    """
    have = node.type
    pg_type = pg_type or pg_type_of(want)
    if isinstance(node, Literal):
        return _adapt_literal(node, want, pg_type)
    if isinstance(node, Claim) and have in (want, ANY):
        return replace(node, type=want, pg_type=pg_type)
    if isinstance(node, Items) and want.kind == "list" and want.element is not None:
        element = want.element
        return Items(want, tuple(adapt(item, element, pg_type.removesuffix("[]")) for item in node.items))
    if is_open(have) and want.kind in SCALARS:
        return from_json(node, want) if have == JSON else replace_type(node, want)
    if have.kind == want.kind or (have.kind in NUMBERS and want.kind in NUMBERS):
        return node
    raise Mismatch(f"cannot use {have} as {want}")


def replace_type(node: Node, want: CelType) -> Node:
    """Give a value of unknown type (a setting, a caller's variable) the type it is used as."""
    return Call(want, "as", (node,))


def from_json(node: Node, want: CelType) -> Node:
    """Read a JSON value as a scalar; absent when it is of another type."""
    if want.kind in {"timestamp", "date"}:
        return Call(want, f"to_{want.kind}", (Call(STRING, "from_json", (node,)),))
    if want.kind not in {"bool", "int", "decimal", "double", "string"}:
        raise Mismatch(f"cannot use json as {want}")
    return Call(DECIMAL if want.kind == "double" else want, "from_json", (node,))


def _adapt_literal(node: Literal, want: CelType, pg_type: str) -> Literal:
    value = node.value
    if value is None:
        return Literal(want, None, pg_type)
    if node.type.kind in NUMBERS and want.kind in NUMBERS:
        if pg_type == "double precision" and isinstance(value, int | Decimal):
            return Literal(DOUBLE, float(value), pg_type)
        whole = isinstance(value, Decimal) and value == value.to_integral_value()
        if pg_type == "bigint" and isinstance(value, Decimal):
            fits = whole and abs(value) < Decimal(2**63)
            return Literal(node.type, int(value), "bigint") if fits else replace(node, pg_type="numeric")
        return replace(node, pg_type=pg_type)
    if node.type == want:
        if isinstance(value, str) and pg_type not in {"text", "citext"}:
            canonical = values.canonical_text(value, pg_type)
            if canonical is None:
                raise Mismatch(f"{value!r} is not a valid {pg_type}")
            return Literal(want, canonical, pg_type)
        return replace(node, pg_type=pg_type)
    if isinstance(value, str) and want.kind in {"timestamp", "date", "time"}:
        parsed = values.parse_text(value, want)
        if parsed is None:
            raise Mismatch(f"{value!r} is not a valid {want}")
        return Literal(want, parsed, pg_type_of(want))
    raise Mismatch(f"cannot use {node.type} as {want}")


def pair(left: Node, right: Node) -> tuple[Node, Node]:
    """Bring two operands of a comparison to types that can be compared.

    Raises:
        Mismatch: they cannot be.
    """
    if is_open(left.type) and is_open(right.type):
        if left.type == right.type == JSON:
            return left, right
        return adapt(left, STRING), adapt(right, STRING)
    if is_open(left.type) or (not is_open(right.type) and _is_flexible(left, right)):
        return _toward(left, right), right
    if is_open(right.type) or _is_flexible(right, left):
        return left, _toward(right, left)
    kinds = {left.type.kind, right.type.kind}
    if len(kinds) == 1 or kinds <= set(NUMBERS) or kinds == {"date", "timestamp"}:
        return left, right
    raise Mismatch(f"cannot compare {left.type} with {right.type}")


def _is_flexible(node: Node, other: Node) -> bool:
    return isinstance(node, Literal | Claim | Items) and not isinstance(other, Literal | Claim | Items)


def _toward(node: Node, other: Node) -> Node:
    if {node.type.kind, other.type.kind} == {"date", "timestamp"}:
        return node
    try:
        return adapt(node, other.type, pg_of(other))
    except Mismatch as mismatch:
        if "is not a valid" in str(mismatch):
            raise
        raise Mismatch(f"cannot compare {node.type} with {other.type}") from None


def unify(left: Node, right: Node) -> tuple[Node, Node, CelType]:
    """Bring the two branches of ``?:`` to one type.

    Raises:
        Mismatch: there is none.
    """
    if is_null(left) and is_null(right):
        return left, right, NULL
    if is_null(left) or is_null(right):
        left, right = (adapt(node, STRING) if node.type == ANY else node for node in (left, right))
        other = right.type if is_null(left) else left.type
        filled = [
            Literal(other, None, pg_type_of(other)) if is_null(node) else node for node in (left, right)
        ]
        return filled[0], filled[1], other
    if is_open(left.type) and not is_open(right.type):
        left = adapt(left, right.type)
    elif is_open(right.type) and not is_open(left.type):
        right = adapt(right, left.type)
    elif ANY in (left.type, right.type):
        left, right = adapt(left, STRING), adapt(right, STRING)
    if left.type == right.type:
        return left, right, left.type
    if left.type.kind in NUMBERS and right.type.kind in NUMBERS:
        return left, right, DECIMAL
    if {left.type.kind, right.type.kind} == {"date", "timestamp"}:
        raise Mismatch("one branch is a date, the other a timestamp")
    if isinstance(left, Literal) and right.type.kind in TIMES:
        return adapt(left, right.type), right, right.type
    if isinstance(right, Literal) and left.type.kind in TIMES:
        return left, adapt(right, left.type), left.type
    raise Mismatch(f"one branch is {left.type}, the other {right.type}")


def element_type(node: Node) -> CelType:
    """Return the type of a list's elements; JSON for a JSON value of unknown type.

    Raises:
        Mismatch: it is not a list.
    """
    if node.type.kind == "list" and node.type.element is not None:
        return node.type.element
    if node.type == JSON:
        return JSON
    raise Mismatch(f"{node.type} is not a list")


def as_list(node: Node, element: CelType | None = None) -> Node:
    """Read a claim as a list of ``element`` and a JSON value as a JSON list; leave lists as they are."""
    if isinstance(node, Claim) and node.type == ANY:
        wanted = list_of(element or STRING)
        return replace(node, type=wanted, pg_type=pg_type_of(wanted))
    return node


def literal(value: Value) -> Literal:
    """Return the node of a literal."""
    kinds: tuple[tuple[type, CelType], ...] = ((bool, BOOL), (int, INT), (str, STRING), (type(None), NULL))
    kind = next((kind for python, kind in kinds if isinstance(value, python)), DECIMAL)
    return Literal(kind, value, pg_type_of(kind))
