"""``dashboards``: numbers and charts over entities.

Decides that every entity, field and filter a widget names exists.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.queries import Aggregate, Filter, Order
from schemas.compiler.grammar.scalars import Choice, Integer
from schemas.compiler.grammar.slots import EntityName, FieldPath, RoleName
from schemas.compiler.sections.tenant import NAME, NAME_SAYS

WIDGETS = {
    "metric": "one number",
    "bar": "bars",
    "line": "a line over time",
    "area": "an area over time",
    "pie": "shares",
    "table": "rows",
    "list": "rows, short",
}
PERIODS = ("day", "week", "month", "quarter", "year")


class Widget(Struct, frozen=True):
    """One tile of a dashboard."""

    type: str
    entity: str
    value: str = "count()"
    filter: str = ""
    by: str | None = None
    every: str | None = None
    compare: str | None = None
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int = 10
    width: int = 1
    title: Mapping[str, str] = field(default_factory=dict)


class Dashboard(Struct, frozen=True):
    """A page of widgets; roles () means everyone who may read the entities."""

    widgets: tuple[Widget, ...]
    title: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()


WIDGET = Record(
    "widget",
    "One tile.",
    {
        "type": Key(Choice(WIDGETS, "a type of widget"), "How it looks.", required=True),
        "entity": Key(EntityName(), "Whose rows it shows.", required=True),
        "value": Key(Aggregate(), "What is counted or summed; count() by default."),
        "filter": Key(Filter(), "Only these rows, in the query grammar."),
        "by": Key(FieldPath(), "Field that splits the value."),
        "every": Key(Choice(PERIODS), "Length of a step when 'by' is a day or time."),
        "compare": Key(Choice(f"previous_{period}" for period in PERIODS), "Earlier period to compare with."),
        "columns": Key(Many(FieldPath(), "fields or paths", single=True), "Columns of a table or list."),
        "sort": Key(Many(Order(), "fields to sort by", most=5, single=True), "Order of the rows."),
        "limit": Key(Integer(1, 1000), "Most bars or rows."),
        "width": Key(Integer(1, 4), "Columns it takes."),
        "title": Key(Titles(), "What people read."),
    },
    make=Widget,
    of_entity="entity",
)
DASHBOARD = Record(
    "dashboard",
    "A page of widgets.",
    {
        "widgets": Key(Many(WIDGET, "widgets", most=50), "Its tiles in order.", required=True),
        "title": Key(Titles(), "What people read."),
        "roles": Key(Many(RoleName(), "role names", single=True), "Who sees it."),
    },
    make=Dashboard,
)
DASHBOARDS = Keyed("dashboard", DASHBOARD, pattern=NAME, says=NAME_SAYS)
