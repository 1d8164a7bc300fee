"""``functions``: what runs when a row is written, moved or due, or when somebody calls it.

Decides the spellings of triggers and what each kind of function needs; those at the top of the file may be
for several entities, or be called by name. Running them is a feature's.
"""

from collections.abc import Mapping as MappingType
from typing import Any

import msgspec
from msgspec import Struct
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.config import Config, ConfigValue
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, Integer
from schemas.compiler.grammar.slots import BUILT_IN_FUNCTIONS, Cel, FieldName, FunctionName, check_function
from schemas.compiler.nodes import Entry, Mapping, Node, pairs
from schemas.compiler.scope import Scope
from schemas.compiler.sections.built_in import check_config
from schemas.compiler.sections.function_cases import FUNCTION_CASES, FunctionCase
from schemas.compiler.sections.reports import Schedule
from schemas.compiler.sections.triggers import BEFORE_READ, SCHEDULE, TRIGGERS, Triggers, check_together

TYPES = {
    "validation": "refuses a row",
    "hook": "changes a row or does something; the default",
    "workflow": "runs with transitions and deadlines",
    "computed": "sets one field",
    "external": "calls an outside address",
}
_DEFAULT_TRIGGERS = {
    "validation": ("before_create", "before_update"),
    "computed": ("before_create", "before_update"),
    "workflow": ("after_transition",),
    "external": ("after_create", "after_update"),
}
DEFAULT_TIMEOUT = 5.0
JOB_TIMEOUT = 60.0
"""Of functions that run by the clock."""
DEFAULT_RETRIES = 5
FILTER_ROWS = "filter_rows"
"""The function that is a condition of every read: it becomes part of the statement."""
FUNCTION_NAME = r"[a-z][a-z0-9_]{0,62}"


class Clock(Struct, frozen=True):
    """When a function runs by itself; either ``schedule`` or ``every`` (seconds) is set."""

    schedule: Schedule | None = None
    every: float | None = None
    overlap: str = "skip"
    missed: str = "once"


class Function(Struct, frozen=True):
    """One function; ``asynchronous`` ones run after the commit.

    Attributes:
        name: its name in the file; clients call it by this one.
        function: what runs: a built-in function, or one of the Python file.
        field, fields: what it checks or sets; ``field`` is the first of them.
        timeout: seconds.
        roles: who may call it; empty: admins.
        args: JSON Schema of the arguments it is called with, None: any object.
        read_only: it changes nothing, so GET may call it.
        clock: of one that runs by the clock.
        on: events it runs on.
        tests: what it must do, tried out before a version goes live.
        line: where it stands.
    """

    name: str
    function: str
    triggers: tuple[str, ...]
    type: str = "hook"
    field: str | None = None
    fields: tuple[str, ...] = ()
    condition: Expression | None = None
    asynchronous: bool = False
    timeout: float = DEFAULT_TIMEOUT
    retries: int = DEFAULT_RETRIES
    config: Config = msgspec.field(default_factory=Config)
    roles: tuple[str, ...] = ()
    args: MappingType[str, Any] | None = None
    read_only: bool = False
    clock: Clock | None = None
    on: tuple[str, ...] = ()
    tests: tuple[FunctionCase, ...] = ()
    line: int = 0


class FunctionRecord(Record):
    """One function: what its type implies, and what does not go together."""

    shared = False

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Any]:
        values: dict[str, Any] = super().build(node, scope)
        entries = node.entries if isinstance(node, Mapping) else {}
        kind = values.setdefault("type", "hook")
        if "trigger" not in values and kind in _DEFAULT_TRIGGERS:
            values["trigger"] = _DEFAULT_TRIGGERS[kind]
        elif "trigger" not in values and not (isinstance(node, Mapping) and "trigger" in node.dropped):
            scope.findings.error(
                "function.trigger",
                "a hook needs a 'trigger'",
                node,
                f"for example {', '.join(list(TRIGGERS)[:3])}",
            )
        triggers = values.get("trigger", ())
        check_together(triggers, entries, node, scope, shared=self.shared)
        _check_reading(values, entries, node, scope)
        check_config(values.get("function", ""), values.get("config"), entries, scope)
        if kind == "computed" and "field" not in values:
            scope.findings.error("function.field", "a computed function needs the 'field' it sets", node)
        return values


