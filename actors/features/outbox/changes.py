"""One recorded change, read with the model that is in force now.

Decides what a change means after the file changed: renamed entities and fields are found under their new
names, what was removed is left out, and marking a row deleted is deleting it. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
from msgspec import Struct

from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.model import SOFT_DELETE_FIELD, Entity, TenantModel
from schemas.compiler.principal import ANONYMOUS_ROLE, Principal
from schemas.compiler.query.values import decode_json

Row = dict[str, Any]
EVENT = "event"
_VERBS = {"insert": "create", "update": "update", "delete": "delete"}
PAST = {"create": "created", "update": "updated", "delete": "deleted"}


class Change(Struct, frozen=True):
    """What happened.

    Attributes:
        seq: its number; grows with each change of a row.
        entity: of the row; the event's name where ``verb`` is ``event``.
        verb: create, update, delete or event.
        old, new: the row before and after, None where there was none; an event's payload is ``new``.
        who: who asked: user, email, roles, key, request_id, address; {} when nobody knows. Where somebody
            stands in for the user, ``email`` names both, ``person`` the user and ``impersonator`` the other.
    """

    seq: int
    at: datetime
    entity: str
    key: str
    verb: str
    old: Row | None
    new: Any
    who: Mapping[str, Any]

    @property
    def row(self) -> Row:
        """The row it is about: as it is now, or was last."""
        found: Row = (self.old if self.verb == "delete" else self.new) or {}
        return found

    @property
    def changed(self) -> list[str]:
        """Names of the fields that have another value now."""
        if self.old is None or self.new is None:
            return []
        return [name for name, value in self.new.items() if self.old.get(name) != value]

    @property
    def principal(self) -> Principal:
        """Who asked, for conditions."""
        return principal_of(self.who)


def read_change(model: TenantModel, row: asyncpg.Record) -> Change | None:
    """Return a recorded change, None when it is of an entity that is no more."""
    who = _json(row["who"]) or {}
    if row["verb"] == EVENT:
        return Change(row["seq"], row["at"], row["entity"], "", EVENT, None, _json(row["new"]), who)
    entity = _entity(model, row["entity"])
    if entity is None:
        return None
    verb, old, new = _VERBS[row["verb"]], _json(row["old"]), _json(row["new"])
    if entity.soft_delete and old is not None and new is not None:
        was, now = old.get(SOFT_DELETE_FIELD), new.get(SOFT_DELETE_FIELD)
        verb = "delete" if was is None and now is not None else verb
        verb = "create" if was is not None and now is None else verb
    old, new = (
        None if old is None or verb == "create" else _row(model, entity, old, who, row["at"]),
        None if new is None or verb == "delete" else _row(model, entity, new, who, row["at"]),
    )
    return Change(row["seq"], row["at"], entity.name, row["key"], verb, old, new, who)


def principal_of(who: Mapping[str, Any]) -> Principal:
    """Return who asked, as far as it was kept."""
    roles = frozenset(who.get("roles") or (ANONYMOUS_ROLE,))
    email = who.get("person", who.get("email"))
    return Principal(who.get("user"), email, roles, key=who.get("key"), impersonator=who.get("impersonator"))


def _json(text: str | None) -> Any:  # noqa: ANN401 - JSON
    return None if text is None else decode_json(text.encode())


def _entity(model: TenantModel, name: str) -> Entity | None:
    found = model.entities.get(name)
    return found or next((one for one in model.entities.values() if name in one.renamed_from), None)


def _row(model: TenantModel, entity: Entity, stored: Row, who: Mapping[str, Any], at: datetime) -> Row:
    row: Row = {}
    for field in entity.fields.values():
        if field.virtual or field.write_only:
            continue
        name = next((one for one in (field.name, *field.renamed_from) if one in stored), field.name)
        row[field.name] = stored.get(name)
    env = Env(row, None, principal_of(who), {"slug": model.slug}, at, timezone=model.timezone)
    for field in entity.fields.values():
        if field.virtual and field.computed is not None and field.computed.in_process:
            row[field.name] = to_python(field.computed)(env)
    return row
