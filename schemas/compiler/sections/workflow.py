"""``workflow``: the states of a row, who may move it from one to another, and what is locked in each.

Decides that every state is a value of the field and every transition leads somewhere. Running it is a
feature's.
"""

from collections.abc import Mapping as MappingType

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import did_you_mean
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, Integer, Text
from schemas.compiler.grammar.shape import Definitions, JsonSchema
from schemas.compiler.grammar.slots import BUILT_IN_FUNCTIONS, Cel, FieldName, RoleName
from schemas.compiler.nodes import Mapping, Node, Scalar, pairs, plain
from schemas.compiler.principal import SERVICE_ROLE
from schemas.compiler.scope import Scope

ALL = "all"
VERBS = frozenset({"read", "create", "update", "delete", "write"})


class State(Struct, frozen=True):
    """What holds while a row is in a state.

    Attributes:
        lock: fields nobody but ``editors`` may change; ``("all",)`` locks every field.
        deadline: seconds after which ``on_deadline`` runs, or None.
    """

    lock: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    deadline: float | None = None
    on_deadline: str | None = None
    title: MappingType[str, str] = msgspec.field(default_factory=dict)
    color: str = ""


class Transition(Struct, frozen=True):
    """A way from some states to another."""

    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...] = ()
    guard: Expression | None = None
    quorum: int = 1
    allow_self: bool = True
    comment: str = "optional"
    confirm: bool = False
    title: MappingType[str, str] = msgspec.field(default_factory=dict)


class Workflow(Struct, frozen=True):
    """The states and transitions of an entity's rows."""

    field: str
    states: MappingType[str, State] = msgspec.field(default_factory=dict)
    transitions: MappingType[str, Transition] = msgspec.field(default_factory=dict)


def may_go(transition: Transition, roles: frozenset[str]) -> bool:
    """Whether a transition is for somebody with these roles; what its row allows is another matter."""
    return not transition.roles or SERVICE_ROLE in roles or not roles.isdisjoint(transition.roles)


class StateName(Text):
    """A state: a value of the workflow's field."""

    def __init__(self) -> None:
        super().__init__("a state", most=200)

    @override
    def build(self, node: Node, scope: Scope) -> str:
        _check_state(node, str(plain(node)), scope)
        return str(plain(node))


class Locked(Many):
    """Field names, or ``all``."""

    def __init__(self) -> None:
        super().__init__(FieldName(), "field names, or all", most=200, single=True)

    @override
    def build(self, node: Node, scope: Scope) -> tuple[str, ...]:
        values = plain(node)
        if values in (ALL, [ALL]):
            return (ALL,)
        built: tuple[str, ...] = super().build(node, scope)
        return built

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"anyOf": [{"const": ALL}, *super().schema(definitions)["anyOf"]]}


class WorkflowRecord(Record):
    """Checks states and transitions against the field's values."""

    @override
    def build(self, node: Node, scope: Scope) -> Workflow:
        written = node if isinstance(node, Mapping) else Mapping({}, 1, 1)
        place = written.get("field") or node
        driven = scope.find_field(place, str(plain(place)))
        values = (
            frozenset(str(value) for value in driven.schema.get("enum", ()))
            if driven is not None
            else frozenset()
        )
        if driven is not None and not values:
            scope.findings.error(
                "workflow.field",
                f"'{driven.name}' has no enum to take states from",
                place,
                "add enum: [draft, done]",
            )
        inner = replace(scope, states=values)
        states = written.get("states")
        for key, _ in pairs(states):
            _check_state(key, key.text, inner)
        workflow: Workflow = super().build(node, inner)
        self._check_deadlines(states, scope)
        transitions = written.get("transitions")
        for key, _ in pairs(transitions):
            if key.text in VERBS:
                scope.findings.error(
                    "names.reserved",
                    f"the transition '{key.text}' is named like a verb",
                    key,
                    "choose another name",
                )
        return workflow

    def _check_deadlines(self, states: Node | None, scope: Scope) -> None:
        entity = scope.entity
        known = {
            *BUILT_IN_FUNCTIONS,
            *(entity.functions if entity else ()),
            *(entity.transitions if entity else ()),
        }
        for _, state in pairs(states):
            if not isinstance(state, Mapping):
                continue
            place = state.get("on_deadline")
            if isinstance(place, Scalar) and place.text not in known:
                message = (
                    f"on_deadline names '{place.text}', which is no function and no transition of this entity"
                )
                scope.findings.error(
                    "reference.unknown_function", message, place, did_you_mean(place.text, known)
                )
            if "deadline" in state.entries and place is None:
                scope.findings.warn(
                    "workflow.deadline",
                    "a deadline without on_deadline does nothing",
                    state.entries["deadline"].key,
                )
            if place is not None and "deadline" not in state.entries:
                scope.findings.error(
                    "workflow.deadline", "on_deadline needs a 'deadline'", place, "add deadline: 3d"
                )


def _check_state(node: Node, name: str, scope: Scope) -> None:
    if scope.states and name not in scope.states:
        scope.findings.error(
            "workflow.state",
            f"'{name}' is no value of the workflow's field",
            node,
            did_you_mean(name, scope.states),
        )


_NAME = r"[a-z][a-z0-9_]{0,62}"
_STATE = Record(
    "state",
    "What holds while a row is in this state.",
    {
        "lock": Key(Locked(), "Fields that may not be changed; all for every one."),
        "editors": Key(
            Many(RoleName(), "role names", single=True), "Roles that may change them all the same."
        ),
        "deadline": Key(DURATION, "How long a row may stay."),
        "on_deadline": Key(Text("a function or transition", pattern=_NAME), "What runs then."),
        "title": Key(Titles(), "What people read."),
        "color": Key(Text("a colour", pattern="#[0-9a-fA-F]{6}"), "Colour of its badge."),
    },
    make=State,
)
_TRANSITION = Record(
    "transition",
    "A way from one state to another, and who may go it.",
    {
        "from": Key(
            Many(StateName(), "states", least=1, single=True),
            "States it begins in.",
            required=True,
            attribute="sources",
        ),
        "to": Key(StateName(), "State it leads to.", required=True, attribute="target"),
        "roles": Key(
            Many(RoleName(), "role names", single=True), "Who may; everyone who may update, when left out."
        ),
        "guard": Key(Cel(Use("a guard")), "Condition on the row."),
        "quorum": Key(Integer(1, 20), "How many different people must agree."),
        "allow_self": Key(BOOLEAN, "Whether who made the row may agree."),
        "comment": Key(
            Choice(("required", "optional", "none"), "required, optional or none"),
            "Whether a comment is asked for.",
        ),
        "confirm": Key(BOOLEAN, "Ask before doing it."),
        "title": Key(Titles(), "Words on the button."),
    },
    make=Transition,
)
WORKFLOW = WorkflowRecord(
    "workflow",
    "States and transitions over a field with an enum.",
    {
        "field": Key(Text("a field's name"), "Field that holds the state; it needs an enum.", required=True),
        "states": Key(
            Keyed("state", _STATE, pattern=r"[^\s]{1,63}", says="a value of the field"),
            "What holds in each state.",
        ),
        "transitions": Key(
            Keyed("transition", _TRANSITION, pattern=_NAME, says="a-z, 0-9 and '_'"), "Ways between them."
        ),
    },
    make=Workflow,
)
