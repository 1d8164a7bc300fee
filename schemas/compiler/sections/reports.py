"""``reports``: grouped figures with parameters, on demand or mailed on schedule.

Decides that what a report names exists, that each parameter in its filter is declared and can be put there as
a value, and that a report which is mailed says whose rights it is made with. What is asked of the database is
``report_query``'s.
"""

import re
from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from typing_extensions import override

from schemas.compiler.defaults import EXPRESSION
from schemas.compiler.findings import did_you_mean
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import CRON, ZONE
from schemas.compiler.grammar.queries import PLACEHOLDER, Aggregate, Filter, Order
from schemas.compiler.grammar.scalars import ANY, BOOLEAN, Choice, Integer, Text
from schemas.compiler.grammar.slots import EntityName, FieldPath, RoleName
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs, plain
from schemas.compiler.scope import Scope
from schemas.compiler.sections.properties import VALUE_KEYWORDS
from schemas.compiler.sections.tenant import NAME, NAME_SAYS

FORMATS = ("csv", "xlsx", "pdf", "json")
_FIGURE_ORDER = re.compile(r"-?((?:[A-Za-z_][A-Za-z0-9_.]*\.)?[a-z]+\(\))", re.ASCII)
_ORDER_WORDS = frozenset({"asc", "desc", "nullsfirst", "nullslast"})
_BEFORE, _AFTER = frozenset({".", ",", "(", "{"}), frozenset({",", ")", "}"})
_DEFAULT = Use("a default", "any", "process", row=False)


class Schedule(Struct, frozen=True):
    """When something runs; zone None means the tenant's."""

    cron: str
    zone: str | None = None


class Report(Struct, frozen=True):
    """A grouped table of figures.

    Attributes:
        params: schemas by name; a ``default`` is a value, or an expression.
        roles: who may ask for it, () for all who may read the entity; and as whom it is made to be mailed.
    """

    entity: str
    columns: tuple[str, ...]
    params: MappingType[str, MappingType[str, Any]] = field(default_factory=dict)
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

    @property
    def mailed(self) -> bool:
        """Whether it is made on schedule."""
        return self.enabled and self.schedule is not None and bool(self.email)


class ParameterRecord(Record):
    """Compiles a default that is an expression."""

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        made: dict[str, Any] = super().build(node, scope)
        default = node.get("default") if isinstance(node, Mapping) else None
        if isinstance(default, Scalar) and isinstance(default.value, str) and EXPRESSION.match(default.text):
            made["default"] = scope.expression(default, _DEFAULT)
        if "references" in made:
            made.setdefault("type", "string")
        return made


class FigureOrder(Order):
    """A field to sort by, or one of the report's figures: ``-net.sum()``."""

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        return text if _FIGURE_ORDER.fullmatch(text) else super().build(node, scope)


class ReportRecord(Record):
    """Checks what the parts of a report say of each other."""

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
        if isinstance(node, Mapping):
            if isinstance(text := node.get("filter"), Scalar):
                _check_places(text, report, scope)
            _check_order(node.get("sort"), report, scope)
            _check_mailing(node, report, scope)
        return report


def _check_places(node: Scalar, report: Report, scope: Scope) -> None:
    """Report a parameter that could change more than a value."""
    text = report.filter
    for place in places(text):
        before, after = text[place.start - 1 : place.start], text[place.end : place.end + 1]
        name, many = place.name, report.params.get(place.name, {}).get("type") == "array"
        if place.inside and not place.quoted and not (before in _BEFORE and after in _AFTER):
            scope.findings.error(
                "report.parameter",
                f"'{{{name}}}' stands beside other characters in parentheses",
                scope.spot(node, name),
                'quote the whole value: or=(name.like."*{word}*")',
            )
        elif many and not place.inside:
            scope.findings.error(
                "report.parameter", f"'{name}' is a list", scope.spot(node, name), f"write in.({{{name}}})"
            )