class FunctionMap(Keyed):
    """Functions by name; the name is the Python function's too when none is given."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Function]:
        built: dict[str, dict[str, Any]] = super().build(node, scope)
        lines = {key.text: key.line for key, _ in pairs(node)}
        for key, value in pairs(node):
            if key.text in built and isinstance(value, Mapping) and "function" not in value.entries:
                check_function(key, key.text, scope)
        return {name: _function(name, values, lines.get(name, 0)) for name, values in built.items()}


def _check_reading(
    values: dict[str, Any], entries: MappingType[str, Entry], node: Node, scope: Scope
) -> None:
    """Report what makes no sense for a function that narrows reads."""
    name, reads = values.get("function", ""), BEFORE_READ in values.get("trigger", ())
    if name == FILTER_ROWS and not reads:
        scope.findings.error(
            "function.trigger", f"{FILTER_ROWS} narrows what is read", node, f"write trigger: {BEFORE_READ}"
        )
    if not reads:
        return
    if name == FILTER_ROWS and "condition" not in entries:
        scope.findings.error(
            "function.condition",
            f"{FILTER_ROWS} needs a 'condition': which rows are found",
            node,
            "for example condition: self.status != 'draft'",
        )
    condition = values.get("condition")
    if name == FILTER_ROWS and condition is not None and not condition.in_sql:
        scope.findings.error(
            "expression.use", f"what is read must be sayable in SQL: {condition.obstacle}",
            entries["condition"].value,
        )  # fmt: skip
    if name == FILTER_ROWS and condition is not None and condition.uses_old:
        scope.findings.error(
            "expression.use", "reading has no row before: 'old' may not be used", entries["condition"].value
        )
    if name != FILTER_ROWS and condition is not None and (condition.names or condition.uses_old):
        scope.findings.error(
            "expression.use",
            "the function runs before there is any row: its condition is about the caller alone",
            entries["condition"].value,
        )
    if name in BUILT_IN_FUNCTIONS and name not in {FILTER_ROWS, "require_role"}:
        scope.findings.error(
            "function.trigger",
            f"{name} does nothing for reads",
            node,
            f"{FILTER_ROWS}, require_role and functions of the Python file do",
        )


def _function(name: str, values: dict[str, Any], line: int) -> Function:
    fields: tuple[str, ...] = values.get("field", ())
    scheduled = SCHEDULE in values.get("trigger", ())
    clock = {key: values[key] for key in ("schedule", "every", "overlap", "missed") if key in values}
    timeout, retries = (JOB_TIMEOUT, 0) if scheduled else (DEFAULT_TIMEOUT, DEFAULT_RETRIES)
    return Function(
        name,
        values.get("function", name),
        values.get("trigger", ()),
        values["type"],
        fields[0] if fields else None,
        fields,
        values.get("condition"),
        bool(values.get("async", False)),
        values.get("timeout", timeout),
        values.get("retries", retries),
        values.get("config", Config()),
        values.get("roles", ()),
        values.get("args"),
        values.get("read_only", False),
        Clock(**clock) if scheduled else None,
        values.get("on", ()),
        values.get("tests", ()),
        line,
    )


FUNCTION_KEYS = {
    "trigger": Key(Triggers(), "When it runs.", examples=("before_create", "before_create,before_update")),
    "function": Key(FunctionName(), "A built-in function, or one of the Python file beside this one."),
    "type": Key(Choice(TYPES, "a type of function"), "What it is for."),
    "field": Key(
        Many(FieldName(), "field names", least=1, single=True), "Field or fields it checks or sets."
    ),
    "condition": Key(Cel(Use("a condition", old=True)), "Only rows for which this holds."),
    "async": Key(BOOLEAN, "Run after the commit, in the background."),
    "timeout": Key(DURATION, "Most time it may take."),
    "retries": Key(Integer(0, 20), "How often to try again, in the background."),
    "config": Key(ConfigValue(), 'Handed to the function; texts may hold {{ CEL }} and "${NAME}".'),
    "tests": Key(FUNCTION_CASES, "What it must do: run.py check --functions, and every save with strict."),
}
FUNCTION_ADVICE = {
    "on": "write trigger: ...",
    "when": "write condition: ..., or trigger: ...",
    "event": "write trigger: ...",
}
FUNCTION = FunctionRecord(
    "function",
    "A function that runs when something happens to a row.",
    FUNCTION_KEYS,
    suggest=FUNCTION_ADVICE,
)
FUNCTIONS = FunctionMap("function", FUNCTION, pattern=FUNCTION_NAME, says="a-z, 0-9 and '_'")
