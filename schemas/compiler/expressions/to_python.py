"""The Python back end: a checked expression to a function.

Called by the write pipeline (rules, guards, conditions). Arithmetic is exact (``Decimal``), rows are what a
JSON decoder or the driver gives. The meaning is that of the SQL back end: the package's docstring says what
it is, a property test holds both together.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from msgspec import Struct, field

from schemas.compiler.expressions import python_functions, python_times, tree, values
from schemas.compiler.expressions.celtypes import BOOL, DECIMAL, DOUBLE, CelType
from schemas.compiler.expressions.claims import claim_text
from schemas.compiler.expressions.syntax import (
    Call,
    Claim,
    Comprehension,
    Expression,
    Field,
    Inverse,
    Items,
    Literal,
    Member,
    Node,
    Relation,
    Setting,
    Variable,
)
from schemas.compiler.principal import ANONYMOUS, Principal
from schemas.compiler.query.errors import QueryError

Row: TypeAlias = Mapping[str, object]


class World(Protocol):
    """Other rows, for expressions that follow relations; soft-deleted rows are not in it."""

    def one(self, entity: str, key_field: str, key: object) -> Row | None:
        """Return the row with that key."""

    def many(self, entity: str, foreign_field: str, key: object) -> Sequence[Row]:
        """Return the rows that refer to that key."""


class Env(Struct, frozen=True):
    """What an expression is evaluated on.

    Attributes:
        self: the row, None where there is none.
        old: the row before the change, None on create.
        user: the caller.
        tenant: ``slug``, ``plan``, ``settings``.
        now: the request's time, aware.
        request: ``method`` and so on.
        variables: the caller's own names.
        timezone: the tenant's time zone.
        world: other rows; needed only when ``in_process`` is false.
    """

    self: Row | None = None
    old: Row | None = None
    user: Principal = ANONYMOUS
    tenant: Mapping[str, object] = field(default_factory=dict)
    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    request: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, object] = field(default_factory=dict)
    timezone: str = "UTC"
    world: World | None = None


MAX_STEPS = 100_000
"""What one evaluation may take, in parts of the expression evaluated inside macros: some 50 milliseconds."""
TEXT_STEP = 1000
"""Characters of a made text that count as one."""
_SPENT = "#spent"
Bound: TypeAlias = dict[str, object]
Step: TypeAlias = Callable[[Env, Bound], object]


def to_python(expression: Expression) -> Callable[[Env], object]:
    """Return a function that evaluates an expression.

    Args:
        expression: checked; one that is not ``in_process`` needs ``Env.world``.

    Returns:
        A function of an ``Env``: a bool for truth values, else the value or None when absent. It raises
        QueryError (expression_budget) when macros go round too often, and nothing else for any row.
    """
    step = build(expression.node)
    if expression.type == BOOL:
        return lambda env: step(env, {}) is True
    return lambda env: step(env, {})


def build(node: Node) -> Step:
    """Compile a node."""
    return _BUILDERS[type(node)](node)


def _literal(node: Literal) -> Step:
    value = node.value
    return lambda _env, _bound: value


def _setting(node: Setting) -> Step:
    space, name = node.path
    return lambda env, _bound: (env.tenant if space == "tenant" else env.request).get(name)


def _items(node: Items) -> Step:
    steps = [build(item) for item in node.items]
    return lambda env, bound: [step(env, bound) for step in steps]


def _claim(node: Claim) -> Step:
    path, pg_type, kind = node.path, node.pg_type, node.type

    def read(env: Env, _bound: Bound) -> object:
        text = claim_text(env.user.lookup(path), pg_type)
        if isinstance(text, list):
            element = kind.element or kind
            return [None if item is None else values.parse_text(item, element) for item in text]
        return None if text is None else values.parse_text(text, kind)

    return read


def _variable(node: Variable) -> Step:
    name = node.name
    match name:
        case "self":
            return lambda env, _bound: env.self
        case "old":
            return lambda env, _bound: env.old
        case "now":
            return lambda env, _bound: env.now
        case "today":
            return lambda env, _bound: python_times.day(env.now, env.timezone)
        case _:
            pass
    if name.startswith("variables."):
        key = name.removeprefix("variables.")
        kind = node.type
        return lambda env, _bound: _plain(env.variables.get(key), kind)
    return lambda _env, bound: bound.get(name)


def _plain(value: object, kind: CelType) -> object:
    """Return a caller's variable in the form its type has here."""
    return value if kind.kind in {"any", "json", "object", "entity"} else values.from_row(value, kind, "text")


def _field(node: Field) -> Step:
    base, name, kind, pg_type = build(node.base), node.name, node.type, node.pg_type

    def read(env: Env, bound: Bound) -> object:
        row = base(env, bound)
        return values.from_row(row.get(name), kind, pg_type) if isinstance(row, Mapping) else None

    return read


