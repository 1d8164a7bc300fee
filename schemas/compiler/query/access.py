"""Which access entries count for a caller, and which fields they show.

Decides that the scopes of an API key narrow what its roles may do, for every entity a statement enters. Pure;
called by the SQL builders.
"""

from typing import NamedTuple

from msgspec import Struct

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.model import AccessEntry, Entity, Field
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE
from schemas.compiler.query.errors import QueryError

_ADMIN = (AccessEntry(ADMIN_ROLE, aggregate=True),)
_SERVICE = (AccessEntry(SERVICE_ROLE, aggregate=True),)


class Caller(NamedTuple):
    """What of a principal decides which statement is written; the rest of it is arguments.

    Attributes:
        roles: effective ones.
        scopes: ``entity:verb`` pairs it is limited to, None for no limit.
    """

    roles: frozenset[str]
    scopes: frozenset[str] | None = None

    def reaches(self, entity: str, verb: str) -> bool:
        """Whether the scopes let the caller try a verb on an entity."""
        if self.scopes is None:
            return True
        verbs = (verb, "*", "write") if verb in {"create", "update"} else (verb, "*")
        return any(f"{name}:{word}" in self.scopes for name in (entity, "*") for word in verbs)


def entries_for(entity: Entity, verb: str, caller: Caller) -> tuple[AccessEntry, ...]:
    """Return the entries of a verb that apply.

    Raises:
        QueryError: 42501 when none does, or when the verb is out of the caller's scopes.
    """
    if not caller.reaches(entity.name, verb):
        raise QueryError(
            "42501",
            f"permission denied for table {entity.name}: the key lacks the scope {entity.name}:{verb}",
            hint="return=minimal needs no read" if verb == "read" else "",
        )
    if SERVICE_ROLE in caller.roles:
        return _SERVICE
    access = entity.access
    declared: tuple[AccessEntry, ...] = getattr(access, verb) if access.declared else _ADMIN
    found = tuple(entry for entry in declared if entry.role in caller.roles)
    if not found:
        raise QueryError("42501", f"permission denied for table {entity.name}")
    return found


class Sight(Struct, frozen=True):
    """What a caller sees of an entity.

    Attributes:
        entries: the read entries that apply.
        fields: names that may be read, to the entries that show them; all entries when nothing is masked.
    """

    entries: tuple[AccessEntry, ...]
    fields: dict[str, tuple[AccessEntry, ...]]

    def masked(self, name: str) -> bool:
        """Whether only some of the visible rows show the field."""
        showing = self.fields[name]
        return len(showing) != len(self.entries) and all(entry.rule is not None for entry in showing)

    @property
    def aggregates(self) -> bool:
        """Whether aggregate functions are allowed."""
        return any(entry.aggregate or entry.role == ADMIN_ROLE for entry in self.entries)

    @property
    def limit(self) -> int | None:
        """Rows a page may have; the most generous entry counts."""
        limits = [entry.limit for entry in self.entries]
        known = [limit for limit in limits if limit is not None]
        return max(known) if len(known) == len(limits) else None


def sight_of(entity: Entity, caller: Caller) -> Sight:
    """Return what a caller sees of an entity.

    Raises:
        QueryError: 42501 when it may not be read.
    """
    entries = entries_for(entity, "read", caller)
    fields = {
        field.name: showing
        for field in entity.fields.values()
        if not field.write_only and (showing := tuple(entry for entry in entries if _shows(entry, field)))
    }
    return Sight(entries, fields)


def _shows(entry: AccessEntry, field: Field) -> bool:
    return field.name not in entry.hide and (entry.fields is None or field.name in entry.fields)


def writable(entity: Entity, entries: tuple[AccessEntry, ...]) -> frozenset[str]:
    """Return the fields that some entry lets a caller write."""
    return frozenset(
        name
        for name in entity.fields
        if any(entry.fields is None or name in entry.fields for entry in entries)
    )


def forced_values(entries: tuple[AccessEntry, ...]) -> dict[str, Expression]:
    """Return the values set for the caller: those that every entry sets."""
    first, *others = entries
    return {
        name: expression
        for name, expression in first.set.items()
        if all(name in entry.set and entry.set[name].text == expression.text for entry in others)
    }
