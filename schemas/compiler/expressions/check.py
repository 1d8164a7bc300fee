"""CEL text and shapes to an ``Expression``: the entry of the expression compiler, and the only maker of them.

Called by the schema compiler for every expression of a tenant file. The cost of what it accepts is bounded,
so neither back end needs to.
"""

from collections.abc import Mapping

from schemas.compiler.expressions import parse, tree
from schemas.compiler.expressions.celtypes import BOOL, CelType, pg_type_of
from schemas.compiler.expressions.checker import Checker
from schemas.compiler.expressions.shapes import Shapes
from schemas.compiler.expressions.sql_support import obstacle_of
from schemas.compiler.expressions.syntax import Call, Expression, Literal, Value
from schemas.compiler.expressions.typing_rules import literal


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
    checker = Checker(shapes, entity, variables or {}, definitions or {}, text)
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


def both(left: Expression, right: Expression) -> Expression:
    """Return the truth value that two checked ones are together."""
    return Expression(
        text=f"({left.text}) && ({right.text})",
        type=BOOL,
        node=Call(BOOL, "and", (left.node, right.node)),
        in_sql=left.in_sql and right.in_sql,
        in_process=left.in_process and right.in_process,
        names=left.names | right.names,
        uses_old=left.uses_old or right.uses_old,
        uses_user=left.uses_user or right.uses_user,
        constant=left.constant and right.constant,
        immutable=left.immutable and right.immutable,
        references=left.references + right.references,
        obstacle=left.obstacle or right.obstacle,
    )


def literal_expression(value: Value, kind: CelType | None = None) -> Expression:
    """Return the expression that is a fixed value, for defaults that are not CEL."""
    node = literal(value)
    if kind is not None and value is not None:
        node = Literal(kind, value, pg_type_of(kind))
    return Expression(text=str(value), type=node.type, node=node, constant=True, immutable=True)
