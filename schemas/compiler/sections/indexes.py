"""``indexes`` and ``constraints``: how rows are found fast, and what may be there only once.

Decides their names, which never meet an entity's. How they are built without stopping anyone is the
planner's.
"""

from typing import Any

from msgspec import Struct
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.scalars import BOOLEAN, Choice
from schemas.compiler.grammar.slots import Cel, FieldName
from schemas.compiler.model import Index
from schemas.compiler.names import derived_name
from schemas.compiler.nodes import Node
from schemas.compiler.scope import Scope

MAX_INDEXES = 64
_FIELDS = Many(FieldName(stored=True), "field names", least=1, most=16, single=True)
METHODS = {
    "btree": "equality, ranges and order; the default",
    "hash": "equality alone",
    "gin": "inside JSON, arrays and texts",
    "gist": "ranges and overlaps",
    "brin": "huge tables in natural order",
}


class IndexRecord(Record):
    """One index; the same field twice is refused."""

    @override
    def build(self, node: Node, scope: Scope) -> Index:
        values: dict[str, Any] = super().build(node, scope)
        fields: tuple[str, ...] = values["fields"]
        _check_twice(fields, node, scope)
        where: Expression | None = values.get("where")
        entity = scope.entity.name if scope.entity is not None else ""
        suffix = ("where",) if where is not None else ()
        name = derived_name("_ix", entity, *fields, *suffix)
        return Index(name, fields, values.get("unique", False), where, values.get("method", "btree"))


class Constraint(Struct, frozen=True):
    """Fields that together are unique."""

    unique: tuple[str, ...]


class ConstraintRecord(Record):
    """One constraint."""

    @override
    def build(self, node: Node, scope: Scope) -> Constraint:
        values: dict[str, Any] = super().build(node, scope)
        _check_twice(values["unique"], node, scope)
        return Constraint(values["unique"])


def _check_twice(fields: tuple[str, ...], node: Node, scope: Scope) -> None:
    for name in {name for name in fields if fields.count(name) > 1}:
        scope.findings.error("index.duplicate_field", f"'{name}' is listed twice", node)


INDEX = IndexRecord(
    "index",
    "An index, for what is often filtered or sorted.",
    {
        "fields": Key(
            _FIELDS, "Fields, the most selective first.", required=True, examples=(["status", "due_on"],)
        ),
        "unique": Key(BOOLEAN, "No two rows are equal in these fields."),
        "where": Key(Cel(Use("an index condition", needs="row")), "Only rows for which this holds."),
        "method": Key(Choice(METHODS, "an index method"), "How it is built."),
    },
    shorthand="fields",
    suggest={"columns": "write fields: [...]", "on": "write fields: [...]"},
)
INDEXES = Many(INDEX, "indexes such as {fields: [status]}", most=MAX_INDEXES)
CONSTRAINTS = Many(
    ConstraintRecord(
        "constraint",
        "What must be unique together.",
        {"unique": Key(_FIELDS, "Fields that together are unique.", required=True)},
        suggest={"check": "conditions on a row are rules: rules: [{rule: ...}]"},
    ),
    "constraints such as {unique: [a, b]}",
    most=MAX_INDEXES,
)
