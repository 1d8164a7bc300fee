"""The macros exists, all, exists_one, filter and map. Called by the checker."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from schemas.compiler.expressions import members, operators, parse
from schemas.compiler.expressions.celtypes import BOOL, JSON, list_of
from schemas.compiler.expressions.syntax import Comprehension, Node, Variable
from schemas.compiler.expressions.typing_rules import Mismatch, as_list, element_type, is_null

if TYPE_CHECKING:
    from schemas.compiler.expressions.checker import Checker

MAX_MACROS = 3


def macro(checker: "Checker", raw: parse.Macro, scope: Mapping[str, Node], depth: int) -> Node:
    """Type a macro; its variable gets a name of its own."""
    source = as_list(checker.expression(raw.range, scope, depth + 1))
    try:
        element = element_type(source)
    except Mismatch:
        raise checker.error(raw.offset, f"{raw.kind}() needs a list, not {source.type}") from None
    checker.macros += 1
    name = f"#{checker.macros}"
    in_json = source.type == JSON or source.type.stored == "json"
    variable: Node = Variable(JSON if in_json and element.kind != "object" else element, name)
    if in_json:
        variable = members.typed_json(variable, element)
    inner = {**scope, raw.variable: variable}
    checker.nesting += 1
    if checker.nesting > MAX_MACROS:
        message = f"too costly: macros nested deeper than {MAX_MACROS}"
        raise checker.error(raw.offset, message, code="expression.too_costly")
    predicate = None if raw.predicate is None else checker.expression(raw.predicate, inner, depth + 1)
    if predicate is not None:
        predicate = operators.truth(predicate, raw.kind + "()")
    body = None if raw.body is None else checker.expression(raw.body, inner, depth + 1)
    checker.nesting -= 1
    match raw.kind:
        case "map":
            if body is None or is_null(body) or body.type.kind in {"entity", "namespace", "list"}:
                raise checker.error(raw.offset, "map() must give a value for each element")
            kind = list_of(body.type)
        case "filter":
            kind = source.type
        case _:
            kind = BOOL
    return Comprehension(kind, raw.kind, name, source, predicate, body)
