"""Which expressions can be SQL, and why another cannot."""

from schemas.compiler.expressions import patterns
from schemas.compiler.expressions.syntax import (
    Call,
    Comprehension,
    Inverse,
    Items,
    Literal,
    Member,
    Node,
    Setting,
    Variable,
)
from schemas.compiler.expressions.tree import walk


def obstacle_of(node: Node) -> str:
    """Return why an expression cannot be compiled to SQL, or ""."""
    if node.type.kind == "entity":
        return "a row is not a value"
    if isinstance(node, Inverse | Comprehension) and node.type.kind == "list":
        return "a list made by filter() or map() can only be aggregated or searched"
    return next((found for part in walk(node) if (found := _obstacle(part))), "")


def _obstacle(node: Node) -> str:
    match node:
        case Setting(path=("tenant", "slug")):
            return ""
        case Setting(path=path):
            return f"{'.'.join(path)} is not known to the database"
        case Variable(name=name) if name.startswith("variables."):
            return f"'{name.removeprefix('variables.')}' is not known to the database"
        case Member(key=key) if not isinstance(key, str | int):
            return "an index must be written as a number"
        case Member(base=base) if isinstance(base, Comprehension | Items):
            return "a list made here has no index"
        case Call(function="if") if node.type.kind in {"list", "entity", "object"}:
            return "?: can only choose between single values"
        case Call():
            return _call_obstacle(node)
        case _:
            return ""


def _call_obstacle(node: Call) -> str:
    match node:
        case Call(function="matches", arguments=(_, Literal(value=str() as pattern))):
            if patterns.translate(pattern) is None:
                return f"the pattern {pattern!r} is beyond what the database matches alike"
        case Call(function="same" | "eq", arguments=(left, _)) if left.type.kind == "list":
            parts = [part for side in node.arguments for part in walk(side)]
            if any(isinstance(part, Inverse | Comprehension) for part in parts):
                return "lists made by filter() or map() cannot be compared"
        case _:
            pass
    return ""
