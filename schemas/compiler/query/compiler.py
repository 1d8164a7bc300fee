"""All statements of one generation of a tenant: requests in, prepared statements out, shapes remembered.

Decides what is cached: statements by shape, and in front of that whole requests by their exact text, since
clients repeat themselves. Pure; one per generation, called by the tenant's operations.
"""

from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import TypeAlias

import msgspec

from schemas.compiler.model import Entity, TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.query.access import Caller
from schemas.compiler.query.columns import Frame
from schemas.compiler.query.cursors import seal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.follow_sql import Follow, compile_follow
from schemas.compiler.query.lock_sql import compile_lock
from schemas.compiler.query.media import media_of
from schemas.compiler.query.parse import split_pairs
from schemas.compiler.query.past_sql import check_not_past
from schemas.compiler.query.read_sql import Reader
from schemas.compiler.query.read_statement import compile_read
from schemas.compiler.query.relationships import relationships
from schemas.compiler.query.requests import Prepared, ReadRequest, WriteRequest
from schemas.compiler.query.row_filter import resolve_entity
from schemas.compiler.query.screening import check_not_screened, screened_names
from schemas.compiler.query.shapes import Shape, fill_read, shape_of
from schemas.compiler.query.syntax import ReadQuery
from schemas.compiler.query.versions_sql import compile_versions
from schemas.compiler.query.write_parts import BODY, ROW_KEY
from schemas.compiler.query.write_statement import VERSION, WHO, Wish, compile_write
from schemas.compiler.recording import attributed_entities, filed_entities
from schemas.compiler.sql import Statement

MAX_SHAPES = 4096
MAX_SHAPE_TEXT = 2048
"""Longer shapes are compiled anew: nobody repeats them, and they would fill the memory."""
MAX_RECENT = 4096
MAX_RECENT_TEXT = 512
MAX_RECENT_NAMES = 64
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_Recent: TypeAlias = tuple[Shape, Prepared]


