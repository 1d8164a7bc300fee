"""One entity: its keys, in the order people write them.

Decides which parts an entity has. Each part's form and meaning is in the module of its name.
"""

from msgspec import Struct
from typing_extensions import override

from schemas.compiler.grammar.combinators import Either, FormerNames, Titles
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.quantities import DATE, DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Text
from schemas.compiler.grammar.slots import FieldPath
from schemas.compiler.names import ENTITY_PATTERN
from schemas.compiler.nodes import Node, Scalar
from schemas.compiler.scope import Scope
from schemas.compiler.sections.access import ACCESS
from schemas.compiler.sections.cases import CASES
from schemas.compiler.sections.functions import FUNCTIONS
from schemas.compiler.sections.indexes import CONSTRAINTS, INDEXES
from schemas.compiler.sections.properties import ENTITY_SCHEMA
from schemas.compiler.sections.rules import RULES
from schemas.compiler.sections.views import VIEWS
from schemas.compiler.sections.workflow import WORKFLOW


class History(Struct, frozen=True):
    """Row history; ``keep`` in seconds, None for ever."""

    keep: float | None = None


class HistoryShape(Either):
    """``true``, or how long."""

    @override
    def build(self, node: Node, scope: Scope) -> History | None:
        if isinstance(node, Scalar):
            return History() if node.value is True else None
        built: History = super().build(node, scope)
        return built


HISTORY = HistoryShape(
    single=BOOLEAN,
    record=Record(
        "history",
        "Keep what rows were: as_of in lists, versions, revert. Switching it on copies nothing. false stops "
        "and keeps what there is readable; without the key it moves to the archive, after a yes.",
        {"keep": Key(DURATION, "How long versions stay that are over; for ever without.", examples=("2y",))},
        make=History,
    ),
)
ENTITY = Record(
    "entity",
    "One kind of thing the tenant keeps: a table, its API, its forms.",
    {
        "title": Key(Titles(), "What people read, perhaps per language.", examples=("Customers",)),
        "description": Key(Text("a text", most=10_000), "What it is for."),
        "label": Key(FieldPath(), "Field that names a row to people."),
        "key": Key(
            Text("a field's name", most=200), "Key field; without one there is id, a UUID made by the server."
        ),
        "renamed_from": Key(
            FormerNames(ENTITY_PATTERN),
            "The entity's former name: its rows move along. All its former names, when it had several.",
        ),
        "alias_until": Key(DATE, "The old names keep answering until this day."),
        "soft_delete": Key(BOOLEAN, "Deleting hides the row and keeps it."),
        "managed": Key(BOOLEAN, "false: no created_at, updated_at, created_by, updated_by."),
        "schema": Key(ENTITY_SCHEMA, "The shape of a row."),
        "indexes": Key(INDEXES, "What is found fast."),
        "constraints": Key(CONSTRAINTS, "What is unique together."),
        "rules": Key(RULES, "What must hold."),
        "access": Key(ACCESS, "Who may do what."),
        "workflow": Key(WORKFLOW, "States and transitions."),
        "functions": Key(FUNCTIONS, "What runs when something happens to a row."),
        "views": Key(VIEWS, "How rows look."),
        "history": Key(HISTORY, "Keep every version of a row."),
        "comments": Key(BOOLEAN, "true: who may read a row may comment on it."),
        "audit": Key(BOOLEAN, "false: its changes stay out of audit_log."),
        "tests": Key(CASES, "Who may do what with which row; run on every save."),
    },
    suggest={
        "fields": "fields stand in schema: {properties: ...}",
        "properties": "write schema: {properties: ...}",
        "required": "write schema: {required: [...]}",
        "permissions": "write access: ...",
        "primaryKey": "write key: <field>",
        "primary_key": "write key: <field>",
        "table": "an entity's table has the entity's name",
        "triggers": "write functions: ...",
        "hooks": "write functions: ...",
    },
)

ENTITY_SECTIONS = ("workflow", "functions", "views", "history", "comments", "audit", "tests")
"""Keys whose built value is a section of the entity."""
