"""``reports``: grouped figures with parameters, on demand or mailed on schedule.

Decides that what a report names exists and that each parameter in its filter is declared.
"""

from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from typing_extensions import override

from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import CRON, ZONE
from schemas.compiler.grammar.queries import PLACEHOLDER, Aggregate, Filter, Order
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, Integer, Text
from schemas.compiler.grammar.slots import EntityName, FieldPath, RoleName
from schemas.compiler.nodes import Mapping, Node, pairs
from schemas.compiler.scope import Scope
from schemas.compiler.sections.properties import SUBSCHEMA
from schemas.compiler.sections.tenant import NAME, NAME_SAYS


class Schedule(Struct, frozen=True):
    """When something runs; zone None means the tenant's."""

    cron: str
    zone: str | None = None


class Report(Struct, frozen=True):
    """A grouped table of figures."""

    entity: str
    columns: tuple[str, ...]
    params: MappingType[str, Any] = field(default_factory=dict)
    filter: str = ""
    group_by: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    schedule: Schedule | None = None
    email: tuple[str, ...] = ()
    format: str = "csv"
    roles: tuple[str, ...] = ()
    title: MappingType[str, str] = field(default_factory=dict)
    enabled: bool = True


class ReportRecord(Record):
    """Makes a report's parameters known to its filter."""

    @override
    def build(self, node: Node, scope: Scope) -> Report:
        params = node.get("params") if isinstance(node, Mapping) else None
        names = frozenset(params.entries) if isinstance(params, Mapping) else frozenset()
        report: Report = super().build(node, replace(scope, parameters=names))
        used = set(PLACEHOLDER.findall(report.filter))
        for key, _ in pairs(params):
            if key.text not in used:
                scope.findings.warn(
                    "report.parameter", f"the parameter '{key.text}' is not used in the filter", key
                )
        if report.email and report.schedule is None:
            place = node.get("email") if isinstance(node, Mapping) else None
            scope.findings.warn(
                "report.schedule", "mail is sent on schedule, and there is none", place or node
            )
        return report


SCHEDULE = Record(
    "schedule",
    "When it runs.",
    {
        "cron": Key(CRON, "Minute, hour, day, month, weekday.", required=True),
        "zone": Key(ZONE, "The tenant's by default."),
    },
    make=Schedule,
    shorthand="cron",
)
EMAIL = Text(
    "an e-mail address",
    pattern=r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,255}",
    most=320,
    examples=("cfo@acme.example",),
)
REPORT = ReportRecord(
    "report",
    "Grouped figures.",
    {
        "entity": Key(EntityName(), "Whose rows it is about.", required=True),
        "columns": Key(
            Many(Aggregate(path=True), "fields or aggregates", least=1, most=50, single=True),
            "Figures, and fields of the group.",
            required=True,
        ),
        "params": Key(
            Keyed("parameter", SUBSCHEMA, pattern=r"[A-Za-z_][A-Za-z0-9_]*", most=20),
            "Parameters by name, in JSON Schema.",
        ),
        "filter": Key(Filter(), "Only these rows; {name} is a parameter."),
        "group_by": Key(Many(FieldPath(), "fields or paths", most=5, single=True), "What makes a group."),
        "sort": Key(Many(Order(), "fields to sort by", most=5, single=True), "Order of the rows."),
        "limit": Key(Integer(1, 100_000), "Most rows."),
        "schedule": Key(SCHEDULE, "When it is made without being asked for."),
        "email": Key(Many(EMAIL, "addresses", most=50, single=True), "Who gets it then."),
        "format": Key(Choice(("csv", "xlsx", "json")), "Form of the attachment."),
        "roles": Key(Many(RoleName(), "role names", single=True), "Who may ask for it."),
        "title": Key(Titles(), "What people read."),
        "enabled": Key(BOOLEAN, "false: not made on schedule."),
    },
    make=Report,
    of_entity="entity",
)
REPORTS = Keyed("report", REPORT, pattern=NAME, says=NAME_SAYS)