def _relation(node: Relation) -> Step:
    base, foreign, target, key = build(node.base), node.field, node.type.entity, node.key

    def read(env: Env, bound: Bound) -> object:
        row = base(env, bound)
        value = row.get(foreign) if isinstance(row, Mapping) else None
        return None if value is None or env.world is None else env.world.one(target, key, value)

    return read


def _inverse(node: Inverse) -> Step:
    base, key, foreign = build(node.base), node.key, node.field
    child = node.type.element.entity if node.type.element is not None else ""

    def read(env: Env, bound: Bound) -> object:
        row = base(env, bound)
        value = row.get(key) if isinstance(row, Mapping) else None
        return [] if value is None or env.world is None else env.world.many(child, foreign, value)

    return read


def _member(node: Member) -> Step:
    base = build(node.base)
    key = node.key
    pick = (lambda _env, _bound: key) if isinstance(key, str | int) else build(key)

    def read(env: Env, bound: Bound) -> object:
        value, wanted = base(env, bound), pick(env, bound)
        if isinstance(wanted, str):
            return value.get(wanted) if isinstance(value, Mapping) else None
        if isinstance(wanted, int) and isinstance(value, list | tuple) and 0 <= wanted < len(value):
            return value[wanted]
        return None

    return read


def _spend(bound: Bound, steps: int) -> None:
    """Count the steps of an evaluation: what rows hold decides how often a macro goes round.

    Raises:
        QueryError: expression_budget.
    """
    spent = bound.get(_SPENT, 0)
    bound[_SPENT] = spent = (spent if isinstance(spent, int) else 0) + steps
    if spent > MAX_STEPS:
        raise QueryError("expression_budget", "an expression of the tenant's file takes too long on this row")


def _comprehension(node: Comprehension) -> Step:
    source, name = build(node.range), node.variable
    test = build(node.predicate) if node.predicate is not None else None
    body = build(node.body) if node.body is not None else None
    parts = (part for part in (node.predicate, node.body) if part is not None)
    cost = 1 + sum(1 for part in parts for _ in tree.walk(part))

    def run(env: Env, bound: Bound) -> list[tuple[object, bool]]:
        """Return (element or mapped element, whether the predicate holds) for each element."""
        elements = source(env, bound)
        found: list[tuple[object, bool]] = []
        for element in elements if isinstance(elements, list | tuple) else ():
            bound[name] = element
            _spend(bound, cost)
            holds = test is None or test(env, bound) is True
            value = body(env, bound) if body is not None and holds else element
            if isinstance(value, str) and value is not element:
                _spend(bound, len(value) // TEXT_STEP)
            found.append((value, holds))
        return found

    match node.kind:
        case "exists":
            return lambda env, bound: any(holds for _, holds in run(env, bound))
        case "all":
            return lambda env, bound: all(holds for _, holds in run(env, bound))
        case "exists_one":
            return lambda env, bound: sum(holds for _, holds in run(env, bound)) == 1
        case _:
            return lambda env, bound: [element for element, holds in run(env, bound) if holds]


def _call(node: Call) -> Step:
    arguments = [build(argument) for argument in node.arguments]
    match node.function, arguments:
        case "and", [left, right]:
            return lambda env, bound: left(env, bound) is True and right(env, bound) is True
        case "or", [left, right]:
            return lambda env, bound: left(env, bound) is True or right(env, bound) is True
        case "not", [operand]:
            return lambda env, bound: operand(env, bound) is not True
        case "present", [operand]:
            return lambda env, bound: operand(env, bound) is not None
        case "if", [test, then, otherwise]:
            if node.type == DECIMAL and DOUBLE in {branch.type for branch in node.arguments[1:]}:
                return lambda env, bound: values.decimal_of(
                    (then if test(env, bound) is True else otherwise)(env, bound)
                )
            return lambda env, bound: then(env, bound) if test(env, bound) is True else otherwise(env, bound)
        case "day", [moment]:
            return lambda env, bound: python_times.day(moment(env, bound), env.timezone)
        case _:
            pass
    function = python_functions.function(node)
    match arguments:
        case [operand]:
            return lambda env, bound: function(operand(env, bound))
        case [left, right]:
            return lambda env, bound: function(left(env, bound), right(env, bound))
        case _:
            return lambda env, bound: function(*[argument(env, bound) for argument in arguments])


_BUILDERS: Mapping[type, Callable[[Any], Step]] = {
    Literal: _literal,
    Claim: _claim,
    Setting: _setting,
    Variable: _variable,
    Field: _field,
    Relation: _relation,
    Inverse: _inverse,
    Member: _member,
    Items: _items,
    Comprehension: _comprehension,
    Call: _call,
}
