"""Changes of rows as the ``postgres_changes`` of Supabase's clients.

Decides which bindings a client may ask for and how a change is written. Pure.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import replace

from actors.features.realtime.groups import Follower, LiveEvent, Wish
from actors.features.realtime.phoenix import FrameError, query_of
from schemas.compiler.model import Entity
from schemas.compiler.query.columns import base_type

MOST_BINDINGS = 20
"""Of a channel."""
EVERY = "*"
"""In the place of an entity: each one that can be read."""
_EVENTS = frozenset({"*", "INSERT", "UPDATE", "DELETE"})
_TYPES = {
    "integer": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool", "double precision": "float8",
    "timestamp with time zone": "timestamptz", "character varying": "varchar",
}  # fmt: skip


class Binding(Struct, frozen=True):
    """One wish of a channel, and what the client is told of it."""

    id: int
    event: str
    wish: Wish
    echo: dict[str, Any]

    def wishes(self, entities: Iterable[str]) -> list[Wish]:
        """Return what is to be followed, given all there is."""
        if self.wish.entity != EVERY:
            return [self.wish]
        return [replace(self.wish, entity=name) for name in entities]


def read_binding(asked: object, number: int, slug: str) -> Binding:
    """Read one of a join's ``postgres_changes``.

    Raises:
        FrameError: it is none that can be followed.
    """
    if not isinstance(asked, dict):
        raise FrameError("postgres_changes is a list of objects")
    event, schema, table = str(asked.get("event")).upper(), asked.get("schema", "public"), asked.get("table")
    if event not in _EVENTS:
        raise FrameError("event is *, INSERT, UPDATE or DELETE")
    if schema not in {"public", slug}:
        raise FrameError("the only schema is 'public'")
    filter_, select = asked.get("filter") or "", asked.get("select") or ""
    table = EVERY if table is None else table
    if not isinstance(table, str) or not table:
        raise FrameError("table is the name of one, or '*'")
    if table == EVERY and (filter_ or select):
        raise FrameError("name a table: 'filter' and 'select' are about one alone")
    names = ",".join(map(str, select)) if isinstance(select, list) else str(select)
    parts = [query_of(str(filter_)), f"select={names}" if names else ""]
    query = "&".join(part for part in parts if part)
    echo = {name: asked[name] for name in ("event", "schema", "table", "filter", "select") if name in asked}
    return Binding(number, event, Wish(table, query, rows=False), {"id": number, **echo})


def change_message(binding: Binding, follower: Follower, event: LiveEvent) -> bytes | None:
    """Return a change as payload, None when the binding is not about such ones."""
    verb = "DELETE" if event.kind == "delete" else event.verb.upper()
    if binding.event not in {"*", verb}:
        return None
    if not event.record:
        event.record = _data(verb, follower, event)
    return b'{"ids":[%d],"data":%b}' % (binding.id, event.record)


def _data(verb: str, follower: Follower, event: LiveEvent) -> bytes:
    entity = follower.group.follow.entity
    name = orjson.dumps(event.key_name)
    key = b"{%b:%b}" % (name, event.key.encode())
    columns = _columns(entity, orjson.loads(event.body) if event.body else {event.key_name: None})
    head = orjson.dumps(
        {"schema": "public", "table": entity.name, "commit_timestamp": event.at, "type": verb}
    )
    record = b',"record":%b' % event.body.encode() if event.body else b""
    old = b"" if verb == "INSERT" else b',"old_record":%b' % key
    return b'%b,"columns":%b%b%b,"errors":null}' % (head[:-1], orjson.dumps(columns), record, old)


def _columns(entity: Entity, row: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    for name in row:
        field = entity.fields.get(name)
        kind = "jsonb" if field is None else base_type(field.pg_type)
        found.append(
            {"name": name, "type": f"_{kind[:-2]}" if kind.endswith("[]") else _TYPES.get(kind, kind)}
        )
    return found
