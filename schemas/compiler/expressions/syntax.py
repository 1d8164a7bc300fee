"""The abstract syntax of a checked CEL expression, as frozen values that can be compared, hashed and sent.

Made by ``check``; read by ``to_sql`` and ``to_python``. Every node knows its type; positions are gone, they
live in the errors and in ``Expression.references``.
"""

import datetime as dt
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from schemas.compiler.expressions.celtypes import ANY, NULL, CelType

Value: TypeAlias = bool | int | Decimal | float | str | dt.datetime | dt.date | dt.time | dt.timedelta | None


class Literal(Struct, frozen=True):
    """A value written in the text; ``pg_type`` is the type it is sent as."""

    type: CelType
    value: Value
    pg_type: str


class Items(Struct, frozen=True):
    """A list written in the text."""

    type: CelType
    items: "tuple[Node, ...]"


class Variable(Struct, frozen=True):
    """``self``, ``old``, ``now``, ``today``, a macro's variable (``#1``) or a declared one."""

    type: CelType
    name: str


class Field(Struct, frozen=True):
    """A column of a row; ``required``: never null; ``references``: the entity its value points to."""

    type: CelType
    base: "Node"
    entity: str
    name: str
    pg_type: str
    required: bool = False
    references: str = ""


class Relation(Struct, frozen=True):
    """The row a foreign key points to (``type.entity``)."""

    type: CelType
    base: "Node"
    entity: str
    name: str
    field: str
    key: str


class Inverse(Struct, frozen=True):
    """The rows (of ``type.element.entity``) whose ``field`` points to ``base``'s ``key``."""

    type: CelType
    base: "Node"
    entity: str
    name: str
    field: str
    key: str


class Member(Struct, frozen=True):
    """A member of a JSON object by name, or of a list by index; the value is JSON when the base is."""

    type: CelType
    base: "Node"
    key: "str | int | Node"


class Claim(Struct, frozen=True):
    """A value of the caller by ``Principal.lookup`` path."""

    type: CelType
    path: tuple[str, ...]
    pg_type: str


class Setting(Struct, frozen=True):
    """A value of ``tenant`` or ``request``, by path."""

    type: CelType
    path: tuple[str, ...]


class Call(Struct, frozen=True):
    """An operator or function; the names are those of ``functions`` and ``operators``."""

    type: CelType
    function: str
    arguments: "tuple[Node, ...]"


class Comprehension(Struct, frozen=True):
    """A macro: exists, all, exists_one, filter, map."""

    type: CelType
    kind: str
    variable: str
    range: "Node"
    predicate: "Node | None"
    body: "Node | None"


Node: TypeAlias = (
    Literal | Items | Variable | Field | Relation | Inverse | Member | Claim | Setting | Call | Comprehension
)


class Use(Struct, frozen=True):
    """One use of an entity's field in the text; line and column count from 1."""

    entity: str
    field: str
    line: int
    column: int


class Expression(Struct, frozen=True):
    """A checked expression.

    Attributes:
        text: the source.
        type: of the result.
        node: the typed tree.
        in_sql: it can be compiled to SQL.
        in_process: it can be evaluated from the row alone: it follows no relation.
        names: field paths of the row it reads, e.g. ``status``, ``owner_id``, ``owner.region``,
            ``tasks.amount``.
        uses_old: it reads the row before the change.
        uses_user: it reads the caller.
        constant: it reads nothing at all.
        immutable: it depends on the row alone (not on time, caller, tenant or other rows): fit for an index.
        references: every entity field used, with its place in ``text``.
        obstacle: why it cannot be SQL, "" when it can.
    """

    text: str
    type: CelType = ANY
    node: Node = Literal(NULL, None, "text")
    in_sql: bool = True
    in_process: bool = True
    names: frozenset[str] = frozenset()
    uses_old: bool = False
    uses_user: bool = False
    constant: bool = False
    immutable: bool = False
    references: tuple[Use, ...] = ()
    obstacle: str = ""
