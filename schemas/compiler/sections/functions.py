"""``functions``: what runs when a row is written, moved or due, or when somebody calls it.

Decides the spellings of triggers and what each kind of function needs; those at the top of the file may be
for several entities, or be called by name. Running them is a feature's.
"""

import dataclasses
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import Findings
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.config import Config, ConfigValue
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, Integer
from schemas.compiler.grammar.shape import Definitions, JsonSchema
from schemas.compiler.grammar.slots import Cel, FieldName, FunctionName, check_function
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs
from schemas.compiler.scope import Scope
from schemas.compiler.sections.built_in import check_config
from schemas.compiler.sections.function_cases import FUNCTION_CASES, FunctionCase

TRIGGERS = {
    "before_create": "before a row is made, in its transaction",
    "before_update": "before a row is changed, in its transaction",
    "before_delete": "before a row is deleted, in its transaction",
    "after_create": "after a row is made",
    "after_update": "after a row is changed",
    "after_delete": "after a row is deleted",
    "before_write": "before_create and before_update",
    "after_write": "after_create and after_update",
    "before_transition": "before a row moves to another state",
    "after_transition": "after a row has moved to another state",
    "on_deadline": "when a state's deadline has passed",
    "rpc": "when somebody calls it by its name; at the top of the file only",
}
_BOTH = {"before_write": ("before_create", "before_update"), "after_write": ("after_create", "after_update")}
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
DEFAULT_RETRIES = 5
RPC = "rpc"
FUNCTION_NAME = r"[a-z][a-z0-9_]{0,62}"


@dataclass(frozen=True, slots=True)
class Function:
    """One function; ``asynchronous`` ones run after the commit.

    Attributes:
        name: its name in the file; clients call it by this one.
        function: what runs: a built-in function, or one of the Python file.
        field, fields: what it checks or sets; ``field`` is the first of them.
        timeout: seconds.
        roles: who may call it; empty: admins.
        args: JSON Schema of the arguments it is called with, None: any object.
        read_only: it changes nothing, so GET may call it.
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
    config: Config = dataclasses.field(default_factory=Config)
    roles: tuple[str, ...] = ()
    args: MappingType[str, Any] | None = None
    read_only: bool = False
    tests: tuple[FunctionCase, ...] = ()
    line: int = 0


class Triggers(Many):
    """A trigger, several in one text separated by commas, or a list of them."""

    def __init__(self) -> None:
        super().__init__(Choice(TRIGGERS, "a trigger"), "triggers", least=1, most=len(TRIGGERS), single=True)

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if isinstance(node, Scalar) and "," in node.text:
            parts: list[Node] = []
            offset = 0
            for word in node.text.split(","):
                text = word.strip()
                start = node.column + offset + len(word) - len(word.lstrip()) + (1 if node.style else 0)
                parts.append(Scalar(text, text, node.line, start, node.start, node.end, node.style))
                offset += len(word) + 1
            node = Sequence(parts, node.line, node.column)
        return super().check(node, findings)

    @override
    def build(self, node: Node, scope: Scope) -> tuple[str, ...]:
        words: tuple[str, ...] = super().build(node, scope)
        return tuple(dict.fromkeys(trigger for word in words for trigger in _BOTH.get(word, (word,))))

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        one = self.item.schema(definitions)
        several = {"type": "string", "pattern": "^[a-z_]+( *, *[a-z_]+)*$"}
        return {"anyOf": [one, several, {"type": "array", "items": one, "minItems": 1}]}


class FunctionRecord(Record):
    """One function: what its type implies, and what does not go together."""

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
        if RPC in triggers and (scope.entity is not None or len(triggers) > 1):
            scope.findings.error(
                "function.trigger",
                "a function that is called by name has no other trigger and stands at the top of the file",
                node,
                "write it in the file's own functions: map",
            )
        check_config(values.get("function", ""), values.get("config"), entries, scope)
        if kind == "computed" and "field" not in values:
            scope.findings.error("function.field", "a computed function needs the 'field' it sets", node)
        before = [trigger for trigger in values.get("trigger", ()) if trigger.startswith("before_")]
        if values.get("async") and before:
            scope.findings.error(
                "function.async",
                f"'{before[0]}' runs in the transaction and cannot be async",
                entries["async"].key,
                "use an after_ trigger",
            )
        if values.get("async") is False and any(
            trigger == "on_deadline" for trigger in values.get("trigger", ())
        ):
            scope.findings.error(
                "function.async", "deadlines run outside any request", entries["async"].key, "leave async out"
            )
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


def _function(name: str, values: dict[str, Any], line: int) -> Function:
    fields: tuple[str, ...] = values.get("field", ())
    return Function(
        name,
        values.get("function", name),
        values.get("trigger", ()),
        values["type"],
        fields[0] if fields else None,
        fields,
        values.get("condition"),
        bool(values.get("async", False)),
        values.get("timeout", DEFAULT_TIMEOUT),
        values.get("retries", DEFAULT_RETRIES),
        values.get("config", Config()),
        values.get("roles", ()),
        values.get("args"),
        values.get("read_only", False),
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
