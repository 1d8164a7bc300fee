"""``tests``: who may do what with which row; run on every save and rolled back.

Decides that a case names real fields, verbs and transitions. Running it is the reload's.
"""

from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.findings import did_you_mean
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.scalars import ANY, Text
from schemas.compiler.grammar.slots import FieldName, RoleName
from schemas.compiler.nodes import Mapping, Node, Scalar, pairs, plain
from schemas.compiler.scope import Scope

VERBS = ("read", "create", "update", "delete")
WHO = ("me", "other", "nobody")
_VALUES = {"string": str, "integer": int, "number": int | float, "boolean": bool}


class Case(Struct, frozen=True):
    """One expectation.

    Attributes:
        role: the caller's role.
        claims: further values of the caller.
        given: field values of the row; a relation's name may say ``me``, ``other`` or ``nobody``.
        line: where it stands, for the message when it fails.
    """

    role: str
    claims: MappingType[str, Any] = field(default_factory=dict)
    given: MappingType[str, Any] = field(default_factory=dict)
    may: tuple[str, ...] = ()
    may_not: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    name: str = ""
    line: int = 0


class Caller(Record):
    """A role and claims."""

    open = True

    @override
    def build(self, node: Node, scope: Scope) -> tuple[str, dict[str, Any]]:
        values = {key.text: plain(value) for key, value in pairs(node)}
        place = node.get("role") if isinstance(node, Mapping) else None
        if place is not None:
            scope.check_role(place, str(plain(place)))
        return str(values.pop("role", "")), values


class Given(Keyed):
    """Values by field or relation."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Any]:
        entity = scope.entity
        given: dict[str, Any] = {}
        for key, value in pairs(node):
            if entity is not None and key.text in entity.relations and key.text not in entity.fields:
                if plain(value) not in WHO:
                    scope.findings.error(
                        "case.given", f"'{key.text}' is a relation", value, f"write one of {', '.join(WHO)}"
                    )
            elif (found := scope.find_field(key, key.text)) is not None:
                self._check_value(key, value, found.schema, scope)
            given[key.text] = plain(value)
        return given

    @staticmethod
    def _check_value(key: Scalar, node: Node, schema: MappingType[str, Any], scope: Scope) -> None:
        value = plain(node)
        wanted = _VALUES.get(str(schema.get("type")))
        words = schema.get("enum")
        if words and value is not None and value not in words:
            scope.findings.error(
                "case.given",
                f"'{value}' is no value of '{key.text}'",
                node,
                did_you_mean(str(value), map(str, words)),
            )
        elif wanted is not None and value is not None and not isinstance(value, wanted):
            scope.findings.error("case.given", f"'{key.text}' is {schema['type']}, not {value!r}", node)


class Action(Text):
    """A verb or a transition."""

    def __init__(self) -> None:
        super().__init__("a verb or a transition", most=63, examples=("read", "update"))

    @override
    def build(self, node: Node, scope: Scope) -> str:
        name = str(plain(node))
        known = {*VERBS, *(scope.entity.transitions if scope.entity is not None else ())}
        if name not in known:
            scope.findings.error(
                "case.action", f"'{name}' is no verb and no transition", node, did_you_mean(name, known)
            )
        return name


class CaseRecord(Record):
    """One case, with its line."""

    @override
    def build(self, node: Node, scope: Scope) -> Case:
        values: dict[str, Any] = super().build(node, scope)
        role, claims = values.pop("as")
        both = set(values.get("may", ())) & set(values.get("may_not", ()))
        for name in sorted(both):
            scope.findings.error("case.action", f"'{name}' is both in may and in may_not", node)
        return Case(role, claims, line=node.line, **values)


_ACTIONS = Many(Action(), "verbs or transitions", single=True)
_FIELDS = Many(FieldName(), "field names", single=True)
CASES = Many(
    CaseRecord(
        "test",
        "What a caller may do with a row; it runs on every save.",
        {
            "as": Key(
                Caller(
                    "caller",
                    "A role and claims.",
                    {"role": Key(RoleName(), "The caller's role.", required=True)},
                    shorthand="role",
                ),
                "Who asks: a role, and claims beside it.",
                required=True,
            ),
            "given": Key(
                Given("value", ANY, pattern=r"[A-Za-z_][A-Za-z0-9_]*"),
                "The row; owner: me or owner: other sets a relation.",
            ),
            "may": Key(_ACTIONS, "What must be possible."),
            "may_not": Key(_ACTIONS, "What must be refused."),
            "hidden": Key(_FIELDS, "Fields that must not be seen."),
            "visible": Key(_FIELDS, "Fields that must be seen."),
            "name": Key(Text("a text", most=200), "What the case is about."),
        },
    ),
    "tests",
    most=200,
)
