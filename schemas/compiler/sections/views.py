"""``views``: how an entity's rows look as a list, a board, a form or a calendar.

Decides that every field a view names exists. Drawing them is the UI's, from these descriptors.
"""

from collections.abc import Callable
from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.queries import Filter, Order
from schemas.compiler.grammar.scalars import Choice, Integer
from schemas.compiler.grammar.shape import Definitions, JsonSchema, Shape
from schemas.compiler.grammar.slots import Cel, FieldName, FieldPath, RoleName
from schemas.compiler.names import FIELD_PATTERN
from schemas.compiler.nodes import Entry, Mapping, Node, Scalar, pairs
from schemas.compiler.scope import Scope

COUNTS = {
    "exact": "COUNT(*)",
    "planned": "the planner's guess",
    "estimated": "exact when small",
    "none": "no count",
}


class ListView(Struct, frozen=True):
    """Rows in a table."""

    columns: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    filter: str = ""
    count: str = "estimated"
    limit: int = 25
    title: MappingType[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    type: str = "list"


class BoardView(Struct, frozen=True):
    """Rows as cards in columns."""

    group_by: str
    card: tuple[str, ...] = ()
    filter: str = ""
    sort: tuple[str, ...] = ()
    title: MappingType[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    type: str = "board"


class CalendarView(Struct, frozen=True):
    """Rows by day."""

    start: str
    end: str | None = None
    label: str | None = None
    color_by: str | None = None
    filter: str = ""
    title: MappingType[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    type: str = "calendar"


class FormSection(Struct, frozen=True):
    """A titled group of fields."""

    fields: tuple[str, ...]
    title: MappingType[str, str] = field(default_factory=dict)
    visible_if: Expression | None = None
    columns: int = 1


class FormField(Struct, frozen=True):
    """How one field behaves in the form."""

    required_if: Expression | None = None
    visible_if: Expression | None = None
    read_only_if: Expression | None = None
    help: MappingType[str, str] = field(default_factory=dict)
    placeholder: MappingType[str, str] = field(default_factory=dict)


class FormView(Struct, frozen=True):
    """One row to fill in."""

    sections: tuple[FormSection, ...] = ()
    fields: MappingType[str, FormField] = field(default_factory=dict)
    title: MappingType[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    type: str = "form"


class FormFields(Keyed):
    """Settings by field; every name must be a field."""

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        for key, _ in pairs(node):
            scope.find_field(key, key.text)
        return super().build(node, scope)


def _condition(says: str) -> Key:
    return Key(Cel(Use("a form condition", needs="process")), says, examples=("self.net > 1000.0",))


_PATHS = Many(FieldPath(), "fields or paths such as customer.name", most=100, single=True)
_SORT = Key(
    Many(Order(), "fields to sort by", most=5, single=True),
    "Order; - before a field reverses it.",
    examples=("-due_on",),
)
_FILTER = Key(Filter(), "Only these rows, in the query grammar.")
_COMMON = {
    "title": Key(Titles(), "What people read."),
    "roles": Key(
        Many(RoleName(), "role names", single=True),
        "Who sees the view; everyone who may read, when left out.",
    ),
}


def _view(kind: str, says: str, keys: dict[str, Key], make: Callable[..., object]) -> Record:
    own = {"type": Key(Choice((kind,)), f"{kind}; may be left out when the view is called {kind}.")}
    return Record(f"{kind} view", says, own | keys | _COMMON, make=make)


_SECTION = Record(
    "form section",
    "A group of fields in a form.",
    {
        "title": Key(Titles(), "What people read."),
        "fields": Key(Many(FieldName(), "field names", least=1), "Fields in order.", required=True),
        "columns": Key(Integer(1, 4), "Fields side by side."),
        "visible_if": _condition("Shown only then."),
    },
    make=FormSection,
)
_FIELD = Record(
    "form field",
    "How a field behaves in a form; browser and server agree because it is CEL.",
    {
        "required_if": _condition("Must be filled in then."),
        "visible_if": _condition("Shown only then."),
        "read_only_if": _condition("Not editable then."),
        "help": Key(Titles(), "Text below the field."),
        "placeholder": Key(Titles(), "Text inside the empty field."),
    },
    make=FormField,
    suggest={"depends_on": "write visible_if: ...", "mandatory_depends_on": "write required_if: ..."},
)
VIEWS_BY_TYPE = {
    "list": _view(
        "list",
        "Rows in a table.",
        {
            "columns": Key(_PATHS, "Columns in order.", examples=(["number", "customer.name"],)),
            "filters": Key(_PATHS, "Fields people may filter by."),
            "sort": _SORT,
            "filter": _FILTER,
            "count": Key(Choice(COUNTS, "a kind of count"), "How rows are counted."),
            "limit": Key(Integer(1, 1000), "Rows on a page."),
        },
        ListView,
    ),
    "board": _view(
        "board",
        "Rows as cards, a column per value.",
        {
            "group_by": Key(FieldPath(), "Field whose values are the columns.", required=True),
            "card": Key(_PATHS, "What a card shows."),
            "sort": _SORT,
            "filter": _FILTER,
        },
        BoardView,
    ),
    "calendar": _view(
        "calendar",
        "Rows by day.",
        {
            "start": Key(FieldName(), "Field with the day or time it begins.", required=True),
            "end": Key(FieldName(), "Field with the day or time it ends."),
            "label": Key(FieldPath(), "What stands in the box; the entity's label by default."),
            "color_by": Key(FieldPath(), "Field that decides the colour."),
            "filter": _FILTER,
        },
        CalendarView,
    ),
    "form": _view(
        "form",
        "One row to fill in.",
        {
            "sections": Key(Many(_SECTION, "sections", most=50), "Groups of fields."),
            "fields": Key(
                FormFields("form field", _FIELD, pattern=FIELD_PATTERN), "Conditions and help by field."
            ),
        },
        FormView,
    ),
}


class View(Shape):
    """A view of the type it says, or of the type it is called."""

    expects = "a view (a map)"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        return self._record(node).check(node, findings)

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        values: Any = self._record(node).build(node, scope)
        return values

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"anyOf": [view.schema(definitions) for view in VIEWS_BY_TYPE.values()]}

    @override
    def parts(self) -> tuple[Shape, ...]:
        return tuple(VIEWS_BY_TYPE.values())

    def _record(self, node: Node) -> Record:
        kind = node.get("type") if isinstance(node, Mapping) else None
        return VIEWS_BY_TYPE.get(kind.text if isinstance(kind, Scalar) else "list", VIEWS_BY_TYPE["list"])


class Views(Keyed):
    """Views by name."""

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if isinstance(node, Mapping):
            node = Mapping(
                {
                    name: Entry(entry.key, self._typed(name, entry.value, findings))
                    for name, entry in node.entries.items()
                },
                node.line,
                node.column,
            )
        return super().check(node, findings)

    def _typed(self, name: str, node: Node, findings: Findings) -> Node:
        """Give a view the type its name implies; report one that has neither."""
        if not isinstance(node, Mapping):
            return node
        kind = node.get("type")
        if isinstance(kind, Scalar):
            if kind.text not in VIEWS_BY_TYPE:
                findings.error(
                    "view.type",
                    f"'{kind.text}' is no type of view",
                    kind,
                    did_you_mean(kind.text, VIEWS_BY_TYPE),
                )
                return Mapping({}, node.line, node.column)
            return node
        if name not in VIEWS_BY_TYPE:
            findings.error(
                "view.type", f"the view '{name}' needs a type", node, f"add type: {', '.join(VIEWS_BY_TYPE)}"
            )
            return Mapping({}, node.line, node.column)
        place = Scalar("type", "type", node.line, node.column, 0, 0)
        word = Scalar(name, name, node.line, node.column, 0, 0)
        return Mapping({"type": Entry(place, word)} | node.entries, node.line, node.column)


VIEWS = Views("view", View(), pattern=r"[a-z][a-z0-9_-]{0,62}", says="a-z, 0-9, '_' and '-'")
