"""When functions run: the words for it, and which of them stand together.

Decides the spellings of triggers, which are an entity's and which the tenant's own. What a function is, is in
``functions``.
"""

from collections.abc import Mapping as MappingType

from typing_extensions import override

from schemas.compiler.findings import Findings
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.scalars import Choice
from schemas.compiler.grammar.shape import Definitions, JsonSchema
from schemas.compiler.nodes import Entry, Node, Scalar, Sequence
from schemas.compiler.scope import Scope

BEFORE_READ = "before_read"
RPC, SCHEDULE, EVENT = "rpc", "schedule", "event"
AFTER_LOGIN, AFTER_SIGNUP, ON_START, ON_STOP = "after_login", "after_signup", "on_start", "on_stop"
TRIGGERS = {
    "before_create": "before a row is made, in its transaction",
    "before_update": "before a row is changed, in its transaction",
    "before_delete": "before a row is deleted, in its transaction",
    BEFORE_READ: "before rows are read: it narrows what is found",
    "after_create": "after a row is made",
    "after_update": "after a row is changed",
    "after_delete": "after a row is deleted",
    "before_write": "before_create and before_update",
    "after_write": "after_create and after_update",
    "before_transition": "before a row moves to another state",
    "after_transition": "after a row has moved to another state",
    "on_deadline": "when a state's deadline has passed",
    RPC: "when somebody calls it by its name; at the top of the file only, as those below",
    SCHEDULE: "by the clock, as a job does: with 'schedule' or 'every'",
    EVENT: "when one of the events in 'on' happens, as a subscription does",
    AFTER_LOGIN: "after somebody signed in; the row is the user's",
    AFTER_SIGNUP: "after an account was made; the row is the user's",
    ON_START: "after the tenant has begun to serve in a process",
    ON_STOP: "when the tenant stops serving in a process: it sleeps, or the server ends",
}
OF_TENANT = {
    RPC: "call", SCHEDULE: "clock", EVENT: "event",
    AFTER_LOGIN: "people", AFTER_SIGNUP: "people", ON_START: "life", ON_STOP: "life",
}  # fmt: skip
"""Triggers that are no entity's, by kind: those of one kind may stand together."""
_BOTH = {"before_write": ("before_create", "before_update"), "after_write": ("after_create", "after_update")}


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


def words_of(node: Node | None) -> tuple[str, ...]:
    """Return the triggers a checked value names, before it is built."""
    if isinstance(node, Scalar):
        return (node.text,)
    return (
        tuple(item.text for item in node.items if isinstance(item, Scalar))
        if isinstance(node, Sequence)
        else ()
    )


def check_together(
    triggers: tuple[str, ...],
    entries: MappingType[str, Entry],
    node: Node,
    scope: Scope,
    *,
    shared: bool,
) -> None:
    """Report triggers that do not go together, or not where they stand; ``shared``: at the file's top."""
    of_tenant = [trigger for trigger in triggers if trigger in OF_TENANT]
    kinds = {OF_TENANT.get(trigger, "row") for trigger in triggers}
    if of_tenant and (len(kinds) > 1 or not shared):
        scope.findings.error(
            "function.trigger",
            f"a function with the trigger {of_tenant[0]} has no trigger of another kind and stands at the top"
            " of the file",
            node,
            "write it in the file's own functions: map",
        )
    if BEFORE_READ in triggers and len(triggers) > 1:
        scope.findings.error(
            "function.trigger", f"a function with the trigger {BEFORE_READ} has no other", node, "write two"
        )
    before = [trigger for trigger in triggers if trigger.startswith("before_")]
    if "async" not in entries:
        return
    asked, key = entries["async"].value, entries["async"].key
    runs_later = isinstance(asked, Scalar) and asked.value is True
    if before and runs_later:
        what = "decides what is read" if before[0] == BEFORE_READ else "runs in the transaction"
        hint = "use an after_ trigger"
        scope.findings.error("function.async", f"'{before[0]}' {what} and cannot be async", key, hint)
    if not runs_later and "on_deadline" in triggers:
        scope.findings.error("function.async", "deadlines run outside any request", key, "leave async out")
