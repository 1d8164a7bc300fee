"""``access``: who may read, create, update and delete which rows and fields.

Decides which keys make sense for which verb. How entries become predicates is the query compiler's.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from msgspec.structs import replace
from typing_extensions import override

from schemas.compiler.expressions.check import both
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.scalars import BOOLEAN, Integer
from schemas.compiler.grammar.shape import Shape
from schemas.compiler.grammar.slots import Cel, FieldName, RoleName
from schemas.compiler.model import Access, AccessEntry
from schemas.compiler.nodes import Node
from schemas.compiler.principal import ADMIN_ROLE
from schemas.compiler.scope import Scope
from schemas.compiler.sections.assignments import Assignments
from schemas.compiler.sections.functions import FILTER_ROWS, Function
from schemas.compiler.sections.triggers import BEFORE_READ

_ROLE = Key(
    RoleName(), "Role the entry is for; public is everyone, authenticated everyone signed in.", required=True
)
_RULE = Key(
    Cel(Use("an access rule", needs="sql")),
    "Condition on the row as it is, in CEL that SQL can say.",
    examples=("self.owner_id == user.id",),
)
_CHECK = Key(Cel(Use("an access check", needs="sql")), "Condition on the row as it becomes.")
_SET = Key(Assignments(), "Values forced on the row: CEL by field.", examples=({"owner_id": "user.id"},))
_READ = Key(Many(FieldName(), "field names"), "The only fields the entry shows.")
_WRITE = Key(Many(FieldName(writable=True), "field names"), "The only fields the entry may write.")


def _entry(verb: str, keys: dict[str, Key], suggest: dict[str, str]) -> Record:
    says = f"Who may {verb}; entries add up."
    return Record(f"{verb} entry", says, keys, make=AccessEntry, shorthand="role", suggest=suggest)


_NO_RULE = {"rule": "before creation there is no row: use 'check'"}
_NO_HIDE = {"hide": "what is hidden is said by the read entries", "limit": "a page limit belongs to read"}

READ = _entry(
    "read",
    {
        "role": _ROLE,
        "rule": _RULE,
        "fields": _READ,
        "hide": Key(Many(FieldName(), "field names"), "Fields it does not show: they read as absent."),
        "limit": Key(Integer(1, 1000), "Most rows on a page."),
        "aggregate": Key(BOOLEAN, "Whether count(), sum() and the like are allowed."),
    },
    {"check": "reading changes nothing: use 'rule'", "set": "reading changes nothing"},
)
CREATE = _entry(
    "create", {"role": _ROLE, "check": _CHECK, "set": _SET, "fields": _WRITE}, _NO_RULE | _NO_HIDE
)
UPDATE = _entry(
    "update", {"role": _ROLE, "rule": _RULE, "check": _CHECK, "set": _SET, "fields": _WRITE}, _NO_HIDE
)
DELETE = _entry(
    "delete", {"role": _ROLE, "rule": _RULE}, {"check": "after deletion there is no row: use 'rule'"}
)


def _entries(record: Shape) -> Many:
    return Many(record, "entries such as {role: member}", most=50, single=True)


class AccessRecord(Record):
    """``access``: builds the model's Access; ``write`` is create and update in one."""

    @override
    def build(self, node: Node, scope: Scope) -> Access:
        values: dict[str, Any] = super().build(node, scope)
        written: tuple[AccessEntry, ...] = values.pop("write", ())
        verbs = {verb: tuple(entries) for verb, entries in values.items()}
        verbs["update"] = verbs.get("update", ()) + written
        # before creation there is no row, so the condition holds for the row as it becomes
        verbs["create"] = verbs.get("create", ()) + tuple(_as_creation(entry) for entry in written)
        return Access(**verbs, declared=True)


def _as_creation(entry: AccessEntry) -> AccessEntry:
    return AccessEntry(entry.role, None, entry.check or entry.rule, entry.set, entry.fields)


def narrowed(access: Access, functions: Mapping[str, Function]) -> Access:
    """Return who may do what, with the filters that functions put on every read."""
    filters = [
        one.condition
        for one in functions.values()
        if one.function == FILTER_ROWS and BEFORE_READ in one.triggers and one.condition is not None
    ]
    if not filters:
        return access
    if not access.declared:
        admin = (AccessEntry(ADMIN_ROLE, aggregate=True),)
        access = Access(admin, admin, admin, admin, declared=True)
    every = reduce(both, filters)
    read = tuple(
        replace(entry, rule=every if entry.rule is None else both(entry.rule, every)) for entry in access.read
    )
    return replace(access, read=read)


ACCESS = AccessRecord(
    "access",
    "Who may do what with the rows. A verb without entries is nobody's; without access, only admin may.",
    {
        "read": Key(_entries(READ), "Who may read."),
        "create": Key(_entries(CREATE), "Who may create."),
        "update": Key(_entries(UPDATE), "Who may update."),
        "write": Key(_entries(UPDATE), "Shorthand: create and update."),
        "delete": Key(_entries(DELETE), "Who may delete."),
    },
    suggest={"list": "read covers one row and lists", "insert": "write create", "select": "write read"},
)