class QueryCompiler:
    """Compiles requests of one generation.

    Args:
        model: the tenant.
        namespace: where its tables are.
        cursor_key: secret that signs keyset cursors.
        trigram: namespace of pg_trgm; "" where the server has none.

    Attributes:
        attributed: entities whose writes say who asked.
        listened: names of entities whose writes may leave work behind.
        screened: what requests may call entities whose reads functions look at first.
    """

    def __init__(
        self, model: TenantModel, namespace: str, *, cursor_key: bytes = b"", trigram: str = ""
    ) -> None:
        self._model = model
        self._namespace = namespace
        self._cursor_key = cursor_key
        self._trigram = trigram
        self._known = relationships(model)
        self.attributed = attributed_entities(model)
        self.listened = {
            name
            for entity in self.attributed | filed_entities(model)
            for name in (entity, *model.entities[entity].renamed_from)
        }
        self.screened = screened_names(model)
        self._shapes: dict[tuple[object, ...], Shape] = {}
        self._older: dict[tuple[object, ...], Shape] = {}
        self._recent: dict[tuple[object, ...], _Recent] = {}

    def read(self, request: ReadRequest, principal: Principal) -> Prepared:
        """Compile a read.

        Raises:
            QueryError: whatever is wrong with it, or not allowed.
        """
        key = request.key
        recent = (
            request.entity, request.query, principal.roles, principal.scopes, request.accept,
            request.preferences.count, request.range, request.today, key is None, request.most,
        )  # fmt: skip
        known = self._recent.get(recent)
        if known is None:
            known = self._read(request, principal)
            if len(request.query) <= MAX_RECENT_TEXT:
                self._note_recent(recent, known)
        shape, prepared = known
        if key is None:
            return prepared
        slots = prepared.slots
        place = shape.key_slot
        return shape.fill((*slots[:place], key, *slots[place + 1 :]), prepared.offset, prepared.limit)

    def follow(self, request: ReadRequest, principal: Principal) -> Follow:
        """Compile a read to be asked about changes; remembered by those who follow it.

        Raises:
            QueryError: as for ``read``; realtime.not_followed.
        """
        reader, entity = self._reader(request, principal)
        check_not_screened(entity, reader.caller)
        return compile_follow(reader, entity, check_not_past(split_pairs(request.query)))

    def write(self, verb: str, request: WriteRequest, principal: Principal) -> Prepared:
        """Compile a write, or what holds the rows it is about.

        Args:
            verb: ``insert`` (or upsert, by the preferences), ``update``, ``replace`` (of one row by its key)
                or ``delete``; after ``lock `` key and row (JSON text) of each row it is about, see
                ``lock_sql``.
            request: its rows are of one entity.
            principal: who asks.

        Raises:
            QueryError: whatever is wrong with it, or not allowed.
        """
        rows = request.rows
        names = (
            tuple(rows[0]) if len(rows) == 1 else tuple(dict.fromkeys(name for row in rows for name in row))
        )
        if request.each:
            names = tuple(name for name in names if name != ROW_KEY)
        versioned = request.expected_version is not None
        recent = (
            verb, request.entity, request.query, principal.roles, principal.scopes, request.accept,
            request.preferences, request.today, request.key is None, versioned, names,
            request.hooked, request.each, request.ragged, request.moves,
        )  # fmt: skip
        known = self._recent.get(recent) if len(rows) <= 1 else None
        if known is None:
            known = self._compile_write(verb, request, principal, names)
            if len(rows) <= 1 and len(request.query) <= MAX_RECENT_TEXT and len(names) <= MAX_RECENT_NAMES:
                self._note_recent(recent, known)
        shape, prepared = known
        slots = list(prepared.slots)
        if shape.key_slot >= 0:  # the row of a PUT is named by its body
            slots[shape.key_slot] = request.key
        slots[BODY] = _encode(request, verb)
        slots[VERSION] = request.expected_version
        slots[WHO] = request.who
        return shape.fill(tuple(slots))

    def versions(self, entity: str, principal: Principal, today: date) -> Statement:
        """Compile what reads the versions of a row, see ``versions_sql``.

        Raises:
            QueryError: history.none, PGRST205, 42501.
        """
        reader, found = self._reader(ReadRequest(entity, today=today), principal)
        return compile_versions(reader, found)

    def next_cursor(self, prepared: Prepared, last: str | None) -> str | None:
        """Return the ``after`` of the next page.

        Args:
            prepared: the read that had ``after``, empty on the first page.
            last: its row's column ``cursor``; None on the last page.
        """
        return None if last is None else seal(self._cursor_key, prepared.cursor_scope, last)

    def entity(self, name: str, today: date) -> Entity:
        """Return the entity a path means.

        Raises:
            QueryError: PGRST205.
        """
        known = self._model.entities.get(name)
        return known or self._entity(Frame(self._model, self._namespace, today), name)

    def _read(self, request: ReadRequest, principal: Principal) -> _Recent:
        pairs = split_pairs(request.query)
        media = media_of(request.accept)
        by_key = request.key is not None
        count = request.preferences.count
        words, values = shape_of(pairs)
        key = (
            "read",
            request.entity,
            principal.roles,
            principal.scopes,
            words,
            by_key,
            media,
            count,
            bool(request.range),
            request.today,
            request.most,
        )
        shape = self._shapes.get(key) or self._revived(key)
        if shape is None:
            reader, entity = self._reader(request, principal)
            shape = compile_read(reader, entity, pairs, media, request)
            self._remember(key, shape, words)
        return shape, fill_read(shape, values, request.key, request.range, self._cursor_key)

    def _compile_write(
        self, verb: str, request: WriteRequest, principal: Principal, names: tuple[str, ...]
    ) -> _Recent:
        pairs = check_not_past(split_pairs(request.query))
        ragged = (request.ragged or request.preferences.missing == "default") and any(
            len(row) < len(names) for row in request.rows
        )
        wish = Wish(
            verb, names, ragged, request.key is not None, request.expected_version is not None,
            request.preferences, media_of(request.accept), request.hooked, request.each, request.moves,
        )  # fmt: skip
        words, values = shape_of(pairs)
        key = (wish, request.entity, principal.roles, principal.scopes, words, request.today)
        shape = self._shapes.get(key) or self._revived(key)
        if shape is None:
            reader, entity = self._reader(request, principal)
            compile_ = compile_lock if verb.startswith("lock ") else compile_write
            shape = compile_(reader, entity, pairs, wish)
            self._remember(key, shape, words)
        return shape, fill_read(shape, values, request.key, "", b"")

    def _note_recent(self, request: tuple[object, ...], known: _Recent) -> None:
        if len(self._recent) >= MAX_RECENT:
            self._recent.clear()
        self._recent[request] = known

    def _reader(self, request: ReadRequest | WriteRequest, principal: Principal) -> tuple[Reader, Entity]:
        frame = Frame(
            self._model,
            self._namespace,
            request.today,
            attributed=self.attributed,
            trigram=self._trigram,
        )
        entity = self._entity(frame, request.entity)
        caller = Caller(principal.roles, principal.scopes)
        return Reader(frame, ReadQuery(), caller, self._known), entity

    def _entity(self, frame: Frame, name: str) -> Entity:
        found = resolve_entity(frame, name)
        if found is None:
            near = get_close_matches(name, list(self._model.entities), 1)
            raise QueryError(
                "PGRST205",
                f"Could not find the table '{name[:100]}' in the schema cache",
                hint=f"Perhaps you meant the table '{near[0]}'" if near else "",
            )
        return self._model.entities[found]

    def _remember(self, key: tuple[object, ...], shape: Shape, words: tuple[str, ...]) -> None:
        if sum(map(len, words)) <= MAX_SHAPE_TEXT:
            self._keep(key, shape.bare())

    def _keep(self, key: tuple[object, ...], shape: Shape) -> None:
        if len(self._shapes) >= MAX_SHAPES // 2:
            # what is still asked for comes back from here; the rest goes with the next turn
            self._older, self._shapes = self._shapes, {}
        self._shapes[key] = shape

    def _revived(self, key: tuple[object, ...]) -> Shape | None:
        shape = self._older.pop(key, None)
        if shape is not None:
            self._keep(key, shape)
        return shape


def _encode(request: WriteRequest, verb: str) -> str:
    """Return the body's rows as JSON text."""
    rows = request.rows
    many = request.each or verb.removeprefix("lock ") in {"insert", "replace"}
    value = list(rows) if many else (rows[0] if rows else {})
    try:
        return _ENCODER.encode(value).decode()
    except OverflowError:
        return _ENCODER.encode(_wide(value)).decode()


def _wide(value: object) -> object:
    """Return a JSON value whose integers may have more than 64 bits."""
    if isinstance(value, dict):
        return {name: _wide(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_wide(item) for item in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
