"""``functions``: what runs when a row is written, moved or due.

Decides the spellings of triggers and what each kind of function needs. Running them is a feature's.
"""

import dataclasses
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
from schemas.compiler.grammar.slots import Cel, FieldName, FunctionName
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence
from schemas.compiler.scope import Scope

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


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an entity; ``asynchronous`` ones run after the commit."""

    name: str
    function: str
    triggers: tuple[str, ...]
    type: str = "hook"
    field: str | None = None
    condition: Expression | None = None
    asynchronous: bool = False
    timeout: float = DEFAULT_TIMEOUT
    retries: int = 0
    config: Config = dataclasses.field(default_factory=Config)


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
        return {
            name: Function(
                name,
                values.get("function", name),
                values.get("trigger", ()),
                values["type"],
                values.get("field"),
                values.get("condition"),
                bool(values.get("async", False)),
                values.get("timeout", DEFAULT_TIMEOUT),
                values.get("retries", 0),
                values.get("config", Config()),
            )
            for name, values in built.items()
        }


FUNCTION = FunctionRecord(
    "function",
    "A function that runs when something happens to a row.",
    {
        "trigger": Key(
            Triggers(), "When it runs.", examples=("before_create", "before_create,before_update")
        ),
        "function": Key(FunctionName(), "A built-in function, or one of the Python file beside this one."),
        "type": Key(Choice(TYPES, "a type of function"), "What it is for."),
        "field": Key(FieldName(), "Field it checks or sets."),
        "condition": Key(Cel(Use("a condition", old=True)), "Only rows for which this holds."),
        "async": Key(BOOLEAN, "Run after the commit, in the background."),
        "timeout": Key(DURATION, "Most time it may take."),
        "retries": Key(Integer(0, 20), "How often to try again, in the background."),
        "config": Key(ConfigValue(), 'Handed to the function; texts may hold {{ CEL }} and "${NAME}".'),
    },
    suggest={
        "on": "write trigger: ...",
        "when": "write condition: ..., or trigger: ...",
        "event": "write trigger: ...",
    },
)
FUNCTIONS = FunctionMap("function", FUNCTION, pattern=r"[a-z][a-z0-9_]{0,62}", says="a-z, 0-9 and '_'")
