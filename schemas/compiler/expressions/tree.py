"""Walking the typed tree, and the facts about an expression that follow from it."""

from collections.abc import Iterator

from schemas.compiler.expressions.syntax import (
    Call,
    Claim,
    Comprehension,
    Field,
    Inverse,
    Items,
    Member,
    Node,
    Relation,
    Setting,
    Variable,
)


def children(node: Node) -> tuple[Node, ...]:
    """Return a node's direct operands."""
    match node:
        case Field() | Relation() | Inverse():
            return (node.base,)
        case Member():
            return (node.base,) if isinstance(node.key, str | int) else (node.base, node.key)
        case Call():
            return node.arguments
        case Items():
            return node.items
        case Comprehension():
            return tuple(part for part in (node.range, node.predicate, node.body) if part is not None)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def names_of(node: Node) -> frozenset[str]:
    """Return the field paths of ``self`` and ``old`` that an expression reads."""
    found: set[str] = set()
    _collect(node, {"self": "", "old": ""}, found)
    return frozenset(found)


def _collect(node: Node, paths: dict[str, str], found: set[str]) -> None:
    if isinstance(node, Comprehension):
        _collect(node.range, paths, found)
        path = _path(node.range, paths)
        inner = paths if path is None else {**paths, node.variable: path + "."}
        for part in (node.predicate, node.body):
            if part is not None:
                _collect(part, inner, found)
        return
    if isinstance(node, Field | Relation | Inverse):
        path = _path(node.base, paths)
        if path is not None:
            prefix = path + "." if path and not path.endswith(".") else path
            found.add(prefix + (node.field if isinstance(node, Relation) else node.name))
    for child in children(node):
        _collect(child, paths, found)


def _path(node: Node, paths: dict[str, str]) -> str | None:
    match node:
        case Variable():
            path = paths.get(node.name)
            return None if path is None else path.removesuffix(".")
        case Field() | Relation() | Inverse():
            base = _path(node.base, paths)
            return None if base is None else f"{base}.{node.name}" if base else node.name
        case Comprehension(kind="filter"):
            return _path(node.range, paths)
        case _:
            return None


def follows_relations(node: Node) -> bool:
    """Tell whether other rows than ``self`` and ``old`` are read."""
    return any(isinstance(part, Relation | Inverse) for part in walk(node))


def uses_variable(node: Node, name: str) -> bool:
    """Tell whether a variable is read."""
    return any(isinstance(part, Variable) and part.name == name for part in walk(node))


def uses_user(node: Node) -> bool:
    """Tell whether the caller is read."""
    return any(isinstance(part, Claim) for part in walk(node))


def is_constant(node: Node) -> bool:
    """Tell whether nothing at all is read."""
    return not any(isinstance(part, Variable | Claim | Setting) for part in walk(node))


_UNSTABLE_FUNCTIONS = {"to_timestamp", "to_string", "shift", "sum", "avg", "min", "max"}
"""Functions PostgreSQL does not let an index use, or that need a subquery."""


def _is_array(node: Node) -> bool:
    return node.type.kind == "list" and node.type.stored != "json"


def is_immutable(node: Node) -> bool:
    """Tell whether the value depends on the row alone, in PostgreSQL's eyes too."""
    for part in walk(node):
        match part:
            case Claim() | Setting() | Relation() | Inverse() | Comprehension():
                return False
            case Variable():
                if part.name != "self":
                    return False
            case Call() if part.function in _UNSTABLE_FUNCTIONS:
                return False
            case Call(function="in", arguments=(_, container)) if not _is_array(container):
                return False
            case _:
                pass
    return True
