"""What goes into the query compiler and what comes out: values only."""

from datetime import date

from msgspec import Struct

from schemas.compiler.model import Rule
from schemas.compiler.query.preferences import NONE, Preferences
from schemas.compiler.sql import Argument, Statement

MAX_ROWS = 1000


class ReadRequest(Struct, frozen=True):
    """One read.

    Attributes:
        entity: from the path.
        key: row id from the path, or None for the collection.
        query: raw query string.
        accept: the Accept header.
        range: the Range header, ``0-24``, or "".
        today: for names that answer until a date.
        most: rows of an answer, however many are asked for.
    """

    entity: str
    key: str | None = None
    query: str = ""
    preferences: Preferences = NONE
    accept: str = ""
    range: str = ""
    today: date = date(2026, 1, 1)
    most: int = MAX_ROWS


class WriteRequest(Struct, frozen=True):
    """One write; ``rows`` are decoded JSON objects (one for an update).

    Attributes:
        expected_version: from If-Match, or None.
        who: JSON text of who asks, for entities whose writes say so.
        hooked: fields that functions have set: they may, whatever the caller may.
        each: every row is for one row that is there, by its key in ``ROW_KEY``: an update or delete after
            functions looked at the rows one by one.
        ragged: rows set different fields each; what they miss is its default.
        moves: it is a transition of a workflow, which alone changes a row's state.
    """

    entity: str
    rows: tuple[dict[str, object], ...] = ()
    key: str | None = None
    query: str = ""
    preferences: Preferences = NONE
    accept: str = ""
    expected_version: str | None = None
    today: date = date(2026, 1, 1)
    who: str | None = None
    hooked: frozenset[str] = frozenset()
    each: bool = False
    ragged: bool = False
    moves: bool = False


class Prepared(Struct, frozen=True):
    """A statement ready to run. It answers with one row: body, page_count, total, version, key.

    With a ``cursor_scope`` also ``cursor``: None on the last page, else what ``QueryCompiler.next_cursor``
    seals.

    Attributes:
        slots: literals for ``statement.arguments``.
        media: json, object, csv or ndjson: what ``body`` (JSON text) is to become.
        singular: exactly one row is expected.
        columns: keys of a row in order, for CSV.
        deprecated: old names used -> their new ones.
        offset: rows skipped, for Content-Range.
        process_rules: rules to evaluate in process on ``rows``; their rows come in column ``checked``.
        cursor_scope: what a cursor of this list holds for; "" unless ``after`` was given.
    """

    statement: Statement
    slots: tuple[Argument, ...]
    media: str = "json"
    singular: bool = False
    strip_nulls: bool = False
    columns: tuple[str, ...] = ()
    deprecated: tuple[tuple[str, str], ...] = ()
    offset: int = 0
    limit: int | None = None
    process_rules: tuple[Rule, ...] = ()
    cursor_scope: str = ""