def _check_order(node: Node | None, report: Report, scope: Scope) -> None:
    """Report an order by what the report does not show."""
    shown = {*report.columns, *report.group_by}
    grouped = bool(report.group_by) or any(column.endswith("()") for column in report.columns)
    for item in node.items if isinstance(node, Sequence) else [node] if node is not None else []:
        of, *_ = sort_words(str(plain(item)))
        if of not in shown and (grouped or of.endswith("()")):
            scope.findings.error(
                "query.order", f"'{of}' is not among the columns", item, did_you_mean(of, shown)
            )
        elif not grouped and of.count(".") > 1:
            scope.findings.error(
                "query.order", "rows are sorted by their own fields, and those of what they point to", item
            )


def _check_mailing(node: Mapping, report: Report, scope: Scope) -> None:
    if report.email and report.schedule is None:
        scope.findings.warn(
            "report.schedule", "mail is sent on schedule, and there is none", node.get("email") or node
        )
    if report.mailed and not report.roles:
        scope.findings.warn(
            "report.roles",
            "it is made with the rights of 'roles', and there are none: it shows what everybody may read",
            node.get("schedule") or node,
            "roles: [manager], for example",
        )


def sort_words(text: str) -> list[str]:
    """Return what an order sorts by, and its words: asc, desc, nullsfirst, nullslast."""
    of, words = text.removeprefix("-"), list[str]()
    while of.rpartition(".")[2] in _ORDER_WORDS:
        of, _, word = of.rpartition(".")
        words.insert(0, word)
    if text.startswith("-") and "asc" not in words:
        words = ["desc", *(word for word in words if word != "desc")]
    if "desc" in words and not {"nullsfirst", "nullslast"} & set(words):
        words.append("nullslast")
    return [of, *words]


class Place(Struct, frozen=True):
    """Where a parameter stands in a filter, and whether inside parentheses or quotes."""

    name: str
    start: int
    end: int
    inside: bool
    quoted: bool


def places(text: str) -> list[Place]:
    """Return where a filter's parameters stand."""
    found: list[Place] = []
    depth, quoted, at = 0, False, 0
    while at < len(text):
        match = PLACEHOLDER.match(text, at)
        if match is not None:
            found.append(Place(match[1], at, match.end(), depth > 0, quoted))
            at = match.end()
            continue
        character = text[at]
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character in "({") - (character in ")}")
        at += 2 if character == "\\" and quoted else 1
    return found


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
PARAMETER = ParameterRecord(
    "report parameter",
    "What is asked of who wants the report, in JSON Schema.",
    VALUE_KEYWORDS
    | {
        "default": Key(
            ANY,
            "Value when nobody says another: a literal, or CEL over user, tenant and now.",
            examples=("today()",),
        ),
        "references": Key(EntityName(), "Entity one of whose rows is chosen."),
    },
    code="field.unknown_keyword",
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
            Keyed("parameter", PARAMETER, pattern=r"[A-Za-z_][A-Za-z0-9_]*", most=20),
            "Parameters by name, in JSON Schema.",
        ),
        "filter": Key(
            Filter(),
            "Only these rows; {name} is a parameter. Without a value its conditions do not count.",
        ),
        "group_by": Key(Many(FieldPath(), "fields or paths", most=5, single=True), "What makes a group."),
        "sort": Key(Many(FigureOrder(), "fields to sort by", most=5, single=True), "Order of the rows."),
        "limit": Key(Integer(1, 100_000), "Most rows; 10,000 by default."),
        "schedule": Key(SCHEDULE, "When it is made without being asked for."),
        "email": Key(Many(EMAIL, "addresses", most=50, single=True), "Who gets it then."),
        "format": Key(Choice(FORMATS), "Form of the attachment."),
        "roles": Key(
            Many(RoleName(), "role names", single=True),
            "Who may ask for it, and with whose rights it is made on schedule.",
        ),
        "title": Key(Titles(), "What people read."),
        "enabled": Key(BOOLEAN, "false: not made on schedule."),
    },
    make=Report,
    of_entity="entity",
)
REPORTS = Keyed("report", REPORT, pattern=NAME, says=NAME_SAYS)
